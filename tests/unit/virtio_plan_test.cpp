// Virtio consoles as they are described: what can be is planned, shown and told to driver and server; what cannot be is said where it is
// written.
#include <fmt/format.h>
#include <gtest/gtest.h>
extern "C" {
#include <libfdt.h>
}

#include "pack/describe.hpp"
#include "partita/guest/virtio/rpmsg.hpp"
#include "plan/served.hpp"
#include "plan_fixture.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

class VirtioPlan : public PlanFixture {
protected:
    // "linux" sends "up" and receives "down" and "value"; the parent serves it.
    static std::string description(const std::string& linux,
                                   const std::string& parent = "rights = [\"manage\", \"serve\"]\ncontrol = true\n",
                                   const std::string& more = "") {
        std::string out = "[system]\nboard = \"virt\"\n";
        out += fmt::format("[[partition]]\nname = \"linux\"\nkernel = \"a.elf\"\nmemory = \"64 MiB\"\ncpus = [0]\n{}", linux);
        out += "[[partition]]\nname = \"rtos\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [1]\n";
        out += fmt::format("[[partition]]\nname = \"parent\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [2]\n{}", parent);
        out += channel("down", "queuing", "rtos", "linux", "depth = 4\n");
        out += channel("up", "queuing", "linux", "rtos", "depth = 4\n");
        out += channel("value", "sampling", "rtos", "linux", "told = true\n");
        return out + more;
    }
    static std::string channel(const std::string& name, const std::string& kind, const std::string& from, const std::string& to,
                               const std::string& more) {
        return fmt::format("[[channel]]\nname = \"{}\"\nkind = \"{}\"\nfrom = \"{}\"\nto = \"{}\"\nmessage = \"16 B\"\n{}", name, kind,
                           from, to, more);
    }
    [[nodiscard]] const void* tree_of(std::size_t partition) const {
        for (const PlannedCopy& copy : plan->partitions[partition].copies)
            if (copy.what == "device tree") return copy.bytes.data();
        return nullptr;
    }
    static std::uint32_t cell(const void* fdt, const char* path, const char* property, int n) {
        int size = 0;
        const auto* const cells = static_cast<const fdt32_t*>(fdt_getprop(fdt, fdt_path_offset(fdt, path), property, &size));
        return cells != nullptr && size > n * 4 ? fdt32_to_cpu(cells[n]) : ~0u;
    }
};

TEST_F(VirtioPlan, DisksAreInTheirServersMemory) {
    write("image.bin", Bytes(5000, 0x5a));
    const std::string disks =
        "[[partition.disk]]\nname = \"data\"\nsize = \"4 MiB\"\n[[partition.disk]]\nname = \"begun\"\nsize = \"8 KiB\"\nimage = "
        "\"image.bin\"\n"
        "[[partition.disk]]\nname = \"fixed\"\nimage = \"image.bin\"\nread_only = true\n";
    ASSERT_EQ(complaints(description("virtio_ports = true\n" + disks)), "");
    const PlannedPartition &linux = plan->partitions[0], &parent = plan->partitions[2];
    ASSERT_EQ(linux.virtio.size(), 4u) << "and the console";
    EXPECT_FALSE(linux.virtio[0].disk);
    for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(linux.virtio[n].slot, n);
    const auto region = [&](std::uint64_t ipa) {
        const auto at = std::ranges::find(parent.regions, ipa, &PlannedRegion::ipa);
        return at != parent.regions.end() ? *at : PlannedRegion{};
    };
    constexpr std::uint32_t kept = PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT;
    const PlannedDisk &data = *linux.virtio[1].disk, &begun = *linux.virtio[2].disk, &fixed = *linux.virtio[3].disk;
    EXPECT_EQ(region(data.at).size, 4u << 20);
    EXPECT_EQ(region(data.at).flags, kept);
    EXPECT_EQ(region(begun.at).size, 8192u);
    EXPECT_EQ(region(begun.at).flags, kept);
    EXPECT_EQ(region(begun.image_at).flags, std::uint32_t{PARTITA_REGION_READ});
    EXPECT_EQ(fixed.at, fixed.image_at);
    EXPECT_EQ(fixed.size, 8192u) << "whole pages";
    EXPECT_EQ(region(fixed.at).flags, std::uint32_t{PARTITA_REGION_READ}) << "its server cannot write it either";
    for (const PlannedDisk* const disk : {&begun, &fixed}) {
        const auto copy = std::ranges::find(parent.copies, disk->image_at, &PlannedCopy::ipa);
        ASSERT_NE(copy, parent.copies.end());
        EXPECT_EQ(copy->bytes.size(), 5000u);
    }
    EXPECT_EQ(std::ranges::count_if(parent.regions, [](const PlannedRegion& one) { return (one.flags & PARTITA_REGION_SERVED) != 0; }), 1)
        << "linux' memory is seen once";
    const void* const tree = tree_of(2);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-2@2", "partita,disk", 0), begun.at);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-2@2", "partita,disk", 1), 8192u);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-2@2", "partita,image", 1), 5000u);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-3@3", "partita,read-only", 0), 1u);
    EXPECT_NE(show_text(*plan).find("disk begun"), std::string::npos);
}

