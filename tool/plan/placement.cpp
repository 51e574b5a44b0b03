#include "plan/placement.hpp"

#include <fmt/format.h>
extern "C" {
#include <libfdt.h>
}

#include <algorithm>
#include <fstream>
#include <iterator>

#include "arch/address.hpp"
#include "partita/system_image.h"
#include "config/units.hpp"
#include "plan/channels.hpp"
#include "plan/guest_tree.hpp"
#include "plan/served.hpp"

namespace partita::tool {

namespace {

constexpr std::uint64_t no_machine_type = 0xffff'ffff;  // r1, as QEMU's boards and device-tree boot have it

// The file's bytes, or an error at its place.
std::string cpu_compatible(const Board& board) {
    if (board.tree.empty()) return {};  // no board: nothing is built
    const int cpus = fdt_path_offset(board.tree.data(), "/cpus");
    const int first = fdt_first_subnode(board.tree.data(), cpus);
    const char* const compatible = static_cast<const char*>(fdt_getprop(board.tree.data(), first, "compatible", nullptr));
    return compatible == nullptr ? "arm,cortex-a15" : compatible;
}

// One partition's placement; each step adds to `partition` or complains.
class Placement {
public:
    Placement(const Plan& plan, PlannedPartition& partition, Diagnostics& diagnostics)
        : plan_(plan), board_(*plan.board), partition_(partition), description_(*partition.description), diagnostics_(diagnostics) {}

    void run() {
        const auto kernel = read_image(description_.kernel, "the kernel", diagnostics_);
        const bool initrd = read_initrd();
        const bool memory_known = description_.memory.place != description_.place;  // otherwise its mistake was told already
        if (!kernel || !initrd || !memory_known) return;
        if (!choose_format(*kernel)) return;
        const bool placed = partition_.format == "zimage" ? place_zimage(*kernel)
                            : partition_.format == "elf"  ? place_elf(*kernel)
                            : partition_.format == "raw"  ? place_raw(*kernel)
                                                          : place_uimage(*kernel);
        if (placed && fits()) finish();
    }

private:
    bool fail(Place place, std::string message) {
        diagnostics_.error(place, std::move(message));
        return false;
    }

    bool choose_format(const Bytes& kernel) {
        const std::string found = recognise(kernel);
        const bool known = found == "zimage" || found == "elf" || found == "uimage";
        const std::string& wanted = description_.format.value;
        if (wanted == "auto") {
            if (!known)
                return fail(
                    description_.kernel.place,
                    fmt::format("\"{}\" is {}; a kernel is a zImage, an ELF file or a uImage. For a raw image write format = \"raw\"",
                                description_.kernel.value.string(), found.empty() ? "of no known format" : found));
            partition_.format = found;
        } else {
            partition_.format = wanted;
        }
        if (wanted != "auto" && wanted != "raw" && wanted != found)
            return fail(description_.kernel.place, fmt::format("\"{}\" is not what format = \"{}\" says: it is {}; correct one of the two",
                                                               description_.kernel.value.string(), wanted,
                                                               found.empty() ? "of no known format"
                                                               : known       ? fmt::format("\"{}\"", found)
                                                                             : found));
        if (partition_.format != "raw")
            for (const auto& [key, value] : {std::pair{"load", &description_.load}, std::pair{"entry", &description_.entry}})
                if (value->has_value())
                    return fail((*value)->place,
                                fmt::format("{} is for format = \"raw\" alone; leave it out, since this image (\"{}\") says "
                                            "itself where it goes",
                                            key, partition_.format));
        return true;
    }

    // Linux unpacks itself to the begin of RAM and TEXT_OFFSET. The zImage waits behind that place, so that it need not move: a
    // zImage that must would take the device tree's place.
    bool place_zimage(const Bytes& kernel) {
        const auto image = read_zimage(kernel);
        if (!image) return fail(description_.kernel.place, fmt::format("\"{}\": {}", description_.kernel.value.string(), image.error()));
        constexpr std::uint64_t packing_ratio = 4, stack = 0x2'0000;
        const std::uint64_t unpacked = image->unpacked_size != 0 ? image->unpacked_size : kernel.size() * packing_ratio;
        const std::uint64_t at = round_up(partition_.ram + image->text_offset + unpacked + stack, kBlockSize);
        add("kernel", at, kernel);
        partition_.entry = at;
        behind_ = round_up(at + kernel.size() + stack + image->heap_size, kBlockSize);
        tree_at_ = behind_;
        behind_ += platform::dtb_room;
        partition_.r1 = no_machine_type;
        return true;
    }

