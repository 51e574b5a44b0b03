// What outlives a reset, and the system in flash: with the flash in memory, and the same code as in the secure world.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "loader.hpp"
#include "memory_flash.hpp"
#include "pack/flash.hpp"
#include "partita/flash.h"
#include "random.hpp"
#include "secure_fixture.hpp"
#include "state.hpp"
#include "storage.hpp"

namespace partita::tool {
namespace {

class Kept : public Service {
protected:
    Kept() { reset(); }
    ~Kept() override { secure::use_flash(nullptr); }
    void reset() {
        secure::gather_entropy();
        secure::use_flash(&flash);
        EXPECT_EQ(secure::begin_state(), nullptr);
    }
    void label(std::uint8_t value) { page.label[0] = value; }
    std::uint64_t counted() const {
        std::uint64_t out = 0;
        EXPECT_EQ(page.output_size, sizeof out);
        std::memcpy(&out, page.output, sizeof out);
        return out;
    }
    // As if many seconds had passed.
    static void wait() {
        for (unsigned n = 0; n < 1000 * secure::most_writes; ++n) secure::tick_storage();
    }

    secure::MemoryFlash flash{secure::Log::smallest_area};
};

TEST_F(Kept, KeysOutliveAReset) {
    put({1, 2, 3});
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    const Bytes before = output();
    ASSERT_EQ(call(PARTITA_TRUSTED_RANDOM, 1, 32), 0);
    const Bytes random_before = output();
    reset();
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    EXPECT_EQ(output(), before);
    ASSERT_EQ(call(PARTITA_TRUSTED_RANDOM, 1, 32), 0);
    EXPECT_NE(output(), random_before);
    secure::MemoryFlash other{secure::Log::smallest_area};
    std::swap(flash, other);
    reset();
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    EXPECT_NE(output(), before) << "another board's are others";
}

TEST_F(Kept, CountersCountOn) {
    ASSERT_EQ(call(PARTITA_TRUSTED_COUNTER), 0);
    EXPECT_EQ(counted(), 0u);
    for (std::uint64_t n = 1; n <= 5; ++n) {
        ASSERT_EQ(call(PARTITA_TRUSTED_INCREMENT), 0);
        EXPECT_EQ(counted(), n);
        reset();
        ASSERT_EQ(call(PARTITA_TRUSTED_COUNTER), 0);
        EXPECT_EQ(counted(), n);
    }
    ASSERT_EQ(call(PARTITA_TRUSTED_COUNTER, 2), 0);
    EXPECT_EQ(counted(), 0u) << "another partition's";
    label(1);
    ASSERT_EQ(call(PARTITA_TRUSTED_COUNTER), 0);
    EXPECT_EQ(counted(), 0u) << "another label's";
    put({9, 9, 9, 9, 9, 9, 9, 9});
    label(0);
    ASSERT_EQ(call(PARTITA_TRUSTED_STORE), 0);
    ASSERT_EQ(call(PARTITA_TRUSTED_COUNTER), 0);
    EXPECT_EQ(counted(), 5u) << "a value of this label is no counter";
}

TEST_F(Kept, ValuesAreTheirOwners) {
    for (const std::uint32_t size : {1u, 3u, 4u, 5u, 100u, PARTITA_TRUSTED_VALUE}) {
        Bytes value(size, static_cast<std::uint8_t>(size));
        put(value);
        ASSERT_EQ(call(PARTITA_TRUSTED_STORE), 0);
        reset();
        ASSERT_EQ(call(PARTITA_TRUSTED_LOAD), 0);
        EXPECT_EQ(output(), value);
        ASSERT_EQ(call(PARTITA_TRUSTED_LOAD, 2), 0);
        EXPECT_EQ(page.output_size, 0u);
    }
    put({});
    ASSERT_EQ(call(PARTITA_TRUSTED_STORE), 0);
    reset();
    ASSERT_EQ(call(PARTITA_TRUSTED_LOAD), 0);
    EXPECT_EQ(page.output_size, 0u);
    put(Bytes(PARTITA_TRUSTED_VALUE + 1));
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), PARTITA_TRUSTED_INVALID);
}

TEST_F(Kept, APartitionHasSoManyAndWritesSoOften) {
    put({1});
    for (unsigned n = 0; n < secure::Log::most_of_owner; ++n) {
        label(static_cast<std::uint8_t>(n));
        EXPECT_EQ(call(PARTITA_TRUSTED_STORE), 0);
    }
    label(100);
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), PARTITA_TRUSTED_FULL);
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE, 2), 0) << "another partition's are its own";
    label(0);
    put({});
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), 0);
    put({1});
    label(100);
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), 0) << "one out, another in";
    unsigned more = 0;
    while (call(PARTITA_TRUSTED_STORE) == 0) ++more;
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), PARTITA_TRUSTED_TOO_OFTEN);
    EXPECT_EQ(more, secure::most_writes - secure::Log::most_of_owner - 2);
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE, 2), 0);
    wait();
    EXPECT_EQ(call(PARTITA_TRUSTED_STORE), 0);
}