// An image that several begin with is there once, whatever becomes of it, and of copy-on-write there is only what can change.
TEST_F(VirtioPlan, AnImageIsPlacedOnceForAllItsDisks) {
    write("image.bin", Bytes(1u << 20, 0x5a));
    const auto disk = [](const std::string& name, const std::string& more) {
        return fmt::format("[[partition.disk]]\nname = \"{}\"\nimage = \"image.bin\"\n{}", name, more);
    };
    ASSERT_EQ(complaints(description(disk("one", "changes = \"64 KiB\"\n") + disk("other", "changes = \"8 KiB\"\nsize = \"2 MiB\"\n") +
                                     disk("fixed", "read_only = true\n") + disk("all", ""))),
              "");
    const PlannedPartition &linux = plan->partitions[0], &parent = plan->partitions[2];
    EXPECT_EQ(std::ranges::count(parent.copies, Bytes(1u << 20, 0x5a), &PlannedCopy::bytes), 1);
    for (const PlannedVirtio& device : linux.virtio) EXPECT_EQ(device.disk->image_at, linux.virtio[0].disk->image_at);
    const auto kept = [&](std::size_t n) { return std::ranges::find(parent.regions, linux.virtio[n].disk->at, &PlannedRegion::ipa)->size; };
    EXPECT_EQ(kept(0), 64u * 1024 + 4096) << "and a table of a number for each block";
    EXPECT_EQ(kept(1), 8u * 1024 + 4096);
    EXPECT_EQ(kept(3), 1u << 20);
    const void* const tree = tree_of(2);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-1@1", "partita,disk", 1), 2u << 20);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-1@1", "partita,changes", 0), 8192u);
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-3@3", "partita,changes", 0), ~0u);
    EXPECT_NE(show_text(*plan).find("2 MiB in memory, 8 KiB for changes"), std::string::npos);
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {disk("a", "changes = \"5000 B\"\n"), "disk \"a\" can have a multiple of 4 KiB for changes, at most 1 GiB, not 5000 B"},
        {disk("a", "changes = \"0 B\"\n"), "for changes, at most 1 GiB, not 0 B"},
        {disk("a", "changes = \"4 KiB\"\nread_only = true\n"), "disk \"a\" can be read only; take read_only or changes out"},
        {"[[partition.disk]]\nname = \"a\"\nsize = \"4 MiB\"\nchanges = \"4 KiB\"\n",
         "disk \"a\" has no image that it could leave as it is; add one, or take changes out"},
        {"[[partition.disk]]\nname = \"a\"\non = \"x\"\nchanges = \"4 KiB\"\n",
         "disk \"a\" lies on a disk of the board, where all of it can be changed; take changes out"},
    };
    for (const auto& [text, words] : mistakes) EXPECT_NE(complaints(description(text)).find(words), std::string::npos) << words;
}

