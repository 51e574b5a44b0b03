// The scheduler against a reference that is written as the documents say it: no masks, nothing remembered that can be computed, time
// by division. Random systems, and guests that sleep, wake and stop as they like; both must choose the same vCPU at every decision.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "fake_system.hpp"
#include "random.hpp"
#include "schedule/schedule.hpp"

namespace partita {
namespace {

using timer::Ticks;

constexpr Ticks ticks_per_us = 1;  // a counter of 1 MHz: the images' microseconds are ticks

struct Described {
    std::uint32_t priority = 0;
    std::uint32_t vcpus = 1;
    std::uint32_t flags = 0, budget = 0, period = 0;
};

// One CPU: its partitions, and one frame of windows.
struct Description {
    std::uint32_t slice = 0;
    std::vector<Described> partitions;
    std::vector<tool::PlannedWindow> windows;  // empty: one without end
};

Description random_description(Random& random) {
    Description out;
    out.slice = random.below(4) == 0 ? 0 : 200 + random.below(3000);
    const std::uint32_t count = 1 + random.below(5);
    for (std::uint32_t n = 0; n < count; ++n) {
        Described partition;
        partition.priority = random.below(3);
        partition.vcpus = 1 + random.below(3);
        if (random.below(3) == 0) partition.flags |= PARTITA_SLACK;
        if (random.below(2) == 0) {
            partition.period = 500 + random.below(5000);
            partition.budget = 50 + random.below(partition.period - 50);
            if (random.below(2) == 0) partition.flags |= PARTITA_BUDGET_EACH;
            if (random.below(2) == 0) partition.flags |= PARTITA_BUDGET_SOFT;
        }
        out.partitions.push_back(partition);
    }
    if (random.below(4) == 0) return out;
    std::uint64_t at = 0;
    for (std::uint32_t n = 1 + random.below(6); n != 0; --n) {
        const std::uint64_t length = PARTITA_SHORTEST_WINDOW_US + random.below(4000);
        out.windows.push_back({at, length, random.below(1u << count), {}});
        at += length;
    }
    return out;
}

// What the documents say, as plainly as it can be said.
class Reference {
public:
    struct Vcpu {
        std::size_t partition = 0, account = 0;
        bool ready = false, asleep = false;
        Ticks wake_at = timer::never, slice_left = 0, ran = 0;
    };
    struct Account {
        Ticks budget = timer::never, period = 1, used = 0, ends = 0;
    };

    Reference(const Description& description, Ticks epoch) : d_(description), epoch_(epoch), now_(epoch) {
        for (std::size_t p = 0; p < d_.partitions.size(); ++p)
            for (std::uint32_t v = 0; v < d_.partitions[p].vcpus; ++v) {
                const Described& partition = d_.partitions[p];
                if (v == 0 || (partition.flags & PARTITA_BUDGET_EACH) != 0)
                    accounts_.push_back(partition.budget != 0 ? Account{partition.budget, partition.period, 0, 0} : Account{});
                vcpus_.push_back({p, accounts_.size() - 1});
            }
    }

    [[nodiscard]] Vcpu& vcpu(std::size_t n) { return vcpus_[n]; }
    [[nodiscard]] std::optional<std::size_t> running() const { return running_; }