TEST_F(Kept, WithoutFlashNothingIs) {
    secure::use_flash(nullptr);
    ASSERT_EQ(secure::begin_state(), nullptr);
    put({1});
    for (const auto function : {PARTITA_TRUSTED_COUNTER, PARTITA_TRUSTED_INCREMENT, PARTITA_TRUSTED_STORE, PARTITA_TRUSTED_LOAD})
        EXPECT_EQ(call(function), PARTITA_TRUSTED_NO_STORAGE);
    EXPECT_TRUE(secure::remember_version(3));
    EXPECT_EQ(secure::oldest_version(), 0u);
}

TEST_F(Kept, TheOldestVersionOutlivesAReset) {
    EXPECT_EQ(secure::oldest_version(), 0u);
    EXPECT_TRUE(secure::remember_version(7));
    reset();
    EXPECT_EQ(secure::oldest_version(), 7u);
}

TEST_F(SecureWorld, AnOlderImageIsRefused) {
    const std::string file = key();
    const SigningKey::PublicKey mine = SigningKey::read(file)->public_key();
    Loaded loaded = load(image({.signing_key = file, .image_version = 7}));
    for (const std::uint32_t oldest : {0u, 7u}) {
        Boot boot;
        boot.oldest = oldest;
        EXPECT_EQ(complaint(loaded, &mine, boot), "");
        EXPECT_TRUE(boot.verified);
    }
    Boot boot;
    boot.oldest = 8;
    EXPECT_EQ(complaint(loaded, &mine, boot), "the image is older than one that this board has started before");
    EXPECT_FALSE(boot.verified);
}

// RAM of this board, which the loader writes to, and the flash it reads.
struct Board2 {
    Bytes flash;
    std::uint64_t base, size;
    std::map<std::uint64_t, std::uint8_t> ram;
};
secure::Copier copier_of(Board2& board) {
    return {&board,
            [](void* context, std::uint32_t offset, void* to, std::uint32_t size) {
                const auto& all = static_cast<const Board2*>(context)->flash;
                if (offset > all.size() || size > all.size() - offset) return false;
                std::memcpy(to, all.data() + offset, size);
                return true;
            },
            [](void* context, std::uint32_t address, const void* from, std::uint32_t size) {
                auto& all = *static_cast<Board2*>(context);
                if (address < all.base || size > all.size || address - all.base > all.size - size) return false;
                for (std::uint32_t n = 0; n < size; ++n) all.ram[address + n] = static_cast<const std::uint8_t*>(from)[n];
                return true;
            }};
}

class InFlash : public SecureWorld {
protected:
    SystemImage built = image({.in_flash = true});
    Board2 ram{*system_flash(board, built), 0x4000'0000, 0x4000'0000, {}};
    std::string loaded() {
        const char* const wrong = secure::load_system(copier_of(ram));
        return wrong != nullptr ? wrong : "";
    }
    void put(std::size_t at, std::uint32_t value) { put_word(ram.flash, at, value); }
};

