// The analysis against brute force, the literature's examples, and the scheduler itself.
#include "timing/response.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fake_system.hpp"
#include "random.hpp"

namespace partita::tool {
namespace {

constexpr Nanoseconds us = 1000;

std::vector<PlannedWindow> random_windows(Random& random, std::uint32_t partitions) {
    std::vector<PlannedWindow> out;
    std::uint64_t at = 0;
    for (std::uint32_t n = 2 + random.below(4); n != 0; --n) {
        const std::uint64_t length = 20 + random.below(60);
        out.push_back({at, length, random.below(1u << partitions) | (n == 2 ? 1u : 0u), {}});
        at += length;
    }
    return out;
}

TEST(Supply, IsWhatTheWorstMomentGives) {
    Random random{1};
    for (int round = 0; round < 200; ++round) {
        const auto windows = random_windows(random, 2);
        const std::uint64_t frame = windows.back().end(), loss = random.below(3);
        const Supply supply{windows, 0, loss * us};
        std::vector<bool> usable(frame);
        for (const auto& window : windows)
            if ((window.partitions & 1u) != 0)
                for (std::uint64_t t = window.at + loss; t < window.end(); ++t) usable[t] = true;
        for (const std::uint64_t demand : {std::uint64_t{1}, std::uint64_t{19}, frame / 2, 3 * frame}) {
            std::uint64_t worst = 0;
            for (std::uint64_t from = 0; from < frame; ++from) {
                std::uint64_t time = 0;
                for (std::uint64_t got = 0; got < demand; ++time) got += usable[(from + time) % frame];
                worst = std::max(worst, time);
            }
            ASSERT_EQ(supply.longest_for(demand * us), worst * us) << "round " << round << " demand " << demand;
        }
    }
}

// A system on one CPU, as a plan: what is analysed is what runs.
struct Task {
    std::uint32_t priority = 0;
    std::uint64_t wcet = 0, period = 0;  // microseconds
    std::uint32_t budget = 0, budget_period = 0;
    bool greedy = false;  // states nothing, and takes what its budget allows, in bursts
};
struct Case {
    std::vector<Task> tasks;
    std::vector<PlannedWindow> windows;
    std::uint64_t slice = 0;  // microseconds

