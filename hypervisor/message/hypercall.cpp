#include "message/hypercall.hpp"

#include "message/channel.hpp"
#include "message/manage.hpp"
#include "message/serve.hpp"
#include "message/trusted.hpp"
#include "partita/hypercall.h"
#include "partita/trusted.h"
#include "partition/lifecycle.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t psci_1_1 = 1u << 16 | 1u;
constexpr uint32_t smccc_1_1 = 1u << 16 | 1u;
constexpr uint32_t affinity_bits = 0x00ff'ffff;

[[nodiscard]] uint32_t result(std::int32_t code) { return static_cast<uint32_t>(code); }

// DEN0022 §5.7: levels above 0 ask about clusters, which a partition does not have.
[[nodiscard]] std::int32_t affinity_info(const Partition& partition, uint32_t affinity, uint32_t level) {
    constexpr std::int32_t on = 0, off = 1, on_pending = 2;
    if (level != 0 || affinity >= partition.vcpus.size()) return PSCI_INVALID_PARAMETERS;
    switch (partition.vcpus[affinity].vcpu.power.load(std::memory_order_relaxed)) {
        case Power::on: return on;
        case Power::on_pending: return on_pending;
        case Power::off: break;
    }
    return off;
}

[[nodiscard]] bool offered(uint32_t function) {
    switch (function) {
        case PSCI_VERSION:
        case PSCI_CPU_SUSPEND:
        case PSCI_CPU_OFF:
        case PSCI_CPU_ON:
        case PSCI_AFFINITY_INFO:
        case PSCI_MIGRATE_INFO_TYPE:
        case PSCI_SYSTEM_OFF:
        case PSCI_SYSTEM_RESET:
        case PSCI_FEATURES:
        case SMCCC_VERSION: return true;
        default: return false;
    }
}

void ask_end(Vcpu& vcpu, uint32_t flag, Ending if_set, Ending otherwise, partita_reset_reason reason) {
    (void)end(*vcpu.partition, vcpu.partition->is(flag) ? if_set : otherwise, reason);
}

void change_schedule(Vcpu& vcpu) {
    System& all = system();
    const uint32_t wanted = vcpu.r[1];
    vcpu.r[0] = result(PSCI_SUCCESS);
    if (wanted < all.schedules) {
        if (vcpu.partition->is(PARTITA_RIGHT_MANAGE))
            all.schedule_change.want(wanted);
        else
            vcpu.r[0] = result(PSCI_DENIED);
    }
    vcpu.r[1] = all.schedule_change.wanted(), vcpu.r[2] = all.schedules, vcpu.r[3] = 0;
}

// Up to this call: what runs is charged at the next decision only.
void tell_time(Vcpu& vcpu) {
    const timer::Ticks ran = vcpu.ran + (timer::now() - vcpu.cpu->since);
    vcpu.r[0] = static_cast<uint32_t>(ran), vcpu.r[1] = static_cast<uint32_t>(ran >> 32);
    vcpu.r[2] = static_cast<uint32_t>(vcpu.stolen), vcpu.r[3] = static_cast<uint32_t>(vcpu.stolen >> 32);
}

void tell_window(Vcpu& vcpu) {
    const FramePosition& frames = vcpu.cpu->frames;
    const bool windowed = frames.window != nullptr;
    const timer::Ticks behind = vcpu.partition->behind;
    const timer::Ticks begin = windowed ? frames.end - frames.window->length - behind : timer::never;
    const timer::Ticks end = windowed ? frames.end - behind : timer::never;
    vcpu.r[0] = static_cast<uint32_t>(begin), vcpu.r[1] = static_cast<uint32_t>(begin >> 32);
    vcpu.r[2] = static_cast<uint32_t>(end), vcpu.r[3] = static_cast<uint32_t>(end >> 32);
}

// Whether it has all of these rights.
[[nodiscard]] constexpr bool may_call(const Partition& partition, uint32_t rights) {
    return rights == 0 || (partition.description->flags & rights) == rights;
}

