// Plans descriptions that a test writes down, on the board "virt", with small images in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "board/board.hpp"
#include "config/description.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

inline void put_word(Bytes& bytes, std::size_t at, std::uint32_t value) {
    while (bytes.size() < at + 4) bytes.push_back(0);
    for (unsigned n = 0; n < 4; ++n) bytes[at + n] = static_cast<std::uint8_t>(value >> n * 8);
}

// An ELF file of one segment of 64 bytes at a physical address, linked elsewhere.
inline Bytes elf_at(std::uint32_t physical) {
    constexpr std::uint32_t linked = 0xc000'0000;
    Bytes out{0x7f, 'E', 'L', 'F', 1, 1, 1};
    put_word(out, 0x10, 40u << 16 | 2);
    put_word(out, 0x18, linked + 8);
    put_word(out, 0x1c, 52);
    put_word(out, 0x28, 32u << 16 | 52);
    put_word(out, 0x2c, 1);
    put_word(out, 0x30, 0);
    for (const std::uint32_t word : {1u, 84u, linked, physical, 64u, 128u, 7u, 4u}) put_word(out, out.size(), word);
    out.resize(84 + 64, 0xee);
    return out;
}

// ... of a program that says what it can serve.
inline Bytes elf_that_serves(const std::string& kinds) {
    Bytes out = elf_at(0x4001'0000);
    const std::string names{"\0.partita.serves\0.shstrtab\0", 27};
    const auto put = [&](std::string_view text) { out.insert(out.end(), text.begin(), text.end()); };
    const auto names_at = static_cast<std::uint32_t>(out.size());
    put(names);
    const auto kinds_at = static_cast<std::uint32_t>(out.size());
    put(kinds);
    put({"\0", 1});
    out.resize((out.size() + 3) / 4 * 4);
    put_word(out, 0x20, static_cast<std::uint32_t>(out.size()));
    put_word(out, 0x2c, 40u << 16 | 1);
    put_word(out, 0x30, 2u << 16 | 3);
    const auto section = [&](std::uint32_t name, std::uint32_t at, std::uint32_t size) {
        for (const std::uint32_t word : {name, 1u, 0u, 0u, at, size, 0u, 0u, 1u, 0u}) put_word(out, out.size(), word);
    };
    section(0, 0, 0);
    section(1, kinds_at, static_cast<std::uint32_t>(kinds.size() + 1));
    section(17, names_at, static_cast<std::uint32_t>(names.size()));
    return out;
}

// A zImage of 4 KiB as Linux 6.1 makes it: it unpacks to `unpacked` bytes, with 0x1000 of bss, at TEXT_OFFSET 0x208000.
inline Bytes zimage(std::uint32_t unpacked) {
    Bytes out(4096);
    put_word(out, 0x24, 0x016f2818);
    put_word(out, 0x2c, 4096);
    put_word(out, 0x30, 0x04030201);
    put_word(out, 0x34, 0x45454545);
    put_word(out, 0x38, 0x100);
    for (const auto& [at, value] : {std::pair{0x100u, 6u},
                                    {0x104u, 0x5a534c4bu},
                                    {0x108u, 4092u},
                                    {0x10cu, 0x1000u},
                                    {0x110u, 0x20'8000u},
                                    {0x114u, 0x1'0000u},
                                    {4092u, unpacked}})
        put_word(out, at, value);
    return out;
}

class PlanFixture : public testing::Test {
protected:
    PlanFixture() {
        std::filesystem::create_directories(folder);
        write("a.elf", elf_at(0x4001'0000));
        write("zImage", zimage(1u << 20));
        write("initrd", Bytes(5000, 0x22));
        use_board("virt");
    }
    ~PlanFixture() override { std::filesystem::remove_all(folder); }

    void use_board(const std::string& name) {
        const auto loaded = load_board(name, std::filesystem::path{PARTITA_SOURCE_DIR} / "boards", PARTITA_BOARD_TREES);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error());
        board = *loaded;
    }
    void write(const std::string& name, const Bytes& bytes) {
        std::ofstream out{folder / name, std::ios::binary};
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    // What `partita check` says about text; "" where nothing is wrong.
    std::string complaints(const std::string& text) {
        Diagnostics diagnostics{"s.toml"};
        description = read_description(text, folder, diagnostics);
        plan = make_plan(description, board, diagnostics);
        EXPECT_EQ(plan.has_value(), !diagnostics.any());
        return diagnostics.text();
    }

    std::filesystem::path folder = std::filesystem::temp_directory_path() / ("partita-test-" + std::to_string(getpid()));
    Board board;
    SystemDescription description;
    std::optional<Plan> plan;
};

}  // namespace partita::tool
