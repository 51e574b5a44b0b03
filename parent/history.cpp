#include "history.hpp"

#include <algorithm>
#include <utility>

#include "page.hpp"
#include "partita/guest/calls.h"
#include "partita/guest/guest.h"
#include "partita/system_image.h"

namespace partita::parent {

using std::uint32_t;
using std::uint64_t;

namespace {

constexpr uint32_t magic = 0x54534948;  // "HIST"
constexpr uint32_t most_doublings = 6;

// What it does on purpose, or was told to, is no failure: a partition that powered itself off, or was stopped, stays off.
[[nodiscard]] bool failed(const partita_partition_state& state) {
    return state.reason == PARTITA_RESET_FAULT || state.reason == PARTITA_RESET_WATCHDOG || state.reason == PARTITA_RESET_GUEST;
}

}  // namespace

void History::open(std::uint8_t* page) {
    static_assert(sizeof(Kept) <= page_size);
    kept_ = reinterpret_cast<Kept*>(page);
    if (kept_->magic == magic) return;
    *kept_ = {};
    kept_->magic = magic;
}

void History::restart_after(uint32_t partition, uint32_t milliseconds) {
    if (partition < most_partitions) after_[partition] = milliseconds;
}

uint64_t History::look(uint64_t now) {
    if (kept_ == nullptr) return 0;
    uint64_t next = 0;
    uint32_t partitions = 1;
    for (uint32_t n = 0; n < std::min(partitions, most_partitions); ++n) {
        const hypercall_result result = partita_call_partition(n, 0, 0);
        if (result.r0 != PSCI_SUCCESS) break;
        partitions = result.r1;
        const auto& state = *reinterpret_cast<const partita_partition_state*>(message_page());
        Record& record = kept_->records[n];
        if ((state.is & PARTITA_IS_EMPTY) != 0)  // what is made there next has no past
            record = {}, record.life = state.starts, record.is_off = 1;
        else
            plan(record, n, state, now);
        if (record.due != 0 && record.due <= now) start(record, n, state, now);
        if (record.due != 0 && (next == 0 || record.due < next)) next = record.due;
    }
    return next;
}

// Notes what is new, and when it is to be started, if ever.
void History::plan(Record& record, uint32_t partition, const partita_partition_state& state, uint64_t now) const {
    const bool first = record.life == 0, another = state.starts != record.life, off = state.phase == PARTITA_PHASE_OFF;
    // Several lives may have passed since the last look: all are counted, and the last end is told.
    if (another && !first) {
        const uint32_t ends = state.starts - record.life - record.is_off;
        if (ends != 0) note(record, state.reason, now);
        record.ends += ends;
    }
    if (another) record.life = state.starts, record.begun = now, record.is_off = 0;
    if (!off) record.is_off = 0, record.due = 0;
    if (!off || record.is_off != 0 || state.starts == 0) return;
    record.is_off = 1;
    ++record.ends;
    note(record, state.reason, now);
    if (after_[partition] == 0 || !failed(state)) return;
    // One that ran for long is as good as new.
    if (record.failures != 0 && now - record.begun >= wait(partition, record.failures - 1)) record.failures = 0;
    const uint64_t ticks = wait(partition, record.failures++);
    record.due = now + ticks;
    console_printf("parent: %s has failed: it is started again in %u ms\n", state.name, static_cast<unsigned>(ticks * 1000 / frequency_));
}

void History::start(Record& record, uint32_t partition, const partita_partition_state& state, uint64_t now) const {
    const uint32_t result = partita_call_control(partition, PARTITA_CONTROL_START, 0).r0;
    record.due = result == static_cast<uint32_t>(PARTITA_BUSY) ? now + frequency_ / 100 : 0;
    if (result == PSCI_SUCCESS) console_printf("parent: %s is started again\n", state.name);
}

bool History::stay_off(uint32_t partition) {
    if (kept_ == nullptr || partition >= most_partitions) return false;
    return std::exchange(kept_->records[partition].due, 0) != 0;
}

// A day at most.
uint64_t History::wait(uint32_t partition, uint32_t failures) const {
    const uint64_t milliseconds = uint64_t{after_[partition]} << std::min(failures, most_doublings);
    return std::min<uint64_t>(milliseconds, PARTITA_LONGEST_HEALTH_MS) * frequency_ / 1000;
}

void History::note(Record& record, uint32_t reason, uint64_t now) const {
    std::copy_backward(std::begin(record.end), std::end(record.end) - 1, std::end(record.end));
    record.end[0] = {now, now - record.begun, record.life, reason};
}

void History::tell(control::Writer& out, uint32_t partition, uint64_t now) const {
    if (kept_ == nullptr || partition >= most_partitions) {
        out.word(static_cast<uint32_t>(kept_ == nullptr ? PARTITA_NOT_SUPPORTED : PSCI_INVALID_PARAMETERS));
        return;
    }
    const Record& record = kept_->records[partition];
    partita_history told{record.ends, frequency_, now, record.due, {}};
    std::copy(std::begin(record.end), std::end(record.end), std::begin(told.end));
    out.word(PSCI_SUCCESS).put({reinterpret_cast<const std::uint8_t*>(&told), sizeof told});
}

}  // namespace partita::parent
