#include "uart.hpp"

#include "partita/guest/guest.h"

namespace partita::parent {

namespace {

constexpr std::uint32_t DR = 0x00, FR = 0x18, IMSC = 0x38, ICR = 0x44;
constexpr std::uint32_t receive_empty = 1u << 4, transmit_full = 1u << 5;
constexpr std::uint32_t receive = 1u << 4, transmit = 1u << 5, receive_timeout = 1u << 6;

constinit Uart* on_interrupt = nullptr;

}  // namespace

void Uart::start(std::uintptr_t base, std::uint32_t interrupt) {
    base_ = base;
    on_interrupt = this;
    interrupt_enable(interrupt, 0x80, [](std::uint32_t) { on_interrupt->serve(); });
    at(IMSC) = receive | receive_timeout;
}

void Uart::serve() {
    // What there is no room for stays in the FIFO.
    while ((at(FR) & receive_empty) == 0 && tail_ - head_ < size) received_[tail_++ % size] = static_cast<std::uint8_t>(at(DR));
    held_ = tail_ - head_ == size;
    std::uint32_t wanted = held_ ? 0 : receive | receive_timeout;
    if ((at(FR) & transmit_full) != 0) wanted |= transmit;
    at(ICR) = transmit;
    at(IMSC) = wanted;
}

std::optional<std::uint8_t> Uart::take() {
    if (head_ == tail_) return std::nullopt;
    const std::uint8_t byte = received_[head_++ % size];
    if (held_) at(IMSC) = at(IMSC) | receive | receive_timeout;
    held_ = false;
    return byte;
}

void Uart::put(std::uint8_t byte) {
    while ((at(FR) & transmit_full) != 0) {
        at(IMSC) = at(IMSC) | transmit;
        if ((at(FR) & transmit_full) == 0) break;
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
    at(DR) = byte;
}

}  // namespace partita::parent
