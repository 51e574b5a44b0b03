// How partitions ended, and when the parent partition starts them again.
#include "history.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "fake_parent.hpp"
#include "partita/guest/guest.h"

namespace partita {
namespace {

using std::uint32_t;
using std::uint64_t;

// A second has 1000 ticks. Partition 0 is the parent, 1 and 2 are others.
class HistoryTest : public testing::Test {
protected:
    HistoryTest() {
        fake_parent = &fake;
        fake.answer = [this](uint32_t function, uint32_t a, uint32_t b, uint32_t) -> hypercall_result {
            if (function == PARTITA_HYPERCALL_PARTITION) {
                if (a >= states.size()) return {static_cast<uint32_t>(PSCI_INVALID_PARAMETERS), 3, 0, 0};
                std::memcpy(fake.page.data(), &states[a], sizeof states[a]);
                return {0, 3, 0, 0};
            }
            EXPECT_EQ(function, PARTITA_HYPERCALL_CONTROL);
            EXPECT_EQ(b, static_cast<uint32_t>(PARTITA_CONTROL_START));
            if (says == PSCI_SUCCESS) run(a);
            return {static_cast<uint32_t>(says), 0, 0, 0};
        };
        for (partita_partition_state& state : states) state.phase = PARTITA_PHASE_RUNNING, state.starts = 1;
        std::strcpy(states[1].name, "motor");
        history.open(page.data());
        history.restart_after(1, 500);
    }
    ~HistoryTest() override { fake_parent = nullptr; }

    void run(uint32_t partition) {
        states[partition].phase = PARTITA_PHASE_RUNNING;
        ++states[partition].starts;
    }
    void end(uint32_t partition, partita_reset_reason reason) {
        states[partition].phase = PARTITA_PHASE_OFF;
        states[partition].reason = reason;
    }
    // Fails at `now`, and is looked at: after how long it is started again.
    uint64_t wait_after_failure(uint64_t now) {
        end(1, PARTITA_RESET_FAULT);
        const uint64_t due = history.look(now);
        return due == 0 ? 0 : due - now;
    }
    partita_history told(uint32_t partition, uint64_t now, const parent::History& by) const {
        control::Writer writer;
        writer.header(1, 1);
        by.tell(writer, partition, now);
        control::Reader reader;
        partita_history out{};
        (void)writer.finish([&](std::uint8_t byte) {
            const auto frame = reader.feed(byte);
            if (frame && frame->size() == 8 + sizeof out) std::memcpy(&out, frame->data() + 8, sizeof out);
        });
        return out;
    }
    partita_history told(uint32_t partition, uint64_t now) const { return told(partition, now, history); }
    std::size_t starts() const {
        std::size_t out = 0;
        for (const auto& call : fake.calls) out += call[0] == PARTITA_HYPERCALL_CONTROL;
        return out;
    }

