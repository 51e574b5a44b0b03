// The System MMU: an SMMUv3 (IHI 0070), of which the second stage alone is used. Every stream has an entry in a linear table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "machine/iommu.hpp"
#include "partita/system_image.h"

namespace partita {

namespace smmu {

// Registers of page 0, and from 0x1000 on those of page 1: offsets from layout::smmu.
enum Register : std::uint32_t {
    IDR0 = 0x0,
    IDR1 = 0x4,
    CR0 = 0x20,
    CR0ACK = 0x24,
    CR1 = 0x28,
    CR2 = 0x2c,
    GBPA = 0x44,
    IRQ_CTRL = 0x50,
    IRQ_CTRLACK = 0x54,
    GERROR = 0x60,
    STRTAB_BASE = 0x80,
    STRTAB_BASE_CFG = 0x88,
    CMDQ_BASE = 0x90,
    CMDQ_PROD = 0x98,
    CMDQ_CONS = 0x9c,
    EVENTQ_BASE = 0xa0,
    EVENTQ_PROD = 0x10a8,
    EVENTQ_CONS = 0x10ac,
};

struct alignas(64) StreamEntry {
    std::uint64_t words[8];
};
struct Command {
    std::uint64_t words[2];
};
struct Event {
    std::uint64_t words[4];
};
static_assert(sizeof(StreamEntry) == PARTITA_STREAM_ENTRY_SIZE);

inline constexpr std::uint32_t command_bits = 8, event_bits = 7;
static_assert(sizeof(Command) << command_bits == PARTITA_STREAM_QUEUE_SIZE && sizeof(Event) << event_bits == PARTITA_STREAM_QUEUE_SIZE);

}  // namespace smmu

// Where its tables and queues lie: for us, and for itself.
struct SmmuMemory {
    std::span<smmu::StreamEntry> streams;  // PARTITA_MAX_STREAMS, all zero
    std::span<smmu::Command> commands;
    std::span<smmu::Event> events;
    PhysAddr streams_at, commands_at, events_at;
};

class SmmuV3 {
public:
    // Before start(): whatever firmware left, every stream is stopped.
    static void stop_all();
    // Takes it over. Panics where it cannot do what is needed of it.
    void start(const SmmuMemory& memory);

    [[nodiscard]] bool present() const { return !memory_.streams.empty(); }
    void attach(std::uint32_t stream, PhysAddr tables, std::uint32_t vmid);
    void block(std::uint32_t stream);
    void forget(std::uint32_t vmid);
    [[nodiscard]] std::optional<DmaFault> next_fault();
    [[nodiscard]] bool lost_faults();
    // A mark behind all faults that there are now, and whether next_fault() has given those before it.
    [[nodiscard]] std::uint32_t last_fault() const;
    [[nodiscard]] bool given(std::uint32_t mark) const;

private:
    void issue(smmu::Command command);
    void synchronize();
    void change_entry(std::uint32_t stream, const smmu::StreamEntry& entry);

    SmmuMemory memory_;
    std::uint32_t produced_ = 0;  // commands: index and wrap bit, as CMDQ_PROD holds them
    std::uint32_t consumed_ = 0;  // events, as EVENTQ_CONS does
};

static_assert(Iommu<SmmuV3>);

}  // namespace partita
