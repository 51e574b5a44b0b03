// Which partition has which of the board's devices, what confines them, and who has their interrupts.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "arch/address.hpp"
#include "partita/system_image.h"
#include "plan/ownership.hpp"

namespace partita::tool {

namespace {

[[nodiscard]] AddressRange pages_of(const AddressRange& range) {
    const std::uint64_t begin = range.begin & ~(kPageSize - 1), end = (range.end() + kPageSize - 1) & ~(kPageSize - 1);
    return {begin, end - begin};
}

[[nodiscard]] bool share_page(const BoardDevice& one, const BoardDevice& other) {
    return std::any_of(one.registers.begin(), one.registers.end(), [&](const AddressRange& range) {
        return std::any_of(other.registers.begin(), other.registers.end(),
                           [&](const AddressRange& its) { return pages_of(range).overlaps(pages_of(its)); });
    });
}

// What belongs to the hypervisor, or to nobody alone; "" for anything else.
[[nodiscard]] std::string not_a_partitions(const Board& board, const BoardDevice& device) {
    const AddressRange& registers = device.registers[0];
    if (registers.overlaps(board.uart))
        return "it is the board's console, which carries those of all partitions, and belongs to the hypervisor; every partition has a "
               "PL011 of its own";
    if (board.smmu.size != 0 && registers.overlaps(board.smmu))
        return "it is the System MMU that confines devices, and belongs to the hypervisor";
    if (board.messages && device.path == board.messages->path) return "what it is for is given with msi = \"given\"";
    if (board.pci && device.path == board.pci->path) {
        for (const BoardDevice& other : board.devices)
            if (other.pci) return fmt::format("its functions have owners of their own; name those, like {}", other.path);
        return "the board's device tree names no function on it";
    }
    return "";
}

[[nodiscard]] std::string misplaced(const BoardDevice& device, const PlannedPartition& partition) {
    const AddressRange ram{partition.ram, partition.description->memory.value};
    for (const AddressRange& range : device.registers) {
        for (const AddressRange& emulated :
             {AddressRange{platform::gicd, 0x10000}, AddressRange{platform::gicc, 0x10000}, AddressRange{platform::pl011, 0x1000},
              AddressRange{platform::pci_config, platform::pci_config_size}})
            if (pages_of(range).overlaps(emulated)) return "its registers lie where the virtual platform has a device of its own";
        if (pages_of(range).overlaps(ram))
            return fmt::format("its registers, at {:#x}, lie where the partition has its memory", range.begin);
        if (range.end() > std::uint64_t{1} << 32) return fmt::format("its registers, at {:#x}, are beyond the address space", range.begin);
    }
    return "";
}

// Why nothing would keep a device's own accesses to memory inside the partition; "" where something does, or need not.
[[nodiscard]] std::string unconfined(const Board& board, const BoardDevice& device, const PlannedPartition& partition) {
    if (!device.masters_bus || (!device.pci && partition.description->dma.value == "trusted")) return "";
    if (board.smmu.size == 0 || !device.stream)
        return fmt::format("it reads and writes memory by itself, and nothing on this board would confine it to the partition{}",
                           device.pci ? "" : "; dma = \"trusted\" says that the partition may reach all memory");
    if (*device.stream >= PARTITA_MAX_STREAMS)
        return fmt::format("the System MMU knows it as stream {:#x}; those up to {:#x} are supported", *device.stream,
                           PARTITA_MAX_STREAMS - 1);
    for (const BoardDevice& other : board.devices)
        if (&other != &device && other.stream == device.stream)
            return fmt::format("the System MMU cannot tell it from {}: both are stream {:#x}", other.path, *device.stream);
    return "";
}

// Why a device cannot be given to a partition at all; "" if it can.
[[nodiscard]] std::string refusal(const Board& board, const BoardDevice& device, const PlannedPartition& partition) {
    if (std::string why = not_a_partitions(board, device); !why.empty()) return why;
    if (std::string why = unconfined(board, device, partition); !why.empty()) return why;
    if (std::string why = misplaced(device, partition); !why.empty()) return why;
    if (!device.needs.empty()) return fmt::format("it depends on {}, which no partition can be given yet", device.needs[0]);
    for (const BoardInterrupt& interrupt : device.interrupts)
        if (interrupt.intid < 32 || interrupt.intid >= PARTITA_MAX_INTERRUPTS)
            return fmt::format("its interrupt {} is not one that a partition can have", interrupt.intid);
    return "";
}

// The frame's interrupts that nothing else on the board raises: the first run of them.
[[nodiscard]] MessageFrame usable(const Board& board) {
    MessageFrame frame = *board.messages;
    std::uint32_t end = std::min(frame.first + frame.count, PARTITA_MAX_INTERRUPTS);
    for (const BoardDevice& device : board.devices)
        for (const BoardInterrupt& interrupt : device.interrupts)
            if (interrupt.intid >= frame.first) end = std::min(end, interrupt.intid);
    frame.count = end - frame.first;
    return frame;
}

class Ownership {
public:
    Ownership(Plan& plan, Diagnostics& diagnostics) : plan_(plan), board_(*plan.board), diagnostics_(diagnostics) {}

