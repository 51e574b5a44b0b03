// Answers what the host asks for by the control channel.
#pragma once

#include <cstdint>
#include <span>

#include "history.hpp"
#include "partita/frame.hpp"
#include "store.hpp"
#include "uart.hpp"

namespace partita::parent {

class Manager {
public:
    constexpr Manager(Uart& uart, Store& store, History& history) : uart_(uart), store_(store), history_(history) {}

    void receive(std::uint8_t byte);
    // The log has something new.
    void tell_news();

private:
    void answer(std::span<const std::uint8_t> request);
    void carry_out(const partita_control_header& header, std::span<const std::uint8_t> arguments);
    void control(std::uint32_t partition, std::uint32_t action);
    void reserve(std::uint32_t partition, std::uint32_t bytes);
    void put(std::span<const std::uint8_t> arguments);
    void tell_hello();
    void tell_log(std::uint32_t from);
    void send(control::Writer frame);

    Uart& uart_;
    Store& store_;
    History& history_;
    control::Reader reader_;
    control::Writer writer_;  // the last answer: given again to who did not get it
    std::uint32_t last_ = 0;  // kind and sequence of its request; 0: none
    std::uint32_t last_sum_ = 0;
};

}  // namespace partita::parent
