// Who has which of the board's devices: on a board with PCI behind a System MMU, and on one without.
#include <functional>

extern "C" {
#include <libfdt.h>
}

#include "plan_fixture.hpp"
#include "run/disks.hpp"
#include "run/facts.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

class Devices : public PlanFixture {
protected:
    Devices() { use("virt-smmu"); }
    void use(const std::string& name) {
        const auto loaded = load_board(name, std::filesystem::path{PARTITA_SOURCE_DIR} / "boards", PARTITA_BOARD_TREES);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error());
        board = *loaded;
    }
    // Partitions "one", "two", ... each on a CPU of its own, with these lines.
    std::string said(const std::vector<std::string>& partitions) {
        static const char* const names[] = {"one", "two", "three"};
        std::string text = "[system]\nboard = \"" + board.name + "\"\n";
        for (std::size_t n = 0; n < partitions.size(); ++n)
            text += std::string{"[[partition]]\nname = \""} + names[n] + "\"\nkernel = \"zImage\"\nmemory = \"64 MiB\"\ncpus = [" +
                    std::to_string(n) + "]\n" + partitions[n];
        return complaints(text);
    }
    const Bytes& tree(std::size_t partition) {
        for (const PlannedCopy& copy : plan->partitions[partition].copies)
            if (copy.what == "device tree") return copy.bytes;
        ADD_FAILURE();
        static const Bytes none;
        return none;
    }
    std::vector<std::uint32_t> cells(std::size_t partition, const char* path, const char* name) {
        const Bytes& bytes = tree(partition);
        int size = 0;
        const auto* const value =
            static_cast<const std::uint8_t*>(fdt_getprop(bytes.data(), fdt_path_offset(bytes.data(), path), name, &size));
        std::vector<std::uint32_t> out;
        for (int at = 0; value != nullptr && at + 4 <= size; at += 4)
            out.push_back(static_cast<std::uint32_t>(value[at] << 24 | value[at + 1] << 16 | value[at + 2] << 8 | value[at + 3]));
        return out;
    }
    [[nodiscard]] std::vector<std::uint32_t> routes(std::size_t partition) const {
        std::vector<std::uint32_t> out;
        for (const PlannedRoute& route : plan->partitions[partition].routes) out.push_back(route.intid);
        return out;
    }
};

