// What moves when the vCPU on a CPU changes.
#include <gtest/gtest.h>

#include <cstring>

#include "arch/registers.hpp"
#include "banked.hpp"
#include "fake_system.hpp"
#include "partition/world_switch.hpp"
#include "random.hpp"

namespace partita {
namespace {

// All that a guest can read of a CPU, as save_system() and the like find it.
struct Everything {
    SystemRegisters system{};
    BankedRegisters banked{};
    std::uint64_t cntv_cval = 0;
    std::uint32_t fpexc = 0, elr = 0, spsr = 0, vmpidr = 0;

    static Everything read() {
        Everything out;
        save_system(&out.system);
        out.system.teecr = TEECR::read(), out.system.teehbr = TEEHBR::read();
        save_banked(&out.banked);
        out.cntv_cval = CNTV_CVAL::read();
        out.elr = read_elr(), out.spsr = read_spsr(), out.vmpidr = VMPIDR::read();
        return out;
    }
    // Every register another value.
    void fill(Random& random) {
        const auto each = [&](auto& registers) {
            std::array<std::uint32_t, sizeof registers / 4> words{};
            for (std::uint32_t& word : words) word = random();
            std::memcpy(&registers, words.data(), words.size() * 4);
        };
        each(system), each(banked);
        cntv_cval = random();
        elr = random() & ~3u, spsr = psr::svc | (random() & 0xf000'0000u);
    }
    void write() const {
        load_system(&system);
        TEECR::write(system.teecr), TEEHBR::write(system.teehbr);
        load_banked(&banked);
        CNTV_CVAL::write(cntv_cval);
        write_elr(elr), write_spsr(spsr);
    }
    [[nodiscard]] bool operator==(const Everything& other) const {
        constexpr std::size_t without_padding = offsetof(SystemRegisters, teehbr) + 4;
        return std::memcmp(&system, &other.system, without_padding) == 0 && std::memcmp(&banked, &other.banked, sizeof banked) == 0 &&
               cntv_cval == other.cntv_cval && elr == other.elr && spsr == other.spsr && vmpidr == other.vmpidr;
    }
};

TEST(Switch, MovesEveryRegisterOfTheTable) {
    FakeSystem fake;
    fake.be_cpu(1);
    Cpu& cpu = system().cpus[1];
    cpu.has_thumbee = true;
    Vcpu &second = fake.vcpu(0, 1), &other = fake.start(1);
    second.start_entry = 0x4000'8000;
    power_up(second, 0x4000'8000, 0, 0, 0);
    Random random{3};
    Everything its, others;
    its.vmpidr = 0x8000'0001, others.vmpidr = 0x8000'0000;
    for (int round = 0; round < 20; ++round) {
        Vcpu& runs = round % 2 == 0 ? other : second;
        Everything& mine = round % 2 == 0 ? others : its;
        ASSERT_EQ(cpu.loaded, &runs);
        mine.fill(random);
        mine.write();
        FakeSystem::end_turns(cpu);
        cpu.reschedule = true;
        ASSERT_NE(run_next(cpu), &runs) << "it had its turn";
        if (round > 0) {
            EXPECT_TRUE(Everything::read() == (round % 2 == 0 ? its : others)) << "round " << round;
        }
    }
}

}  // namespace
}  // namespace partita
