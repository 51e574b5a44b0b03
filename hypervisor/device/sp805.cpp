#include "device/sp805.hpp"

#include <algorithm>
#include <array>

#include "interrupt/virtual_gic.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t LOAD = 0x000, VALUE = 0x004, CONTROL = 0x008, INTCLR = 0x00c, RIS = 0x010, MIS = 0x014, LOCK = 0xc00,
                   identification = 0xfe0;
constexpr uint32_t interrupt_enable = 1, reset_enable = 2, key = 0x1acc'e551;
constexpr uint32_t clock = 24'000'000;  // of the device tree's apb-pclk

// PeriphID0-3 and PCellID0-3 (§3.3.11, §3.3.12).
constexpr std::array<std::uint8_t, 8> ids{0x05, 0x18, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

}  // namespace

void Sp805::reset(Distributor& distributor, uint32_t interrupt, uint32_t longest, bool from_boot, uint32_t frequency) {
    distributor_ = &distributor;
    interrupt_ = interrupt;
    frequency_ = frequency;
    longest_ = std::max<timer::Ticks>(timer::Ticks{longest} * frequency / 2000, 1);
    from_boot_ = from_boot;
    state_.with([this](State& state) {
        state = State{};
        state.round = round_of(state.load);
    });
}

void Sp805::start() {
    if (interrupt_ == 0 || !from_boot_) return;
    state_.with([this](State& state) {
        state.control = interrupt_enable | reset_enable;
        reload(state);
    });
}

void Sp805::stop() {
    state_.with([](State& state) { state.due = state.left = 0; });
}

void Sp805::freeze(timer::Ticks now) {
    state_.with([now](State& state) {
        if (state.due == 0) return;
        state.left = state.due > now ? state.due - now : 1;
        state.due = 0;
    });
}

void Sp805::thaw(timer::Ticks now) {
    state_.with([now](State& state) {
        if (state.left != 0) state.due = now + state.left;
        state.left = 0;
    });
}

// A division, once for each load value.
timer::Ticks Sp805::round_of(uint32_t load) const {
    return std::clamp<timer::Ticks>((timer::Ticks{load} + 1) * frequency_ / clock, 1, longest_);
}

void Sp805::reload(State& state) {
    if ((state.control & interrupt_enable) != 0) state.due = timer::now() + state.round;
}

void Sp805::update(State& state) {
    const bool high = state.raised && (state.control & interrupt_enable) != 0;
    if (high == state.line) return;
    state.line = high;
    distributor_->set_level(interrupt_, high);
}

// Bit 0 starts the counter too, from the load value where it stood still (§3.3.3).
void Sp805::write_control(State& state, uint32_t value) {
    const bool runs = (state.control & interrupt_enable) != 0;
    state.control = from_boot_ ? interrupt_enable | reset_enable : value & (interrupt_enable | reset_enable);
    if ((state.control & interrupt_enable) == 0)
        state.due = 0;
    else if (!runs)
        state.due = timer::now() + state.round;
}

uint32_t Sp805::read(uint32_t offset) {
    return state_.with([&](const State& state) -> uint32_t {
        switch (offset) {
            case LOAD: return state.load;
            case VALUE: {
                const timer::Ticks now = timer::now();
                return state.due <= now ? 0 : static_cast<uint32_t>((state.due - now) * clock / frequency_);
            }
            case CONTROL: return state.control;
            case RIS: return state.raised ? 1 : 0;
            case MIS: return state.line ? 1 : 0;
            case LOCK: return state.locked ? 1 : 0;
            default: return offset >= identification && offset < 0x1000 && offset % 4 == 0 ? ids[(offset - identification) / 4] : 0;
        }
    });
}

void Sp805::write(uint32_t offset, uint32_t value) {
    state_.with([&](State& state) {
        if (offset == LOCK) state.locked = value != key;
        if (state.locked) return;
        switch (offset) {
            case LOAD:
                state.load = value;
                state.round = round_of(value);
                reload(state);
                break;
            case CONTROL: write_control(state, value); break;
            case INTCLR:
                state.raised = false;
                reload(state);
                break;
            default: return;
        }
        update(state);
    });
}

timer::Ticks Sp805::due() {
    return state_.with([](const State& state) { return state.due == 0 ? timer::never : state.due; });
}

bool Sp805::expire(timer::Ticks now) {
    return state_.with([&](State& state) {
        if (state.due == 0 || now < state.due) return false;
        const bool again = state.raised && (state.control & reset_enable) != 0;
        state.due = again ? 0 : state.due + state.round;
        state.raised = true;
        update(state);
        return again;
    });
}

}  // namespace partita