// On a disk of the server's: nothing is placed, and the server is told where they lie.
TEST_F(VirtioPlan, DisksLieOnADiskOfTheirServers) {
    const auto describe = [](const std::string& disks, const std::string& devices = "devices = [\"disk0\"]\n",
                             const std::string& other = "") {
        return fmt::format(
            "[system]\nboard = \"virt-smmu\"\n[[partition]]\nname = \"linux\"\nkernel = \"a.elf\"\nmemory = \"64 MiB\"\ncpus = [0]\n"
            "server = \"store\"\n{}[[partition]]\nname = \"store\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [1]\nrights = "
            "[\"serve\"]\n{}{}",
            disks, devices, other);
    };
    const auto disk = [](const std::string& name, const std::string& more, const std::string& on = "disk0") {
        return fmt::format("[[partition.disk]]\nname = \"{}\"\non = \"{}\"\n{}", name, on, more);
    };
    const auto said = [&](const std::string& text) { return complaints(text); };
    use_board("virt-smmu");
    ASSERT_EQ(said(describe(disk("range", "at = \"5 GiB\"\nsize = \"4 MiB\"\n") + disk("named", "gpt = \"root-a\"\nread_only = true\n"))),
              "");
    const void* const tree = tree_of(1);
    const char* const range = "/hypervisor/served/device-0@0";
    EXPECT_EQ(cell(tree, range, "partita,function", 0), 0x38u);
    EXPECT_EQ(cell(tree, range, "partita,range", 0), 0u);
    EXPECT_EQ(cell(tree, range, "partita,range", 1), 5u << 21);
    EXPECT_EQ(cell(tree, range, "partita,range", 3), 4u << 11);
    EXPECT_EQ(cell(tree, range, "partita,disk", 0), ~0u);
    const int named = fdt_path_offset(tree, "/hypervisor/served/device-1@1");
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(tree, named, "partita,gpt-name", nullptr)), "root-a");
    EXPECT_EQ(cell(tree, "/hypervisor/served/device-1@1", "partita,read-only", 0), 1u);
    const PlannedPartition& store = plan->partitions[1];
    EXPECT_EQ(std::ranges::count_if(store.regions, [](const PlannedRegion& one) { return (one.flags & PARTITA_REGION_KEPT) != 0; }), 2)
        << "what is kept of the devices";
    EXPECT_EQ(said(describe(disk("all", "") + disk("same", "read_only = true\n"))).find("lies over disk \"all\" of \"linux\" (line 9)") !=
                  std::string::npos,
              true);
    EXPECT_EQ(said(describe(disk("all", "read_only = true\n") + disk("same", "read_only = true\n"))), "");
    const std::pair<std::string, const char*> mistakes[] = {
        {describe(disk("a", "", "disk1")), "board \"virt-smmu\" has no disk \"disk1\"; did you mean"},
        {describe(disk("a", "", "nvme0")), "/pcie@10000000/nvme@2,0 is no disk that a server can drive: those are virtio devices"},
        {describe(disk("a", ""), ""),
         "disk@7,0 is no device of \"store\", which would serve disk \"a\"; add it there: devices = [\"disk0\"]"},
        {describe(disk("a", ""), "devices = [\"disk0\"]\nmsi = \"given\"\n"), "\"store\" has msi = \"given\""},
        {describe(disk("a", "image = \"a.elf\"\n")), "disk \"a\" lies on a disk of the board, which has its contents; take the image out"},
        {describe(disk("a", "size = \"4 KiB\"\n")), "disk \"a\" has only one of at and size"},
        {describe(disk("a", "at = \"4 KiB\"\n")), "disk \"a\" has only one of at and size"},
        {describe(disk("a", "at = \"512 B\"\nsize = \"4 KiB\"\n")), "disk \"a\" must begin at a multiple of 4 KiB"},
        {describe(disk("a", "at = \"4 KiB\"\nsize = \"4 KiB\"\ngpt = \"x\"\n")), "has both a partition (gpt) and a range"},
        {describe(disk("a", "gpt = \"\"\n")), "names a partition that a GPT cannot have here"},
        {describe(disk("a", "at = \"4 KiB\"\nsize = \"8 KiB\"\n") + disk("b", "at = \"8 KiB\"\nsize = \"8 KiB\"\n")),
         "disk \"b\" of \"linux\" lies over"},
        {describe(disk("a", "gpt = \"x\"\n") + disk("b", "gpt = \"x\"\n")), "disk \"b\" of \"linux\" lies over"},
        {describe("[[partition.disk]]\nname = \"a\"\nsize = \"4 KiB\"\nat = \"4 KiB\"\n"),
         "disk \"a\" has a place (at), but lies on no other disk"},
        {describe("[[partition.disk]]\nname = \"a\"\nsize = \"4 KiB\"\ngpt = \"b\"\n"),
         "disk \"a\" has a partition (gpt), but lies on no disk"},
    };
    for (const auto& [text, words] : mistakes) EXPECT_NE(said(text).find(words), std::string::npos) << words << "\n" << said(text);
    EXPECT_EQ(said(describe(disk("a", "at = \"4 KiB\"\nsize = \"4 KiB\"\n") + disk("b", "at = \"8 KiB\"\nsize = \"4 KiB\"\n") +
                            disk("c", "gpt = \"x\"\n") + disk("d", "gpt = \"y\"\n"))),
              "");
}

