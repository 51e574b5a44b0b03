// Any hypercalls with any arguments, through ends and new lives, of a partition that manages: another one changes only where that is what
// the call is for, and registers that are no result stay.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../unit/fake_system.hpp"
#include "message/hypercall.hpp"
#include "message/serve.hpp"
#include "partita/trusted.h"
#include "partition/control.hpp"

namespace {

using namespace partita;
#define require(good) require_at(good, __LINE__)

struct Step {
    std::uint32_t function, a, b, c;
};

void require_at(bool good, int line) {
    if (good) return;
    std::fprintf(stderr, "line %d\n", line);
    std::abort();
}

constexpr std::uint32_t store = tool::platform::ram + 0x40'0000;
constexpr std::uint64_t store_pa = 0x4500'0000;

// A record that would do, with a word changed; sealed mostly. What its copies take follows it.
void put_record(const Step& step) {
    partita_guest guest{};
    guest.magic = PARTITA_GUEST_MAGIC;
    guest.name[0] = 'p';
    guest.entry = tool::platform::ram + 0x8000;
    guest.copies = 2;
    guest.copy[0] = {sizeof guest, tool::platform::ram + 0x8000, 512};
    guest.copy[1] = {0x1000, tool::platform::ram + 0x10'0000, 0x800};
    guest.patches = 1;
    guest.patch[0] = {tool::platform::ram + 0x100, 4, PARTITA_PATCH_RESET_REASON, 0, 0};
    const std::uint32_t at = step.c >> 8 & 0xffu;
    if (at * 4 < sizeof guest) std::memcpy(reinterpret_cast<std::byte*>(&guest) + std::size_t{at} * 4, &step.b, 4);
    guest.checksum = 0;
    if ((step.c & 0xf0u) != 0) guest.checksum = image_checksum(std::as_bytes(std::span{&guest, 1}));
    std::memcpy(fake_hardware.memory(store_pa), &guest, sizeof guest);
}

// Whatever it was given, a place's memory is filled from the store alone, and it has no more rights than its description says.
void require_place(const Partition& place) {
    require((place.guest.flags & ~PARTITA_GUEST_FLAGS) == (PARTITA_POOL | PARTITA_OFF_AT_BOOT));
    require(std::memchr(place.guest.name, 0, sizeof place.guest.name) != nullptr);
    require(place.copies.size() <= PARTITA_GUEST_COPIES && place.patches.size() <= PARTITA_GUEST_PATCHES);
    for (const partita_copy& copy : place.copies) {
        require(copy.source >= store_pa && copy.source + copy.size <= store_pa + 0x2000);
        require(copy.ipa >= tool::platform::ram && copy.ipa + copy.size <= tool::platform::ram + kBlockSize);
    }
    if (place.is_empty()) require(place.copies.empty() && (place.phase.load() == Phase::off));
}

// A queue, a value and a doorbell from a to b, and a queue back.
void add_channels(tool::Plan& plan) {
    plan.partitions[0].flags |= PARTITA_RIGHT_MANAGE | PARTITA_RIGHT_SERVE;
    plan.partitions[0].serves = true;
    plan.partitions[0].regions.push_back(
        {"store", store, store_pa, 0x2000, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
    tool::PlannedPartition place = FakeSystem::partition("place", {1}, 0x4300'0000);
    place.copies.clear(), place.patches.clear();
    place.flags = PARTITA_POOL | PARTITA_OFF_AT_BOOT;
    plan.partitions.push_back(place);
    tool::PlannedVirtio device;
    device.interrupt = 48, device.server = 0, device.timeout_us = 1000;
    plan.partitions[1].virtio.push_back(device);
    plan.channels = {{"queue", PARTITA_CHANNEL_QUEUING, 64, 3, 0, false, 0, {1}},
                     {"value", PARTITA_CHANNEL_SAMPLING, 4096, 0, 1000, true, 0, {1}},
                     {"bell", PARTITA_CHANNEL_DOORBELL, 0, 0, 0, false, 0, {1}},
                     {"back", PARTITA_CHANNEL_QUEUING, 8, 2, 0, false, 1, {0}}};
    for (std::uint32_t n = 0; n < 4; ++n) {
        plan.partitions[0].ports.push_back({n, 0, n != 3 ? PARTITA_PORT_SENDS : 0, 64 + n});
        plan.partitions[1].ports.push_back({n, 1, n != 3 ? 0 : PARTITA_PORT_SENDS, 64 + n});
    }
}

// By its address on the board.
bool is_own_page(const Partition& partition, std::uint64_t pa) {
    constexpr std::uint32_t others = PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED | PARTITA_REGION_SHARED;
    return pa % kPageSize == 0 && std::ranges::any_of(partition.regions, [&](const partita_region& region) {
               return pa >= region.pa && pa + kPageSize <= region.pa + region.size && (region.flags & others) == 0;
           });
}

// What is left of any calls: a page of its own, and counters that fit.
void require_order(const Partition& a, const Vcpu& vcpu) {
    require(vcpu.message_page == 0 || is_own_page(a, vcpu.message_page));
    for (const Port& port : a.ports) {
        require(!port.busy.load());
        if (port.channel->description->kind == PARTITA_CHANNEL_QUEUING) require(port.channel->waiting() <= port.channel->messages);
    }
}

// The other partition is on its way to one of the states in which it stays.
[[nodiscard]] bool changes(const Partition& b) {
    const Phase phase = b.phase.load();
    return phase != Phase::running && phase != Phase::off && phase != Phase::paused;
}

// It runs again.
void put_back(Partition& b) {
    const Partition& a = system().partitions[0];
    if (b.phase.load() == Phase::paused) require(control(b, a, PARTITA_CONTROL_RESUME) == PSCI_SUCCESS);
    if (b.phase.load() == Phase::off) require(control(b, a, PARTITA_CONTROL_START) == PSCI_SUCCESS);
}

// Both CPUs carry out what was posted, until the partition runs again or is off; then it is started anew.
void settle(FakeSystem& fake, Partition& a, Partition& b) {
    for (int n = 0; n < 2000; ++n) {
        for (std::uint32_t cpu = 0; cpu < 2; ++cpu) {
            fake.be_cpu(cpu);
            try {
                (void)run_next(system().cpus[cpu]);
            } catch (const Idle&) {
            }
        }
        // It waits for the server, who may not let it go.
        CNTPCT::write(CNTPCT::read() + 1000);
        fake.be_cpu(1);
        expire(system().cpus[1], timer::now());
        if (changes(b)) continue;
        put_back(b);
        if (changes(b)) continue;
        if (a.phase.load() == Phase::running && a.vcpus[0].vcpu.power.load() == Power::on) break;
        if (a.phase.load() == Phase::running) (void)end(a, Ending::restart, PARTITA_RESET_EXIT);  // its caller is off; the other goes on
        if (a.phase.load() != Phase::off) continue;
        fake.be_cpu(0);
        system().alive.store(2);
        begin(a);
        enter(a);
    }
    require(a.phase.load() == Phase::running && a.vcpus[0].vcpu.power.load() == Power::on);
    fake.be_cpu(0);
    become(a.vcpus[0].vcpu, RunState::runnable);
}

// The other partition's driver, on the second CPU: it asks the first and waits, notifies it, or has waited long enough.
void drive(FakeSystem& fake, Vcpu& driver, const Step& step) {
    VirtioDevice& device = driver.partition->virtio[0];
    fake.be_cpu(1);
    if (step.a % 4 == 0) {
        CNTPCT::write(CNTPCT::read() + step.b % 200'000);
        expire(system().cpus[1], timer::now());
    } else if (driver.state == RunState::runnable && step.a % 4 == 1) {
        ask_server(driver, device, step.b & 0x1000'01ffu, step.c, 0x9300'0006u | (step.b & 0xf'0000u));
    } else if (driver.state == RunState::runnable) {
        (void)write_at_once(device, step.a % 4 == 2 ? virtio_mmio::QueueNotify : virtio_mmio::InterruptACK, step.c);
    }
    fake.be_cpu(0);
}

constexpr std::uint32_t may_ask = 1u << PARTITA_TRUSTED_HASH | 1u << PARTITA_TRUSTED_STORE;

// The secure world: it is called by who may, as who it is, for a page of its own memory.
void secure_world(firmware::Registers& registers, std::uint32_t identity) {
    if (registers.r0 == PARTITA_TRUSTED_UID) {
        registers = {PARTITA_TRUSTED_UID_0, PARTITA_TRUSTED_UID_1, PARTITA_TRUSTED_UID_2, PARTITA_TRUSTED_UID_3};
        return;
    }
    if (identity == 0) return require(registers.r0 == PARTITA_TRUSTED_FORGET && registers.r1 == 1);
    require(identity == 1);
    if (const std::uint32_t number = registers.r0 - PARTITA_TRUSTED_CALL; number - 1 < 31) {
        require((may_ask >> number & 1u) != 0 && is_own_page(system().partitions[0], registers.r1));
    }
    registers = {registers.r1 % 3, registers.r2, 1, 2};
}

void add_secure_world(tool::Plan& plan) {
    add_channels(plan);
    plan.partitions[0].trusted = may_ask;
    fake_hardware.secure_calls = secure_world;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static FakeSystem fake{4, add_secure_world};
    static Partition &a = system().partitions[0], &b = system().partitions[1];
    static Vcpu& vcpu = fake.start(0);
    static const bool other = (fake.start(1), true);
    require(other);
    for (; size >= sizeof(Step); data += sizeof(Step), size -= sizeof(Step)) {
        Step step;
        std::memcpy(&step, data, sizeof step);
        constexpr std::uint32_t families[] = {0x8400'0000, 0x8600'ff00, 0x8000'0000, 0};
        const std::uint32_t family = families[step.function >> 30];
        if (family != 0) step.function = family | (step.function & 0x7fu);
        if (family == 0x8000'0000 && (step.a & 3u) != 0) {  // of a trusted OS: mostly with a page
            step.function = (step.a & 3u) == 3 ? 0xb200'0000 | (step.function & 3u) : PARTITA_TRUSTED_CALL + (step.function & 0x1fu);
            if ((step.b & 3u) != 0) step.a = tool::platform::ram + (step.b & 0x00ff'f000u);
        }
        if (step.function == PARTITA_HYPERCALL_CONTROL) step.a %= 3, step.b %= 6;
        if (family == 0) drive(fake, b.vcpus[0].vcpu, step);
        if (step.function == PARTITA_HYPERCALL_ANSWER)
            step.a = step.b % 4 == 0 ? 0xff00 : (step.a & 0x0001'0101u) | (b.vcpus[0].vcpu.request.number() << 16 & step.c);
        if (step.function == PARTITA_HYPERCALL_LOAD) {
            if (step.c % 8 != 0) step.a = 2;
            put_record(step);
            if (step.c % 4 != 0) step.b = store, step.c = 0x2000;
            if (step.c % 32 == 0) step.c = 0;
        }
        fake.be_cpu(0);
        const std::uint32_t others_lives = b.starts;
        const bool meant = step.function == PARTITA_HYPERCALL_CONTROL && step.a == 1;
        const std::uint32_t r4 = step.a ^ step.b;
        vcpu.r[0] = step.function, vcpu.r[1] = step.a, vcpu.r[2] = step.b, vcpu.r[3] = step.c, vcpu.r[4] = r4;
        hypercall(vcpu);
        if (family != 0x8600'ff00 && vcpu.r[0] == static_cast<std::uint32_t>(SMCCC_NOT_SUPPORTED))
            require(vcpu.r[1] == step.a && vcpu.r[2] == step.b && vcpu.r[3] == step.c);
        require(vcpu.r[4] == r4);
        require_order(a, vcpu);
        require_place(system().partitions[2]);
        require(meant || b.phase.load() == Phase::running);
        settle(fake, a, b);
        require(b.phase.load() == Phase::running && (meant ? b.starts <= others_lives + 1 : b.starts == others_lives));
        require(a.live.load() >= 1 && a.live.load() <= a.vcpus.size());
    }
    return 0;
}
