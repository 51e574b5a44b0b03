// The control channel, both ends of it: the parent partition's program, and the tool's client on a socket.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include "control/client.hpp"
#include "control/place.hpp"
#include "control/report.hpp"
#include "control/words.hpp"
#include "fake_parent.hpp"
#include "partita/console.h"
#include "run/board_input.hpp"
#include "run/hub.hpp"

namespace partita {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Two partitions: "parent" (0), which calls, and "motor" (1).
class Manager : public testing::Test {
protected:
    Manager() {
        fake_parent = &fake;
        fake.answer = [this](std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
            return answer(function, a, b, c);
        };
    }
    ~Manager() override { fake_parent = nullptr; }

    hypercall_result answer(std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
        constexpr auto invalid = static_cast<std::uint32_t>(PSCI_INVALID_PARAMETERS);
        switch (function) {
            case PARTITA_HYPERCALL_PARTITION: {
                if (a > 1) return {invalid, 2, 0, 0};
                partita_partition_state state{};
                std::strcpy(state.name, a == 0 ? "parent" : "motor");
                state.itself = a == 0 ? 1 : 0;
                state.phase = phase, state.starts = starts, state.vcpus = 1, state.memory = 2048, state.cpus = 1u << a;
                std::memcpy(fake.page.data() + b, &state, sizeof state);
                return {0, 2, 0, 0};
            }
            case PARTITA_HYPERCALL_VCPU: {
                if (a > 1 || b > 0) return {invalid, 0, 0, 0};
                partita_vcpu_state state{};
                state.ran = 3'000'000'000, state.frequency = 1'000'000'000, state.exits[0x12] = 4;
                std::memcpy(fake.page.data() + c, &state, sizeof state);
                return {0, 0, 0, 0};
            }
            case PARTITA_HYPERCALL_CONTROL: {
                if (refuse != 0) return {static_cast<std::uint32_t>(refuse), 0, 0, 0};
                if (b == PARTITA_CONTROL_RESTART || b == PARTITA_CONTROL_START) ++starts;
                phase = b == PARTITA_CONTROL_STOP    ? PARTITA_PHASE_OFF
                        : b == PARTITA_CONTROL_PAUSE ? PARTITA_PHASE_PAUSED
                                                     : PARTITA_PHASE_RUNNING;
                return {0, 0, 0, 0};
            }
            case PARTITA_HYPERCALL_SCHEDULE: return {0, a < 2 ? a : 1, 2, 0};
            case PARTITA_HYPERCALL_LOG: {
                const std::uint32_t from = std::min(c, static_cast<std::uint32_t>(log.size()));
                const std::string part = log.substr(from, b);
                std::memcpy(fake.page.data() + a, part.data(), part.size());
                return {0, static_cast<std::uint32_t>(part.size()), from, 0};
            }
            default: ADD_FAILURE() << std::hex << function; return {};
        }
    }

    // What it answers to a request: header and the rest; empty: nothing.
    Bytes ask(std::uint8_t kind, const Bytes& body, std::uint16_t sequence = 1, std::uint8_t version = PARTITA_CONTROL_VERSION) {
        control::Writer writer;
        writer.put(Bytes{version, kind, static_cast<std::uint8_t>(sequence), static_cast<std::uint8_t>(sequence >> 8)}).put(body);
        fake.sent.clear();
        EXPECT_TRUE(writer.finish([&](std::uint8_t byte) { manager.receive(byte); }));
        control::Reader reader;
        Bytes out;
        for (const char byte : fake.sent)
            if (const auto frame = reader.feed(static_cast<std::uint8_t>(byte))) out.assign(frame->begin(), frame->end());
        EXPECT_EQ(reader.refused(), 0u);
        return out;
    }
    static std::int32_t result_of(const Bytes& answer) {
        std::int32_t out = 1;
        if (answer.size() >= 8) std::memcpy(&out, answer.data() + 4, 4);
        return out;
    }
    std::size_t calls(std::uint32_t function) const {
        return static_cast<std::size_t>(
            std::count_if(fake.calls.begin(), fake.calls.end(), [&](const auto& call) { return call[0] == function; }));
    }