    void fill(Plan& plan) const {
        plan.partitions.clear();
        plan.schedules.clear();
        plan.slices = {slice * us, 0};
        for (std::size_t n = 0; n < tasks.size(); ++n) {
            auto partition = FakeSystem::partition(fmt::format("task{}", n), {0}, 0x5000'0000 + n * kBlockSize);
            partition.priority = tasks[n].priority;
            if (!tasks[n].greedy) partition.wcet = tasks[n].wcet * us, partition.period = partition.deadline = tasks[n].period * us;
            partition.budget = tasks[n].budget, partition.budget_period = tasks[n].budget_period;
            plan.partitions.push_back(std::move(partition));
        }
        if (!windows.empty()) plan.schedules.push_back({"only", windows.back().end(), {windows, {}}});
    }
    [[nodiscard]] std::vector<Promise> analysed(const Costs& costs = {}) const {
        static const Board board;
        Plan plan;
        plan.board = &board;
        fill(plan);
        return analyse(plan, costs);
    }
};

// Joseph and Pandya's example, as in Burns and Wellings, "Real-Time Systems and Programming Languages": 3, 6 and 20.
TEST(Response, IsThatOfTheLiterature) {
    const Case example{{{3, 3, 7}, {2, 3, 12}, {1, 5, 20}}, {}, 0};
    const auto promises = example.analysed();
    ASSERT_EQ(promises.size(), 3u);
    EXPECT_EQ(promises[0].response, 3 * us);
    EXPECT_EQ(promises[1].response, 6 * us);
    EXPECT_EQ(promises[2].response, 20 * us);
    EXPECT_TRUE(promises[2].kept());
}

TEST(Response, CountsTheHypervisor) {
    const Case example{{{2, 3, 30}, {1, 5, 40}}, {}, 0};
    const Costs costs{.preempt = 300, .change = 100, .longest = 2000};
    const auto promises = example.analysed(costs);
    EXPECT_EQ(promises[0].response, 3 * us + 2100 + 300) << "itself, and a less urgent sleeper's timer";
    EXPECT_EQ(promises[1].response, 5 * us + 2100 + 3 * us + 400);
    const Case windowed{{{1, 5, 100}}, {{0, 30, 1, {}}, {30, 70, 0, {}}}, 0};
    EXPECT_EQ(windowed.analysed(costs)[0].response, 70 * us + 2000 + 5 * us + 2100);
}

TEST(Response, CountsTheSecureWorld) {
    static const Board board;
    Plan plan;
    plan.board = &board;
    Case{{{1, 2000, 10'000}}, {}, 0}.fill(plan);
    const Costs costs{.secure_loop = 10 * us, .secure_look = 1 * us};
    EXPECT_EQ(analyse(plan, costs)[0].response, 2000 * us);
    plan.has_secure_partition = true;
    EXPECT_EQ(analyse(plan, costs)[0].response, 2000 * us + 4 * 10 * us) << "one that has just begun, and three more";
    plan.partitions[0].cpus = {1};
    EXPECT_EQ(analyse(plan, costs)[0].response, 2000 * us + 2 * 1 * us) << "on another CPU it looks now and then";
}

TEST(Response, WithoutABoundItSaysWhy) {
    const Case greedy{{{2, 0, 0}, {1, 5, 20}}, {}, 0};
    const auto promises = greedy.analysed();
    ASSERT_EQ(promises.size(), 1u);
    EXPECT_FALSE(promises[0].kept());
    EXPECT_NE(promises[0].never.find("\"task0\" is more urgent on CPU 0 and may keep it for ever"), std::string::npos) << promises[0].never;
    const Case full{{{2, 10, 10}, {1, 5, 20}}, {}, 0};
    EXPECT_NE(full.analysed()[1].never.find("takes all the time there is"), std::string::npos);
}

TEST(Response, TurnsComeBeforeItsOwn) {
    const Case equals{{{1, 5, 50}, {1, 20, 50}, {1, 0, 0}}, {}, 2};
    EXPECT_EQ(equals.analysed()[0].response, 5 * us + 3 * 2 * us * 2) << "three turns, each behind one of both others";
}

// Runs the tasks on the scheduler that runs in Hyp, and notes how long each of their jobs took.
class Simulation {
public:
    explicit Simulation(const Case& system)
        : case_(system), fake_(4, [&](Plan& plan) {
              CNTFRQ::write(1'000'000);  // a tick is a microsecond
              system.fill(plan);
          }) {
        fake_.be_cpu(0);
        epoch_ = now_ = CNTPCT::read();
        for (std::uint32_t n = 0; n < system.tasks.size(); ++n) jobs_.push_back({&fake_.vcpu(n, 0)});
    }
    // Each task's first job comes at `first`; the later ones at least its period behind each other, by up to `jitter` more.
    std::vector<std::uint64_t> run(std::uint64_t first, std::uint64_t length, Random& random, std::uint32_t jitter) {
        for (Job& job : jobs_) release(job, epoch_ + first);
        for (const std::uint64_t end = epoch_ + length; now_ < end;) step(random, jitter);
        std::vector<std::uint64_t> out;
        for (const Job& job : jobs_) out.push_back(job.worst);
        return out;
    }

private:
    struct Job {
        Vcpu* vcpu;
        std::uint64_t released = 0, until = 0, worst = 0;  // until: what `ran` is when it is done
    };
    Cpu& cpu() { return system().cpus[0]; }
    void release(Job& job, std::uint64_t at) {
        become(*job.vcpu, RunState::blocked);
        job.vcpu->cntv_ctl = timer_control::enable;
        job.vcpu->cntv_cval = at;
        job.released = at;
        note_sleeper(cpu(), *job.vcpu);
    }
    void step(Random& random, std::uint32_t jitter) {
        const auto running = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.vcpu == cpu().chosen; });
        const std::uint64_t done = running != jobs_.end() ? now_ + (running->until - running->vcpu->ran) : timer::never;
        now_ = std::min({next_deadline(cpu()), done, now_ + 1'000'000});
        CNTPCT::write(now_);
        expire(cpu(), now_);
        if (now_ == done) finish(*running, random, jitter);
        for (Job& job : jobs_)  // one that a timer woke begins its job
            if (job.vcpu->state == RunState::runnable && job.until == job.vcpu->ran) begin(job);
        (void)pick(cpu(), now_);
        for (Job& job : jobs_)
            if (job.vcpu->state == RunState::blocked)
                note_sleeper(cpu(), *job.vcpu);
            else if (job.until == job.vcpu->ran)
                begin(job);
    }
    const Task& task_of(const Job& job) const { return case_.tasks[static_cast<std::size_t>(&job - jobs_.data())]; }
    void begin(Job& job) {
        const Task& task = task_of(job);
        job.until = job.vcpu->ran + (task.greedy ? 1 + bursts_.below(3 * task.budget) : task.wcet);
    }
    void finish(Job& job, Random& random, std::uint32_t jitter) {
        job.worst = std::max(job.worst, now_ - job.released);
        if (const Task& task = task_of(job); task.greedy)
            release(job, now_ + 1 + bursts_.below(2) * bursts_.below(task.budget_period));
        else
            release(job, std::max(now_ + 1, job.released + task.period + random.below(jitter + 1)));
        job.until = job.vcpu->ran + (now_ - cpu().since);  // what pick() is about to charge
    }

    const Case& case_;
    Random bursts_{7};
    FakeSystem fake_;
    std::uint64_t epoch_ = 0, now_ = 0;
    std::vector<Job> jobs_;
};

// All released together at the end of their window, the moment that the analysis takes for the worst: the last one takes exactly as
// long as it says.
TEST(Response, IsWhatTheSchedulerDoesAtTheWorstMoment) {
    Random random{3};
    int checked = 0;
    for (int round = 0; round < 300; ++round) {
        Case system;
        if (round % 2 == 0) system.windows = {{0, 40 + random.below(100), 7, {}}, {0, 20 + random.below(60), 0, {}}};
        if (round % 2 == 0) system.windows[1].at = system.windows[0].end();
        for (std::uint32_t n = 0; n < 3; ++n) system.tasks.push_back({3 - n, 1 + random.below(20), 60 + random.below(200)});
        const auto promises = system.analysed();
        if (!std::all_of(promises.begin(), promises.end(), [](const Promise& promise) { return promise.kept(); })) continue;
        ++checked;
        Simulation simulation{system};
        const std::uint64_t worst_moment = system.windows.empty() ? 10 : system.windows[0].end();
        const auto seen = simulation.run(worst_moment, 20'000, random, 0);
        for (std::size_t n = 0; n < 3; ++n) ASSERT_EQ(seen[n] * us, promises[n].response) << "round " << round << " task " << n;
    }
    EXPECT_GT(checked, 50);
}

// Whatever the windows, budgets, turns and moments: no job takes longer than the analysis says.
TEST(Response, BoundsWhatTheSchedulerDoes) {
    Random random{4};
    int checked = 0, tight = 0;
    for (int round = 0; round < 4000; ++round) {
        Case system;
        if (round % 3 != 0) system.windows = random_windows(random, 4);
        system.slice = round % 2 == 0 ? 0 : 3 + random.below(10);
        for (std::uint32_t n = 0; n < 4; ++n) {
            Task task{system.slice == 0 ? n : random.below(3), 1 + random.below(12), 200 + random.below(600), 0, 0};
            if (random.below(3) == 0) task.budget_period = 50 + random.below(100), task.budget = 5 + random.below(40);
            task.greedy = task.budget != 0 && random.below(2) == 0;
            system.tasks.push_back(task);
        }
        const auto promises = system.analysed();
        if (std::none_of(promises.begin(), promises.end(), [](const Promise& promise) { return promise.kept(); })) continue;
        Simulation simulation{system};
        const auto seen = simulation.run(random.below(300), 60'000, random, 300);
        // Those that other tasks' deadlines matter to count only where these are met.
        const bool all = std::all_of(promises.begin(), promises.end(), [](const Promise& promise) { return promise.kept(); });
        for (const Promise& promise : promises) {
            if (!all || promise.is_budget) continue;
            ++checked;
            ASSERT_LE(seen[promise.partition] * us, promise.response) << "round " << round << ": task " << promise.partition;
            tight += seen[promise.partition] * us * 10 >= promise.response * 8;
        }
    }
    EXPECT_GT(checked, 400);
    EXPECT_GT(tight, 40);
}

}  // namespace
}  // namespace partita::tool
