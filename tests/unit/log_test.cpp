// The log in NOR flash, whose power fails at any word and in any erasure, and again while it is repaired.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log.hpp"
#include "random.hpp"

namespace partita::secure {
namespace {

using std::uint32_t;
constexpr uint32_t area = Log::smallest_area;

// Words of flash. What was being written or erased when the power failed reads as something else each time.
class Nor {
public:
    explicit Nor(Random& random) : random_(random), words_(2 * area / 4, ~0u) {}

    void carry_out(const FlashCommand& command) {
        if (command.kind == FlashCommand::Kind::erase) {
            EXPECT_EQ(command.at % area, 0u);
            std::fill_n(words_.begin() + command.at / 4, area / 4, ~0u);
            std::erase_if(weak_, [&](const auto& word) { return word.first * 4 / area == command.at / area; });
            ++erasures;
            return;
        }
        program(command.at / 4, command.value);
        words_[command.at / 4] = command.value;
        weak_.erase(command.at / 4);
        ++programs;
    }
    // The power fails in the middle of it.
    void fail_in(const FlashCommand& command) {
        if (command.kind == FlashCommand::Kind::erase)
            for (uint32_t n = command.at / 4; n < (command.at + area) / 4; ++n) weaken(n, 0, ~0u);
        else {
            program(command.at / 4, command.value);
            weaken(command.at / 4, command.value, words_[command.at / 4]);
        }
    }
    const uint32_t* read() {
        for (const auto& [n, bits] : weak_)
            words_[n] = random_.below(3) == 0   ? bits.surely
                        : random_.below(2) == 0 ? bits.perhaps
                                                : bits.surely | (random_() & bits.perhaps);
        return words_.data();
    }
    // So many words are something else, near the begin of an area mostly.
    void damage(uint32_t count) {
        for (; count != 0; --count)
            words_[random_.below(2) * area / 4 + random_.below(random_.below(4) == 0 ? area / 4 : 600)] ^= 1u << random_.below(32);
    }
    uint32_t erasures = 0, programs = 0;

private:
    struct Bits {
        uint32_t surely, perhaps;
    };
    // Only what is blank, or has the same value, may be programmed; and anything to zero.
    void program(uint32_t n, uint32_t value) {
        const auto weak = weak_.find(n);
        const bool blank = weak == weak_.end() && words_[n] == ~0u;
        const bool again = weak == weak_.end() ? words_[n] == value : weak->second.surely == value;
        EXPECT_TRUE(blank || again || value == 0) << "word " << n << " is not blank";
    }
    void weaken(uint32_t n, uint32_t surely, uint32_t perhaps) {
        const auto was = weak_.find(n);
        weak_[n] = was == weak_.end() ? Bits{surely, perhaps} : Bits{surely & was->second.surely, perhaps | was->second.perhaps};
    }

    Random& random_;
    std::vector<uint32_t> words_;
    std::map<uint32_t, Bits> weak_;
};

using Value = std::string;

class PowerCuts : public testing::TestWithParam<uint32_t> {
protected:
    Random random{GetParam() + 1};
    Nor flash{random};
    std::unique_ptr<Log> log;
    std::map<uint32_t, Value> kept;                 // by number of the key; what was told to be in flash
    std::optional<std::pair<uint32_t, Value>> put;  // and not told yet
    Log::Ticket ticket{};

