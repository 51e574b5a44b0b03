// Images of a board with both worlds, and the secure partition's functions on this host.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "boot.hpp"
#include "keys.hpp"
#include "pack/measure.hpp"
#include "pack/secure_image.hpp"
#include "partita/secure.h"
#include "plan_fixture.hpp"
#include "service.hpp"

namespace partita::tool {

namespace fs = std::filesystem;
using secure::Boot;
using secure::Call;

inline Bytes secure_elf() {
    Bytes out = elf_at(0xe020'0000);
    for (const std::size_t at : {68u, 72u}) put_word(out, at, 4096);
    out.resize(84 + 4096);
    put_word(out, 84, PARTITA_SECURE_MAGIC);
    put_word(out, 84 + offsetof(partita_secure_header, text_end), 4096);
    put_word(out, 84 + offsetof(partita_secure_header, rodata_end), 4096);
    put_word(out, 84 + offsetof(partita_secure_header, file_size), 4096);
    put_word(out, 84 + offsetof(partita_secure_header, memory_size), 8192);
    put_word(out, 84 + offsetof(partita_secure_header, entry), 0xe020'0100);
    return out;
}

inline constexpr const char* described = R"([system]
board = "virt-secure"
[secure]
[[partition]]
name = "one"
kernel = "a.elf"
memory = "2 MiB"
cpus = [0]
trusted = ["hash", "quote"]
[[partition]]
name = "two"
kernel = "zImage"
memory = "64 MiB"
cpus = [1]
)";

class SecureWorld : public PlanFixture {
protected:
    SecureWorld() { board = *load_board("virt-secure", fs::path{PARTITA_SOURCE_DIR} / "boards", PARTITA_BOARD_TREES); }

    SystemImage image(const PackOptions& options = {}) {
        EXPECT_EQ(complaints(described), "");
        Bytes hypervisor = elf_at(0xf000'0000), monitor = elf_at(0xe000'0000);
        put_word(hypervisor, 84 + 4, PARTITA_IMAGE_MAGIC);
        put_word(hypervisor, 84 + 16, 0x1'8000);
        put_word(hypervisor, 84 + 20, 4000);
        put_word(hypervisor, 84 + 24, 3328);
        for (const std::size_t at : {68u, 72u}) put_word(monitor, at, 256);
        monitor.resize(84 + 256);
        put_word(monitor, 84 + 4, PARTITA_MONITOR_MAGIC);
        auto out = pack(*plan, {hypervisor, monitor, secure_elf()}, options);
        EXPECT_TRUE(out) << (out ? "" : out.error());
        return out ? *out : SystemImage{};
    }
    std::string key() {
        const std::string file = (folder / "key.pem").string();
        std::ofstream{file} << *SigningKey::make();
        return file;
    }
    // The image as it lies in memory.
    struct Loaded {
        std::uint64_t base;
        Bytes bytes;
    };
    static Loaded load(const SystemImage& image) {
        std::vector<Segment> segments = image.segments;
        std::ranges::sort(segments, {}, &Segment::address);
        return {segments.front().address, flatten(segments)};
    }
    static secure::Memory memory(Loaded& loaded) {
        return {&loaded, [](void* context, std::uint64_t at, void* to, std::uint32_t size) {
                    const auto& all = *static_cast<const Loaded*>(context);
                    if (at < all.base || at - all.base > all.bytes.size() || size > all.bytes.size() - (at - all.base)) return false;
                    std::memcpy(to, all.bytes.data() + (at - all.base), size);
                    return true;
                }};
    }
    std::string complaint(Loaded& loaded, const SigningKey::PublicKey* public_key, Boot& boot) {
        const char* const wrong =
            secure::check_image(memory(loaded), plan->hypervisor_base, public_key != nullptr ? public_key->data() : nullptr, boot);
        return wrong != nullptr ? wrong : "";
    }
};

class Service : public testing::Test {
protected:
    Service() {
        secure::gather_entropy();
        boot.measured.count = 3;
        std::strcpy(boot.measured.all[1].name, "one");
        std::strcpy(boot.measured.all[2].name, "two");
    }
    std::int32_t call(std::uint32_t function, std::uint32_t identity = 1, std::uint32_t value = 0) {
        return static_cast<std::int32_t>(secure::perform({PARTITA_TRUSTED_CALL + function, 0, value, 0, 0, 0, 0, identity}, page, boot).r0);
    }
    Bytes output() const { return {page.output, page.output + page.output_size}; }
    void put(const Bytes& bytes) {
        std::ranges::copy(bytes, page.input);
        page.input_size = static_cast<std::uint32_t>(bytes.size());
    }
    Boot boot;
    partita_trusted_page page{};
};

}  // namespace partita::tool
