// Where things lie in Hyp's own address space. One layout for all boards: code never sees a board's addresses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace partita::layout {

inline constexpr std::uintptr_t image = 0xf000'0000;         // the hypervisor, its description and its table pool: 2 MiB
inline constexpr std::uintptr_t devices = 0xf020'0000;       // one level-3 table of device pages
inline constexpr std::uintptr_t gicd = devices + 0x0000;     // one page
inline constexpr std::uintptr_t gich = devices + 0x1000;     // one page, right below GICC: one base register reaches both
inline constexpr std::uintptr_t gicc = devices + 0x2000;     // two pages: GICC_DIR lies in the second
inline constexpr std::uintptr_t uart = devices + 0x4000;     // one page
inline constexpr std::uintptr_t smmu = devices + 0x5000;     // two pages: the second is 64 KiB behind the first on the board
inline constexpr std::uintptr_t pci = devices + 0x7000;      // a page for each PCI function that a partition owns
inline constexpr std::uintptr_t vcpus = devices + 0x2'0000;  // virtual CPUs, each behind a page that is not mapped
inline constexpr std::uintptr_t windows = 0xf040'0000;       // two 2 MiB windows for each CPU
inline constexpr std::uintptr_t window_size = 0x20'0000;

// Of the n-th master, where it is a PCI function: its configuration space.
[[nodiscard]] constexpr std::uintptr_t pci_page(std::size_t n) { return pci + n * 0x1000; }

}  // namespace partita::layout
