#include "boot/setup.hpp"

#include <algorithm>
#include <memory>

#include "arch/stage2.hpp"
#include "barrier.hpp"
#include "boot/panic.hpp"
#include "boot/pool.hpp"
#include "machine/console.hpp"
#include "machine/gic.hpp"
#include "message/trusted.hpp"
#include "machine/layout.hpp"
#include "machine/log.hpp"
#include "message/channel_storage.hpp"
#include "message/trusted.hpp"
#include "partition/control.hpp"
#include "partition/system.hpp"

namespace partita {

namespace {

constinit System the_system;

void map_regions(const Partition& partition, Descriptor* root, Pool& pool) {
    Stage2 space{std::span<Descriptor, stage2::root_entries>{root, stage2::root_entries}, pool};
    for (const partita_region& region : partition.regions) {
        const Rights rights{.write = (region.flags & PARTITA_REGION_WRITE) != 0,
                            .execute = (region.flags & PARTITA_REGION_EXECUTE) != 0,
                            .device = (region.flags & PARTITA_REGION_DEVICE) != 0,
                            .uncached = (region.flags & PARTITA_REGION_UNCACHED) != 0};
        const MapError error = space.map(Ipa{region.ipa}, PhysAddr{region.pa}, region.size, rights);
        if (error != MapError::none) panic("a region of a partition cannot be mapped", static_cast<std::uint32_t>(error));
    }
}

// The stream table was taken before any root, and the queues are behind them, so that all lie aligned to their sizes.
void set_up_smmu(std::span<smmu::StreamEntry> streams, Pool& pool) {
    if (streams.empty()) return;
    SmmuMemory memory;
    memory.streams = streams;
    memory.commands = pool.objects<smmu::Command>(std::size_t{1} << smmu::command_bits);
    memory.events = pool.objects<smmu::Event>(std::size_t{1} << smmu::event_bits);
    if (memory.commands.empty() || memory.events.empty()) panic("the pool is too small for the System MMU's tables");
    memory.streams_at = pool.physical(memory.streams.data());
    memory.commands_at = pool.physical(memory.commands.data());
    memory.events_at = pool.physical(memory.events.data());
    the_system.smmu.with([&](SmmuV3& smmu) { smmu.start(memory); });
}

struct alignas(PARTITA_STREAM_ROOT_SIZE) StreamRoot {
    Descriptor entries[PARTITA_STREAM_ROOT_SIZE / sizeof(Descriptor)];
};

// The hardware is what the board's device tree says: otherwise it cannot be told what the partition would be given.
[[gnu::noinline]] void require_match(const Partition& partition, const Master& master) {
    std::uint32_t where = 0, found = 0;
    if (master.function.matches(where, found)) return;
    LogLine("pci").key("partition", partition.number).hex("function", master.function.number()).hex("register", where).hex("found", found);
    panic("a PCI function is not what the description says", master.function.number());
}

// The partition's devices, as they are to be when it starts: known to the hardware, and off the bus.
void set_up_masters(const ImageView& image, Partition& partition, PhysAddr root, std::span<StreamRoot> tables, const Pool& pool) {
    const partita_slice slice = partition.description->masters;
    if (slice.count == 0) return;
    partition.masters = std::span{the_system.masters}.subspan(slice.first, slice.count);
    StreamRoot& own = tables[partition.number];  // there is one: an image with masters has a System MMU
    for (std::size_t n = 0; n < std::size(own.entries); ++n)
        own.entries[n] = (root + n * kPageSize).value | stage2::Type::make(stage2::table);
    partition.stream_tables = pool.physical(&own);
    for (std::size_t n = 0; n < slice.count; ++n) {
        Master& master = partition.masters[n];
        master.description = &image.masters[slice.first + n];
        if (!master.is_function()) continue;
        master.function.set_up(*master.description, layout::pci_page(slice.first + n));
        require_match(partition, master);
        (void)master.function.quiesce();
    }
}

[[nodiscard]] timer::Ticks ticks_of(std::uint64_t microseconds) { return CNTFRQ::read() * microseconds / 1'000'000; }

// The channels and the partition's ends of them. Messages lie in the pool.
void set_up_channels(const ImageView& image, Pool& pool) {
    for (std::size_t n = 0; n < image.channels.size(); ++n) {
        Channel& channel = the_system.channels[n];
        channel.description = &image.channels[n];
        channel.messages = channel_messages(image.channels[n], the_system.cpu_count);
        channel.stride = channel_stride(image.channels[n]);
        channel.time = ticks_of(image.channels[n].time_us);
        channel.storage = pool.bytes(std::size_t{channel.messages} * channel.stride);
        if (channel.storage == nullptr) panic("the pool is too small for its channels", static_cast<std::uint32_t>(n));
        for (std::uint32_t place = 0; place < channel.messages; ++place) std::construct_at(&channel.place(place));
    }
    the_system.port_count = static_cast<std::uint32_t>(image.ports.size());
    for (std::size_t n = 0; n < image.ports.size(); ++n) {
        Port& port = the_system.ports[n];
        port.description = &image.ports[n];
        port.channel = &the_system.channels[image.ports[n].channel];
        if (port.sends())
            port.channel->sender = &port;
        else
            port.channel->receivers[port.channel->receiver_count++] = &port;
    }
}

void set_up_ports(Partition& partition) {
    const partita_slice slice = partition.description->ports;
    partition.ports = std::span{the_system.ports}.subspan(slice.first, slice.count);
    std::uint32_t line = 0;
    for (Port& port : partition.ports) {
        port.partition = &the_system.partitions[port.description->owner];
        port.user = &partition;
        if (partition.description->gpio_interrupt != 0) port.lines = lines_of(port.channel->description->kind, port.sends(), line);
    }
}

void set_up_virtio(const ImageView& image, Partition& partition) {
    const partita_slice slice = partition.description->virtio;
    partition.virtio = std::span{the_system.virtio}.subspan(slice.first, slice.count);
    for (VirtioDevice& device : partition.virtio) {
        device.number = static_cast<std::uint32_t>(&device - the_system.virtio.data());
        device.description = &image.virtio[device.number];
        device.patience = ticks_of(device.description->timeout_us);
        device.partition = &partition;
        device.server = &the_system.partitions[device.description->server];
    }
}

// Each CPU's trace ring, if the system has any: empty.
void set_up_trace(const ImageView& image, std::byte* base) {
    const partita_image_header& header = *image.header;
    if (header.trace_base == 0) return;
    auto* at = reinterpret_cast<partita_trace_record*>(base + (header.trace_base - header.hypervisor_base));
    for (std::uint32_t n = 0; n < the_system.cpu_count; ++n) {
        Cpu& cpu = the_system.cpus[n];
        cpu.trace = cpu.trace_begin = at;
        cpu.trace_end = at += header.trace_size / sizeof(partita_trace_record);
        std::fill(cpu.trace_begin, cpu.trace_end, partita_trace_record{});
    }
}

void set_up_parent(Partition& partition) {
    the_system.parent = &partition;
    console::open_channel(PARTITA_CONSOLE_CONTROL, "control:", the_system.control_output);
    log::keep();
}

void set_up_cpus(const ImageView& image) {
    the_system.cpu_count = static_cast<std::uint32_t>(image.cpus.size());
    for (std::uint32_t n = 0; n < the_system.cpu_count; ++n) {
        Cpu& cpu = the_system.cpus[n];
        cpu.index = n;
        cpu.slice = image.cpus[n].slice_us != 0 ? ticks_of(image.cpus[n].slice_us) : timer::never;
        cpu.armed = cpu.alarm = cpu.soonest = cpu.console_due = cpu.faults_due = timer::never;
        cpu.tick = ticks_of(image.cpus[n].tick_us);
        cpu.activation = ticks_of(image.cpus[n].activation_ns) / 1000;
        cpu.change = &the_system.schedule_change;
    }
}

void set_up_vcpus(const ImageView& image, Partition& partition) {
    for (VcpuSlot& slot : partition.vcpus) {
        const auto n = static_cast<std::size_t>(&slot - the_system.vcpus.data());
        Vcpu& vcpu = slot.vcpu;
        Cpu& cpu = the_system.cpus[image.vcpus[n].cpu];
        vcpu.partition = &partition;
        vcpu.index = image.vcpus[n].index;
        vcpu.cpu = &cpu;
        vcpu.traps = partition.description->traps;
        vcpu.trap_multiplier = partition.description->trap_multiplier;
        vcpu.priority = image.vcpus[n].priority;
        std::uint32_t at = cpu.count++;
        for (; at != 0 && cpu.vcpus[at - 1]->priority < vcpu.priority; --at) cpu.vcpus[at] = cpu.vcpus[at - 1];
        cpu.vcpus[at] = &vcpu;
    }
}

// A budget is drawn on by each virtual CPU of the partition alone, or by those that share this CPU.
void give_account(Vcpu& vcpu) {
    const partita_partition& description = *vcpu.partition->description;
    if (description.budget_us == 0) return;
    Vcpu* holder = &vcpu;
    if (!vcpu.partition->is(PARTITA_BUDGET_EACH))
        for (VcpuSlot& slot : vcpu.partition->vcpus)
            if (slot.vcpu.cpu == vcpu.cpu && slot.vcpu.index < holder->index) holder = &slot.vcpu;
    holder->own_account.budget = ticks_of(description.budget_us);
    holder->own_account.period = ticks_of(description.period_us);
    holder->own_account.members |= vcpu.bit;
    vcpu.account = &holder->own_account;
}

// Each vCPU's bit, and those of its equals, once the order of all is known.
void number_vcpus(Cpu& cpu) {
    for (std::uint32_t n = 0; n < cpu.count; ++n) cpu.vcpus[n]->bit = 1u << n;
    for (std::uint32_t n = 0; n < cpu.count; ++n)
        for (std::uint32_t other = 0; other < cpu.count; ++other)
            if (cpu.vcpus[other]->priority == cpu.vcpus[n]->priority) cpu.vcpus[n]->equals |= 1u << other;
    for (std::uint32_t n = 0; n < cpu.count; ++n) {
        Vcpu& vcpu = *cpu.vcpus[n];
        if (vcpu.partition->is(PARTITA_SLACK)) cpu.slack |= vcpu.bit;
        if (vcpu.partition->is(PARTITA_BUDGET_SOFT)) cpu.soft |= vcpu.bit;
        give_account(vcpu);
    }
}

[[nodiscard]] std::uint32_t bits_of(const Cpu& cpu, std::uint32_t partitions) {
    std::uint32_t bits = 0;
    for (std::uint32_t n = 0; n < cpu.count; ++n)
        if ((partitions >> cpu.vcpus[n]->partition->number & 1u) != 0) bits |= cpu.vcpus[n]->bit;
    return bits;
}

// The windows of a CPU's frame, in ticks: each begins at the tick that its time is in, so that lengths add up to the same on all CPUs.
void set_up_frame(Cpu& cpu, std::span<const partita_window> described, std::span<Window> windows) {
    std::uint64_t at_us = 0;
    for (std::size_t n = 0; n < described.size(); ++n) {
        const timer::Ticks begin = ticks_of(at_us);
        at_us += described[n].length_us;
        windows[n] = {ticks_of(at_us) - begin, bits_of(cpu, described[n].partitions), n + 1 == described.size()};
    }
}

void set_up_frames(const ImageView& image, std::span<Window> windows) {
    if (the_system.cpu_count == 0) return;
    the_system.schedules = static_cast<std::uint32_t>(image.frames.size()) / the_system.cpu_count;
    for (std::size_t n = 0; n < image.frames.size(); ++n) {
        const partita_slice slice = image.frames[n];
        if (slice.count == 0) continue;
        Cpu& cpu = the_system.cpus[n % the_system.cpu_count];
        const auto own = windows.subspan(slice.first, slice.count);
        set_up_frame(cpu, image.windows.subspan(slice.first, slice.count), own);
        cpu.frames.first[n / the_system.cpu_count] = own.data();
    }
    const timer::Ticks epoch = timer::now();
    bool led = false;
    for (std::uint32_t n = 0; n < the_system.cpu_count; ++n) {
        Cpu& cpu = the_system.cpus[n];
        begin_frames(cpu.frames, epoch);
        const bool framed = cpu.frames.window != nullptr;
        cpu.frames.leads = framed && !led;
        led = led || framed;
        cpu.inside = framed ? cpu.frames.window->inside : ~0u;
        cpu.alone = cpu.count == 1 && !framed && cpu.vcpus[0]->account == nullptr;
        cpu.since = epoch;
    }
}

}  // namespace

System& system() { return the_system; }

void set_up(const ImageView& image, std::byte* base) {
    the_system.image = image.header;
    set_up_cpus(image);
    set_up_trace(image, base);
    the_system.partition_count = static_cast<std::uint32_t>(image.partitions.size());
    const auto begins = [](const partita_partition& one) { return (one.flags & PARTITA_OFF_AT_BOOT) == 0; };
    the_system.alive.store(static_cast<std::uint32_t>(std::ranges::count_if(image.partitions, begins)), std::memory_order_relaxed);
    Pool pool{*image.header, base};
    std::array<Descriptor*, PARTITA_MAX_PARTITIONS> roots{};
    const auto streams = pool.objects<smmu::StreamEntry>(image.header->board.smmu != 0 ? PARTITA_MAX_STREAMS : 0);
    for (std::uint32_t n = 0; n < the_system.partition_count; ++n) roots[n] = pool.root();
    set_up_smmu(streams, pool);
    the_system.vcpus = pool.vcpus(image.vcpus.size());  // whole pages, as the roots are
    the_system.partitions = pool.objects<Partition>(image.partitions.size());
    const std::span<Window> windows = pool.objects<Window>(image.windows.size());
    const std::span<StreamRoot> stream_roots = pool.objects<StreamRoot>(streams.empty() ? 0 : image.partitions.size());
    if (stream_roots.empty() != streams.empty() || the_system.partitions.empty() || the_system.vcpus.empty() ||
        windows.size() != image.windows.size())
        panic("the pool is too small for its partitions, virtual CPUs, windows and streams");
    set_up_channels(image, pool);
    the_system.virtio_count = static_cast<std::uint32_t>(image.virtio.size());
    for (std::uint32_t n = 0; n < the_system.partition_count; ++n) {
        Partition& partition = the_system.partitions[n];
        const partita_partition& description = image.partitions[n];
        partition.description = &description;
        partition.number = n;
        partition.regions = image.regions.subspan(description.regions.first, description.regions.count);
        partition.copies = image.copies.subspan(description.copies.first, description.copies.count);
        partition.patches = image.patches.subspan(description.patches.first, description.patches.count);
        describe_guest(partition);
        partition.routes = image.interrupts.subspan(description.routes.first, description.routes.count);
        partition.vcpus = the_system.vcpus.subspan(description.vcpus.first, description.vcpus.count);
        map_regions(partition, roots[n], pool);
        set_up_ports(partition);
        set_up_virtio(image, partition);
        set_up_masters(image, partition, pool.physical(roots[n]), stream_roots, pool);
        partition.vttbr_without_vmid = pool.physical(roots[n]).value;
        partition.vttbr = partition.vttbr_without_vmid | static_cast<std::uint64_t>(n + 1) << 48;  // VMID: never 0
        set_up_vcpus(image, partition);
        for (const partita_route& route : partition.routes) {
            the_system.owner[route.intid] = &partition.distributor;
            gic::configure(route.intid, (route.flags & PARTITA_ROUTE_EDGE) != 0);
        }
        console::open_channel(partition.channel(), partition.guest.name, partition.output);
        if (description.control_interrupt != 0) set_up_parent(partition);
    }
    for (std::uint32_t n = 0; n < the_system.cpu_count; ++n) number_vcpus(the_system.cpus[n]);
    set_up_frames(image, windows);
    const auto asks = [](const partita_partition& one) { return one.trusted != 0; };
    the_system.has_trusted_service = std::ranges::any_of(image.partitions, asks) && find_trusted_service();
    dsb_ish();
}

}  // namespace partita
