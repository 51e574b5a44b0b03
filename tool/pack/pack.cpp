#include "pack/pack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "arch/address.hpp"
#include "pack/describe.hpp"
#include "pack/measure.hpp"
#include "pack/secure_image.hpp"
#include "partita/flash.h"
#include "partita/monitor.h"
#include "partita/secure.h"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

void put32(Bytes& bytes, std::size_t at, std::uint64_t value) {
    for (unsigned n = 0; n < 4; ++n) bytes[at + n] = static_cast<std::uint8_t>(value >> n * 8);
}

void put16(Bytes& bytes, std::size_t at, std::uint32_t value) {
    bytes[at] = static_cast<std::uint8_t>(value);
    bytes[at + 1] = static_cast<std::uint8_t>(value >> 8);
}

// Where the secure world's programs are to be found after reset.
struct SecurePlaces {
    std::uint64_t monitor, partition;
};

[[nodiscard]] SecurePlaces places_of(const Plan& plan, bool in_flash) {
    if (!in_flash) return {plan.monitor_base, plan.secure_base};
    return {plan.board->monitor->flash.begin, plan.board->monitor->flash.begin + PARTITA_FLASH_SECURE_AT};
}

// Puts the monitor where it begins, with what it must know of the board, and has the board begin there. The error is a sentence.
[[nodiscard]] std::string add_monitor(const Plan& plan, std::span<const std::uint8_t> monitor, bool in_flash, SystemImage& image) {
    const auto elf = read_elf(monitor);
    if (!elf || elf->segments.empty() || elf->segments.front().bytes.size() < sizeof(partita_monitor_header) ||
        little(elf->segments.front().bytes, offsetof(partita_monitor_header, magic)) != PARTITA_MONITOR_MAGIC)
        return "the monitor's image is damaged; build it anew";
    const Board& board = *plan.board;
    const SecurePlaces places = places_of(plan, in_flash);
    const MonitorPlace none{}, &flash = in_flash ? *board.monitor : none;
    Bytes bytes = flatten(elf->segments);
    const std::pair<std::size_t, std::uint64_t> words[] = {
        {offsetof(partita_monitor_header, memory), board.monitor->memory},
        {offsetof(partita_monitor_header, entry), plan.hypervisor_base},
        {offsetof(partita_monitor_header, ram), board.memory.front().begin},
        {offsetof(partita_monitor_header, ram_size), board.memory.front().size},
        {offsetof(partita_monitor_header, gicd), board.gicd.begin},
        {offsetof(partita_monitor_header, gicc), board.gicc.begin},
        {offsetof(partita_monitor_header, uart), board.monitor->uart},
        {offsetof(partita_monitor_header, power_at), board.monitor->power_at},
        {offsetof(partita_monitor_header, console), board.uart.begin},
        {offsetof(partita_monitor_header, power), board.monitor->power},
        {offsetof(partita_monitor_header, frequency), board.monitor->frequency},
        {offsetof(partita_monitor_header, cpus), board.cpus.size()},
        {offsetof(partita_monitor_header, secure_at), plan.has_secure_partition ? places.partition : 0},
        {offsetof(partita_monitor_header, flash), flash.flash.begin},
        {offsetof(partita_monitor_header, flash_state), flash.flash.begin + PARTITA_FLASH_STATE_AT},
        {offsetof(partita_monitor_header, flash_block), flash.flash_block},
        {offsetof(partita_monitor_header, system_at), flash.system_flash.begin},
        {offsetof(partita_monitor_header, system_size), flash.system_flash.size},
    };
    for (const auto& [at, value] : words) put32(bytes, at, value);
    for (std::size_t n = 0; n < board.cpus.size() && n < PARTITA_MONITOR_CPUS; ++n)
        put32(bytes, offsetof(partita_monitor_header, mpidr) + n * 4, board.cpus[n]);
    image.entry = places.monitor;
    const std::uint64_t size = bytes.size();
    image.segments.push_back({places.monitor, std::move(bytes), size});
    return {};
}

[[nodiscard]] std::string add_secure_partition(const Plan& plan, std::span<const std::uint8_t> program,
                                               const std::optional<SigningKey>& key, bool in_flash, SystemImage& image) {
    auto bytes = secure_image(program);
    if (!bytes) return "the secure partition: " + bytes.error();
    if (key) {
        put32(*bytes, offsetof(partita_secure_header, has_key), 1);
        std::ranges::copy(key->public_key(), bytes->begin() + offsetof(partita_secure_header, key));
    }
    const std::uint64_t size = bytes->size();
    image.segments.push_back({places_of(plan, in_flash).partition, std::move(*bytes), size});
    return {};
}

// Behind the description, where the secure partition looks for it.
[[nodiscard]] std::string sign(const SigningKey& key, std::uint32_t version, std::uint64_t hypervisor_base, SystemImage& image) {
    const auto measured = measure(image, hypervisor_base);
    if (!measured) return measured.error();
    partita_image_signature signature{PARTITA_IMAGE_SIGNATURE_MAGIC, version, {}};
    std::ranges::copy(key.sign(secure::signed_hash(version, *measured)), signature.signature);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&signature);
    for (Segment& segment : image.segments)
        if (segment.address + segment.bytes.size() == measured->signature_at) {
            segment.bytes.insert(segment.bytes.end(), bytes, bytes + sizeof signature);
            segment.memory_size = segment.bytes.size();
        }
    return {};
}

}  // namespace