    void run() {
        for (PlannedPartition& partition : plan_.partitions) {
            place_trusted(partition);
            if (partition.description->msi.value == "given") give_messages(partition);
        }
        for (PlannedPartition& partition : plan_.partitions)
            for (const auto& wanted : partition.description->devices)
                if (wanted.value != "rest") give_wanted(partition, wanted);
        for (PlannedPartition& partition : plan_.partitions)
            for (const auto& wanted : partition.description->devices)
                if (wanted.value == "rest") give_rest(partition, wanted.place);
        check_pages();
        check_foreign_messages();
        for (PlannedPartition& partition : plan_.partitions) lay_out(partition);
    }

private:
    struct Owner {
        PlannedPartition* partition = nullptr;
        Place place;
        const BoardDevice* device = nullptr;
    };

    // Without translation, memory is at one address for the partition and for its devices.
    void place_trusted(PlannedPartition& partition) {
        const PartitionDescription& description = *partition.description;
        if (description.dma.value != "trusted") return;
        if (!description.memory_at)
            return diagnostics_.error(
                description.dma.place,
                fmt::format("\"{}\" has dma = \"trusted\": its devices see memory where it is on the board, and so must "
                            "the partition; say where, like memory_at = 0x6000_0000",
                            partition.name));
        constexpr std::uint64_t end = std::uint64_t{1} << 32;
        const std::uint64_t at = description.memory_at->value;
        if (at < platform::ram || at >= end || description.memory.value > end - at)
            return diagnostics_.error(description.memory_at->place,
                                      fmt::format("\"{}\" has dma = \"trusted\": its memory must lie between {:#x} and {:#x}",
                                                  partition.name, platform::ram, end));
        partition.ram = at;
    }

    void give_messages(PlannedPartition& partition) {
        const Place& place = partition.description->msi.place;
        if (!board_.messages)
            return diagnostics_.error(place, fmt::format("\"{}\" cannot be given interrupts as messages: board \"{}\" has no GICv2m frame; "
                                                         "leave msi out",
                                                         partition.name, board_.name));
        if (messages_owner_ != nullptr)
            return diagnostics_.error(place,
                                      fmt::format("interrupts as messages go to one partition, and \"{}\" has them already: the number is "
                                                  "data in the message; leave msi out, and \"{}\" has interrupt lines",
                                                  messages_owner_->name, partition.name));
        messages_owner_ = &partition;
        partition.messages = usable(board_);
    }

    void give_wanted(PlannedPartition& partition, const Placed<std::string>& wanted) {
        const BoardDevice* const device = board_.find(wanted.value);
        if (device == nullptr)
            return diagnostics_.error(wanted.place, fmt::format("board \"{}\" has no device \"{}\"; {}", board_.name, wanted.value,
                                                                suggest(wanted.value, board_.device_names())));
        if (const std::string why = refusal(board_, *device, partition); !why.empty())
            return diagnostics_.error(wanted.place, fmt::format("\"{}\" cannot be given {}: {}", partition.name, device->path, why));
        const auto [first, is_new] = owners_.emplace(device, Owner{&partition, wanted.place, device});
        if (!is_new)
            return diagnostics_.error(wanted.place,
                                      fmt::format("{} is owned twice: by \"{}\" here and by \"{}\" at line {}; take it from one of them",
                                                  device->path, partition.name, first->second.partition->name, first->second.place.line));
        if (const std::string why = take_interrupts(partition, *device, wanted.place); !why.empty())
            return diagnostics_.error(wanted.place, why);
        partition.devices.push_back(device);
    }

    // All that it can have, and nobody else does: what cannot be given is passed over.
    void give_rest(PlannedPartition& partition, const Place& place) {
        if (rest_owner_ != nullptr)
            return diagnostics_.error(place,
                                      fmt::format("\"{}\" has the rest of the devices already; one partition can", rest_owner_->name));
        rest_owner_ = &partition;
        for (const BoardDevice& device : board_.devices) {
            if (owners_.contains(&device) || !refusal(board_, device, partition).empty()) continue;
            const bool beside_foreign = std::any_of(board_.devices.begin(), board_.devices.end(), [&](const BoardDevice& other) {
                const auto owner = owners_.find(&other);
                const bool own = owner != owners_.end() && owner->second.partition == &partition;
                return &other != &device && !own && share_page(device, other) &&
                       (owner != owners_.end() || !refusal(board_, other, partition).empty());
            });
            if (beside_foreign || !take_interrupts(partition, device, place).empty()) continue;
            owners_.emplace(&device, Owner{&partition, place, &device});
            partition.devices.push_back(&device);
        }
    }

