// The virtual GIC beside its oracle: random sequences of what guests and hardware do, on two vCPUs and two CPUs, one of them
// shared with another partition. After every step both must signal the same. A sequence that fails is printed as short as it
// can be made.
#include "gic_oracle.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "fake_system.hpp"
#include "partita/hypercall.h"
#include "random.hpp"

namespace partita {
namespace {

constexpr unsigned linked_level = 40, linked_edge = 41, first_shared = 48, first_level = 52, last_shared = 55, emulated_private = 30;

enum class Op : std::uint32_t {
    enable,
    disable,
    set_pending,
    clear_pending,
    set_active,
    clear_active,
    priority,
    target,
    send,
    set_sgi,
    clear_sgi,
    line,
    pulse,
    private_line,
    physical_line,
    physical_pulse,
    acknowledge,
    end,
    swap,
    forward,
    restart,
    count
};
constexpr const char* names[] = {"enable",   "disable",      "set_pending",   "clear_pending",  "set_active",  "clear_active",
                                 "priority", "target",       "send",          "set_sgi",        "clear_sgi",   "line",
                                 "pulse",    "private_line", "physical_line", "physical_pulse", "acknowledge", "end",
                                 "swap",     "forward",      "restart"};
static_assert(std::size(names) == static_cast<std::size_t>(Op::count));

struct Step {
    Op op;
    unsigned cpu, id;
    std::uint32_t value;
};

std::string to_text(const Step& step) {
    return std::string{names[static_cast<unsigned>(step.op)]} + " cpu=" + std::to_string(step.cpu) + " id=" + std::to_string(step.id) +
           " value=" + std::to_string(step.value) + "\n";
}

// Partition a's two vCPUs on CPUs 0 and 1, and partition b that shares CPU 1.
class World {
public:
    // thorough: registers are compared after every step, instead of now and then.
    World(unsigned list_registers, bool thorough) : fake_(list_registers), thorough_(thorough) {
        the_world = this;
        other_cpu = [] { the_world->answer_for_the_other(); };
        fake_.start(1);
        fake_.start(0);
        begin_life();
    }