std::expected<SystemImage, std::string> pack(const Plan& plan, const OwnPrograms& programs, const PackOptions& options) {
    if (options.in_flash && (!plan.board->monitor || plan.board->monitor->flash.size == 0))
        return std::unexpected(
            fmt::format("board \"{}\" has no flash that its CPUs begin in; leave --flash out, or take \"virt-secure\"", plan.board->name));
    if (options.in_flash && !plan.has_secure_partition)
        return std::unexpected("nothing would take the system out of the flash; add a [secure] section, or leave --flash out");
    std::optional<SigningKey> key;
    if (!options.signing_key.empty()) {
        if (!plan.has_secure_partition)
            return std::unexpected("nothing would check this image's signature; add a [secure] section, or leave --sign out");
        auto read = SigningKey::read(options.signing_key);
        if (!read) return std::unexpected(read.error());
        key = *read;
    }
    const auto elf = read_elf(programs.hypervisor);
    if (!elf || elf->segments.empty()) return std::unexpected("the hypervisor's image is damaged; build it anew");
    const std::uint64_t linked = elf->segments.front().address;
    SystemImage image;
    for (const Segment& segment : elf->segments)
        image.segments.push_back({segment.address - linked + plan.hypervisor_base, segment.bytes, segment.memory_size});
    Bytes& first = image.segments.front().bytes;
    if (first.size() < sizeof(partita_hypervisor_header) ||
        little(first, offsetof(partita_hypervisor_header, magic)) != PARTITA_IMAGE_MAGIC)
        return std::unexpected("the hypervisor's image has no header; build it anew");
    const std::uint64_t offset = (little(first, offsetof(partita_hypervisor_header, image_size)) + kPageSize - 1) & ~(kPageSize - 1);
    const OwnMemory own{plan.hypervisor_base, offset, little(first, offsetof(partita_hypervisor_header, partition_size)),
                        little(first, offsetof(partita_hypervisor_header, vcpu_size))};
    auto description = describe_system(plan, own, options);
    if (!description) return std::unexpected(description.error());
    put32(first, offsetof(partita_hypervisor_header, description_offset), offset);
    put32(first, offsetof(partita_hypervisor_header, description_size), description->size());
    image.entry = plan.hypervisor_base;
    image.description = *description;
    const std::uint64_t size = description->size();
    image.segments.push_back({plan.hypervisor_base + offset, std::move(*description), size});
    if (plan.monitor_base != 0)
        if (std::string wrong = add_monitor(plan, programs.monitor, options.in_flash, image); !wrong.empty())
            return std::unexpected(std::move(wrong));
    if (plan.secure_base != 0)
        if (std::string wrong = add_secure_partition(plan, programs.secure, key, options.in_flash, image); !wrong.empty())
            return std::unexpected(std::move(wrong));
    for (const PlannedPartition& partition : plan.partitions)
        for (const PlannedCopy& copy : partition.copies) image.segments.push_back({copy.source, copy.bytes, copy.bytes.size()});
    if (key)
        if (std::string wrong = sign(*key, options.image_version, plan.hypervisor_base, image); !wrong.empty())
            return std::unexpected(std::move(wrong));
    return image;
}

Bytes to_elf(const SystemImage& image) {
    constexpr std::size_t header_size = 52, program_header_size = 32;
    Bytes out(header_size + program_header_size * image.segments.size());
    constexpr std::uint8_t identity[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    std::memcpy(out.data(), identity, sizeof identity);
    put16(out, 16, 2);   // ET_EXEC
    put16(out, 18, 40);  // EM_ARM
    put32(out, 20, 1);
    put32(out, 24, image.entry);
    put32(out, 28, header_size);
    put32(out, 36, 0x0500'0000);  // EABI 5
    put16(out, 40, header_size);
    put16(out, 42, program_header_size);
    put16(out, 44, static_cast<std::uint32_t>(image.segments.size()));
    for (std::size_t n = 0; n < image.segments.size(); ++n) {
        const Segment& segment = image.segments[n];
        const std::size_t at = header_size + n * program_header_size;
        const std::size_t offset = (out.size() + 7) / 8 * 8;
        put32(out, at, 1);  // PT_LOAD
        put32(out, at + 4, offset);
        put32(out, at + 8, segment.address);
        put32(out, at + 12, segment.address);
        put32(out, at + 16, segment.bytes.size());
        put32(out, at + 20, segment.memory_size);
        put32(out, at + 24, 7);
        put32(out, at + 28, 4);
        out.resize(offset);
        out.insert(out.end(), segment.bytes.begin(), segment.bytes.end());
    }
    return out;
}

Bytes to_binary(const SystemImage& image) { return flatten(image.segments); }

}  // namespace partita::tool
