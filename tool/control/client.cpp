#include "control/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>
#include <stdexcept>
#include <utility>

#include "partita/console.h"

namespace partita::tool {

using Clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = std::chrono::milliseconds{1500};  // until it asks again
constexpr int tries = 6;

[[nodiscard]] std::uint32_t word_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    std::uint32_t out = 0;
    std::memcpy(&out, bytes.data() + at, sizeof out);
    return out;
}

}  // namespace

Client::Client(int descriptor)
    : descriptor_(descriptor),
      demux_([this](std::uint32_t channel, char byte) { receive(channel, byte); }),
      sequence_(static_cast<std::uint16_t>(std::random_device{}())) {}

Client::~Client() { close(descriptor_); }

void Client::receive(std::uint32_t channel, char byte) {
    if (channel != PARTITA_CONSOLE_CONTROL) {
        if (other_) other_(channel, byte);
        return;
    }
    const auto frame = reader_.feed(static_cast<std::uint8_t>(byte));
    if (!frame) return;
    news_ = news_ || (*frame)[1] == PARTITA_NEWS;
    if (frame->size() < sizeof(partita_control_header) + 4) return;
    const auto sequence = static_cast<std::uint16_t>((*frame)[2] | (*frame)[3] << 8);
    if ((*frame)[1] != awaited_ || sequence != sequence_) return;  // of another client, or of an earlier try
    answer_.assign(frame->begin() + sizeof(partita_control_header), frame->end());
}

bool Client::read(std::chrono::milliseconds most) {
    pollfd source{descriptor_, POLLIN, 0};
    if (poll(&source, 1, static_cast<int>(most.count())) <= 0) return true;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(descriptor_, buffer.data(), buffer.size());
    if (n <= 0) return false;
    demux_.feed({buffer.data(), static_cast<std::size_t>(n)});
    return true;
}

void Client::send(std::uint32_t channel, const std::string& text) {
    const std::string out = to_channel(channel, text);
    for (std::size_t done = 0; done < out.size();) {
        const ssize_t n = write(descriptor_, out.data() + done, out.size() - done);
        if (n <= 0) throw std::runtime_error("the system has ended");
        done += static_cast<std::size_t>(n);
    }
}

Client::Bytes Client::ask(partita_request kind, std::initializer_list<std::uint32_t> words, std::span<const std::uint8_t> more) {
    control::Writer writer;
    writer.header(static_cast<std::uint8_t>(kind), ++sequence_);
    for (const std::uint32_t word : words) writer.word(word);
    writer.put(more);
    std::string frame(1, '\0');  // ends what somebody else may have left
    (void)writer.finish([&](std::uint8_t byte) { frame += static_cast<char>(byte); });
    awaited_ = static_cast<std::uint8_t>(static_cast<std::uint32_t>(kind) | PARTITA_CONTROL_ANSWER);
    answer_.clear();
    for (int n = 0; n < tries; ++n) {
        send(PARTITA_CONSOLE_CONTROL, frame);
        for (const auto end = Clock::now() + patience; Clock::now() < end;) {
            if (!read(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()) + std::chrono::milliseconds{1}))
                throw std::runtime_error("the system has ended");
            if (!answer_.empty()) return std::exchange(answer_, {});
        }
    }
    throw std::runtime_error(
        "nobody answers on the control channel; the system needs a partition that runs the parent's program, with control = true and "
        "rights = "
        "[\"manage\"]");
}

template <typename Answer>
Answer Client::expect(partita_request kind, std::initializer_list<std::uint32_t> words) {
    const Bytes bytes = ask(kind, words);
    const auto result = static_cast<std::int32_t>(word_at(bytes, 0));
    if (result == PARTITA_NOT_SUPPORTED)
        throw std::runtime_error(
            "the parent partition does not know this request: it is of another version than this tool, or lacks the right");
    if (result != PSCI_SUCCESS) throw std::runtime_error(fmt::format("the parent partition refuses: {}", result));
    if (bytes.size() < 4 + sizeof(Answer)) throw std::runtime_error("the parent partition's answer is too short: it is of another version");
    Answer out{};
    std::memcpy(&out, bytes.data() + 4, sizeof out);
    return out;
}

partita_hello Client::hello() { return expect<partita_hello>(PARTITA_REQUEST_HELLO, {}); }

RunningPartition Client::partition(std::uint32_t number) {
    RunningPartition out{number, expect<partita_partition_state>(PARTITA_REQUEST_PARTITION, {number})};
    out.state.name[sizeof out.state.name - 1] = 0;
    return out;
}

std::vector<RunningPartition> Client::partitions() {
    std::vector<RunningPartition> out;
    const std::uint32_t count = hello().partitions;
    for (std::uint32_t n = 0; n < count && n < 32; ++n) out.push_back(partition(n));
    return out;
}

RunningPartition Client::find(const std::string& name) {
    std::string names;
    for (const RunningPartition& one : partitions()) {
        if (one.name() == name) return one;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name());
    }
    throw std::runtime_error(fmt::format("there is no partition \"{}\"; there are {}", name, names));
}

partita_vcpu_state Client::vcpu(std::uint32_t partition, std::uint32_t vcpu) {
    return expect<partita_vcpu_state>(PARTITA_REQUEST_VCPU, {partition, vcpu});
}

std::int32_t Client::control(std::uint32_t partition, partita_control action) {
    return static_cast<std::int32_t>(word_at(ask(PARTITA_REQUEST_CONTROL, {partition, static_cast<std::uint32_t>(action)}), 0));
}

ScheduleState Client::schedule(std::uint32_t wanted) { return expect<ScheduleState>(PARTITA_REQUEST_SCHEDULE, {wanted}); }

partita_reserved Client::reserve(std::uint32_t partition, std::uint32_t bytes) {
    return expect<partita_reserved>(PARTITA_REQUEST_RESERVE, {partition, bytes});
}

void Client::put(std::uint32_t offset, std::span<const std::uint8_t> bytes) {
    if (word_at(ask(PARTITA_REQUEST_PUT, {offset}, bytes), 0) != PSCI_SUCCESS)
        throw std::runtime_error("something else began to arrive for the same partition, which replaces this");
}

Given Client::give(std::uint32_t partition, std::uint32_t offset) {
    const Bytes bytes = ask(PARTITA_REQUEST_GIVE, {partition, offset});
    return {static_cast<std::int32_t>(word_at(bytes, 0)), bytes.size() >= 8 ? word_at(bytes, 4) : 0};
}

std::int32_t Client::take(std::uint32_t partition) { return static_cast<std::int32_t>(word_at(ask(PARTITA_REQUEST_TAKE, {partition}), 0)); }

std::optional<partita_history> Client::history(std::uint32_t partition) {
    const Bytes bytes = ask(PARTITA_REQUEST_HISTORY, {partition});
    if (word_at(bytes, 0) != PSCI_SUCCESS || bytes.size() < 4 + sizeof(partita_history)) return std::nullopt;
    partita_history out{};
    std::memcpy(&out, bytes.data() + 4, sizeof out);
    return out;
}

LogPart Client::log(std::uint32_t from) {
    const Bytes bytes = ask(PARTITA_REQUEST_LOG, {from});
    constexpr std::size_t head = 4 + sizeof(partita_log_part);
    if (word_at(bytes, 0) != PSCI_SUCCESS || bytes.size() < head || bytes.size() - head != word_at(bytes, 8))
        throw std::runtime_error("the parent partition does not tell its log: it is of another version than this tool");
    return {word_at(bytes, 4), {bytes.begin() + head, bytes.end()}};
}

}  // namespace partita::tool
