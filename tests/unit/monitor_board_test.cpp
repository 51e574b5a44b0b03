// A board with a monitor: what its board.toml may say, and what the tool tells the monitor.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>

#include "board/board.hpp"
#include "pack/pack.hpp"
#include "plan_fixture.hpp"

namespace partita::tool {
namespace {

namespace fs = std::filesystem;

class MonitorBoard : public PlanFixture {
protected:
    MonitorBoard() : folder_(fs::temp_directory_path() / ("partita-board-" + std::to_string(getpid()))) {
        fs::create_directories(folder_ / "virt-secure");
    }
    ~MonitorBoard() override { fs::remove_all(folder_); }

    // The project's own board with another [monitor].
    std::expected<Board, std::string> board_with(const std::string& monitor) {
        std::ifstream in{fs::path{PARTITA_SOURCE_DIR} / "boards/virt-secure/board.toml"};
        std::string text{std::istreambuf_iterator<char>{in}, {}};
        text = text.substr(0, text.find("[monitor]")) + monitor;
        std::ofstream{folder_ / "virt-secure/board.toml"} << text;
        return load_board("virt-secure", folder_, PARTITA_BOARD_TREES);
    }
    std::string complaint_of(const std::string& monitor) {
        const auto loaded = board_with(monitor);
        return loaded ? "" : loaded.error();
    }

    fs::path folder_;
};

TEST_F(MonitorBoard, WhatIsWrongIsSaid) {
    const std::string good = "[monitor]\nmemory = 0x0e00_0000\nuart = 0x0904_0000\n";
    EXPECT_EQ(complaint_of(good), "");
    EXPECT_EQ(board_with(good)->monitor->power, PARTITA_POWER_NONE);
    EXPECT_FALSE(board_with("")->monitor);
    const std::pair<const char*, const char*> wrong[] = {
        {"[monitor]\nmemory = 0x0e10_0000\nuart = 0x0904_0000\n", "monitor.memory must be a multiple of 2 MiB below 0xc0000000"},
        {"[monitor]\nmemory = 0xe000_0000\nuart = 0x0904_0000\n", "monitor.memory must be a multiple of 2 MiB below 0xc0000000"},
        {"[monitor]\nmemory = 0x0e00_0000\n", "monitor.uart must say where the secure world has a PL011"},
        {"[monitor]\nmemory = 0x0e00_0000\nuart = 0x0904_0000\npower = \"pl061\"\n", "monitor.power_at must say where that is"},
        {"[monitor]\nmemory = 0x0e00_0000\nuart = 0x0904_0000\npower = \"psu\"\n",
         "monitor.power is \"psu\"; it can be none, pl061 or sys_cfg"},
    };
    for (const auto& [text, complaint] : wrong) {
        EXPECT_NE(complaint_of(text).find(complaint), std::string::npos) << complaint << "\nbut: " << complaint_of(text);
        EXPECT_NE(complaint_of(text).find("virt-secure/board.toml: "), std::string::npos) << "where";
    }
}

TEST_F(MonitorBoard, TheImageBeginsInTheMonitorWhichKnowsTheBoard) {
    board = *load_board("virt-secure", fs::path{PARTITA_SOURCE_DIR} / "boards", PARTITA_BOARD_TREES);
    ASSERT_EQ(complaints(
                  "[system]\nboard = \"virt-secure\"\n[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [0]\n"),
              "");
    EXPECT_EQ(plan->monitor_base, 0x4040'0000u);
    EXPECT_EQ(plan->images_base, 0x4050'0000u) << "behind it";
    Bytes hypervisor = elf_at(0xf000'0000), monitor = elf_at(0xe000'0000);
    put_word(hypervisor, 84 + 4, PARTITA_IMAGE_MAGIC);
    put_word(hypervisor, 84 + 16, 0x1'8000);
    put_word(hypervisor, 84 + 20, 4000);                                 // of each partition
    put_word(hypervisor, 84 + 24, 3328);                                 // of each virtual CPU
    for (const std::size_t at : {68u, 72u}) put_word(monitor, at, 256);  // a longer segment
    monitor.resize(84 + 256);
    EXPECT_FALSE(pack(*plan, {hypervisor, monitor}, {})) << "no monitor";
    EXPECT_FALSE(pack(*plan, {hypervisor, {}}, {})) << "none at all";
    put_word(monitor, 84 + 4, PARTITA_MONITOR_MAGIC);
    const auto image = pack(*plan, {hypervisor, monitor}, {});
    ASSERT_TRUE(image) << (image ? "" : image.error());
    EXPECT_EQ(image->entry, 0x4040'0000u);
    const auto at =
        std::find_if(image->segments.begin(), image->segments.end(), [](const auto& one) { return one.address == 0x4040'0000; });
    ASSERT_NE(at, image->segments.end());
    const auto word = [&](std::size_t offset) { return little(at->bytes, offset); };
    EXPECT_EQ(word(offsetof(partita_monitor_header, memory)), 0x0e00'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, entry)), 0x4020'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, ram)), 0x4000'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, ram_size)), 0x4000'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, gicd)), 0x0800'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, gicc)), 0x0801'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, uart)), 0x0904'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, console)), 0x0900'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, power)), static_cast<std::uint32_t>(PARTITA_POWER_PL061));
    EXPECT_EQ(word(offsetof(partita_monitor_header, cpus)), 4u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, mpidr) + 8), 2u);
}

}  // namespace
}  // namespace partita::tool