    std::uint32_t phase = PARTITA_PHASE_RUNNING, starts = 1;
    std::int32_t refuse = 0;
    std::string log;
    FakeParent fake;
    parent::Uart uart;
    parent::Store store;
    parent::History history{1000};
    parent::Manager manager{uart, store, history};
};

TEST_F(Manager, AnswersAreOfTheirRequests) {
    const Bytes answer = ask(PARTITA_REQUEST_PARTITION, {1, 0, 0, 0}, 0x4321);
    ASSERT_EQ(answer.size(), 8 + sizeof(partita_partition_state));
    EXPECT_EQ(Bytes(answer.begin(), answer.begin() + 4),
              (Bytes{PARTITA_CONTROL_VERSION, PARTITA_REQUEST_PARTITION | PARTITA_CONTROL_ANSWER, 0x21, 0x43}));
    EXPECT_EQ(result_of(answer), PSCI_SUCCESS);
    EXPECT_STREQ(reinterpret_cast<const char*>(answer.data() + 8), "motor");
}

TEST_F(Manager, WhatIsWrongIsAnsweredAndNothingDone) {
    EXPECT_EQ(result_of(ask(99, {})), PARTITA_NOT_SUPPORTED);
    EXPECT_EQ(result_of(ask(PARTITA_REQUEST_CONTROL, {1, 0, 0, 0, 1, 0, 0, 0}, 2, 9)), PARTITA_NOT_SUPPORTED) << "another version";
    for (const std::size_t size : {0u, 3u, 4u, 7u, 9u, 12u, 400u})
        EXPECT_EQ(result_of(ask(PARTITA_REQUEST_CONTROL, Bytes(size))), PSCI_INVALID_PARAMETERS) << size;
    EXPECT_EQ(result_of(ask(PARTITA_REQUEST_PARTITION, {7, 0, 0, 0})), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(calls(PARTITA_HYPERCALL_CONTROL), 0u);
    EXPECT_TRUE(ask(PARTITA_REQUEST_HELLO | PARTITA_CONTROL_ANSWER, {}).empty()) << "an answer is no request";
}

TEST_F(Manager, ARequestThatComesAgainIsDoneOnce) {
    const Bytes stop{1, 0, 0, 0, PARTITA_CONTROL_STOP, 0, 0, 0}, first = ask(PARTITA_REQUEST_CONTROL, stop, 7);
    EXPECT_EQ(result_of(first), PSCI_SUCCESS);
    refuse = PARTITA_WRONG_STATE;  // it is off by now
    EXPECT_EQ(ask(PARTITA_REQUEST_CONTROL, stop, 7), first) << "the same answer";
    EXPECT_EQ(calls(PARTITA_HYPERCALL_CONTROL), 1u);
    EXPECT_EQ(result_of(ask(PARTITA_REQUEST_CONTROL, stop, 8)), PARTITA_WRONG_STATE) << "another request";
    const Bytes start{1, 0, 0, 0, PARTITA_CONTROL_START, 0, 0, 0};
    EXPECT_EQ(result_of(ask(PARTITA_REQUEST_CONTROL, start, 8)), PARTITA_WRONG_STATE) << "another client's, with the same number";
    EXPECT_EQ(calls(PARTITA_HYPERCALL_CONTROL), 3u);
}

TEST_F(Manager, ItAnswersBeforeItRestartsItself) {
    std::string when;
    const auto usual = fake.answer;
    fake.answer = [&](std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
        if (function == PARTITA_HYPERCALL_CONTROL) when = fake.sent;
        return usual(function, a, b, c);
    };
    (void)ask(PARTITA_REQUEST_CONTROL, {0, 0, 0, 0, PARTITA_CONTROL_RESTART, 0, 0, 0});
    EXPECT_FALSE(when.empty());
    when.clear();
    (void)ask(PARTITA_REQUEST_CONTROL, {1, 0, 0, 0, PARTITA_CONTROL_RESTART, 0, 0, 0}, 2);
    EXPECT_TRUE(when.empty()) << "of another it says what came of it";
}

TEST_F(Manager, FramesThatAreNotWholeAreCounted) {
    for (const std::uint8_t byte : Bytes{1, 2, 3, 0}) manager.receive(byte);
    const Bytes answer = ask(PARTITA_REQUEST_HELLO, {});
    ASSERT_EQ(answer.size(), 8 + sizeof(partita_hello));
    partita_hello hello{};
    std::memcpy(&hello, answer.data() + 8, sizeof hello);
    EXPECT_EQ(hello.refused, 1u);
    EXPECT_EQ(hello.partitions, 2u);
    EXPECT_EQ(hello.lives, 3u);
}

// The tool's client at one end of a socket, the manager at the other: each byte of the control channel goes to it.
class ControlClient : public Manager {
protected:
    ControlClient() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        board_ = ends[1];
        client = std::make_unique<tool::Client>(ends[0]);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~ControlClient() override {
        shutdown(board_, SHUT_RDWR);
        thread_.join();
        close(board_);
    }
    void serve() {
        tool::Demux demux{[this](std::uint32_t channel, char byte) {
            if (channel == PARTITA_CONSOLE_CONTROL) manager.receive(static_cast<std::uint8_t>(byte));
        }};
        for (;;) {
            std::array<char, 256> buffer{};
            const ssize_t n = read(board_, buffer.data(), buffer.size());
            if (n <= 0) return;
            demux.feed({buffer.data(), static_cast<std::size_t>(n)});
            if (lost-- > 0) fake.sent.clear();  // on the way
            const std::string out = tool::to_channel(PARTITA_CONSOLE_CONTROL, std::exchange(fake.sent, {}));
            if (write(board_, out.data(), out.size()) < 0) return;
        }
    }
    std::string said(const char* word, std::vector<std::string> arguments, bool json = false) {
        testing::internal::CaptureStdout();
        try {
            tool::find_word(word)->act(*client, {std::move(arguments), json});
        } catch (const std::runtime_error& error) {
            return testing::internal::GetCapturedStdout() + error.what();
        }
        return testing::internal::GetCapturedStdout();
    }

    std::atomic<int> lost{0};
    std::unique_ptr<tool::Client> client;

private:
    int board_ = -1;
    std::thread thread_;
};

TEST_F(ControlClient, ListsPartitions) {
    const auto all = client->partitions();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].name(), "motor");
    EXPECT_NE(said("ps", {}).find("motor            running        1 1             2 MiB"), std::string::npos) << said("ps", {});
    EXPECT_NE(said("ps", {}, true).find("\"name\": \"motor\""), std::string::npos);
    EXPECT_NE(said("stats", {"motor"}).find("3.000 s"), std::string::npos) << said("stats", {"motor"});
    EXPECT_NE(said("stats", {}, true).find("\"hvc\": 4"), std::string::npos);
    EXPECT_NE(said("info", {"motor"}).find("start 1"), std::string::npos);
}

