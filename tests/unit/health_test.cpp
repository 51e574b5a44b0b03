// What the log is told of a partition that a fault or its watchdog ended.
#include "partition/health.hpp"

#include <gtest/gtest.h>

#include "arch/registers.hpp"
#include "banked.hpp"
#include "fake_system.hpp"
#include "trap/handlers.hpp"

namespace partita {
namespace {

class Health : public testing::Test, public FakeTranslation {
protected:
    static constexpr std::uint32_t sp = 0x4000'0ff8;
    Health() {
        b.description = &description;
        fake.hold_log();
        fake_translation = this;
        vcpu.r = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0xaa};
        fake_hardware.banked.sp_svc = sp, fake_hardware.banked.lr_svc = 0xbb, fake_hardware.banked.lr_abt = 0xcc;
        fake_hardware.banked.fiq[0] = 0xf8, fake_hardware.banked.fiq[5] = sp, fake_hardware.banked.fiq[6] = 0xfe;
        for (std::uint32_t n = 0; n < 16; ++n) {
            const std::uint32_t word = 0x5000'0000 + n;
            std::memcpy(fake_hardware.memory(pa + (sp & 0xfff) + n * 4), &word, 4);
        }
        (void)fake.log();
    }
    ~Health() override { fake_translation = nullptr; }
    // The guest's first page, and no other.
    std::uint64_t translate(std::uint32_t address, bool, bool) override { return address < 0x4000'1000 ? address & ~0xfffu : 1u; }

    // Ends the partition by a fault of its vCPU, and carries out what follows until it lives again or is off.
    void fault(std::uint32_t mode) {
        write_spsr(mode), write_elr(0x4000'1234);
        write_banked(mode, 13, sp);  // the fake has two views of the banks
        asynchronous_abort(vcpu);
        fake.be_cpu(1);
        while (b.phase.load() != Phase::running && b.phase.load() != Phase::off) (void)run_next(*vcpu.cpu);
    }

    FakeSystem fake;
    Partition& b = system().partitions[1];
    partita_partition description = *b.description;
    Vcpu& vcpu = fake.start(1);
    const std::uint64_t pa = b.regions[0].pa;
};

TEST_F(Health, AFaultTellsRegistersStackAndCounters) {
    b.guest.flags |= PARTITA_ON_FAULT_RESTART;
    vcpu.exits[0] = 7, vcpu.exits[0x12] = 5, vcpu.exits[0x24] = 3, vcpu.exits[0x03] = 2, vcpu.exits[0x20] = 1;
    fault(psr::svc);
    const std::string log = fake.log();
    EXPECT_EQ(b.starts, 2u);
    const auto has = [&](const char* line) { return log.find(line) != std::string::npos; };
    EXPECT_TRUE(has("fault partition=1 vcpu=0 cause=asynchronous-abort")) << log;
    EXPECT_TRUE(has("stopped partition=1 vcpu=0 pc=0x40001234 cpsr=0x00000013 sp=0x40000ff8 lr=0x000000bb\n")) << log;
    EXPECT_TRUE(has("registers partition=1 vcpu=0 from=0x00000000 a=0x00000010 b=0x00000011 c=0x00000012 d=0x00000013\n")) << log;
    EXPECT_TRUE(has("registers partition=1 vcpu=0 from=0x0000000c a=0x0000001c b=0x40000ff8 c=0x000000bb d=0x40001234\n")) << log;
    EXPECT_TRUE(has("stack partition=1 vcpu=0 from=0x40000ff8 a=0x50000000 b=0x50000001 c=0x00000000 d=0x00000000\n"))
        << "two words lie in the page that it has\n"
        << log;
    EXPECT_FALSE(has("from=0x40001008"));
    EXPECT_TRUE(has("exits partition=1 vcpu=0 interrupts=7 waits=0 calls=5 accesses=3 coprocessor=2 others=1\n")) << log;
    EXPECT_LT(log.find("exits"), log.find("is=restarting")) << "before its memory is cleared";
}

TEST_F(Health, EachModeHasItsOwnRegisters) {
    b.guest.flags |= PARTITA_ON_FAULT_RESTART;
    const std::pair<std::uint32_t, const char*> expected[] = {{psr::fiq, "from=0x00000008 a=0x000000f8"},
                                                              {psr::fiq, "b=0x40000ff8 c=0x000000fe"},
                                                              {psr::abt, "c=0x000000cc"},
                                                              {psr::usr, "c=0x000000aa"},
                                                              {psr::sys, "c=0x000000aa"}};
    for (const auto& [mode, words] : expected) {
        vcpu.r[13] = 0xaa, fake_hardware.banked.lr_abt = 0xcc;
        fake_hardware.banked.fiq[0] = 0xf8, fake_hardware.banked.fiq[5] = sp, fake_hardware.banked.fiq[6] = 0xfe;
        CNTPCT::write(CNTPCT::read() + 2 * 62'500'000ull);
        fault(mode);
        EXPECT_NE(fake.log().find(words), std::string::npos) << words;
    }
}

TEST_F(Health, IsToldOnceASecond) {
    b.guest.flags |= PARTITA_ON_FAULT_RESTART;
    fault(psr::svc);
    EXPECT_NE(fake.log().find("stopped "), std::string::npos);
    fault(psr::svc);
    EXPECT_EQ(fake.log().find("stopped "), std::string::npos);
    CNTPCT::write(CNTPCT::read() + 62'500'000);
    fault(psr::svc);
    EXPECT_NE(fake.log().find("stopped "), std::string::npos);
}

TEST_F(Health, OfAPartitionThatStaysOffToo) {
    b.guest.flags |= PARTITA_ON_FAULT_STOP;
    write_spsr(psr::svc);
    asynchronous_abort(vcpu);
    fake.be_cpu(1);
    EXPECT_THROW((void)run_next(*vcpu.cpu), Idle);
    EXPECT_EQ(b.phase.load(), Phase::off);
    EXPECT_NE(fake.log().find("stopped partition=1"), std::string::npos);
}

TEST_F(Health, AWatchdogTellsOfTheFirstVcpuEvenWhereItSleeps) {
    become(vcpu, RunState::blocked);
    bite(b);
    fake.be_cpu(1);
    while (b.phase.load() != Phase::running) (void)run_next(*vcpu.cpu);
    EXPECT_NE(fake.log().find("registers partition=1 vcpu=0"), std::string::npos);
}

TEST_F(Health, AnOrderlyEndTellsNothing) {
    end(b, Ending::restart, PARTITA_RESET_GUEST);
    fake.be_cpu(1);
    while (b.phase.load() != Phase::running) (void)run_next(*vcpu.cpu);
    EXPECT_EQ(fake.log().find("stopped "), std::string::npos);
}

}  // namespace
}  // namespace partita