    // "" or the clash. Devices of one partition may share a line; a function whose interrupts are messages has none.
    [[nodiscard]] std::string take_interrupts(PlannedPartition& partition, const BoardDevice& device, const Place& place) {
        if (device.pci && partition.messages) return "";
        for (const BoardInterrupt& interrupt : device.interrupts) {
            const auto owner = lines_.find(interrupt.intid);
            if (owner != lines_.end() && owner->second.partition != &partition)
                return fmt::format("interrupt {} of {} (\"{}\") is also that of {} (\"{}\"); an interrupt has one owner", interrupt.intid,
                                   device.path, partition.name, owner->second.device->path, owner->second.partition->name);
        }
        for (const BoardInterrupt& interrupt : device.interrupts) lines_.emplace(interrupt.intid, Owner{&partition, place, &device});
        return "";
    }

    // A page is one partition's: all devices that have registers in it are, or none.
    void check_pages() {
        for (const auto& [device, owner] : owners_)
            for (const BoardDevice& other : board_.devices) {
                if (&other == device || !share_page(*device, other)) continue;
                const auto its = owners_.find(&other);
                if (its != owners_.end() && its->second.partition == owner.partition) continue;
                diagnostics_.error(owner.place, fmt::format("\"{}\" cannot be given {}: {} lies in the same 4 KiB page, and would be given "
                                                            "away with it; give it both, or neither",
                                                            owner.partition->name, device->path, other.path));
            }
    }

    // Who sends messages can raise every interrupt of the frame: none of them may be another's.
    void check_foreign_messages() {
        if (messages_owner_ == nullptr) return;
        const MessageFrame& frame = *board_.messages;
        for (const auto& [intid, owner] : lines_)
            if (owner.partition != messages_owner_ && intid >= frame.first && intid - frame.first < frame.count)
                diagnostics_.error(owner.place,
                                   fmt::format("interrupt {} of {} (\"{}\") is one that \"{}\" can raise by a message; take msi "
                                               "from the one, or the device from the other",
                                               intid, owner.device->path, owner.partition->name, messages_owner_->name));
    }

    void add_pages(PlannedPartition& partition, const std::string& what, const AddressRange& range) {
        const AddressRange pages = pages_of(range);
        const auto known = std::find_if(partition.regions.begin(), partition.regions.end(),
                                        [&](const PlannedRegion& region) { return pages.overlaps({region.ipa, region.size}); });
        if (known != partition.regions.end()) return;  // two of its devices in one page
        partition.regions.push_back(
            {what, pages.begin, pages.begin, pages.size, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE});
    }

    void add_route(PlannedPartition& partition, std::uint32_t intid, bool edge, const std::string& device) {
        const bool known =
            std::any_of(partition.routes.begin(), partition.routes.end(), [&](const auto& route) { return route.intid == intid; });
        if (known) return;  // a line that two of its devices share
        partition.routes.push_back({intid, edge, device});
        partition.interrupts = std::max(partition.interrupts, (intid / 32 + 1) * 32);
    }

    void lay_out(PlannedPartition& partition) {
        for (const BoardDevice* const device : partition.devices) {
            for (const AddressRange& range : device->registers) add_pages(partition, device->path, range);
            const bool by_messages = device->pci && partition.messages;
            if (!by_messages)
                for (const BoardInterrupt& interrupt : device->interrupts)
                    add_route(partition, interrupt.intid, interrupt.edge, device->path);
            if (!device->stream) continue;
            const bool line = device->pci && !by_messages && !device->interrupts.empty();
            partition.masters.push_back({device, (device->pci ? PARTITA_MASTER_PCI : 0) | (line ? PARTITA_MASTER_INTX : 0) |
                                                     (by_messages ? PARTITA_MASTER_MSI : 0)});
        }
        if (!partition.messages) return;
        add_pages(partition, board_.messages->path, board_.messages->registers);
        for (std::uint32_t n = 0; n < partition.messages->count; ++n)
            add_route(partition, partition.messages->first + n, true, board_.messages->path);
    }

    Plan& plan_;
    const Board& board_;
    Diagnostics& diagnostics_;
    std::map<const BoardDevice*, Owner> owners_;
    std::map<std::uint32_t, Owner> lines_;
    PlannedPartition *messages_owner_ = nullptr, *rest_owner_ = nullptr;
};

}  // namespace

void plan_devices(Plan& plan, Diagnostics& diagnostics) {
    Ownership{plan, diagnostics}.run();
    std::size_t masters = 0;
    for (const PlannedPartition& partition : plan.partitions) {
        masters += partition.masters.size();
        if (masters > PARTITA_MAX_MASTERS)
            return diagnostics.error(partition.description->place,
                                     fmt::format("more than {} devices that read and write memory by themselves; take some out of "
                                                 "devices",
                                                 PARTITA_MAX_MASTERS));
    }
}

}  // namespace partita::tool