    bool place_elf(const Bytes& kernel) {
        const auto image = read_elf(kernel);
        if (!image) return fail(description_.kernel.place, fmt::format("\"{}\": {}", description_.kernel.value.string(), image.error()));
        for (std::size_t n = 0; n < image->segments.size(); ++n) {
            const Segment& segment = image->segments[n];
            if (!inside_memory(segment.address, segment.memory_size))
                return fail(description_.kernel.place,
                            fmt::format("segment {} of \"{}\" is linked to {:#x} to {:#x}, where \"{}\" has no memory; RAM is {:#x} to "
                                        "{:#x}, boot_memory begins at 0",
                                        n, description_.kernel.value.string(), segment.address, segment.address + segment.memory_size,
                                        partition_.name, partition_.ram, partition_.own_memory().end()));
            if (!segment.bytes.empty()) add(fmt::format("kernel segment {}", n), segment.address, segment.bytes);
            taken_.push_back({segment.address, segment.memory_size});
        }
        partition_.entry = image->entry;
        partition_.program_serves = read_serves(kernel);
        tree_at_begin_or_behind();
        return true;
    }

    bool place_raw(const Bytes& kernel) {
        const std::uint64_t at = description_.load ? description_.load->value : partition_.ram + platform::dtb_room;
        if (!inside_memory(at, kernel.size()))
            return fail(
                description_.load ? description_.load->place : description_.kernel.place,
                fmt::format("the image of {} at {:#x} does not lie in the memory of \"{}\"; RAM is {:#x} to {:#x}, boot_memory begins at 0",
                            format_size(kernel.size()), at, partition_.name, partition_.ram, partition_.own_memory().end()));
        add("kernel", at, kernel);
        taken_.push_back({at, kernel.size()});
        partition_.entry = description_.entry ? description_.entry->value : at;
        if (!inside_memory(partition_.entry & ~1ull, 4))
            return fail(description_.entry->place,
                        fmt::format("the entry {:#x} does not lie in the memory of \"{}\"", partition_.entry, partition_.name));
        partition_.r1 = no_machine_type;
        tree_at_begin_or_behind();
        return true;
    }

    bool place_uimage(const Bytes& kernel) {
        const auto image = read_uimage(kernel);
        if (!image) return fail(description_.kernel.place, fmt::format("\"{}\": {}", description_.kernel.value.string(), image.error()));
        if (!inside_memory(image->load, image->payload.size()) || !inside_memory(image->entry & ~1ull, 4))
            return fail(description_.kernel.place,
                        fmt::format("\"{}\" ({}) wants to lie at {:#x}, where \"{}\" has no memory; RAM is {:#x} to {:#x}",
                                    description_.kernel.value.string(), image->name, image->load, partition_.name, partition_.ram,
                                    partition_.own_memory().end()));
        add("kernel", image->load, image->payload);
        taken_.push_back({image->load, image->payload.size()});
        partition_.entry = image->entry;
        partition_.r1 = no_machine_type;
        tree_at_begin_or_behind();
        return true;
    }

    // Images that are not Linux look for the tree where RAM begins.
    void tree_at_begin_or_behind() {
        const AddressRange begin{partition_.ram, platform::dtb_room};
        behind_ = partition_.ram;
        for (const AddressRange& range : taken_)
            if (range.begin >= partition_.ram) behind_ = std::max(behind_, range.end());
        const bool free = std::none_of(taken_.begin(), taken_.end(), [&](const AddressRange& range) { return range.overlaps(begin); });
        behind_ = round_up(std::max(behind_, begin.end()), kBlockSize);
        tree_at_ = partition_.ram;
        if (free) return;
        tree_at_ = behind_;
        behind_ += platform::dtb_room;
    }

    // Archives follow each other on boundaries of four bytes, with zeros between (Linux, driver-api/early-userspace/buffer-format.rst).
    bool read_initrd() {
        bool good = true;
        for (const auto& path : description_.initrd) {
            const auto part = read_image(path, "the initrd", diagnostics_);
            good = good && part;
            initrd_.resize(round_up(initrd_.size(), 4));
            if (part) initrd_.insert(initrd_.end(), part->begin(), part->end());
        }
        return good;
    }

