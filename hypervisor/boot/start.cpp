// From the MMU's being on to the first guest instruction.
#include <algorithm>
#include <atomic>

#include "arch/errata.hpp"
#include "barrier.hpp"
#include "boot/firmware_tree.hpp"
#include "boot/image_check.hpp"
#include "boot/panic.hpp"
#include "boot/setup.hpp"
#include "hyp_map.hpp"
#include "machine/console.hpp"
#include "machine/firmware.hpp"
#include "machine/gic.hpp"
#include "machine/layout.hpp"
#include "machine/log.hpp"
#include "machine/window.hpp"
#include "partita/hypercall.h"
#include "partition/lifecycle.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"
#include "trap/run.hpp"
#include "trap/vectors.hpp"

extern "C" {
extern const partita_hypervisor_header _start;
extern const char secondary_start[];
[[gnu::aligned(16)]] std::array<std::array<std::byte, 2048>, PARTITA_MAX_CPUS> boot_stacks;
[[gnu::aligned(16)]] std::array<std::array<std::byte, 512>, PARTITA_MAX_CPUS> panic_stacks;
[[noreturn]] void boot_primary(std::uint32_t base, std::uint32_t tree);
[[noreturn]] void boot_secondary(std::uint32_t index);
[[noreturn]] void resume_guest(partita::Vcpu*);
}

namespace partita {

namespace {

constinit std::atomic<std::uint32_t> cpus_up{0};

// For the header in boot.S, which the tool reads: how much of the pool each takes.
[[gnu::used, gnu::noinline]] void define_sizes() {
    asm volatile(".global partition_bytes, vcpu_bytes\n\t.set partition_bytes, %c0\n\t.set vcpu_bytes, %c1" ::"i"(sizeof(Partition)),
                 "i"(VcpuSlot::backed));
}

[[nodiscard]] std::byte* own(std::uint64_t offset) { return reinterpret_cast<std::byte*>(layout::image) + offset; }

// What confines devices stops all of them before anything else is done; then the functions that partitions own.
void map_devices(const ImageView& view) {
    const partita_board& board = view.header->board;
    if (board.smmu == 0) return;
    constexpr std::uint64_t second_page = 0x1'0000;
    hyp_map::map_device(layout::smmu, PhysAddr{board.smmu});
    hyp_map::map_device(layout::smmu + kPageSize, PhysAddr{board.smmu + second_page});
    SmmuV3::stop_all();
    for (std::size_t n = 0; n < view.masters.size(); ++n)
        if ((view.masters[n].flags & PARTITA_MASTER_PCI) != 0) hyp_map::map_device(layout::pci_page(n), PhysAddr{view.masters[n].config});
}

// The UART first: from then on everything that goes wrong can be said.
[[nodiscard, gnu::noinline]] ImageView find_image(PhysAddr base) {
    const partita_hypervisor_header& header = _start;
    const std::uint64_t offset = header.description_offset, size = header.description_size;
    if (offset == 0 || offset % kPageSize != 0 || offset + size > kBlockSize) {
        for (;;) wait_for_interrupt();  // the tool never wrote the description's place: there is no UART to say it on
    }
    hyp_map::map_own(offset, base + offset, (size + kPageSize - 1) & ~(kPageSize - 1), hyp_map::Kind::read_only);
    const auto& image = *reinterpret_cast<const partita_image_header*>(own(offset));
    hyp_map::map_device(layout::uart, PhysAddr{image.board.uart});
    hyp_map::map_device(layout::gicd, PhysAddr{image.board.gicd});
    hyp_map::map_device(layout::gicc, PhysAddr{image.board.gicc});
    hyp_map::map_device(layout::gicc + kPageSize, PhysAddr{image.board.gicc + kPageSize});
    hyp_map::map_device(layout::gich, PhysAddr{image.board.gich});
    console::start((image.flags & PARTITA_IMAGE_FRAMED_CONSOLE) != 0);
    const auto view = check_image({own(offset), static_cast<std::size_t>(size)});
    if (!view) panic(describe(view.error().fault), view.error().record);
    if (view->header->hypervisor_base != base.value) panic("the system image was loaded at another address than it was built for");
    if (view->header->pool_base < (base + offset + size).value) panic("the pool of translation tables lies over the description");
    hyp_map::map_own(view->header->pool_base - base.value, PhysAddr{view->header->pool_base}, view->header->pool_size,
                     hyp_map::Kind::read_write);
    map_devices(*view);
    if (view->header->trace_base != 0)
        hyp_map::map_own(view->header->trace_base - base.value, PhysAddr{view->header->trace_base},
                         view->header->trace_size * view->cpus.size(), hyp_map::Kind::read_write);
    return *view;
}

// Boot entropy from the firmware's device tree: at the address that the boot protocol gave, or where QEMU leaves it.
[[gnu::noinline]] void gather_entropy(const partita_board& board, std::uint32_t tree) {
    for (const std::uint64_t candidate : {static_cast<std::uint64_t>(tree), board.ram_base}) {
        if (candidate == 0 || candidate % 8 != 0) continue;
        const std::byte* const bytes = window::open(0, window::Slot::source, PhysAddr{candidate});
        const auto visible = static_cast<std::size_t>(kBlockSize - candidate % kBlockSize);
        const auto seed = find_property({bytes, visible}, "chosen", "rng-seed");
        if (!seed.empty()) {
            const std::uint64_t time = timer::now();
            system().entropy.with([&](Entropy& entropy) {
                entropy.feed(seed);
                entropy.feed(std::as_bytes(std::span{&time, 1}));
            });
        }
        window::close(0, window::Slot::source);
        if (!seed.empty()) return;
    }
    LogLine("entropy is=none");
}

// Memory of channels, and what is kept through lives, is zeros before anybody runs, and from then on its partitions'.
void clear_lasting(const ImageView& image) {
    for (const partita_region& region : image.regions) {
        if ((region.flags & (PARTITA_REGION_CHANNEL | PARTITA_REGION_KEPT)) == 0) continue;
        for (std::uint64_t done = 0; done < region.size;) {
            const std::uint64_t step = std::min(region.size - done, kBlockSize - (region.pa + done) % kBlockSize);
            window::scrub(window::open(0, window::Slot::target, PhysAddr{region.pa + done}), static_cast<std::size_t>(step));
            done += step;
        }
    }
    window::close(0, window::Slot::target);
}

void start_cpu(std::uint32_t index) {
    Cpu& cpu = system().cpus[index];
    cpu.panic_stack = panic_stacks[index].data() + panic_stacks[index].size();
    set_cpu_pointer(&cpu);
    constexpr std::uint32_t vtcr = 0x8000'3500;  // 32-bit IPA, level 2 first, walks inner shareable write-back (B4.1.159)
    VTCR::write(vtcr);
    cpu.hdcr_reset = HDCR::read();
    cpu.has_thumbee = (ID_PFR0::read() & 0xf000u) != 0;
    cpu.wrong_thumb_store = applies(wrong_thumb_store, MIDR::read());
    if (cpu.wrong_thumb_store) LogLine("erratum").key("number", wrong_thumb_store.number).key("cpu", index);
    cpu.interface = gic::start_cpu_interface();
    prepare_traps(cpu);
    timer::arm(timer::never);
    HVBAR::write(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(vectors_for(MIDR::read(), cpu.trace != nullptr))));
    TLBIALLNSNH::write(0);
    dsb();
    isb();
}

[[gnu::noinline]] void start_others(const ImageView& image, PhysAddr base) {
    const PhysAddr entry = base + (reinterpret_cast<std::uintptr_t>(secondary_start) - layout::image);
    for (std::uint32_t n = 1; n < image.cpus.size(); ++n)
        if (const std::int32_t result = firmware::cpu_on(image.cpus[n].mpidr, entry, n); result != PSCI_SUCCESS)
            panic("the firmware did not start a CPU (PSCI CPU_ON)", static_cast<std::uint32_t>(result));
    while (cpus_up.load(std::memory_order_acquire) != image.cpus.size()) wait_for_event();
    hyp_map::forget_identity(base);
}

// Out of line, as all that is done once: what it takes of the boot stack is given back before guests run.
[[gnu::noinline]] void tell_boot() {
    LogLine("boot")
        .key("major", PARTITA_VERSION_MAJOR)
        .key("minor", PARTITA_VERSION_MINOR)
        .key("cpus", system().cpu_count)
        .key("partitions", system().partition_count)
        .key("list-registers", system().list_registers)
        .hex("midr", MIDR::read());
}

void arrived() {
    cpus_up.fetch_add(1, std::memory_order_acq_rel);
    send_event();
}

}  // namespace

}  // namespace partita