    // Time passes; then somebody is chosen.
    std::optional<std::size_t> decide(Ticks now) {
        pass(now);
        for (Vcpu& vcpu : vcpus_)
            if (vcpu.asleep && vcpu.wake_at <= now && (inside(vcpu) || has(vcpu, PARTITA_SLACK))) vcpu.asleep = false, vcpu.ready = true;
        for (Account& account : accounts_)
            if (account.used >= account.budget && account.ends <= now) account.used = 0, account.ends += account.period;
        spare_ = false;
        running_ = best([&](const Vcpu& vcpu) { return inside(vcpu) && !spent(vcpu); });
        if (!running_) {
            spare_ = true;
            running_ = best([&](const Vcpu& vcpu) {
                return has(vcpu, PARTITA_SLACK) || (inside(vcpu) && spent(vcpu) && has(vcpu, PARTITA_BUDGET_SOFT));
            });
        }
        if (running_ && !spare_) {
            Account& account = accounts_[vcpus_[*running_].account];
            if (now >= account.ends) account.used = 0, account.ends = now + account.period;
        }
        return running_;
    }

private:
    [[nodiscard]] bool has(const Vcpu& vcpu, std::uint32_t flag) const { return (d_.partitions[vcpu.partition].flags & flag) != 0; }
    [[nodiscard]] bool spent(const Vcpu& vcpu) const { return accounts_[vcpu.account].used >= accounts_[vcpu.account].budget; }
    [[nodiscard]] bool inside(const Vcpu& vcpu) const {
        if (d_.windows.empty()) return true;
        const Ticks at = (now_ - epoch_) % d_.windows.back().end();
        for (const auto& window : d_.windows)
            if (at >= window.at && at < window.end()) return (window.partitions >> vcpu.partition & 1u) != 0;
        return false;
    }
    void pass(Ticks now) {
        if (running_) {
            Vcpu& vcpu = vcpus_[*running_];
            const Ticks used = now - now_;
            vcpu.ran += used;
            vcpu.slice_left -= std::min(used, vcpu.slice_left);
            if (!spare_) {
                Account& account = accounts_[vcpu.account];
                for (Ticks left = used; left != 0; --left) {  // tick by tick
                    if (now - left == account.ends) account.used = 0, account.ends += account.period;
                    ++account.used;
                }
                if (account.ends == now && account.used < account.budget) account.used = 0, account.ends += account.period;
            }
        }
        now_ = now;
    }
    template <typename May>
    std::optional<std::size_t> best(May&& may) {
        std::optional<std::uint32_t> highest;
        for (const Vcpu& vcpu : vcpus_)
            if (vcpu.ready && may(vcpu)) highest = std::max(highest.value_or(0), d_.partitions[vcpu.partition].priority);
        if (!highest) return std::nullopt;
        const auto can = [&](std::size_t n) {
            return vcpus_[n].ready && may(vcpus_[n]) && d_.partitions[vcpus_[n].partition].priority == *highest;
        };
        auto& turn = turns_[*highest];
        if (turn && can(*turn) && vcpus_[*turn].slice_left != 0) return turn;
        const std::size_t from = turn ? *turn : vcpus_.size() - 1;
        for (std::size_t step = 1; step <= vcpus_.size(); ++step) {
            const std::size_t n = (from + step) % vcpus_.size();
            if (!can(n)) continue;
            turn = n;
            vcpus_[n].slice_left = d_.slice != 0 ? d_.slice : timer::never;
            return turn;
        }
        return std::nullopt;
    }

    const Description& d_;
    Ticks epoch_, now_;
    std::vector<Vcpu> vcpus_;
    std::vector<Account> accounts_;
    std::map<std::uint32_t, std::optional<std::size_t>> turns_;
    std::optional<std::size_t> running_;
    bool spare_ = false;
};

// Both, and the guests.
class Simulation {
public:
    Simulation(const Description& description, std::uint32_t seed)
        : random_(seed), fake_(4, [&](tool::Plan& plan) { describe(description, plan); }), reference_(description, epoch) {
        fake_.be_cpu(0);
        for (std::uint32_t p = 0; p < description.partitions.size(); ++p)
            for (std::uint32_t v = 0; v < description.partitions[p].vcpus; ++v) vcpus_.push_back(&fake_.vcpu(p, v));
        for (std::size_t n = 0; n < vcpus_.size(); ++n) {
            if (random_.below(4) == 0) continue;
            become(*vcpus_[n], RunState::runnable);
            reference_.vcpu(n).ready = true;
        }
        decide(epoch);
    }

    // One decision; false where they disagree.
    bool step() {
        const Ticks due = next_deadline(cpu()), event = now_ + 1 + random_.below(3000);
        const bool guest = event < due;
        CNTPCT::write(guest ? event : due);
        if (guest)
            act();
        else
            expire(cpu(), due);
        return decide(guest ? event : due);
    }

    [[nodiscard]] std::string story() const { return story_; }
    [[nodiscard]] Ticks ran(std::size_t n) const { return vcpus_[n]->ran; }

private:
    static constexpr Ticks epoch = 1'000'000;

