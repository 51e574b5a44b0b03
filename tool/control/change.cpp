#include "control/change.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "control/report.hpp"

namespace partita::tool {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto longest_change = std::chrono::seconds{30};
constexpr auto between_looks = std::chrono::milliseconds{50};

[[nodiscard]] std::string remedy(const Change& change, const partita_partition_state& state) {
    const std::uint32_t phase = state.phase;
    if ((state.is & PARTITA_IS_EMPTY) != 0) return "; `partita create` makes a partition there";
    if (phase == PARTITA_PHASE_OFF) return "; `partita start` starts it";
    if (phase == PARTITA_PHASE_PAUSED && change.action != PARTITA_CONTROL_RESUME) return "; `partita resume` lets it go on";
    return "";
}

void refuse(const Change& change, const RunningPartition& partition, std::int32_t result) {
    if (result == PARTITA_WRONG_STATE)
        throw std::runtime_error(fmt::format("\"{}\" is {}: it cannot be {} now{}", partition.name(), state_name(partition.state),
                                             change.done, remedy(change, partition.state)));
    if (result == PSCI_DENIED)
        throw std::runtime_error(
            partition.state.itself != 0
                ? fmt::format("\"{}\" is the parent partition: without it nobody could start it again", partition.name())
                : fmt::format("\"{}\": a fault has ended all partitions, for good", partition.name()));
    if (result == PARTITA_NOT_SUPPORTED)
        throw std::runtime_error("the parent partition does not know this request, or lacks the right `manage`");
    throw std::runtime_error(fmt::format("\"{}\" cannot be {}: {}", partition.name(), change.done, result));
}

}  // namespace

// Asks, and waits until it is done. Who is just changing is asked again.
RunningPartition make(Client& client, const RunningPartition& before, const Change& change) {
    const auto end = Clock::now() + longest_change;
    std::int32_t result = client.control(before.number, change.action);
    while (result == PARTITA_BUSY && Clock::now() < end) {
        (void)client.read(between_looks);
        result = client.control(before.number, change.action);
    }
    if (result != PSCI_SUCCESS) refuse(change, client.partition(before.number), result);
    const bool anew = change.action == PARTITA_CONTROL_START || change.action == PARTITA_CONTROL_RESTART;
    for (;;) {
        const RunningPartition now = client.partition(before.number);
        if (now.state.phase == change.wanted && (!anew || now.state.starts != before.state.starts)) return now;
        if (Clock::now() >= end)
            throw std::runtime_error(
                fmt::format("\"{}\" is still {} after {} s", now.name(), phase_name(now.state.phase), longest_change.count()));
        (void)client.read(between_looks);
    }
}

}  // namespace partita::tool
