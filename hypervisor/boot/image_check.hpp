// Reads and checks the system image's description. The tool runs the same code over what it wrote, and the hypervisor once
// more before it believes a word of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "partita/system_image.h"

namespace partita {

enum class ImageFault : std::uint32_t {
    too_short,
    not_an_image,
    wrong_version,
    checksum,
    table_outside,
    too_many,
    bad_reference,
    bad_name,
    misaligned,
    overlap,
    outside_region,
    bad_interrupt,
    bad_slot,
    no_vcpu,
    bad_schedule,
    bad_master,
    bad_channel,
    bad_virtio,
};

[[nodiscard]] const char* describe(ImageFault fault);

struct ImageError {
    ImageFault fault;
    std::uint32_t record;  // index of the offending record in its table
};

// The description's tables, as checked.
struct ImageView {
    const partita_image_header* header;
    std::span<const partita_cpu> cpus;
    std::span<const partita_partition> partitions;
    std::span<const partita_vcpu> vcpus;
    std::span<const partita_region> regions;
    std::span<const partita_copy> copies;
    std::span<const partita_patch> patches;
    std::span<const partita_route> interrupts;
    std::span<const partita_master> masters;
    std::span<const partita_channel> channels;
    std::span<const partita_port> ports;
    std::span<const partita_virtio> virtio;
    std::span<const partita_slice> frames;
    std::span<const partita_window> windows;
};

// INTIDs of what is emulated; 0 for what the partition does not have.
[[nodiscard]] inline std::array<std::uint32_t, 7> interrupts_of(const partita_partition& partition) {
    return {partition.console_interrupt, partition.clock_interrupt,  partition.watchdog_interrupt, partition.gpio_interrupt,
            partition.control_interrupt, partition.events_interrupt, partition.serve_interrupt};
}

// bytes: 8-byte aligned. Total: any input gives a view or an error.
[[nodiscard]] std::expected<ImageView, ImageError> check_image(std::span<const std::byte> bytes);

// The value that makes the words' sum zero, for `checksum`, which must be 0 in the input. bytes: 4-byte aligned.
[[nodiscard]] std::uint32_t image_checksum(std::span<const std::byte> bytes);

}  // namespace partita
