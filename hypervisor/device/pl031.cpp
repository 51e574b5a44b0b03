#include "device/pl031.hpp"

#include <array>

#include "interrupt/virtual_gic.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c, identification = 0xfe0;

// PeriphID0-3 and PCellID0-3 (§3.3.9, §3.3.10).
constexpr std::array<std::uint8_t, 8> ids{0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

}  // namespace

void Pl031::reset(Distributor& distributor, uint32_t interrupt, uint32_t epoch, uint32_t frequency) {
    distributor_ = &distributor;
    interrupt_ = interrupt;
    frequency_ = frequency;
    state_.with([epoch](State& state) { state = State{.offset = epoch, .load = epoch}; });
}

void Pl031::update(State& state) {
    const bool high = (state.raised & state.mask) != 0;
    if (high == state.line) return;
    state.line = high;
    distributor_->set_level(interrupt_, high);
}

// The alarm comes when the clock next shows the match: at once if it does so now (§2.2.4).
void Pl031::set_alarm(State& state) {
    const timer::Ticks now = timer::now();
    const uint32_t counted = seconds(now), until = state.match - (counted + state.offset);
    state.due = until == 0 ? 0 : (timer::Ticks{counted} + until) * frequency_;
    if (until == 0) state.raised = 1;
}

uint32_t Pl031::read(uint32_t offset) {
    return state_.with([&](State& state) -> uint32_t {
        switch (offset) {
            case DR: return seconds(timer::now()) + state.offset;
            case MR: return state.match;
            case LR: return state.load;
            case CR: return 1;  // it runs, and cannot be stopped (§3.3.4)
            case IMSC: return state.mask;
            case RIS: return state.raised;
            case MIS: return state.raised & state.mask;
            default: return offset >= identification && offset < 0x1000 && offset % 4 == 0 ? ids[(offset - identification) / 4] : 0;
        }
    });
}

void Pl031::write(uint32_t offset, uint32_t value) {
    state_.with([&](State& state) {
        switch (offset) {
            case MR:
                state.match = value;
                set_alarm(state);
                break;
            case LR:
                state.load = value;
                state.offset = value - seconds(timer::now());
                if (state.due != 0) set_alarm(state);
                break;
            case IMSC: state.mask = value & 1u; break;
            case ICR: state.raised &= ~value; break;
            default: return;
        }
        update(state);
    });
}

timer::Ticks Pl031::due() {
    return state_.with([](const State& state) { return state.due == 0 ? timer::never : state.due; });
}

void Pl031::expire(timer::Ticks now) {
    state_.with([&](State& state) {
        if (state.due == 0 || now < state.due) return;
        state.due = 0;
        state.raised = 1;
        update(state);
    });
}

}  // namespace partita
