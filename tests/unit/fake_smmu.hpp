// An SMMUv3 for tests: it takes commands, caches what it has read until it is told that it changed, and translates devices' accesses by the
// tables in memory (IHI 0070).
#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "machine/layout.hpp"
#include "machine/smmu.hpp"
#include "mmio.hpp"

namespace partita {

class FakeSmmu final : public FakeDevice {
public:
    // memory: where a physical address lies.
    explicit FakeSmmu(std::function<std::byte*(std::uint64_t)> memory) : memory_(std::move(memory)) { registers[smmu::IDR0] = 0x0d44'101b; }

    bool read(std::uintptr_t address, std::uint32_t& value) override {
        if (!mine(address)) return false;
        const auto offset = static_cast<std::uint32_t>(address - layout::smmu);
        value = registers[offset];
        if (offset == smmu::CR0ACK && answers) value = registers[smmu::CR0];
        if (offset == smmu::IRQ_CTRLACK) value = registers[smmu::IRQ_CTRL];
        if (offset == smmu::GBPA) value &= ~(1u << 31);
        return true;
    }
    bool write(std::uintptr_t address, std::uint32_t value) override {
        if (!mine(address)) return false;
        const auto offset = static_cast<std::uint32_t>(address - layout::smmu);
        registers[offset] = value;
        if (offset == smmu::CMDQ_PROD && answers) take_commands();
        return true;
    }

    [[nodiscard]] bool enabled() const { return (registers.at(smmu::CR0) & 1u) != 0; }
    [[nodiscard]] bool stops_all() const { return registers.contains(smmu::GBPA) && (registers.at(smmu::GBPA) & 1u << 20) != 0; }

    // Where a device's access ends up; nullopt: it was stopped.
    std::optional<std::uint64_t> access(std::uint32_t stream, std::uint64_t ipa, bool is_write) {
        if (!enabled()) return stops_all() ? std::nullopt : std::optional{ipa};
        const std::uint32_t bits = registers[smmu::STRTAB_BASE_CFG] & 0x3f;
        if (stream >> bits != 0) return std::nullopt;
        auto entry = entries_.find(stream);
        if (entry == entries_.end()) {
            smmu::StreamEntry read_now{};
            std::memcpy(&read_now, memory_(base(smmu::STRTAB_BASE) + stream * sizeof read_now), sizeof read_now);
            entry = entries_.emplace(stream, read_now).first;
        }
        const auto& words = entry->second.words;
        if ((words[0] & 1u) == 0) return event(stream, 0x04, ipa, is_write), std::nullopt;
        if ((words[0] >> 1 & 7u) == 0) return std::nullopt;
        const auto vmid = static_cast<std::uint32_t>(words[2] & 0xffff);
        const std::uint64_t leaf = walk(vmid, words[3] & 0xffff'ffff'ffe0, ipa);
        if (leaf == 0) return event(stream, 0x10, ipa, is_write), std::nullopt;
        if (is_write && (leaf >> 6 & 3u) != 3) return event(stream, 0x13, ipa, is_write), std::nullopt;
        const std::uint64_t span = (leaf & 3u) == 1 ? kBlockSize : kPageSize;
        return (leaf & 0xff'ffff'f000 & ~(span - 1)) | (ipa & (span - 1));
    }

    std::map<std::uint32_t, std::uint32_t> registers;
    bool answers = true;
    unsigned commands = 0;

private:
    [[nodiscard]] static bool mine(std::uintptr_t address) { return address >= layout::smmu && address < layout::smmu + 0x2000; }
    [[nodiscard]] std::uint64_t base(smmu::Register reg) {
        return (static_cast<std::uint64_t>(registers[reg + 4]) << 32 | registers[reg]) & 0xf'ffff'ffff'ffe0;
    }

    void take_commands() {
        constexpr std::uint32_t positions = (2u << smmu::command_bits) - 1;
        std::uint32_t& done = registers[smmu::CMDQ_CONS];
        for (; done != registers[smmu::CMDQ_PROD]; done = (done + 1) & positions, ++commands) {
            smmu::Command command{};
            const std::uint32_t index = done & ((1u << smmu::command_bits) - 1);
            std::memcpy(&command, memory_(base(smmu::CMDQ_BASE) + index * sizeof command), sizeof command);
            switch (command.words[0] & 0xff) {
                case 0x03: entries_.erase(static_cast<std::uint32_t>(command.words[0] >> 32)); break;
                case 0x04: entries_.clear(); break;
                case 0x28:
                    std::erase_if(leaves_, [&](const auto& one) { return one.first.first == (command.words[0] >> 32 & 0xffff); });
                    break;
                case 0x30: leaves_.clear(); break;
                default: break;
            }
        }
    }

    // Level 1 of four entries, then as the CPU does from level 2 on.
    std::uint64_t walk(std::uint32_t vmid, std::uint64_t table, std::uint64_t ipa) {
        if (ipa >> 32 != 0) return 0;
        const auto key = std::pair{vmid, ipa / kPageSize};
        if (const auto known = leaves_.find(key); known != leaves_.end()) return known->second;
        const std::uint64_t first = descriptor(table + (ipa >> 30) * 8);
        if ((first & 3u) != 3) return 0;
        std::uint64_t leaf = descriptor((first & 0xff'ffff'f000) + (ipa >> 21 & 511) * 8);
        if ((leaf & 3u) == 3) leaf = descriptor((leaf & 0xff'ffff'f000) + (ipa >> 12 & 511) * 8);
        if ((leaf & 1u) == 0) return 0;
        return leaves_[key] = leaf;
    }
    [[nodiscard]] std::uint64_t descriptor(std::uint64_t at) {
        std::uint64_t value = 0;
        std::memcpy(&value, memory_(at), sizeof value);
        return value;
    }

    void event(std::uint32_t stream, std::uint32_t type, std::uint64_t address, bool is_write) {
        if ((registers[smmu::CR0] & 4u) == 0) return;
        constexpr std::uint32_t size = 1u << smmu::event_bits, positions = 2 * size - 1, overflow = 1u << 31;
        std::uint32_t &end = registers[smmu::EVENTQ_PROD], begin = registers[smmu::EVENTQ_CONS];
        if (((end - begin) & positions) == size) {
            if (((end ^ begin) & overflow) == 0) end ^= overflow;
            return;
        }
        smmu::Event record{
            {type | static_cast<std::uint64_t>(stream) << 32, static_cast<std::uint64_t>(!is_write) << 35, address, address}};
        std::memcpy(memory_(base(smmu::EVENTQ_BASE) + (end & (size - 1)) * sizeof record), &record, sizeof record);
        end = ((end + 1) & positions) | (end & overflow);
    }

    std::function<std::byte*(std::uint64_t)> memory_;
    std::map<std::uint32_t, smmu::StreamEntry> entries_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> leaves_;
};

}  // namespace partita