    static void describe(const Description& description, tool::Plan& plan) {
        CNTFRQ::write(1'000'000 * ticks_per_us);
        plan.partitions.clear();
        plan.slices = {std::uint64_t{description.slice} * 1000, 0};
        for (std::size_t p = 0; p < description.partitions.size(); ++p) {
            const Described& described = description.partitions[p];
            auto partition =
                FakeSystem::partition(fmt::format("p{}", p), std::vector<std::uint32_t>(described.vcpus, 0), 0x5000'0000 + p * kBlockSize);
            partition.priority = described.priority;
            partition.flags = described.flags;
            partition.budget = described.budget, partition.budget_period = described.period;
            plan.partitions.push_back(std::move(partition));
        }
        if (description.windows.empty()) return;
        plan.schedules.push_back({"only", description.windows.back().end(), {description.windows, {}}});
    }

    Cpu& cpu() { return system().cpus[0]; }

    void act() {
        const std::size_t n = random_.below(static_cast<std::uint32_t>(vcpus_.size()));
        switch (random_.below(4)) {
            case 0:
            case 1:  // whoever runs sleeps, for a while or until it is woken
                if (const auto running = reference_.running()) sleep(*running);
                return;
            case 2:  // an interrupt for somebody
                if (!reference_.vcpu(n).asleep) return;
                wake(*vcpus_[n]);
                reference_.vcpu(n).asleep = false, reference_.vcpu(n).ready = true;
                return;
            default:  // somebody is turned off, or on
                if (reference_.vcpu(n).asleep || random_.below(4) != 0) return;
                become(*vcpus_[n], reference_.vcpu(n).ready ? RunState::off : RunState::runnable);
                reference_.vcpu(n).ready = !reference_.vcpu(n).ready;
                return;
        }
    }
    void sleep(std::size_t n) {
        const bool timed = random_.below(4) != 0;
        const Ticks wake_at = CNTPCT::read() + 1 + random_.below(6000);
        become(*vcpus_[n], RunState::blocked);
        vcpus_[n]->cntv_ctl = timed ? timer_control::enable : 0;
        vcpus_[n]->cntv_cval = wake_at;
        auto& mirror = reference_.vcpu(n);
        mirror.ready = false, mirror.asleep = true, mirror.wake_at = timed ? wake_at : timer::never;
        fresh_sleeper_ = vcpus_[n];
    }
    bool decide(Ticks now) {
        now_ = now;
        CNTPCT::write(now);
        const Vcpu* const chosen = pick(cpu(), now);
        if (fresh_sleeper_ != nullptr && fresh_sleeper_->state == RunState::blocked) note_sleeper(cpu(), *fresh_sleeper_);
        fresh_sleeper_ = nullptr;
        const auto expected = reference_.decide(now);
        const auto found = std::find(vcpus_.begin(), vcpus_.end(), chosen);
        const auto index = found - vcpus_.begin();
        story_ += fmt::format(" {}:{}", now - epoch, chosen != nullptr ? std::to_string(index) : "-");
        const bool same = chosen == nullptr ? !expected : expected && *expected == static_cast<std::size_t>(index);
        if (!same) story_ += fmt::format(" but expected {}", expected ? std::to_string(*expected) : "-");
        return same;
    }

    Random random_;
    FakeSystem fake_;
    Reference reference_;
    std::vector<Vcpu*> vcpus_;
    Vcpu* fresh_sleeper_ = nullptr;
    Ticks now_ = epoch;
    std::string story_;
};

TEST(ScheduleModel, ChoosesWhatTheReferenceChooses) {
    const char* const wished = std::getenv("PARTITA_SCHEDULE_SYSTEMS");
    const std::uint32_t systems = wished != nullptr ? static_cast<std::uint32_t>(std::atoi(wished)) : 400;
    for (std::uint32_t seed = 1; seed <= systems; ++seed) {
        Random random{seed};
        const Description description = random_description(random);
        Simulation run{description, seed};
        for (int n = 0; n < 400; ++n) ASSERT_TRUE(run.step()) << "system " << seed << ", decisions:" << run.story();
    }
}

}  // namespace
}  // namespace partita
