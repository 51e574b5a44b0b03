#include "device/pl061.hpp"

#include <array>

#include "interrupt/virtual_gic.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t data_end = 0x400, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418, IC = 0x41c,
                   AFSEL = 0x420, identification = 0xfe0;
constexpr uint32_t all = 0xff;

// PeriphID0-3 and PCellID0-3 (§3.3.12, §3.3.13).
constexpr std::array<std::uint8_t, 8> ids{0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

// Address bits [9:2] of GPIODATA say which lines an access is of (§3.3.2).
[[nodiscard]] constexpr uint32_t lines_meant(uint32_t offset) { return offset >> 2 & all; }

}  // namespace

void Pl061::reset(Distributor& distributor, uint32_t interrupt) {
    distributor_ = &distributor;
    interrupt_ = interrupt;
    state_.with([](State& state) { state = State{}; });
}

void Pl061::update(State& state) {
    const bool high = (state.raised() & state.mask) != 0;
    if (high == state.line || interrupt_ == 0) return;
    state.line = high;
    distributor_->set_level(interrupt_, high);
}

uint32_t Pl061::read(uint32_t offset) {
    return state_.with([&](const State& state) -> uint32_t {
        if (offset < data_end) return state.data & state.direction & lines_meant(offset);
        switch (offset) {
            case DIR: return state.direction;
            case IS: return state.sense;
            case IBE: return state.both;
            case IEV: return state.event;
            case IE: return state.mask;
            case RIS: return state.raised();
            case MIS: return state.raised() & state.mask;
            case AFSEL: return state.alternate;
            default: return offset >= identification && offset < 0x1000 && offset % 4 == 0 ? ids[(offset - identification) / 4] : 0;
        }
    });
}

uint32_t Pl061::set(State& state, uint32_t offset, uint32_t value) {
    const uint32_t outputs = state.data & state.direction;
    if (offset < data_end) {
        state.data = (state.data & ~lines_meant(offset)) | (value & lines_meant(offset));
        return state.data & state.direction & ~outputs;
    }
    switch (offset) {
        case DIR: state.direction = value & all; return state.data & state.direction & ~outputs;
        case IS: state.sense = value & all; break;
        case IBE: state.both = value & all; break;
        case IEV: state.event = value & all; break;
        case IE: state.mask = value & all; break;
        case IC: state.edges &= ~value; break;
        case AFSEL: state.alternate = value & all; break;  // there is no other function to give the lines to
        default: break;
    }
    return 0;
}

uint32_t Pl061::write(uint32_t offset, uint32_t value) {
    return state_.with([&](State& state) {
        const uint32_t risen = set(state, offset, value);
        update(state);
        return risen;
    });
}

// It has both edges, so that either kind asked for is seen.
void Pl061::pulse(uint32_t line) {
    state_.with([&](State& state) {
        state.edges |= 1u << line & ~state.direction & ~state.sense;
        update(state);
    });
}

}  // namespace partita