    // The guest's first steps: its second vCPU, and the lines' kinds.
    void begin_life() {
        EXPECT_EQ(power_on(a_, 1, 0x4000'8000, 0), PSCI_SUCCESS);
        settle();
        if (!loaded(1)) swap();
        write(0, gicd::ICFGR + 12, 4, 0x0000'00aa);  // 48 to 51 are edges
        for (unsigned id = first_shared; id < first_level; ++id) oracle_.at(0, id).edge = true;
        oracle_.at(0, linked_edge).edge = true;
        settle();
    }

    // "" or what differs after this step.
    std::string take(const Step& step) {
        if (!applies(step)) return "";
        apply(step);
        // Something else may make Hyp run before the maintenance interrupt does: the next guest's turn, a register access.
        if (step.op == Op::end && step.cpu == 1 && step.value % 4 == 0) swap();
        if (step.op == Op::end && step.value % 4 == 2) apply({Op::send, step.cpu, step.value / 4 % 4, 2});
        if (step.op == Op::end && step.value % 4 == 1 && loaded(step.cpu)) (void)read(step.cpu, gicd::ISPENDR + step.value % 3 * 4);
        settle();
        if (!wrong_.empty()) return wrong_;
        return compare();
    }

    ~World() { other_cpu = nullptr; }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

private:
    // One CPU waits for the other, whose vCPU may be loaded or parked.
    void answer_for_the_other() {
        const unsigned waits = this_cpu().index, other = 1 - waits;
        fake_.be_cpu(other);
        serve_looks();
        fake_.be_cpu(waits);
    }
    inline static World* the_world = nullptr;

    [[nodiscard]] Vcpu& vcpu(unsigned n) { return fake_.vcpu(0, n); }
    [[nodiscard]] bool loaded(unsigned n) { return vcpu(n).cpu->loaded == &vcpu(n); }
    [[nodiscard]] static bool linked(unsigned id) { return id == linked_level || id == linked_edge; }
    [[nodiscard]] static bool by_guest(Op op) {
        return op != Op::line && op != Op::pulse && op != Op::physical_line && op != Op::physical_pulse && op != Op::swap &&
               op != Op::restart;
    }

    // A vCPU does something only while it is loaded; an end needs something that runs.
    [[nodiscard]] bool applies(const Step& step) {
        if (by_guest(step.op) && !loaded(step.cpu)) return false;
        if (step.op == Op::priority) return !oracle_.runs_anywhere(step.id);
        // Active by a write to ISACTIVER, and inactive by one to ICACTIVER: of nothing that runs, since its end would then be that of
        // another (§3.2.4).
        if (step.op == Op::set_active || step.op == Op::clear_active) return !linked(step.id) && !oracle_.runs_anywhere(step.id);
        // A linked interrupt that waits in a list register is active in the hardware, where another edge makes it pending anew.
        if (step.op == Op::physical_pulse) return !oracle_.pending(0, linked_edge);
        if (step.op == Op::set_pending && step.id == linked_level) return false;  // what no driver does
        if (step.op == Op::end) return !oracle_.running[step.cpu].empty();
        return true;
    }

    void write(unsigned by, std::uint32_t offset, unsigned size, std::uint32_t value) {
        fake_.be_cpu(by);
        if (size == 4)
            a_.distributor.write_word(vcpu(by).interrupts, offset, value);  // as the trap does
        else
            a_.distributor.write(vcpu(by).interrupts, offset, size, value);
    }
    void write_bit(unsigned by, std::uint32_t base, unsigned id) { write(by, base + id / 32 * 4, 4, 1u << id % 32); }
    [[nodiscard]] std::uint32_t read(unsigned by, std::uint32_t offset, unsigned size = 4) {
        fake_.be_cpu(by);
        return size == 4 ? a_.distributor.read_word(vcpu(by).interrupts, offset) : a_.distributor.read(vcpu(by).interrupts, offset, size);
    }

    void apply(const Step& step) {
        const unsigned cpu = step.cpu, id = step.id;
        GicOracle::Interrupt& truth = oracle_.at(cpu, id);
        switch (step.op) {
            case Op::enable: truth.enabled = true; return write_bit(cpu, gicd::ISENABLER, id);
            case Op::disable:
                truth.enabled = id < 16;
                if (id == linked_level) truth.latched = false;  // given back: its line tells when it is enabled again
                return write_bit(cpu, gicd::ICENABLER, id);
            case Op::set_pending:
                if (id >= 16) truth.latched = true;
                return write_bit(cpu, gicd::ISPENDR, id);
            case Op::clear_pending: truth.latched = false; return write_bit(cpu, gicd::ICPENDR, id);
            case Op::set_active: truth.active = true; return write_bit(cpu, gicd::ISACTIVER, id);
            case Op::clear_active: truth.active = false; return write_bit(cpu, gicd::ICACTIVER, id);
            case Op::priority: truth.priority = step.value % 32; return write(cpu, gicd::IPRIORITYR + id, 1, step.value % 32 << 3);
            case Op::target:
                if (id >= 32) truth.targets = step.value & 3u;
                return write(cpu, gicd::ITARGETSR + id, 1, step.value & 3u);
            case Op::send:
                oracle_.send(cpu, id % 16, step.value % 4, step.value >> 2 & 3u);
                return write(cpu, gicd::SGIR, 4, step.value % 4 << 24 | (step.value >> 2 & 3u) << 16 | id % 16);
            case Op::set_sgi:
                oracle_.at(cpu, id % 16).sources |= step.value & 3u;
                return write(cpu, gicd::SPENDSGIR + id % 16, 1, step.value & 3u);
            case Op::clear_sgi:
                oracle_.at(cpu, id % 16).sources &= ~(step.value & 3u);
                return write(cpu, gicd::CPENDSGIR + id % 16, 1, step.value & 3u);
            case Op::line:
                oracle_.set_line(0, id, step.value % 2 != 0);
                fake_.be_cpu(cpu);
                return a_.distributor.set_level(id, step.value % 2 != 0);
            case Op::pulse:
                oracle_.at(0, id).latched = true;
                fake_.be_cpu(cpu);
                return a_.distributor.pulse(id);
            case Op::private_line:
                oracle_.set_line(cpu, emulated_private, step.value % 2 != 0);
                fake_.be_cpu(cpu);
                vcpu(cpu).cntp_ctl = step.value % 2 != 0 ? timer_control::enable : 0;  // due since the counter's begin
                return settle_physical_timer(vcpu(cpu), timer::now());
            case Op::physical_line: line_ = step.value % 2 != 0; return oracle_.set_line(0, linked_level, line_);
            case Op::physical_pulse:
                fake_.gic.physical_pending.insert(linked_edge);
                oracle_.at(0, linked_edge).latched = true;
                return;
            case Op::acknowledge: return acknowledge(cpu);
            case Op::end:
                fake_.be_cpu(cpu);
                fake_.gic.end();
                return oracle_.end(cpu);
            case Op::swap: return swap();
            case Op::restart: return restart(cpu);
            case Op::forward: oracle_.forwards = step.value % 4 != 0; return write(cpu, gicd::CTLR, 4, oracle_.forwards ? 1 : 0);
            case Op::count: return;
        }
    }

    void acknowledge(unsigned cpu) {
        fake_.be_cpu(cpu);
        const auto given = fake_.gic.signalled();
        if (!given) return;
        fake_.gic.acknowledge();
        const bool linked = list_register::Hardware::test(*given);
        oracle_.acknowledge(cpu, list_register::VirtualId::get(*given), linked ? 0 : list_register::SourceCpu::get(*given) % 8);
    }

    // Whatever it was doing: nothing of it is in the next life, apart from what the hardware's lines say.
    void restart(unsigned cpu) {
        fake_.be_cpu(cpu);
        partita::end(a_, Ending::restart, PARTITA_RESET_GUEST);
        settle();
        if (a_.phase.load() != Phase::running || a_.starts != ++lives_) wrong_ = "it does not begin again";
        stack_of_ = {};
        for (unsigned n = 0; n < 2; ++n) {
            fake_.be_cpu(n);
            fake_.gic.running.clear();
        }
        oracle_ = GicOracle{};
        oracle_.set_line(0, linked_level, line_);
        begin_life();
    }

    // CPU 1 goes to the other partition, or comes back.
    void swap() {
        fake_.be_cpu(1);
        Cpu& cpu = system().cpus[1];
        stack_of_[cpu.loaded == &vcpu(1)] = fake_.gic.running;
        FakeSystem::end_turns(cpu);
        (void)run_next(cpu);
        fake_.gic.running = stack_of_[cpu.loaded == &vcpu(1)];
    }

    [[nodiscard]] bool physical_asks(unsigned id) {
        const bool pending = fake_.gic.physical_pending.contains(id) || (id == linked_level && line_);
        return pending && fake_.gic.physical_enabled.contains(id) && !fake_.gic.physical_active.contains(id);
    }

    // Everything that is on its way arrives: physical interrupts, posts, maintenance.
    void settle() {
        for (int round = 0; round < 100; ++round) {
            bool busy = false;
            for (const unsigned id : {linked_level, linked_edge}) {
                if (!physical_asks(id)) continue;
                busy = true;
                fake_.be_cpu(fake_.gic.physical_target[id] == 2 ? 1 : 0);
                fake_.gic.physical_active.insert(id);
                fake_.gic.physical_pending.erase(id);
                oracle_.at(0, id).latched = true;  // taken once, it is delivered, even where its line falls before that
                if (VcpuInterrupts* const here = this_cpu().loaded == nullptr ? nullptr : &this_cpu().loaded->interrupts;
                    here == nullptr || !here->take_same_spi(id))
                    a_.distributor.take_linked(id, here);
            }
            for (unsigned n = 0; n < 2; ++n) {
                fake_.be_cpu(n);
                Cpu& cpu = system().cpus[n];
                if (cpu.loaded != nullptr && fake_.gic.maintenance()) {
                    busy = true;
                    cpu.loaded->interrupts.maintain();
                }
                if ((cpu.inbox.load() | cpu.looks.load()) == 0) continue;
                busy = true;
                try {
                    (void)run_next(cpu);
                } catch (const Idle&) {  // between two lives
                }
            }
            if (!busy) return;
        }
        wrong_ = "it never comes to rest";
    }

    [[nodiscard]] std::string compare() {
        for (unsigned n = 0; n < 2; ++n) {
            const std::string who = "vCPU " + std::to_string(n);
            fake_.be_cpu(n);
            if (!loaded(n)) {
                bool wants = false;
                for (unsigned id = 0; id < GicOracle::interrupts; ++id) wants = wants || oracle_.forwarded(n, id);
                if (vcpu(n).interrupts.wants_to_run() != wants) return who + (wants ? " sleeps on" : " is woken for nothing");
                continue;
            }
            const auto expected = oracle_.signalled(n);
            const auto given = fake_.gic.signalled();
            if (expected.has_value() != given.has_value())
                return who + (given ? " gets " + std::to_string(list_register::VirtualId::get(*given)) + " without a cause"
                                    : " gets nothing; priority " + std::to_string(*expected) + " is due");
            if (!given) continue;
            const unsigned id = list_register::VirtualId::get(*given);
            if (list_register::Priority::get(*given) != *expected || !oracle_.forwarded(n, id))
                return who + " gets " + std::to_string(id) + " of priority " + std::to_string(list_register::Priority::get(*given)) +
                       "; priority " + std::to_string(*expected) + " is due";
        }
        return thorough_ || step_++ % 16 == 0 ? compare_registers() : "";
    }

    [[nodiscard]] std::string compare_registers() {
        for (unsigned n = 0; n < 2; ++n) {
            if (!loaded(n)) continue;
            for (unsigned id = 0; id < GicOracle::interrupts; ++id) {
                const GicOracle::Interrupt& truth = oracle_.at(n, id);
                const std::string what = "vCPU " + std::to_string(n) + " reads of " + std::to_string(id) + ": wrong ";
                const auto bit = [&](std::uint32_t base) { return (read(n, base + id / 32 * 4) >> id % 32 & 1u) != 0; };
                if (bit(gicd::ISENABLER) != truth.enabled) return what + "ISENABLER";
                if (!linked(id) && bit(gicd::ISPENDR) != oracle_.pending(n, id)) return what + "ISPENDR";
                if (bit(gicd::ISACTIVER) != truth.active) return what + "ISACTIVER";
                if (read(n, gicd::IPRIORITYR + id, 1) != truth.priority << 3) return what + "IPRIORITYR";
            }
        }
        return "";
    }

    FakeSystem fake_;
    GicOracle oracle_;
    Partition& a_ = system().partitions[0];
    std::array<std::vector<std::pair<std::uint32_t, std::uint32_t>>, 2> stack_of_;
    bool line_ = false;
    unsigned step_ = 0;
    unsigned lives_ = 1;
    bool thorough_;
    std::string wrong_;
};

Step any_step(Random& random) {
    Step step{static_cast<Op>(random() % static_cast<std::uint32_t>(Op::count)), random() % 2, 0, random()};
    if (step.op == Op::restart && random() % 16 != 0) step.op = Op::forward;
    if (random() % 3 == 0) step.op = random() % 2 == 0 ? Op::acknowledge : Op::end;
    const unsigned shared = first_shared + random() % (last_shared - first_shared + 1);
    step.id = shared;
    if (step.op == Op::line || step.op == Op::pulse) return step;
    if (step.op == Op::private_line) step.id = emulated_private;
    const unsigned others[] = {shared, shared, random() % 4, emulated_private, random() % 2 == 0 ? linked_level : linked_edge};
    step.id = others[random() % std::size(others)];
    return step;
}

std::string run(unsigned list_registers, const std::vector<Step>& steps, bool thorough, std::size_t* failed = nullptr) {
    World world{list_registers, thorough};
    for (std::size_t n = 0; n < steps.size(); ++n) {
        if (const std::string wrong = world.take(steps[n]); !wrong.empty()) {
            if (failed != nullptr) *failed = n;
            return wrong;
        }
    }
    return "";
}

// The shortest sequence that still fails, found by leaving out ever smaller pieces.
std::vector<Step> shorten(unsigned list_registers, std::vector<Step> steps) {
    for (std::size_t piece = steps.size() / 2; piece != 0; piece /= 2)
        for (std::size_t at = 0; at < steps.size();) {
            auto shorter = steps;
            const auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(at);
            shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(piece, steps.size() - at)));
            if (run(list_registers, shorter, true).empty())
                at += piece;
            else
                steps = std::move(shorter);
        }
    return steps;
}

// What random sequences found, as short as it could be made.
TEST(GicOracle, AgreesWhereItOnceDidNot) {
    const std::vector<Step> full_of_active_ones = {{Op::swap, 1, 52, 0},        {Op::set_sgi, 0, 30, 3},     {Op::set_sgi, 0, 40, 2},
                                                   {Op::set_active, 0, 30, 0},  {Op::swap, 0, 3, 0},         {Op::set_active, 0, 54, 0},
                                                   {Op::forward, 0, 52, 1},     {Op::acknowledge, 0, 0, 0},  {Op::send, 1, 40, 736574233},
                                                   {Op::end, 0, 3, 827565666},  {Op::acknowledge, 0, 40, 0}, {Op::end, 0, 52, 2739998698},
                                                   {Op::acknowledge, 0, 41, 0}, {Op::end, 0, 30, 3316826813}};
    EXPECT_EQ(run(2, full_of_active_ones, true), "");
}

TEST(GicOracle, AgreesInAnyOrder) {
    constexpr unsigned length = 250;
    const char* const asked = std::getenv("PARTITA_ORACLE_SEQUENCES");  // for a night
    const auto sequences = static_cast<unsigned>(asked != nullptr ? std::strtoul(asked, nullptr, 10) : 1000);
    for (unsigned seed = 0; seed < sequences; ++seed) {
        Random random{seed};
        constexpr unsigned counts[] = {4, 2, 4, 3, 4, 16};
        const unsigned list_registers = counts[seed % std::size(counts)];
        std::vector<Step> steps{{Op::forward, 0, 0, 1}};
        for (unsigned cpu = 0; cpu < 2; ++cpu)
            for (const unsigned id : {0u, 1u, 2u, 3u, emulated_private}) steps.push_back({Op::priority, cpu, id, random()});
        for (unsigned id = linked_level; id <= last_shared; ++id) {
            steps.push_back({Op::priority, 0, id, random()});
            if (random() % 4 != 0) steps.push_back({Op::enable, 0, id, 0});
        }
        while (steps.size() < length) steps.push_back(any_step(random));
        std::size_t failed = 0;
        if (run(list_registers, steps, false).empty()) continue;
        (void)run(list_registers, steps, true, &failed);
        steps.resize(failed + 1);
        const auto shortest = shorten(list_registers, steps);
        std::string text;
        for (const Step& step : shortest) text += to_text(step);
        FAIL() << "seed " << seed << " with " << list_registers << " list registers: " << run(list_registers, shortest, true) << " after\n"
               << text;
    }
}

}  // namespace
}  // namespace partita
