#include "device/pl011.hpp"

#include "interrupt/virtual_gic.hpp"

namespace partita {

using std::uint32_t;

namespace {

constexpr uint32_t DR = 0x00, FR = 0x18, IBRD = 0x24, FBRD = 0x28, LCRH = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40,
                   ICR = 0x44, DMACR = 0x48, identification = 0xfe0;
constexpr uint32_t flag_receive_empty = 1u << 4, flag_transmit_full = 1u << 5, flag_receive_full = 1u << 6, flag_transmit_empty = 1u << 7;
constexpr uint32_t interrupt_receive = 1u << 4, interrupt_transmit = 1u << 5, interrupt_timeout = 1u << 6;
constexpr uint32_t all_interrupts = 0x7ff;

// PeriphID0-3 and PCellID0-3 (§3.3.17, §3.3.18), revision r1p5.
constexpr std::array<std::uint8_t, 8> ids{0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

}  // namespace

void Pl011::reset(Distributor& distributor, uint32_t interrupt, uint32_t channel) {
    distributor_ = &distributor;
    interrupt_ = interrupt;
    channel_ = channel;
    state_.with([this](State& state) {
        state = State{.cr = 0x300, .ifls = 0x12};
        received_.clear();
        update_flags();
    });
}

// What FR tells. Under the lock of `state_`.
void Pl011::update_flags() {
    const uint32_t received = (received_.empty() ? flag_receive_empty : 0) | (received_.full() ? flag_receive_full : 0);
    flags_.store(received | (console::full(channel_) ? flag_transmit_full : flag_transmit_empty), std::memory_order_relaxed);
}

// The interrupt line follows what is pending and not masked.
void Pl011::update(State& state) {
    const bool high = (state.ris & state.imsc) != 0;
    if (high == state.line) return;
    state.line = high;
    distributor_->set_level(interrupt_, high);
}

uint32_t Pl011::read(uint32_t offset) {
    return state_.with([&](State& state) -> uint32_t {
        switch (offset) {
            case DR: {
                const auto byte = received_.take();
                update_flags();
                if (received_.empty()) state.ris &= ~(interrupt_receive | interrupt_timeout);
                update(state);
                return byte.value_or(0);
            }
            case FR: update_flags(); return flags_.load(std::memory_order_relaxed);
            case IBRD: return state.ibrd;
            case FBRD: return state.fbrd;
            case LCRH: return state.lcrh;
            case CR: return state.cr;
            case IFLS: return state.ifls;
            case IMSC: return state.imsc;
            case RIS: return state.ris;
            case MIS: return state.ris & state.imsc;
            case DMACR: return state.dmacr;
            default: return offset >= identification && offset < 0x1000 && offset % 4 == 0 ? ids[(offset - identification) / 4] : 0;
        }
    });
}

void Pl011::write(uint32_t offset, uint32_t value) {
    const auto byte = static_cast<std::uint8_t>(value);
    const bool sent = offset == DR && console::send_at_once(channel_, byte);
    state_.with([&](State& state) {
        switch (offset) {
            case DR:
                // Transmits whatever CR says: images exist that never enable the UART.
                state.wants_room = !sent && (!console::put(channel_, byte) || console::full(channel_));
                state.ris = state.wants_room ? state.ris & ~interrupt_transmit : state.ris | interrupt_transmit;
                if (state.wants_room) {
                    update_flags();
                    console::want_room();
                }
                break;
            case IBRD: state.ibrd = value & 0xffffu; break;
            case FBRD: state.fbrd = value & 0x3fu; break;
            case LCRH: state.lcrh = value & 0xffu; break;
            case CR: state.cr = value & 0xff87u; break;
            case IFLS: state.ifls = value & 0x3fu; break;
            case IMSC: state.imsc = value & all_interrupts; break;
            case ICR: state.ris &= ~(value & all_interrupts); break;
            case DMACR: state.dmacr = value & 7u; break;
            default: return;
        }
        update(state);
    });
    if (offset != DR || (sent && !console::waiting())) return;
    console::pump();
    if ((flags_.load(std::memory_order_relaxed) & flag_transmit_full) != 0) drained();
}

// In one step with what it makes pending: another CPU's guest may take the byte at once.
bool Pl011::receive(std::uint8_t byte) {
    return state_.with([this, byte](State& state) {
        if (!received_.put(byte)) return false;
        update_flags();
        state.ris |= interrupt_receive | interrupt_timeout;
        update(state);
        return true;
    });
}

void Pl011::drained() {
    state_.with([this](State& state) {
        if (!state.wants_room) return;
        if (console::full(channel_)) return console::want_room();
        state.wants_room = false;
        update_flags();
        state.ris |= interrupt_transmit;
        update(state);
    });
}

}  // namespace partita