// The functions of PARTITA_HYPERCALL_TABLE, by their names there.
namespace call {

void features(Vcpu& vcpu) {
    struct Function {
        uint32_t number, rights;
    };
    static constexpr Function functions[] = {
#define PARTITA_FUNCTION(NAME, number, name, rights, arguments, results, purpose) {number, rights},
        PARTITA_HYPERCALL_TABLE(PARTITA_FUNCTION)
#undef PARTITA_FUNCTION
    };
    std::int32_t known = SMCCC_NOT_SUPPORTED;
    for (const Function& function : functions)
        if (function.number == vcpu.r[1] && may_call(*vcpu.partition, function.rights)) known = PSCI_SUCCESS;
    vcpu.r[0] = result(known);
}

void uid(Vcpu& vcpu) { vcpu.r[0] = PARTITA_UID_0, vcpu.r[1] = PARTITA_UID_1, vcpu.r[2] = PARTITA_UID_2, vcpu.r[3] = PARTITA_UID_3; }
void version(Vcpu& vcpu) { vcpu.r[0] = PARTITA_VERSION_MAJOR, vcpu.r[1] = PARTITA_VERSION_MINOR; }
void schedule(Vcpu& vcpu) { change_schedule(vcpu); }
void time(Vcpu& vcpu) { tell_time(vcpu); }
void window(Vcpu& vcpu) { tell_window(vcpu); }
void message_page(Vcpu& vcpu) { set_message_page(vcpu); }
void send(Vcpu& vcpu) { send_message(vcpu); }
void receive(Vcpu& vcpu) { receive_message(vcpu); }
void port(Vcpu& vcpu) { tell_port(vcpu); }
void partition(Vcpu& vcpu) { tell_partition(vcpu); }
void vcpu(Vcpu& caller) { tell_vcpu(caller); }
void control(Vcpu& vcpu) { control_partition(vcpu); }
void log(Vcpu& vcpu) { tell_log(vcpu); }
void load(Vcpu& vcpu) { load_guest(vcpu); }
void take(Vcpu& vcpu) { take_request(vcpu); }
void answer(Vcpu& vcpu) { answer_request(vcpu); }
void raise(Vcpu& vcpu) { raise_interrupt(vcpu); }
void yield(Vcpu& vcpu) {
    vcpu.r[0] = result(PSCI_SUCCESS);
    partita::yield(vcpu);
}

}  // namespace call

[[gnu::noinline]] void vendor_call(Vcpu& vcpu) {
    switch (vcpu.r[0]) {
#define PARTITA_CASE(NAME, number, name, rights, arguments, results, purpose) \
    case number:                                                              \
        if (!may_call(*vcpu.partition, rights)) break;                        \
        return call::name(vcpu);
        PARTITA_HYPERCALL_TABLE(PARTITA_CASE)
#undef PARTITA_CASE
        default: break;
    }
    if (PARTITA_TRUSTED_IS_OURS(vcpu.r[0])) return trusted_call(vcpu);
    vcpu.r[0] = result(SMCCC_NOT_SUPPORTED);
}

}  // namespace

void hypercall(Vcpu& vcpu) {
    Partition& partition = *vcpu.partition;
    constexpr uint32_t migration_not_required = 2;
    switch (vcpu.r[0]) {
        case PSCI_VERSION: vcpu.r[0] = psci_1_1; return;
        case PSCI_CPU_SUSPEND:
            // A standby state: the vCPU keeps everything and wakes like from WFI (DEN0022 §5.4.2).
            vcpu.r[0] = result(PSCI_SUCCESS);
            if (vcpu.interrupts.signalled()) return;
            become(vcpu, RunState::blocked);
            vcpu.cpu->reschedule = true;
            return;
        case PSCI_CPU_OFF: post(vcpu, event::off); return;
        case PSCI_CPU_ON: vcpu.r[0] = result(power_on(partition, vcpu.r[1] & affinity_bits, vcpu.r[2], vcpu.r[3])); return;
        case PSCI_AFFINITY_INFO: vcpu.r[0] = result(affinity_info(partition, vcpu.r[1] & affinity_bits, vcpu.r[2])); return;
        case PSCI_MIGRATE_INFO_TYPE: vcpu.r[0] = migration_not_required; return;
        case PSCI_SYSTEM_OFF: ask_end(vcpu, PARTITA_ON_EXIT_RESTART, Ending::restart, Ending::off, PARTITA_RESET_EXIT); return;
        case PSCI_SYSTEM_RESET: ask_end(vcpu, PARTITA_ON_RESET_STOP, Ending::off, Ending::restart, PARTITA_RESET_GUEST); return;
        case PSCI_FEATURES: vcpu.r[0] = result(offered(vcpu.r[1]) ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED); return;
        case SMCCC_VERSION: vcpu.r[0] = smccc_1_1; return;
        default: return vendor_call(vcpu);
    }
}

}  // namespace partita