TEST_F(ControlClient, ChangesAndSaysWhatCannotBe) {
    EXPECT_EQ(said("pause", {"motor"}), "motor: paused\n");
    EXPECT_EQ(said("resume", {"motor"}), "motor: resumed\n");
    EXPECT_EQ(said("restart", {"motor"}), "motor: restarted\n");
    EXPECT_EQ(said("stop", {"motor"}), "motor: stopped\n");
    refuse = PARTITA_WRONG_STATE;
    EXPECT_EQ(said("pause", {"motor"}), "\"motor\" is off: it cannot be paused now; `partita start` starts it");
    refuse = PSCI_DENIED;
    EXPECT_EQ(said("stop", {"parent"}), "\"parent\" is the parent partition: without it nobody could start it again");
    EXPECT_EQ(said("stop", {"engine"}), "there is no partition \"engine\"; there are parent, motor");
}

TEST_F(ControlClient, AsksAgainWhereAnAnswerIsLost) {
    lost = 1;
    EXPECT_EQ(client->control(1, PARTITA_CONTROL_STOP), PSCI_SUCCESS);
    EXPECT_EQ(calls(PARTITA_HYPERCALL_CONTROL), 1u);
}

TEST_F(ControlClient, TellsTheLogInWords) {
    log = "state partition=1 name=motor is=off reason=manager starts=1\nwatchdog partition=1 ms=30\n";
    for (int n = 0; n < 40; ++n) log += "suppressed partition=1 reports=5\n";  // longer than a frame
    const std::string text = said("events", {});
    EXPECT_TRUE(text.starts_with("motor: off, as was asked for\nmotor: its watchdog was not fed in time; the longest is 30 ms\n")) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 42);
    EXPECT_TRUE(said("events", {}, true).starts_with("{\"event\":\"state\",\"is\":\"off\"")) << said("events", {}, true);
}