TEST_F(InFlash, WhatIsTakenOutOfItIsWhatWasBuilt) {
    ASSERT_EQ(loaded(), "");
    for (const Segment& segment : built.segments) {
        if (segment.address < 0x4000'0000) continue;
        for (std::size_t n = 0; n < segment.bytes.size(); ++n) ASSERT_EQ(ram.ram[segment.address + n], segment.bytes[n]);
    }
    const secure::Memory memory{&ram, [](void* context, std::uint64_t at, void* to, std::uint32_t size) {
                                    auto& all = static_cast<Board2*>(context)->ram;
                                    for (std::uint32_t n = 0; n < size; ++n)
                                        static_cast<std::uint8_t*>(to)[n] = all.contains(at + n) ? all[at + n] : std::uint8_t{0xee};
                                    return true;
                                }};
    Boot boot;
    EXPECT_EQ(secure::check_image(memory, plan->hypervisor_base, nullptr, boot), nullptr);
    EXPECT_EQ(boot.measured.system, measure(built, plan->hypervisor_base)->system) << "whatever was in RAM before";
}

TEST_F(InFlash, MonitorAndSecurePartitionKnowWhereTheyAre) {
    const auto at = [&](std::uint64_t address) { return std::ranges::find(built.segments, address, &Segment::address); };
    const auto monitor = at(0), partition = at(PARTITA_FLASH_SECURE_AT);
    ASSERT_TRUE(monitor != built.segments.end() && partition != built.segments.end());
    EXPECT_EQ(built.entry, 0u);
    const auto word = [&](std::size_t offset) { return little(monitor->bytes, offset); };
    EXPECT_EQ(word(offsetof(partita_monitor_header, secure_at)), PARTITA_FLASH_SECURE_AT);
    EXPECT_EQ(word(offsetof(partita_monitor_header, flash_state)), PARTITA_FLASH_STATE_AT);
    EXPECT_EQ(word(offsetof(partita_monitor_header, flash_block)), 0x4'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, system_at)), 0x400'0000u);
    EXPECT_EQ(word(offsetof(partita_monitor_header, system_size)), 0x400'0000u);
    const SystemImage in_ram = image();
    const auto other = std::ranges::find(in_ram.segments, plan->monitor_base, &Segment::address);
    EXPECT_EQ(little(other->bytes, offsetof(partita_monitor_header, flash_block)), 0u) << "nothing is kept in that form";
    EXPECT_EQ(little(other->bytes, offsetof(partita_monitor_header, system_size)), 0u);
}

// The other world may have written it.
TEST_F(InFlash, NothingOfItIsTrusted) {
    const Bytes good = ram.flash;
    constexpr std::size_t first = sizeof(partita_flash_system);
    const std::tuple<std::size_t, std::uint32_t, const char*> changes[] = {
        {0, 0, "there is none in the flash"},
        {4, PARTITA_FLASH_SEGMENTS + 1, "more segments than there can be"},
        {4, 0xffff'ffff, "more segments than there can be"},
        {first, 0x0e00'0000, "leads out of the flash, or out of RAM"},
        {first, 0x7fff'fffc, "leads out of the flash, or out of RAM"},
        {first, 0xffff'fffc, "leads out of the flash, or out of RAM"},
        {first, 0x4020'0002, "leads out of the flash, or out of RAM"},
        {first + 4, 0xffff'fff0, "leads out of the flash, or out of RAM"},
        {first + 8, 0xffff'fffc, "leads out of the flash, or out of RAM"},
    };
    for (const auto& [at, value, why] : changes) {
        ram.flash = good;
        ram.ram.clear();
        put(at, value);
        EXPECT_NE(loaded().find(why), std::string::npos) << at << " " << value;
    }
    for (std::size_t size = 0; size < good.size(); size += 997) {
        ram.flash.assign(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_NE(loaded(), "") << size;
    }
    Random random{4};
    for (unsigned n = 0; n < 2000; ++n) {
        ram.flash.assign(good.begin(), good.begin() + 200);
        for (unsigned k = random.below(6); k != 0; --k) put(random.below(12) * 4, random.below(2) == 0 ? random() : random.below(300));
        (void)loaded();
    }
    for (const auto& [address, byte] : ram.ram) ASSERT_TRUE(address >= ram.base && address - ram.base < ram.size);
}

TEST_F(InFlash, TheFilesKeepWhatTheSecureWorldDoes) {
    const fs::path where = folder / "flash";
    const auto files = write_flash(board, built, where);
    ASSERT_TRUE(files) << files.error();
    EXPECT_EQ(fs::file_size(files->secure), 64u << 20);
    EXPECT_EQ(fs::status(files->secure).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    const auto state_of = [](const fs::path& file) {
        std::ifstream in{file, std::ios::binary};
        in.seekg(PARTITA_FLASH_STATE_AT);
        std::string out(0x8'0000, 0);
        in.read(out.data(), static_cast<std::streamsize>(out.size()));
        return out;
    };
    const std::string first = state_of(files->secure);
    const std::string some(64, 'x');
    std::fstream{files->secure, std::ios::in | std::ios::out | std::ios::binary}.write(some.data(), 64);  // an older monitor
    ASSERT_TRUE(write_flash(board, built, where));
    EXPECT_EQ(state_of(files->secure), first);
    std::array<char, 8> begin{};
    std::ifstream{files->secure, std::ios::binary}.read(begin.data(), 8);
    EXPECT_EQ(0, std::memcmp(begin.data() + 4, "PMON", 4)) << "the monitor is this build's";
    const auto others = write_flash(board, built, folder / "other");
    ASSERT_TRUE(others);
    EXPECT_NE(state_of(others->secure), first) << "each board has a seed of its own";
    std::ofstream{folder / "flash/secure.flash"} << "too short";
    EXPECT_NE(write_flash(board, built, where).error().find("is not a flash of this board, which has 67108864 bytes"), std::string::npos);
}

TEST_F(SecureWorld, WhatCannotBeInFlashIsSaid) {
    const OwnPrograms none{};
    ASSERT_EQ(complaints(described), "");
    std::string text = described;
    text.erase(text.find("[secure]\n"), 9);
    text.erase(text.find("trusted ="), text.find('\n', text.find("trusted =")) + 1 - text.find("trusted ="));
    ASSERT_EQ(complaints(text), "");
    EXPECT_NE(pack(*plan, none, {.in_flash = true}).error().find("add a [secure] section"), std::string::npos);
    board.monitor->flash = {};
    EXPECT_NE(pack(*plan, none, {.in_flash = true}).error().find("has no flash that its CPUs begin in"), std::string::npos);
}

}  // namespace
}  // namespace partita::tool