// A server of disks alone: its client's channels stay its own.
TEST_F(VirtioPlan, DisksAloneTakeNoChannels) {
    ASSERT_EQ(complaints(description("[[partition.disk]]\nname = \"data\"\nsize = \"4 KiB\"\n")), "");
    EXPECT_EQ(plan->partitions[0].ports.size(), 3u);
    EXPECT_EQ(plan->partitions[2].ports.size(), 0u);
}

TEST_F(VirtioPlan, TheDriverFindsATransportAndTheServerAllItNeeds) {
    ASSERT_EQ(complaints(description("virtio_ports = true\n")), "");
    const void* const linux = tree_of(0);
    const int node = fdt_path_offset(linux, "/virtio_mmio@a000000");
    ASSERT_GE(node, 0);
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(linux, node, "compatible", nullptr)), "virtio,mmio");
    EXPECT_NE(fdt_getprop(linux, node, "dma-coherent", nullptr), nullptr);
    EXPECT_EQ(cell(linux, "/virtio_mmio@a000000", "interrupts", 1), 16u);
    EXPECT_EQ(cell(linux, "/virtio_mmio@a000000", "interrupts", 2), 1u) << "edge";
    EXPECT_LT(fdt_path_offset(linux, "/hypervisor/channels"), 0) << "it cannot call by them";

    const void* const parent = tree_of(2);
    const char* const served = "/hypervisor/served/device-0@0";
    ASSERT_GE(fdt_path_offset(parent, served), 0);
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(parent, fdt_path_offset(parent, served), "partita,client", nullptr)), "linux");
    EXPECT_EQ(cell(parent, served, "partita,client-memory", 0), 0x4000'0000u);
    EXPECT_EQ(cell(parent, served, "partita,client-memory", 2), 64u << 20);
    EXPECT_EQ(cell(parent, served, "partita,version", 0), 2u);
    for (int n = 0; n < 3; ++n) EXPECT_EQ(cell(parent, served, "partita,ports", n), static_cast<std::uint32_t>(n));
    EXPECT_EQ(cell(parent, served, "partita,sends", 0), 0u);
    EXPECT_EQ(cell(parent, served, "partita,sends", 1), 1u);
    EXPECT_EQ(cell(parent, served, "partita,kinds", 2), 2u);
    EXPECT_EQ(cell(parent, "/hypervisor/served", "interrupts", 1), platform::serve_interrupt - 32);
}