TEST_F(Devices, AFunctionIsItsRegistersItsLineAndItsStream) {
    ASSERT_EQ(said({"devices = [\"edu0\"]\n", "devices = [\"/pcie@10000000/nvme@2,0\"]\n"}), "");
    const PlannedPartition& one = plan->partitions[0];
    ASSERT_EQ(one.masters.size(), 1u);
    EXPECT_EQ(one.masters[0].flags, PARTITA_MASTER_PCI | PARTITA_MASTER_INTX);
    EXPECT_EQ(one.masters[0].device->stream, 8u);
    EXPECT_EQ(one.masters[0].device->pci->id, 0x11e8'1234u);
    EXPECT_EQ(routes(0), std::vector<std::uint32_t>{36});
    EXPECT_EQ(routes(1), std::vector<std::uint32_t>{37});
    EXPECT_EQ(plan->partitions[1].masters[0].device->pci->masks[0], 0xffff'c004u);
    EXPECT_EQ(cells(0, "/pcie@3f000000", "interrupt-map"), (std::vector<std::uint32_t>{0x800, 0, 0, 1, 1, 0, 0, 0, 4, 4}));
    EXPECT_EQ(cells(0, "/pcie@3f000000", "iommu-map").size(), 0u) << "for the partition, what is memory is so for the device";
    EXPECT_EQ(cells(0, "/chosen", "linux,pci-probe-only"), std::vector<std::uint32_t>{1});
    EXPECT_LT(fdt_path_offset(tree(0).data(), "/intc@8000000/v2m@8020000"), 0);
}

TEST_F(Devices, MessagesAreTheInterruptsThatNothingElseRaises) {
    ASSERT_EQ(said({"devices = [\"nvme0\", \"net0\"]\nmsi = \"given\"\n", "devices = [\"edu0\"]\n"}), "");
    const PlannedPartition& one = plan->partitions[0];
    EXPECT_EQ(one.masters[0].flags, PARTITA_MASTER_PCI | PARTITA_MASTER_MSI);
    ASSERT_EQ(one.routes.size(), 26u) << "from 106 on they are the System MMU's";
    EXPECT_EQ(one.routes.front().intid, 80u);
    EXPECT_TRUE(one.routes.front().edge);
    EXPECT_EQ(cells(0, "/intc@8000000/v2m@8020000", "arm,msi-base-spi"), std::vector<std::uint32_t>{80});
    EXPECT_EQ(cells(0, "/intc@8000000/v2m@8020000", "arm,msi-num-spis"), std::vector<std::uint32_t>{26});
    EXPECT_EQ(cells(0, "/pcie@3f000000", "msi-parent").size(), 1u);
    EXPECT_TRUE(cells(0, "/pcie@3f000000", "interrupt-map").empty());
    const std::string text = show_text(*plan);
    EXPECT_NE(text.find("interrupts as messages; DMA confined, stream 0x10"), std::string::npos) << text;
}

TEST_F(Devices, TheRestIsAllThatCanBeGiven) {
    ASSERT_EQ(said({"devices = [\"edu0\"]\n", "devices = \"rest\"\n"}), "");
    std::vector<std::string> names;
    for (const BoardDevice* const device : plan->partitions[1].devices) names.push_back(device->path);
    EXPECT_EQ(names, (std::vector<std::string>{"/pl031@9010000", "/pl061@9030000", "/pcie@10000000/nvme@2,0", "/pcie@10000000/ethernet@3,0",
                                               "/pcie@10000000/disk@7,0", "/pcie@10000000/edu@4,0"}));
    EXPECT_NE(said({"devices = \"rest\"\n", "devices = [\"rest\"]\n"}).find("\"one\" has the rest of the devices already"),
              std::string::npos);
}

TEST_F(Devices, WhatCannotBeIsSaidWithItsReason) {
    const std::pair<std::vector<std::string>, const char*> mistakes[] = {
        {{"devices = [\"/smmuv3@9050000\"]\n"}, "it is the System MMU that confines devices, and belongs to the hypervisor"},
        {{"devices = [\"/pcie@10000000\"]\n"}, "its functions have owners of their own; name those, like /pcie@10000000/edu@1,0"},
        {{"devices = [\"/v2m@8020000\"]\n"}, "what it is for is given with msi = \"given\""},
        {{"devices = [\"/fw-cfg@9020000\"]\n"}, "nothing on this board would confine it to the partition; dma = \"trusted\" says"},
        {{"devices = [\"edu0\"]\n", "devices = [\"edu0\"]\n"}, "is owned twice: by \"two\" here and by \"one\" at line 8"},
        {{"msi = \"given\"\n", "msi = \"given\"\n"}, "interrupts as messages go to one partition, and \"one\" has them already"},
        {{"msi = \"some\"\n"}, "msi cannot be \"some\""},
        {{"dma = \"trusted\"\n"}, "\"one\" has dma = \"trusted\": its devices see memory where it is on the board"},
        {{"dma = \"trusted\"\nmemory_at = 0x1000_0000\n"}, "its memory must lie between 0x40000000 and 0x100000000"},
        {{"devices = [\"nvme1\"]\n"}, "did you mean"},
    };
    for (const auto& [partitions, complaint] : mistakes) {
        const std::string text = said(partitions);
        EXPECT_NE(text.find(complaint), std::string::npos) << complaint << "\nbut: " << text;
    }
    use("virt");
    EXPECT_NE(said({"msi = \"given\"\n"}).find("board \"virt\" has no GICv2m frame; leave msi out"), std::string::npos);
}

// What boards could say that this one does not.
TEST_F(Devices, LinesPagesStreamsAndNeedsAreLookedAt) {
    const Board good = board;
    const auto device = [&](const char* name) -> BoardDevice& { return const_cast<BoardDevice&>(*board.find(name)); };
    const auto with = [&](const std::function<void()>& change, const std::vector<std::string>& partitions) {
        board = good;
        change();
        return said(partitions);
    };
    const std::vector<std::string> both{"devices = [\"edu0\"]\n", "devices = [\"edu1\"]\n"};
    EXPECT_NE(with([&] { device("edu1").interrupts = device("edu0").interrupts; }, both)
                  .find("interrupt 36 of /pcie@10000000/edu@4,0 (\"two\") is also that of /pcie@10000000/edu@1,0 (\"one\")"),
              std::string::npos);
    EXPECT_EQ(with([&] { device("edu1").interrupts = device("edu0").interrupts; }, {"devices = [\"edu0\", \"edu1\"]\n"}), "")
        << "one partition may share a line with itself";
    EXPECT_EQ(routes(0).size(), 1u);
    EXPECT_NE(with([&] { device("edu1").registers = {{0x100f'f800, 0x100}}; }, both).find("lies in the same 4 KiB page"),
              std::string::npos);
    EXPECT_EQ(with([&] { device("edu1").registers = {{0x100f'f800, 0x100}}; }, {"devices = [\"edu0\", \"edu1\"]\n"}), "");
    EXPECT_NE(with([&] { device("edu1").stream = 8; }, both).find("the System MMU cannot tell it from"), std::string::npos);
    EXPECT_NE(with([&] { device("edu1").stream = 0x1000; }, both).find("knows it as stream 0x1000; those up to 0xff are supported"),
              std::string::npos);
    EXPECT_NE(with([&] { device("edu1").stream.reset(); }, both).find("nothing on this board would confine it"), std::string::npos);
    EXPECT_NE(with([&] { device("rtc0").needs = {"resets (/rcc)"}; }, {"devices = [\"rtc0\"]\n"}).find("it depends on resets (/rcc)"),
              std::string::npos);
    EXPECT_NE(with([&] { device("rtc0").interrupts = {{90, false}}; }, {"msi = \"given\"\n", "devices = [\"rtc0\"]\n"})
                  .find("interrupt 90 of /pl031@9010000 (\"two\") is one that \"one\" can raise by a message"),
              std::string::npos);
    EXPECT_NE(with([&] { device("edu0").registers = {{0x4100'0000, 0x1000}}; }, both).find("lie where the partition has its memory"),
              std::string::npos);
}

TEST_F(Devices, ATrustedPartitionSeesItsMemoryWhereItIs) {
    use("virt");
    ASSERT_EQ(said({"dma = \"trusted\"\nmemory_at = 0x5000_0000\ndevices = [\"/fw-cfg@9020000\"]\n"}), "");
    const PlannedPartition& one = plan->partitions[0];
    EXPECT_TRUE(one.masters.empty()) << "nothing confines it";
    for (const PlannedRegion& region : one.regions)
        if (region.what == "memory") EXPECT_TRUE(region.ipa == 0x5000'0000 && region.pa == region.ipa);
    EXPECT_GE(one.entry, 0x5000'0000u);
    EXPECT_GE(one.r2, 0x5000'0000u);
    EXPECT_EQ(cells(0, "/memory@50000000", "reg"), (std::vector<std::uint32_t>{0, 0x5000'0000, 0, 64u << 20}));
    EXPECT_NE(show_text(*plan).find("DMA TRUSTED: reaches all memory"), std::string::npos);
    EXPECT_NE(show_svg(*plan).find("DMA TRUSTED"), std::string::npos);
}

TEST_F(Devices, WhatWasStoppedIsASentence) {
    ASSERT_EQ(said({"devices = [\"edu0\"]\n"}), "");
    const auto told = [&](const std::string& line) { return tell(parse_fact(line), *plan); };
    EXPECT_EQ(told("dma partition=0 stream=0x00000008 cause=write reason=unmapped address=0x8f000000 code=0x00000010 action=abort"),
              "edu@1,0 (stream 0x8) of one: DMA write to 0x8f000000 blocked: not one's memory (no memory, no device; nearest: memory, "
              "0x40000000 to 0x44000000): the device is cut off until the partition's next life");
    EXPECT_NE(
        told("dma partition=0 stream=0x8 cause=read reason=permission address=0x40000000 code=0x13 action=restart")
            .find("DMA read from 0x40000000 blocked: not allowed there (in memory, 0x40000000 to 0x44000000): restarted the partition"),
        std::string::npos);
    EXPECT_EQ(told("pci partition=0 function=0x00000008 register=0x00000010 found=0xffff0000"),
              "one's PCI function 01.0: its register 0x10 holds 0xffff0000, which is not what the board's device tree says");
    EXPECT_NE(told("dma-lost").find("some of it is not told"), std::string::npos);
}

TEST_F(Devices, DisksAreFilesOfTheRunOrOnesThatAreNamed) {
    const std::vector<std::string> arguments{"-drive", "if=none,file={disk:d:1 MiB},id=x"};
    const auto made = provide_disks(arguments, {}, folder);
    EXPECT_EQ(made[1], "if=none,file=" + (folder / "d.disk").string() + ",id=x");
    EXPECT_EQ(std::filesystem::file_size(folder / "d.disk"), 1u << 20);
    write("own", Bytes(512));
    EXPECT_EQ(provide_disks(arguments, {{"d", folder / "own"}}, folder)[1], "if=none,file=" + (folder / "own").string() + ",id=x");
    EXPECT_THROW((void)provide_disks(arguments, {{"d", folder / "none"}}, folder), std::runtime_error);
    EXPECT_THROW((void)provide_disks(arguments, {{"e", folder / "own"}}, folder), std::runtime_error);
}

}  // namespace
}  // namespace partita::tool