TEST_F(ControlClient, Schedules) {
    EXPECT_EQ(said("schedule", {}), "schedule 1 of 2\n");
    EXPECT_EQ(said("schedule", {"0"}), "schedule 0 of 2\n");
    EXPECT_EQ(said("schedule", {"2"}), "there is no schedule 2; there are 2, from 0 on");
    EXPECT_EQ(said("schedule", {"fast"}), "\"fast\" is not the number of a schedule, as described, from 0 on");
}

}  // namespace

namespace tool {
namespace {

class HubTest : public testing::Test {
protected:
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("partita-hub-" + std::to_string(getpid()));
    ~HubTest() override { std::filesystem::remove(path); }
};

// What has come for each channel.
class Listener {
public:
    explicit Listener(int descriptor)
        : descriptor_(descriptor), demux_([this](std::uint32_t channel, char byte) { heard[channel] += byte; }) {}
    ~Listener() { close(descriptor_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    void listen() {
        std::array<char, 1024> buffer{};
        const ssize_t n = recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n > 0) demux_.feed({buffer.data(), static_cast<std::size_t>(n)});
    }
    void say(const std::string& bytes) const {
        ASSERT_EQ(send(descriptor_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    }
    std::map<std::uint32_t, std::string> heard;

private:
    int descriptor_;
    Demux demux_;
};

TEST_F(HubTest, WhoJoinsLateFindsItsPlace) {
    Hub hub{path};
    hub.broadcast(to_channel(2, "before"));
    Listener late{reach(path.string())};
    EXPECT_EQ(hub.collect(), "");
    hub.broadcast(" and after\x10\x10");
    late.listen();
    EXPECT_EQ(late.heard[2], " and after\x10");
    EXPECT_EQ(late.heard.size(), 1u);
}

TEST_F(HubTest, InTheMiddleOfAnEscapeToo) {
    Hub hub{path};
    hub.broadcast(to_channel(2, "x") + "\x10");
    Listener late{reach(path.string())};
    EXPECT_EQ(hub.collect(), "");
    hub.broadcast(
        "\x43"
        "three");
    late.listen();
    EXPECT_EQ(late.heard[3], "three");
    EXPECT_EQ(late.heard.size(), 1u);
}

TEST_F(HubTest, ClientsBytesAreNotMixed) {
    Hub hub{path};
    Listener one{reach(path.string())}, other{reach(path.string())};
    (void)hub.collect();
    one.say(to_channel(1, "a\x10"));
    other.say(to_channel(2, "c"));
    EXPECT_EQ(hub.collect(), to_channel(1, "a\x10") + to_channel(2, "c"));
    one.say("b");  // it has selected its channel before
    EXPECT_EQ(hub.collect(), to_channel(1, "b"));
}

TEST_F(HubTest, AClientThatLeavesIsForgotten) {
    Hub hub{path};
    {
        const Listener one{reach(path.string())};
        (void)hub.collect();
    }
    (void)hub.collect();
    std::vector<pollfd> sources;
    hub.add_sources(sources);
    EXPECT_EQ(sources.size(), 1u) << "the one that lets clients in";
    hub.broadcast("to nobody");
}

TEST(BoardInputTest, ABoardThatTakesNothingIsNotWaitedFor) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    std::string sent;
    for (std::uint32_t n = 0; sent.size() < 300'000; ++n) sent += std::to_string(n) + " ";
    BoardInput input{ends[1]};
    EXPECT_EQ(input.source().fd, -1) << "nothing waits";
    input.put(sent);
    EXPECT_FALSE(input.has_room());
    EXPECT_EQ(input.source().fd, ends[1]);
    std::string got;
    while (got.size() < sent.size()) {
        std::array<char, 8192> buffer{};
        const ssize_t n = read(ends[0], buffer.data(), buffer.size());
        ASSERT_GT(n, 0);
        got.append(buffer.data(), static_cast<std::size_t>(n));
        input.flush();
    }
    EXPECT_EQ(got, sent);
    EXPECT_TRUE(input.has_room());
    close(ends[0]);
    std::signal(SIGPIPE, SIG_IGN);
    input.put(sent);
    EXPECT_TRUE(input.has_room()) << "nobody is there: it is dropped";
    close(ends[1]);
}

TEST_F(HubTest, ASystemThatEndedIsTold) {
    {
        const Hub hub{path};
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_THROW((void)reach(path.string()), std::runtime_error);
}

}  // namespace
}  // namespace tool
}  // namespace partita