// Queues end there; values stay the partition's own.
TEST_F(VirtioPlan, RpmsgHasTheQueues) {
    static_assert(most_rpmsg_bytes == virtio::Rpmsg::most_bytes && most_virtio_ports == virtio::most_ports);
    ASSERT_EQ(complaints(description("rpmsg = true\nrng = true\n")), "");
    EXPECT_STREQ(plan->partitions[0].virtio[0].kind(), "virtio rpmsg");
    ASSERT_EQ(plan->partitions[0].ports.size(), 1u);
    EXPECT_EQ(plan->channels[plan->partitions[0].ports[0].channel].name, "value");
    const void* const parent = tree_of(2);
    const char* const served = "/hypervisor/served/device-0@0";
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(parent, fdt_path_offset(parent, served), "compatible", nullptr)),
                 "partita,virtio-rpmsg");
    EXPECT_EQ(cell(parent, served, "partita,ports", 1), 1u);
    EXPECT_EQ(cell(parent, served, "partita,ports", 2), ~0u);
    EXPECT_NE(show_text(*plan).find("virtio rpmsg"), std::string::npos);
    const std::string words = complaints(description("virtio_ports = true\nrpmsg = true\n"));
    EXPECT_NE(words.find("\"linux\" has both rpmsg and virtio_ports, but its channels can end in one of them; take one out"),
              std::string::npos);
    std::string text = description("rpmsg = true\n");
    text.replace(text.find("16 B"), 4, "512 B");
    EXPECT_NE(complaints(text).find("channel \"down\" has messages of 512 B, but those of RPMsg are 496 bytes at most"), std::string::npos)
        << complaints(text);
    std::string alone = description("");
    alone.replace(alone.find("name = \"rtos\""), 0, "rpmsg = true\n");
    for (int n = 0; n < 2; ++n) {
        alone.replace(alone.find("\"queuing\""), 9, "\"sampling\"");
        alone.replace(alone.find("depth = 4"), 9, "told = true");
    }
    EXPECT_NE(complaints(alone).find("\"rtos\" has rpmsg, but no queuing channel that would be one; take it out"), std::string::npos)
        << complaints(alone);
}

