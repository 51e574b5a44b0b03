#include "schedule/frame.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "random.hpp"
#include "schedule/budget.hpp"

namespace partita {
namespace {

constexpr timer::Ticks epoch = 5000;

// Two schedules on two CPUs that cut their frames differently: 1000 and 700 ticks.
class Frames : public testing::Test {
protected:
    Frames() {
        for (unsigned cpu = 0; cpu < 2; ++cpu) {
            cpus[cpu].first = {cut[cpu][0].data(), cut[cpu][1].data()};
            cpus[cpu].leads = cpu == 0;
            begin_frames(cpus[cpu], epoch);
        }
    }
    static constexpr std::array<std::array<std::array<Window, 2>, 2>, 2> cut{
        {{{{{{300, 1}, {700, 2, true}}}, {{{100, 4}, {600, 8, true}}}}}, {{{{{999, 1}, {1, 2, true}}}, {{{350, 4}, {350, 8, true}}}}}}};
    std::array<FramePosition, 2> cpus;
    ScheduleChange change;
};

TEST_F(Frames, WindowsFollowEachOther) {
    FramePosition& cpu = cpus[0];
    EXPECT_EQ(cpu.end, epoch + 300);
    advance(cpu, change, epoch + 302);
    EXPECT_EQ(cpu.window->inside, 2u);
    EXPECT_EQ(cpu.late, 2u);
    EXPECT_EQ(cpu.end, epoch + 1000);
    advance(cpu, change, epoch + 1000);
    EXPECT_EQ(cpu.frame, 1u);
    EXPECT_EQ(cpu.window->inside, 1u);
    advance(cpu, change, epoch + 10'299);  // held up for a while
    EXPECT_EQ(cpu.frame, 10u);
    EXPECT_EQ(cpu.window->inside, 1u);
    EXPECT_EQ(cpu.end, epoch + 10'300);
}

TEST_F(Frames, WithoutWindowsNothingEnds) {
    FramePosition endless;
    begin_frames(endless, epoch);
    EXPECT_EQ(endless.end, timer::never);
}

TEST_F(Frames, AChangeComesWithTheFrameAfterTheNext) {
    advance(cpus[0], change, epoch + 400);
    change.want(1);
    advance(cpus[0], change, epoch + 1000);
    EXPECT_EQ(cpus[0].schedule, 0u) << "told to the others first";
    advance(cpus[1], change, epoch + 2000);
    EXPECT_EQ(cpus[1].schedule, 1u);
    advance(cpus[0], change, epoch + 2001);
    EXPECT_EQ(cpus[0].schedule, 1u);
    EXPECT_EQ(cpus[0].end, epoch + 2100);
}

// However late a CPU sees the ends of its windows, up to a frame, and whatever is wanted meanwhile, frames begin everywhere at the same
// time with the same schedule. Long enough for the frames' numbers to wrap.
TEST_F(Frames, AllCpusAgree) {
    Random random{1};
    std::map<std::uint32_t, std::pair<std::uint32_t, timer::Ticks>> seen[2];
    for (FramePosition& cpu : cpus) cpu.frame = 0x00ff'fff0;
    timer::Ticks now = epoch;
    std::uint32_t changes = 0;
    for (int n = 0; n < 200'000; ++n) {
        now += random.below(400);
        if (random.below(5) == 0) change.want(random.below(2));
        FramePosition& cpu = cpus[random.below(2)];
        for (FramePosition& late : cpus)
            if (&late == &cpu || now >= late.end + 200) {  // none is a frame behind
                const std::uint32_t frame = late.frame;
                while (now >= late.end) advance(late, change, late.end);
                if (late.frame != frame && late.window == late.first[late.schedule])
                    seen[&late - cpus.data()][late.frame] = {late.schedule, late.end - late.window->length};
            }
    }
    std::uint32_t common = 0;
    for (const auto& [frame, what] : seen[0])
        if (const auto other = seen[1].find(frame); other != seen[1].end()) {
            ASSERT_EQ(other->second, what) << "frame " << frame;
            ++common;
            changes += what.first;
        }
    EXPECT_GT(common, 1000u);
    EXPECT_GT(changes, 100u);
}

TEST(Budget, IsNeverMoreThanTheBound) {
    Random random{2};
    for (int round = 0; round < 300; ++round) {
        const timer::Ticks period = 20 + random.below(80), budget = 1 + random.below(period - 1);
        Account account{.budget = budget, .period = period};
        std::vector<bool> used;  // of each tick
        timer::Ticks now = 1000;
        for (int step = 0; step < 200; ++step) {
            const timer::Ticks idle = random.below(3) == 0 ? random.below(period) : 0;
            now += idle;
            used.insert(used.end(), idle, false);
            if (account.spent() && account.renews > now && account.renews != 0) {
                used.insert(used.end(), account.renews - now, false);
                now = account.renews;
            }
            if (account.spent() && account.renews != 0 && now == account.renews) account.reopen();
            account.open(now);
            const timer::Ticks most = account.spent_at(now) - now, want = 1 + random.below(2 * period), run = std::min(most, want);
            now += run;
            used.insert(used.end(), run, true);
            account.draw(run, now);
            ASSERT_EQ(account.spent(), run == most) << "the timer that is set for its end comes when it is spent, and not before";
        }
        std::vector<timer::Ticks> sum(used.size() + 1);
        for (std::size_t n = 0; n < used.size(); ++n) sum[n + 1] = sum[n] + used[n];
        for (const timer::Ticks length : {period / 2, period, 2 * period, 3 * period + budget, 7 * period}) {
            const timer::Ticks bound = budget * ((length + period - budget + period - 1) / period);
            for (std::size_t n = 0; n + length < sum.size(); ++n) ASSERT_LE(sum[n + length] - sum[n], bound) << "in " << length;
        }
    }
}

// What was overrun, since nobody can be stopped at once, is paid back.
TEST(Budget, AnOverrunIsOwed) {
    Account account{.budget = 10, .period = 100};
    account.open(1000);
    account.draw(25, 1025);
    EXPECT_TRUE(account.spent());
    account.reopen();
    EXPECT_TRUE(account.spent()) << "10 - 15";
    account.reopen();
    EXPECT_FALSE(account.spent());
    EXPECT_EQ(account.left, 5);
}

}  // namespace
}  // namespace partita
