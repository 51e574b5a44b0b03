// The host's end of the control channel (abi/partita/control.h): asks the parent partition of a running system.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "partita/control.h"
#include "partita/frame.hpp"
#include "run/demux.hpp"

namespace partita::tool {

struct RunningPartition {
    std::uint32_t number = 0;
    partita_partition_state state{};

    [[nodiscard]] std::string name() const { return state.name; }
};

struct ScheduleState {
    std::uint32_t wanted, count;
};

struct Given {
    std::int32_t result;
    std::uint32_t fault;  // an ImageFault, where the result is PSCI_INVALID_PARAMETERS
};

struct LogPart {
    std::uint32_t first = 0;
    std::string text{};
};

class Client {
public:
    // descriptor: of reach(). Closed with the client.
    explicit Client(int descriptor);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // All throw std::runtime_error in words: nobody answers, the system has ended, the request was refused.
    [[nodiscard]] partita_hello hello();
    [[nodiscard]] std::vector<RunningPartition> partitions();
    [[nodiscard]] RunningPartition partition(std::uint32_t number);
    // By its name; the error tells which there are.
    [[nodiscard]] RunningPartition find(const std::string& name);
    [[nodiscard]] partita_vcpu_state vcpu(std::uint32_t partition, std::uint32_t vcpu);
    // What the hypervisor answered.
    [[nodiscard]] std::int32_t control(std::uint32_t partition, partita_control action);
    [[nodiscard]] ScheduleState schedule(std::uint32_t wanted);
    // None: what runs in the parent partition keeps no history.
    [[nodiscard]] std::optional<partita_history> history(std::uint32_t partition);
    [[nodiscard]] LogPart log(std::uint32_t from);
    // Room in the parent partition's store for what is to arrive for a partition; with 0 bytes it is only asked how much there would be.
    [[nodiscard]] partita_reserved reserve(std::uint32_t partition, std::uint32_t bytes);
    // At most PARTITA_CONTROL_PUT of them, to where room was reserved.
    void put(std::uint32_t offset, std::span<const std::uint8_t> bytes);
    // Gives a partition what has arrived there, or takes from it what it was given. What the hypervisor answered, and what is wrong.
    [[nodiscard]] Given give(std::uint32_t partition, std::uint32_t offset);
    [[nodiscard]] std::int32_t take(std::uint32_t partition);

    // Bytes of other channels while something is waited for, or watched.
    using Sink = std::function<void(std::uint32_t channel, char byte)>;
    void on_other(Sink sink) { other_ = std::move(sink); }
    // Whether the parent partition said, since the last call, that the log has something new.
    [[nodiscard]] bool news() { return std::exchange(news_, false); }
    void send(std::uint32_t channel, const std::string& text);
    // Reads what comes within that time. False: the system has ended.
    [[nodiscard]] bool read(std::chrono::milliseconds most);
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    using Bytes = std::vector<std::uint8_t>;
    [[nodiscard]] Bytes ask(partita_request kind, std::initializer_list<std::uint32_t> words, std::span<const std::uint8_t> more = {});
    // What follows the result, which is to be success, and is to be so long at least.
    template <typename Answer>
    [[nodiscard]] Answer expect(partita_request kind, std::initializer_list<std::uint32_t> words);
    void receive(std::uint32_t channel, char byte);

    int descriptor_;
    Demux demux_;
    control::Reader reader_;
    Sink other_;
    Bytes answer_;
    std::uint8_t awaited_ = 0;
    bool news_ = false;
    std::uint16_t sequence_;
};

}  // namespace partita::tool