    static Key key(uint32_t n) { return {n, 1, 2, 3}; }
    void mount() {
        log = std::make_unique<Log>();
        log->mount(flash.read(), area, {random(), random(), random(), random()});
    }
    // Carries out `most` commands; false: the power failed in the last one.
    bool run(uint32_t most) {
        for (uint32_t n = 0;; ++n) {
            const FlashCommand command = log->next();
            EXPECT_EQ(command.kind == FlashCommand::Kind::none ? 0 : command.at,
                      command.kind == FlashCommand::Kind::none ? 0 : log->next().at);
            if (command.kind == FlashCommand::Kind::none) return true;
            if (n == most) return flash.fail_in(command), false;
            flash.carry_out(command);
            const bool before = !put || log->is_written(ticket), told = log->done();
            EXPECT_TRUE(before || told || !log->is_written(ticket)) << "who waits for it is told";
        }
    }
    Value read(uint32_t n) {
        std::array<std::uint8_t, Record::largest> out;
        const auto size = log->get(key(n), out);
        return size ? Value(out.begin(), out.begin() + *size) : Value{};
    }
    void write(uint32_t n, const Value& value) {
        Record record;
        log->make(n % 16, key(n), {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()}, record);
        const auto told = log->put(record);
        ASSERT_TRUE(told);
        ticket = *told;
        put = {n, value};
    }
    void expect_all(bool after_a_cut) {
        for (uint32_t n = 0; n < 20; ++n) {
            const Value seen = read(n), old = kept.contains(n) ? kept[n] : Value{};
            if (after_a_cut && put && put->first == n)
                EXPECT_TRUE(seen == old || seen == put->second) << n;
            else
                EXPECT_EQ(seen, old) << n;
            if (seen.empty())
                kept.erase(n);
            else
                kept[n] = seen;
        }
    }
    Value any_value() {
        const uint32_t size = random.below(8) == 0 ? 0 : random.below(4) == 0 ? random.below(Record::largest + 1) : random.below(40);
        Value out(size, ' ');
        for (char& c : out) c = static_cast<char>(random.below(256));
        return out;
    }
};

TEST_P(PowerCuts, LoseNothingThatWasWritten) {
    mount();
    EXPECT_TRUE(log->is_new());
    bool begun = run(random.below(3) == 0 ? random.below(12) : ~0u);
    for (uint32_t n = 0; n < 3000; ++n) {
        if (!begun || random.below(20) == 0) {  // a reset; the power fails again and again while it is repaired
            do mount();
            while (!run(random.below(3) == 0 ? random.below(60) : random.below(20) == 0 ? random.below(3000) : ~0u));
            expect_all(true);
            put.reset();
            begun = true;
        }
        write(random.below(20), any_value());
        ASSERT_FALSE(HasFatalFailure());
        begun = run(random.below(10) == 0 ? random.below(400) : ~0u);
        if (!begun) continue;
        EXPECT_TRUE(log->is_written(ticket));
        if (put->second.empty())
            kept.erase(put->first);
        else
            kept[put->first] = put->second;
        put.reset();
        if (random.below(50) == 0) expect_all(false);
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(flash.erasures, 3u);
}
// Owners of long ago have what they have; the secure world itself has room all the same.
TEST_P(PowerCuts, ThereIsRoomForTheSecureWorldItself) {
    mount();
    Record record;
    uint32_t took = 0;
    for (uint32_t n = 1; n < 200; ++n) {
        log->make(n / 7 + 1, key(n), {reinterpret_cast<const std::uint8_t*>("abc"), 3}, record);
        if (log->put(record)) ++took;
    }
    EXPECT_EQ(took, Log::most_of_others);
    log->make(0, key(1000), {reinterpret_cast<const std::uint8_t*>("abc"), 3}, record);
    EXPECT_TRUE(log->put(record));
    ASSERT_TRUE(run(~0u));
    mount();
    EXPECT_EQ(read(1000), "abc");
    EXPECT_EQ(read(1), "abc");
}

// Whatever has become of the flash: what is written then is kept.
TEST_P(PowerCuts, ADamagedFlashIsBorne) {
    mount();
    ASSERT_TRUE(run(~0u));
    for (uint32_t n = 0; n < 40; ++n) {
        write(n % 20, any_value());
        ASSERT_TRUE(run(~0u));
    }
    for (uint32_t n = 0; n < 30; ++n) {
        flash.damage(random.below(200));
        mount();
        ASSERT_TRUE(run(~0u));
        const Value value = any_value();
        write(n % 20, value);
        ASSERT_TRUE(run(~0u));
        mount();
        EXPECT_EQ(read(n % 20), value);
    }
}
INSTANTIATE_TEST_SUITE_P(Seeds, PowerCuts, testing::Range(0u, 20u));

}  // namespace
}  // namespace partita::secure