TEST_F(VirtioPlan, TheServerSeesTheMemoryAndWhatItKeepsIsItsOwn) {
    ASSERT_EQ(complaints(description("virtio_ports = true\n")), "");
    const auto& own = plan->partitions[0].regions[0];
    const auto& regions = plan->partitions[2].regions;
    const auto served =
        std::find_if(regions.begin(), regions.end(), [](const auto& one) { return (one.flags & PARTITA_REGION_SERVED) != 0; });
    const auto kept = std::find_if(regions.begin(), regions.end(), [](const auto& one) { return (one.flags & PARTITA_REGION_KEPT) != 0; });
    ASSERT_NE(served, regions.end());
    ASSERT_NE(kept, regions.end());
    EXPECT_EQ(served->pa, own.pa);
    EXPECT_EQ(served->size, own.size);
    EXPECT_EQ(served->flags & PARTITA_REGION_EXECUTE, 0u);
    EXPECT_NE(kept->pa, 0u);
    EXPECT_TRUE(describe_system(*plan, {plan->hypervisor_base, 0x2'0000}, {}));
    const std::string shown = show_text(*plan);
    EXPECT_NE(shown.find("linux, parent"), std::string::npos) << shown;
    EXPECT_NE(shown.find("served by parent"), std::string::npos) << shown;
    EXPECT_NE(shown.find("rtos/64 -> linux through parent/64"), std::string::npos) << shown;
    EXPECT_NE(show_svg(*plan).find("linux through parent/64"), std::string::npos);
}

TEST_F(VirtioPlan, ASecondClientIsSeenBesideTheFirst) {
    const std::string second =
        "[[partition]]\nname = \"other\"\nkernel = \"a.elf\"\nmemory = \"32 MiB\"\ncpus = [3]\nvirtio_ports = true\n" +
        channel("more", "queuing", "rtos", "other", "depth = 2\n");
    ASSERT_EQ(complaints(description("virtio_ports = true\n", "rights = [\"manage\", \"serve\"]\ncontrol = true\n", second)), "");
    EXPECT_TRUE(describe_system(*plan, {plan->hypervisor_base, 0x2'0000}, {}));
    const void* const parent = tree_of(2);
    EXPECT_GE(cell(parent, "/hypervisor/served/device-1@1", "partita,client-memory", 1),
              cell(parent, "/hypervisor/served/device-0@0", "partita,client-memory", 1) + (64u << 20));
    EXPECT_NE(cell(parent, "/hypervisor/served/device-1@1", "partita,kept-memory", 0),
              cell(parent, "/hypervisor/served/device-0@0", "partita,kept-memory", 0));
    EXPECT_EQ(cell(parent, "/hypervisor/served/device-1@1", "partita,ports", 0), 3u);
}

TEST_F(VirtioPlan, ItsOwnEndsKeepTheirNumbers) {
    const std::string own = channel("mine", "queuing", "rtos", "parent", "depth = 2\n");
    ASSERT_EQ(complaints(description("virtio_ports = true\n", "rights = [\"manage\", \"serve\"]\ncontrol = true\n", own)), "");
    const void* const parent = tree_of(2);
    EXPECT_EQ(cell(parent, "/hypervisor/channels/mine@0", "reg", 0), 0u);
    EXPECT_EQ(cell(parent, "/hypervisor/served/device-0@0", "partita,ports", 0), 1u);
}

TEST_F(VirtioPlan, AnotherThanTheParentMayServe) {
    ASSERT_EQ(complaints(description("virtio_ports = true\nserver = \"parent\"\nserver_timeout = \"5 ms\"\nvirtio_legacy = true\n",
                                     "rights = [\"serve\"]\n")),
              "");
    EXPECT_EQ(plan->partitions[0].virtio[0].timeout_us, 5000u);
    EXPECT_EQ(plan->partitions[0].virtio[0].version, 1u);
}

TEST_F(VirtioPlan, ADeviceOfTheBoardKeepsItsInterrupt) {
    const_cast<BoardDevice*>(board.find("/pl031@9010000"))->interrupts[0].intid = 48;
    ASSERT_EQ(complaints(description("virtio_ports = true\ndevices = [\"/pl031@9010000\"]\n")), "");
    EXPECT_EQ(plan->partitions[0].virtio[0].slot, 1u);
    EXPECT_EQ(cell(tree_of(0), "/virtio_mmio@a000200", "interrupts", 1), 17u);
}

TEST_F(VirtioPlan, AProgramServesWhatItSaysItCan) {
    write("server.elf", elf_that_serves("console=1 disk=2"));
    const auto with = [&](const std::string& devices, const std::string& kernel) {
        std::string text = description(devices, "rights = [\"serve\"]\n");
        const std::size_t at = text.find("a.elf", text.find("name = \"parent\""));
        text.replace(at, 5, kernel);
        return complaints(text);
    };
    const auto disk = [](const char* name) { return fmt::format("[[partition.disk]]\nname = \"{}\"\nsize = \"1 MiB\"\n", name); };
    const std::string server = "server = \"parent\"\n", ports = server + "virtio_ports = true\n";
    EXPECT_EQ(with(ports + disk("a") + disk("b"), "server.elf"), "");
    const std::string many = with(ports + disk("a") + disk("b") + disk("c"), "server.elf");
    EXPECT_NE(
        many.find("\"parent\" would serve this virtio disk of \"linux\", but its program (server.elf) serves 1 console, 2 disks at most"),
        std::string::npos)
        << many;
    EXPECT_EQ(many.find("error:"), many.rfind("error:")) << "only that one: " << many;
    EXPECT_NE(with(server + "rpmsg = true\n", "server.elf").find("would serve this virtio rpmsg of"), std::string::npos);
    EXPECT_NE(with(server + "rng = true\n", "server.elf").find("would serve this virtio rng of"), std::string::npos);
    EXPECT_EQ(with(server + "rng = true\n" + disk("a") + disk("b") + disk("c"), "a.elf"), "") << "a program that says nothing";
}

// Whether a partition's regions give it memory at that physical address.
[[nodiscard]] bool sees(const PlannedPartition& partition, std::uint64_t address) {
    return std::ranges::any_of(partition.regions, [&](const PlannedRegion& region) {
        return address >= region.pa && address - region.pa < region.size && (region.flags & PARTITA_REGION_DEVICE) == 0;
    });
}

TEST_F(VirtioPlan, AServerSeesThePoolAndNothingElse) {
    ASSERT_EQ(
        complaints(description("virtio_ports = true\nshare = \"pool\"\nshare_size = \"20 KiB\"\n[[partition.disk]]\nname = \"d\"\nsize = "
                               "\"1 MiB\"\n")),
        "");
    const PlannedPartition &linux = plan->partitions[0], &server = plan->partitions[2];
    const auto own = std::ranges::find(linux.regions, "memory", &PlannedRegion::what);
    ASSERT_NE(own, linux.regions.end());
    constexpr std::uint64_t whole = 64ull << 20, pool = 20 << 10;
    for (std::uint64_t at = 0; at < whole; at += 0x1000) {
        ASSERT_TRUE(sees(linux, own->pa + at));
        ASSERT_EQ(sees(server, own->pa + at), at >= whole - pool) << at;
    }
    const std::uint64_t begin = platform::ram + whole - pool;
    const void* const tree = tree_of(0);
    const std::string node = fmt::format("/reserved-memory/shared@{:x}", begin);
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(tree, fdt_path_offset(tree, node.c_str()), "compatible", nullptr)),
                 "restricted-dma-pool");
    EXPECT_EQ(cell(tree, node.c_str(), "reg", 1), begin);
    EXPECT_EQ(cell(tree, node.c_str(), "reg", 3), pool);
    for (const char* const device : {"/virtio_mmio@a000000", "/virtio_mmio@a000200"})
        EXPECT_EQ(cell(tree, device, "memory-region", 0), cell(tree, node.c_str(), "phandle", 0)) << device;
    EXPECT_EQ(cell(tree, "/memory@40000000", "reg", 3), whole);
    EXPECT_EQ(cell(tree_of(2), "/hypervisor/served/device-0@0", "partita,client-memory", 0), begin);
    EXPECT_EQ(cell(tree_of(2), "/hypervisor/served/device-1@1", "partita,client-memory", 2), pool);
    EXPECT_EQ(cell(tree_of(2), "/hypervisor/served/device-1@1", "partita,client-memory", 3), ~0u) << "no other part";
}

// Linux wants it where it maps memory in one piece.
TEST_F(VirtioPlan, APoolLiesInTheFirst512MiB) {
    std::string text = description("virtio_ports = true\nshare = \"pool\"\n");
    text.replace(text.find("64 MiB"), 6, "768 MiB");
    ASSERT_EQ(complaints(text), "");
    const PlannedPartition& linux = plan->partitions[0];
    std::uint64_t at = platform::ram;
    for (const auto& [what, size] : {std::pair{"memory", 508u}, {"shared memory", 4u}, {"memory", 256u}}) {
        const auto found = std::ranges::find(linux.regions, at, &PlannedRegion::ipa);
        ASSERT_NE(found, linux.regions.end());
        EXPECT_EQ(found->what, what);
        EXPECT_EQ(found->size, std::uint64_t{size} << 20);
        EXPECT_EQ(found->pa - linux.regions.front().pa, at - platform::ram) << "in one piece";
        at += found->size;
    }
    EXPECT_EQ(cell(tree_of(0), "/reserved-memory/shared@5fc00000", "reg", 3), 4u << 20);
    EXPECT_TRUE(describe_system(*plan, {plan->hypervisor_base, 0x2'0000}, {}));
}

// The image that is packed of it passes the check that the hypervisor makes at boot.
TEST_F(VirtioPlan, APoolOfAnySizeIsAGoodImage) {
    for (const char* const size : {"4 KiB", "2 MiB", "4 MiB", "60 MiB"}) {
        ASSERT_EQ(complaints(description(fmt::format("virtio_ports = true\nshare = \"pool\"\nshare_size = \"{}\"\n", size))), "") << size;
        EXPECT_TRUE(describe_system(*plan, {plan->hypervisor_base, 0x2'0000}, {})) << size;
    }
}

TEST_F(VirtioPlan, WhatCannotBeIsSaidWhereItIsWritten) {
    const std::string parent = "rights = [\"manage\", \"serve\"]\ncontrol = true\n";
    struct Mistake {
        std::string linux, parent;
        const char* said;
    };
    const Mistake mistakes[] = {
        {"virtio_ports = true\n", "", ":8:16: error: nobody would serve the virtio devices of \"linux\"; add a parent partition"},
        {"virtio_ports = true\n", "rights = [\"manage\"]\ncontrol = true\n",
         ":8:16: error: \"parent\" may not serve virtio devices; add \"serve\""},
        {"virtio_ports = true\nserver = \"rtos\"\n", parent, ":9:10: error: \"rtos\" may not serve"},
        {"virtio_ports = true\nserver = \"linux\"\n", parent, ":9:10: error: \"linux\" cannot be its own server"},
        {"virtio_ports = true\nserver = \"parnet\"\n", parent, ":9:10: error: there is no partition \"parnet\"; did you mean \"parent\"?"},
        {"virtio_ports = true\nserver_timeout = \"10 ns\"\n", parent,
         ":9:18: error: server_timeout of \"linux\" can be whole microseconds"},
        {"virtio_ports = true\nserver_timeout = \"61 s\"\n", parent, ":9:18: error: server_timeout of \"linux\" can be"},
        {"server = \"parent\"\n", parent, ":8:10: error: server is about virtio devices, of which \"linux\" has none"},
        {"virtio_legacy = true\n", parent, ":8:17: error: virtio_legacy is about virtio devices"},
        {"server_timeout = \"1 ms\"\n", parent, ":8:18: error: server_timeout is about virtio devices"},
        {"share = \"pool\"\n", parent, ":8:9: error: share is about virtio devices, of which \"linux\" has none"},
        {"share_size = \"1 MiB\"\n", parent, ":8:14: error: share_size is about virtio devices"},
        {"virtio_ports = true\nshare_size = \"1 MiB\"\n", parent, ":9:14: error: share_size is about share = \"pool\""},
        {"virtio_ports = true\nshare = \"pool\"\nvirtio_legacy = true\n", parent,
         ":10:17: error: version 1 of the transport has no word for a pool"},
        {"virtio_ports = true\nshare = \"some\"\n", parent, ":9:9: error: share cannot be \"some\"; known: all, pool"},
        {"virtio_ports = true\nshare = \"pool\"\nshare_size = \"64 MiB\"\n", parent, ":10:14: error: the pool that \"linux\" shares"},
        {"virtio_ports = true\nshare = \"pool\"\nshare_size = \"6000 B\"\n", parent, ":10:14: error: the pool that \"linux\" shares"},
    };
    for (const Mistake& mistake : mistakes) {
        const std::string said = complaints(description(mistake.linux, mistake.parent));
        EXPECT_NE(said.find(mistake.said), std::string::npos) << said << "\nexpected: " << mistake.said;
    }
    std::string alone = description("", parent, "");
    alone.replace(alone.find("name = \"rtos\""), 0, "virtio_ports = true\n");
    alone.erase(alone.find("[[channel]]"));
    EXPECT_NE(complaints(alone).find("has virtio_ports, but no queuing or sampling channel"), std::string::npos);
}

TEST_F(VirtioPlan, AValueThatNobodyTellsOfIsNoPort) {
    std::string text = description("virtio_ports = true\n");
    text.erase(text.find("told = true\n"), 12);
    const std::string said = complaints(text);
    EXPECT_NE(said.find("channel \"value\""), std::string::npos) << said;
    EXPECT_NE(said.find("told = true"), std::string::npos) << said;
}

TEST_F(VirtioPlan, AConsoleHasRoomForSoManyPorts) {
    std::string more;
    for (std::size_t n = 3; n <= most_virtio_ports; ++n) more += channel(fmt::format("c{}", n), "queuing", "rtos", "linux", "depth = 1\n");
    const std::string said = complaints(description("virtio_ports = true\n", "rights = [\"manage\", \"serve\"]\ncontrol = true\n", more));
    EXPECT_NE(said.find("16 ends of queuing or sampling channels; a virtio console has room for 15"), std::string::npos) << said;
}

}  // namespace
}  // namespace partita::tool
