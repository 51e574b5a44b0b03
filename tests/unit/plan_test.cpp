#include "plan/plan.hpp"

#include "boot/image_check.hpp"
#include "config/units.hpp"
#include "pack/pack.hpp"
#include "plan_fixture.hpp"
#include "show/memory_map.hpp"
#include "show/show.hpp"

namespace partita::tool {
namespace {

const std::string linux_and_raw =
    "[system]\nboard = \"virt\"\n[[cpu]]\nid = 2\nslice = \"5 ms\"\n"
    "[[partition]]\nname = \"linux\"\nkernel = \"zImage\"\ninitrd = \"initrd\"\nmemory = \"64 MiB\"\ncpus = [0, 1]\ndevices = [\"rtc0\"]\n"
    "[[partition]]\nname = \"raw\"\nkernel = \"initrd\"\nformat = \"raw\"\nload = 0x8000\nboot_memory = \"8 MiB\"\nmemory = \"2 "
    "MiB\"\ncpus = [2]\non_fault = \"stop\"\n"
    "[[partition]]\nname = \"three\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\nmemory_at = 0x7000_0000\ncpus = [2]\n";

class PlanTest : public PlanFixture {
protected:
    PlanTest() { EXPECT_EQ(complaints(linux_and_raw), ""); }
    const PlannedCopy& copy(std::size_t partition, const std::string& what) {
        for (const PlannedCopy& copy : plan->partitions[partition].copies)
            if (copy.what == what) return copy;
        throw std::out_of_range(what);
    }
};

TEST_F(PlanTest, NoTwoOwnersOfAnyByte) {
    std::uint64_t at = 0x4000'0000;
    for (const MapEntry& entry : memory_map(*plan)) {
        EXPECT_EQ(entry.begin, at);
        at += entry.size;
    }
    EXPECT_EQ(at, 0x8000'0000u);
}

TEST_F(PlanTest, LinuxLiesBehindWhereItUnpacks) {
    const PlannedPartition& partition = plan->partitions[0];
    const std::uint64_t kernel = copy(0, "kernel").ipa;
    EXPECT_GE(kernel, platform::ram + 0x8000 + (1u << 20) + 0x1000);
    EXPECT_EQ(partition.entry, kernel);
    EXPECT_EQ(partition.r0, 0u);
    EXPECT_EQ(partition.r1, 0xffff'ffffu);
    EXPECT_EQ(partition.r2, copy(0, "device tree").ipa);
    EXPECT_GT(copy(0, "initrd").ipa, partition.r2);
    EXPECT_LE(copy(0, "initrd").ipa + 5000, platform::ram + (64u << 20));
}

TEST_F(PlanTest, OtherImagesFindTheTreeWhereRamBegins) {
    EXPECT_EQ(copy(1, "device tree").ipa, platform::ram);
    EXPECT_EQ(copy(2, "device tree").ipa, platform::ram);
    EXPECT_EQ(plan->partitions[1].entry, 0x8000u);
    EXPECT_EQ(plan->partitions[2].entry, 0x4001'0008u) << "the physical place of a virtual entry";
    EXPECT_EQ(plan->partitions[2].regions[0].pa, 0x7000'0000u);
}

TEST_F(PlanTest, DevicesComeWithTheirInterrupts) {
    EXPECT_EQ(plan->partitions[0].routes.size(), 1u);
    EXPECT_EQ(plan->partitions[0].routes[0].intid, 34u);
    EXPECT_FALSE(plan->partitions[0].routes[0].edge);
}

TEST_F(PlanTest, ThePackedImageIsWhatTheHypervisorReads) {
    Bytes hypervisor = elf_at(0xf000'0000);
    put_word(hypervisor, 84 + 4, PARTITA_IMAGE_MAGIC);
    put_word(hypervisor, 84 + 16, 0x1'8000);
    put_word(hypervisor, 84 + 20, 4000);  // of each partition
    put_word(hypervisor, 84 + 24, 3328);  // of each virtual CPU
    const auto image = pack(*plan, {hypervisor}, {.framed_console = true});
    ASSERT_TRUE(image) << (image ? "" : image.error());
    const auto reread = read_elf(to_elf(*image));
    ASSERT_TRUE(reread);
    EXPECT_EQ(reread->entry, 0x4020'0000u);
    EXPECT_EQ(reread->segments.size(), image->segments.size());
    EXPECT_EQ(little(reread->segments[0].bytes, 8), 0x1'8000u);
    std::vector<std::uint64_t> words((image->description.size() + 7) / 8);
    std::memcpy(words.data(), image->description.data(), image->description.size());
    const auto view = check_image(std::as_bytes(std::span{words}).first(image->description.size()));
    ASSERT_TRUE(view);
    EXPECT_EQ(view->cpus[2].slice_us, 5000u);
    EXPECT_GE(view->header->pool_size, 3 * 0x4000u + 3 * 4000u + 4 * 3328u);
    EXPECT_EQ(view->partitions[1].flags, PARTITA_ON_FAULT_STOP);
    const Bytes binary = to_binary(*image);
    for (const Segment& segment : image->segments)
        EXPECT_EQ(std::memcmp(binary.data() + (segment.address - 0x4020'0000), segment.bytes.data(), segment.bytes.size()), 0);
}

TEST_F(PlanTest, ThePictureNamesEveryOwner) {
    const std::string text = show_text(*plan), svg = show_svg(*plan);
    for (const char* const word : {"linux", "raw", "three", "hypervisor", "/pl031@9010000"}) {
        EXPECT_NE(text.find(word), std::string::npos) << word;
        EXPECT_NE(svg.find(word), std::string::npos) << word;
    }
    EXPECT_NE(text.find("raw/vcpu0, three/vcpu0  (slice 5000 us each)"), std::string::npos) << text;
    EXPECT_TRUE(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
}

TEST_F(PlanTest, AWatchdogIsPlannedShownAndDescribed) {
    ASSERT_EQ(complaints(linux_and_raw + "watchdog = \"30 s\"\nwatchdog_boot = true\nrestart_limit = 5\n"), "");
    const PlannedPartition& three = plan->partitions[2];
    EXPECT_EQ(three.watchdog_ms, 30'000u);
    EXPECT_EQ(three.restart_limit, 5u);
    EXPECT_EQ(three.restart_period_ms, 60'000u);
    const std::string text = show_text(*plan);
    EXPECT_NE(text.find("three         interrupt 42 (virtual), 30000 ms at most, from the start"), std::string::npos) << text;
}

}  // namespace
}  // namespace partita::tool