void boot_primary(std::uint32_t base, std::uint32_t tree) {
    using namespace partita;
    const ImageView image = find_image(PhysAddr{base});
    gic::start_distributor();
    system().list_registers = gic::list_register_count();
    // With one, "underflow" would be asserted for ever (IHI 0048B §5.2.5). The cores that this is for have four.
    if (system().list_registers < 2) panic("the GIC has a single list register; two are needed");
    set_up(image, own(0));
    start_cpu(0);
    tell_boot();
    gather_entropy(image.header->board, tree);
    clear_lasting(image);
    arrived();
    start_others(image, PhysAddr{base});
    const Cpu& uart_cpu = system().cpus[image.header->board.uart_cpu];
    gic::route(image.header->board.uart_interrupt, static_cast<std::uint8_t>(uart_cpu.interface));
    gic::enable(image.header->board.uart_interrupt);
    if (const std::uint32_t id = image.header->board.smmu_interrupt; image.header->board.smmu != 0) {
        gic::configure(id, true);
        gic::route(id, static_cast<std::uint8_t>(uart_cpu.interface));
        gic::enable(id);
    }
    console::rest_between_bursts(CNTFRQ::read() / 10'000);
    for (std::uint32_t n = 0; n < system().partition_count; ++n) begin_at_boot(system().partitions[n]);
    resume_guest(run_next(system().cpus[0]));
}

void boot_secondary(std::uint32_t index) {
    using namespace partita;
    start_cpu(index);
    arrived();
    resume_guest(run_next(system().cpus[index]));
}