    bool fits() {
        initrd_at_ = round_up(behind_, kPageSize);
        const std::uint64_t needed = initrd_at_ + initrd_.size() - partition_.ram;
        if (needed <= partition_.own_memory().size) return true;
        return fail(description_.memory.place,
                    fmt::format("{} of memory are too little for \"{}\": kernel{} need {}; give it at least that",
                                format_size(description_.memory.value), partition_.name,
                                initrd_.empty() ? " and device tree" : ", device tree and initrd",
                                format_size(round_up(needed + partition_.bounced, kBlockSize))));
    }

    void finish() {
        GuestTreeRequest request;
        request.cpus = static_cast<std::uint32_t>(std::max<std::size_t>(1, description_.cpus.size()));
        request.cpu_compatible = cpu_compatible(board_);
        request.memory = description_.memory.value;
        if (partition_.bounced != 0) request.bounced = partition_.shared_memory();
        request.bootargs = description_.bootargs.value;
        request.board = &board_;
        request.ram = partition_.ram;
        request.devices = partition_.devices;
        request.messages = partition_.messages;
        request.clock = partition_.has_clock();
        request.watchdog = partition_.watchdog_ms != 0;
        request.gpio = partition_.has_gpio();
        request.control = partition_.is_parent();
        request.ports = guest_ports(plan_, partition_);
        request.virtio = partition_.virtio;
        request.served = served_devices(plan_, partition_);
        request.store = partition_.store;
        request.history = partition_.history;
        if (partition_.is_parent())
            for (const PlannedPartition& one : plan_.partitions) request.restart_after.push_back(one.restart_after_ms);
        request.pmu = (partition_.flags & PARTITA_PMU) != 0;
        if (!initrd_.empty()) {
            request.initrd_begin = initrd_at_;
            request.initrd_end = initrd_at_ + initrd_.size();
            add("initrd", initrd_at_, std::move(initrd_));
        }
        GuestTree tree = make_guest_tree(request);
        for (PlannedPatch patch : tree.patches) {
            patch.ipa += tree_at_;
            partition_.patches.push_back(patch);
        }
        add("device tree", tree_at_, std::move(tree.bytes));
        partition_.r2 = tree_at_;
    }

    [[nodiscard]] bool inside_memory(std::uint64_t begin, std::uint64_t size) const {
        const std::uint64_t boot = description_.boot_memory ? description_.boot_memory->value : 0;
        for (const AddressRange& memory : {partition_.own_memory(), AddressRange{0, boot}})
            if (begin >= memory.begin && begin <= memory.end() && size <= memory.end() - begin) return true;
        return false;
    }

    void add(std::string what, std::uint64_t ipa, Bytes bytes) { partition_.copies.push_back({std::move(what), ipa, std::move(bytes), 0}); }

    const Plan& plan_;
    const Board& board_;
    PlannedPartition& partition_;
    const PartitionDescription& description_;
    Diagnostics& diagnostics_;
    Bytes initrd_;
    std::vector<AddressRange> taken_;
    std::uint64_t behind_ = 0, tree_at_ = 0, initrd_at_ = 0;
};

}  // namespace

std::optional<Bytes> read_image(const Placed<std::filesystem::path>& path, const char* what, Diagnostics& diagnostics) {
    std::error_code failed;
    if (path.value.empty()) return std::nullopt;  // told already
    if (!std::filesystem::exists(path.value, failed)) {
        diagnostics.error(path.place,
                          fmt::format("{} \"{}\" does not exist; paths are relative to {}", what, path.value.string(), diagnostics.file()));
        return std::nullopt;
    }
    std::ifstream in{path.value, std::ios::binary};
    if (std::filesystem::is_directory(path.value, failed) || !in) {
        diagnostics.error(path.place,
                          fmt::format("{} \"{}\" cannot be read; it must be a file that you may read", what, path.value.string()));
        return std::nullopt;
    }
    Bytes bytes{std::istreambuf_iterator<char>{in}, {}};
    if (bytes.empty()) {
        diagnostics.error(path.place, fmt::format("{} \"{}\" is empty", what, path.value.string()));
        return std::nullopt;
    }
    return bytes;
}

void place_images(const Plan& plan, PlannedPartition& partition, Diagnostics& diagnostics) {
    if (partition.is_place()) return;  // what it runs comes later
    Placement{plan, partition, diagnostics}.run();
}

}  // namespace partita::tool
