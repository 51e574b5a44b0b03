// The system image: hypervisor, description and images as one file that a board can start.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "image/kernel.hpp"
#include "plan/plan.hpp"

namespace partita::tool {

struct PackOptions {
    bool framed_console = false;
    bool off_when_done = false;
    std::uint32_t tick_us = 0;        // of every CPU that runs something; see partita_cpu
    std::uint32_t epoch = 0;          // see partita_image_header
    std::string signing_key{};        // a PEM file; empty: the image is not signed
    std::uint32_t image_version = 0;  // of a signed image
    bool in_flash = false;            // monitor and secure partition begin in the board's flash
    std::uint64_t trace_bytes = 0;    // of each CPU's trace ring, a power of two; 0: no trace
};

// What lies where in physical memory.
struct SystemImage {
    std::uint64_t entry = 0;
    std::vector<Segment> segments;  // ascending, apart
    Bytes description;              // header and tables, as in one of the segments
};

// The files that the target build made.
struct OwnPrograms {
    std::span<const std::uint8_t> hypervisor;
    std::span<const std::uint8_t> monitor{};  // where the board needs one
    std::span<const std::uint8_t> secure{};   // where the system has a secure partition
};

// The error is a sentence.
[[nodiscard]] std::expected<SystemImage, std::string> pack(const Plan& plan, const OwnPrograms& programs, const PackOptions& options);

[[nodiscard]] Bytes to_elf(const SystemImage& image);
// From the first segment's address on, gaps filled with zeros.
[[nodiscard]] Bytes to_binary(const SystemImage& image);

}  // namespace partita::tool