    std::int32_t says = PSCI_SUCCESS;
    std::array<partita_partition_state, 3> states{};
    FakeParent fake;
    alignas(8) std::array<std::uint8_t, parent::page_size> page{};
    parent::History history{1000};
};

TEST_F(HistoryTest, WhatFailedIsStartedWhenItIsDue) {
    EXPECT_EQ(history.look(10), 0u);
    EXPECT_EQ(wait_after_failure(2000), 500u);
    EXPECT_EQ(fake.printed, "parent: motor has failed: it is started again in 500 ms\n");
    EXPECT_EQ(told(1, 2100).due, 2500u);
    EXPECT_EQ(history.look(2499), 2500u) << "news of others";
    EXPECT_EQ(starts(), 0u);
    EXPECT_EQ(history.look(2500), 0u);
    EXPECT_EQ(starts(), 1u);
    EXPECT_EQ(states[1].starts, 2u);
    EXPECT_EQ(history.look(2501), 0u);
    EXPECT_EQ(starts(), 1u);
    EXPECT_EQ(told(1, 2501).due, 0u);
}

TEST_F(HistoryTest, LaterEachTimeUntilItRanForLong) {
    uint64_t now = 1000;
    for (const uint64_t wait : {500u, 1000u, 2000u, 4000u, 8000u, 16000u, 32000u, 32000u}) {
        EXPECT_EQ(wait_after_failure(now), wait);
        now += wait;
        (void)history.look(now);  // starts it, and it is seen to run
        (void)history.look(now + 1);
        now += wait - 1;  // not quite as long as the wait was
    }
    now += 40'000;
    EXPECT_EQ(wait_after_failure(now), 500u);
}

TEST_F(HistoryTest, WhatEndsOnPurposeStaysOff) {
    (void)history.look(1);
    for (const auto reason : {PARTITA_RESET_EXIT, PARTITA_RESET_MANAGER}) {
        end(1, reason);
        EXPECT_EQ(history.look(100), 0u) << reason;
        run(1);
        (void)history.look(101);
    }
    for (const auto reason : {PARTITA_RESET_FAULT, PARTITA_RESET_WATCHDOG, PARTITA_RESET_GUEST}) {
        end(1, reason);
        EXPECT_NE(history.look(100), 0u) << reason;
        run(1);  // by hand
        EXPECT_EQ(history.look(101), 0u) << reason;
    }
    end(2, PARTITA_RESET_FAULT);
    EXPECT_EQ(history.look(200), 0u) << "the description says nothing of it";
    EXPECT_EQ(starts(), 0u);
}

TEST_F(HistoryTest, OneThatFailedBeforeTheParentLookedIsStarted) {
    end(1, PARTITA_RESET_WATCHDOG);
    states[2] = {};  // one that was never started has not failed
    states[2].reason = PARTITA_RESET_FAULT;
    history.restart_after(2, 100);
    EXPECT_EQ(history.look(10), 510u);
    EXPECT_EQ(history.look(11), 510u);
    EXPECT_EQ(told(1, 11).ends, 1u);
    EXPECT_EQ(told(2, 11).ends, 0u);
}

TEST_F(HistoryTest, EndsAreTold) {
    (void)history.look(100);
    end(1, PARTITA_RESET_FAULT), run(1);  // restarted at once: it was never seen off
    (void)history.look(1100);
    end(1, PARTITA_RESET_WATCHDOG);
    (void)history.look(3100);
    const partita_history now = told(1, 3200);
    EXPECT_EQ(now.ends, 2u);
    EXPECT_EQ(now.frequency, 1000u);
    EXPECT_EQ(now.now, 3200u);
    EXPECT_EQ(now.end[0].life, 2u);
    EXPECT_EQ(now.end[0].reason, static_cast<uint32_t>(PARTITA_RESET_WATCHDOG));
    EXPECT_EQ(now.end[0].lasted, 2000u);
    EXPECT_EQ(now.end[1].life, 1u);
    EXPECT_EQ(now.end[1].reason, static_cast<uint32_t>(PARTITA_RESET_FAULT));
    EXPECT_EQ(now.end[1].at, 1100u);
    EXPECT_EQ(now.end[1].lasted, 1000u);
    EXPECT_EQ(now.end[2].life, 0u);
    (void)history.look(3600);  // starts it: nothing has ended
    EXPECT_EQ(told(1, 3700).ends, 2u);
    EXPECT_EQ(told(2, 3700).ends, 0u);
}

TEST_F(HistoryTest, WhatIsToldToStayOffDoes) {
    (void)history.look(1);
    EXPECT_FALSE(history.stay_off(1)) << "it runs";
    EXPECT_EQ(wait_after_failure(1000), 500u);
    EXPECT_TRUE(history.stay_off(1));
    EXPECT_FALSE(history.stay_off(1));
    EXPECT_FALSE(history.stay_off(8));
    EXPECT_EQ(history.look(2000), 0u);
    EXPECT_EQ(starts(), 0u);
}

TEST_F(HistoryTest, AllLivesCountThoughFewAreKept) {
    (void)history.look(1);
    for (uint64_t n = 1; n <= 20; ++n) end(2, PARTITA_RESET_GUEST), run(2), (void)history.look(n * 10);
    states[2].starts += 5;  // several, between two looks
    (void)history.look(1000);
    const partita_history now = told(2, 1000);
    EXPECT_EQ(now.ends, 25u);
    EXPECT_EQ(now.end[0].life, 21u);
    EXPECT_EQ(now.end[1].life, 20u);
    EXPECT_EQ(now.end[PARTITA_HISTORY - 1].life, 14u);
}

TEST_F(HistoryTest, AnotherLifeOfTheParentKnowsAllAndItsOwnEnd) {
    (void)history.look(100);
    EXPECT_EQ(wait_after_failure(1000), 500u);
    states[0].reason = PARTITA_RESET_FAULT, ++states[0].starts;
    parent::History next{1000};
    next.open(page.data());
    next.restart_after(1, 500);
    EXPECT_EQ(next.look(1200), 1500u) << "what was due is due";
    EXPECT_EQ(told(0, 1200, next).ends, 1u);
    EXPECT_EQ(told(0, 1200, next).end[0].reason, static_cast<uint32_t>(PARTITA_RESET_FAULT));
    EXPECT_EQ(next.look(1500), 0u);
    EXPECT_EQ(starts(), 1u);
}

TEST_F(HistoryTest, AStartThatIsRefusedIsNotTriedForEver) {
    (void)history.look(1);
    (void)wait_after_failure(1000);
    says = PARTITA_BUSY;
    EXPECT_EQ(history.look(1500), 1510u) << "another change is under way: soon";
    says = PSCI_DENIED;
    EXPECT_EQ(history.look(1510), 0u);
    EXPECT_EQ(history.look(1600), 0u);
    EXPECT_EQ(starts(), 2u);
    EXPECT_EQ(fake.printed.find("is started"), fake.printed.find("is started again in")) << "only what was done is told";
}

TEST_F(HistoryTest, WhatIsMadeInAPlaceHasNoPast) {
    (void)history.look(1);
    end(1, PARTITA_RESET_FAULT), run(1);
    (void)history.look(500);
    EXPECT_EQ(told(1, 500).ends, 1u);
    end(1, PARTITA_RESET_MANAGER);
    states[1].is = PARTITA_IS_OF_POOL | PARTITA_IS_EMPTY;
    (void)history.look(600);
    EXPECT_EQ(told(1, 600).ends, 0u);
    states[1].is = PARTITA_IS_OF_POOL | PARTITA_IS_LOADED;
    run(1);
    (void)history.look(700);
    EXPECT_EQ(told(1, 700).ends, 0u);
    end(1, PARTITA_RESET_EXIT);
    (void)history.look(900);
    EXPECT_EQ(told(1, 900).ends, 1u);
    EXPECT_EQ(told(1, 900).end[0].lasted, 200u);
}

// A page that a crash of the parent left in any state makes it neither read nor write beside it, nor wait in vain.
TEST_F(HistoryTest, AnyPageIsBorne) {
    for (uint32_t fill : {0x00u, 0x01u, 0x5au, 0xffu}) {
        (void)history.look(1);
        std::memset(page.data() + 4, static_cast<int>(fill), page.size() - 4);
        parent::History next{1000};
        next.open(page.data());
        next.restart_after(1, 86'400'000);
        end(1, PARTITA_RESET_FAULT);
        (void)next.look(1000);
        (void)next.look(2000);
        EXPECT_LE(told(1, 2000, next).due, 2000u + 86'400'000u) << fill;
        run(1);
    }
    page[0] ^= 1;  // another's
    parent::History next{1000};
    next.open(page.data());
    EXPECT_EQ(told(1, 0, next).ends, 0u);
}

TEST_F(HistoryTest, WithoutAPageNothingIsKept) {
    parent::History none{1000};
    none.restart_after(1, 500);
    end(1, PARTITA_RESET_FAULT);
    EXPECT_EQ(none.look(1000), 0u);
    EXPECT_TRUE(fake.calls.empty());
    EXPECT_EQ(told(1, 0, none).frequency, 0u) << "refused";
    EXPECT_EQ(told(8, 0).frequency, 0u) << "there are not as many";
}

}  // namespace
}  // namespace partita
