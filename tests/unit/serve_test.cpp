// Accesses of a driver to a virtio device that another partition serves: who waits for whom, and for how long.
#include "message/serve.hpp"

#include <gtest/gtest.h>

#include "arch/syndrome.hpp"
#include "banked.hpp"
#include "fake_system.hpp"
#include "message/hypercall.hpp"
#include "partita/hypercall.h"
#include "partition/control.hpp"
#include "trap/handlers.hpp"

namespace partita {
namespace {

constexpr std::uint32_t device_id = 0x008, status = 0x070, notify = 0x050, interrupt_status = 0x060, acknowledge = 0x064, config = 0x100;
constexpr std::uint32_t line = 48, timeout_us = 1000;

// "a" has a device, with vCPUs on both CPUs; "b", on the second, serves it.
class Serve : public testing::Test {
protected:
    Serve()
        : fake(4, [](tool::Plan& plan) {
              plan.partitions[1].flags = PARTITA_RIGHT_SERVE | PARTITA_RIGHT_MANAGE;
              plan.partitions[1].serves = true;
              tool::PlannedVirtio device;
              device.slot = 0, device.interrupt = line, device.server = 1, device.timeout_us = timeout_us;
              plan.partitions[0].virtio.push_back(device);
              plan.partitions[1].regions.push_back({"memory of a", 0x5000'0000, 0x4100'0000, kBlockSize,
                                                    PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_SERVED});
          }) {
        fake.start(1);
        fake.start(0);
        fake_banks = {};
        write_spsr(psr::svc);
        write_elr(0x4000'8000);
        while (ask(PARTITA_HYPERCALL_TAKE) == PSCI_SUCCESS) {  // that it is to look at all queues
        }
    }

    void settle() {
        for (int round = 0; round < 4; ++round)
            for (std::uint32_t cpu = 0; cpu < 2; ++cpu) {
                fake.be_cpu(cpu);
                try {
                    (void)run_next(system().cpus[cpu]);
                } catch (const Idle&) {
                }
            }
        fake.be_cpu(0);
    }
    std::int32_t ask(std::uint32_t function, std::uint32_t r1 = 0, std::uint32_t r2 = 0, std::uint32_t r3 = 0) {
        fake.be_cpu(1);
        server.r[0] = function, server.r[1] = r1, server.r[2] = r2, server.r[3] = r3;
        hypercall(server);
        const auto result = static_cast<std::int32_t>(server.r[0]);
        fake.be_cpu(0);
        return result;
    }
    // The driver accesses a register with r3. Its PC is behind the instruction once that is done.
    void access(std::uint32_t offset, bool write, unsigned size = 4, std::uint32_t more = 0) {
        constexpr std::uint32_t described = 1u << 24, translation = 0x06, store = 1u << 6;
        fake.be_cpu(0);
        HDFAR::write(0xf000'0000 + offset);
        HPFAR::write(static_cast<std::uint32_t>((0x0a00'0000u + offset) >> 8 & 0xffff'fff0u));
        const Syndrome value{0x24u << 26 | 1u << 25 | described |
                             (size == 4   ? 2u
                              : size == 2 ? 1u
                                          : 0u)
                                 << 22 |
                             3u << 16 | translation | (write ? store : 0) | more};
        apply(driver, dispatch(driver, value), value);
    }
    void read(std::uint32_t offset, unsigned size = 4) { access(offset, false, size); }
    void write(std::uint32_t offset, std::uint32_t value, unsigned size = 4) {
        driver.r[3] = value;
        access(offset, true, size);
    }
    [[nodiscard]] bool pending(std::uint32_t id) {
        return (a.distributor.read(driver.interrupts, 0x200 + id / 32 * 4, 4) >> id % 32 & 1u) != 0;
    }
    [[nodiscard]] bool serve_interrupt_pends() {
        constexpr std::uint32_t id = tool::platform::serve_interrupt;
        return (b.distributor.read(server.interrupts, 0x200 + id / 32 * 4, 4) >> id % 32 & 1u) != 0;
    }
    void forget_serve_interrupt() {  // GICD_ICPENDR
        constexpr std::uint32_t id = tool::platform::serve_interrupt;
        b.distributor.write(server.interrupts, 0x280 + id / 32 * 4, 4, 1u << id % 32);
        ASSERT_FALSE(serve_interrupt_pends());
    }
    void pass(std::uint32_t microseconds) {
        const std::uint64_t ticks = std::uint64_t{62'500'000} * microseconds / 1'000'000;
        CNTPCT::write(CNTPCT::read() + ticks);
        fake.be_cpu(0);
        expire(system().cpus[0], timer::now());
    }

    FakeSystem fake;
    Partition& a = system().partitions[0];
    Partition& b = system().partitions[1];
    Vcpu& driver = fake.vcpu(0, 0);
    Vcpu& server = fake.vcpu(1, 0);
};

TEST_F(Serve, AReadWaitsForTheServersAnswer) {
    read(device_id);
    EXPECT_EQ(driver.state, RunState::waiting);
    EXPECT_EQ(read_elr(), 0x4000'8000u) << "not done yet";
    EXPECT_TRUE(serve_interrupt_pends());
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    const std::uint32_t handle = server.r[1];
    EXPECT_EQ(handle & 0xffffu, 0u) << "device 0, vCPU 0";
    EXPECT_EQ(server.r[2], PARTITA_ASK_READ << 28 | PARTITA_ASK_LAST | 4u << 16 | device_id);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY) << "once";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle, 3), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(driver.r[3], 3u);
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle, 4), PARTITA_WRONG_STATE) << "once";
}

TEST_F(Serve, AWriteTellsItsValueAndWaits) {
    write(status, 0xf);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_WRITE} << 28 | PARTITA_ASK_LAST | 4u << 16 | status);
    EXPECT_EQ(server.r[3], 0xfu);
    EXPECT_EQ(driver.state, RunState::waiting);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, server.r[1]), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.r[3], 0xfu) << "a store changes no register";
    EXPECT_EQ(read_elr(), 0x4000'8004u);
}

TEST_F(Serve, NarrowReadsExtendAndBigEndianOnesSwap) {
    read(config + 1, 1);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], PARTITA_ASK_LAST | 1u << 16 | (config + 1));
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, server.r[1], 0xffff'ff85), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.r[3], 0x85u);
    constexpr std::uint32_t sign_extend = 1u << 21;
    access(config, false, 2, sign_extend);
    write_spsr(psr::svc | psr::BigEndian::mask);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, server.r[1], 0x1280), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.r[3], 0xffff'8012u);
}

TEST_F(Serve, WhatNeedsNoServerIsDoneAtOnce) {
    read(0);
    EXPECT_EQ(driver.r[3], 0x7472'6976u);
    read(4);
    EXPECT_EQ(driver.r[3], 2u);
    EXPECT_EQ(read_elr(), 0x4000'8008u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_RAISE, 0, 1), PSCI_SUCCESS);
    EXPECT_TRUE(pending(line));
    read(interrupt_status);
    EXPECT_EQ(driver.r[3], 1u);
    write(acknowledge, 1);
    read(interrupt_status);
    EXPECT_EQ(driver.r[3], 0u);
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
}

TEST_F(Serve, NotificationsArePostedAndAddUp) {
    write(notify, 1);
    write(notify, 4);
    write(notify, 33);  // told apart from 1 by nobody
    EXPECT_EQ(driver.state, RunState::runnable);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[1], 0u);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_NOTIFY} << 28 | PARTITA_ASK_LAST);
    EXPECT_EQ(server.r[3], 0x12u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, 0, 0), PARTITA_WRONG_STATE) << "nobody waits";
}

// A server that is told that nothing waits asks again when it is interrupted: so one comes for all that is not said.
TEST_F(Serve, OnlyTheLastIsCalledTheLast) {
    write(notify, 1);
    read(config);
    ASSERT_EQ(driver.state, RunState::waiting);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2] & PARTITA_ASK_LAST, 0u);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_NE(server.r[2] & PARTITA_ASK_LAST, 0u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
    forget_serve_interrupt();
    write(notify, 2);
    EXPECT_TRUE(serve_interrupt_pends());
}

TEST_F(Serve, AnEmptySlotHasNoDevice) {
    read(0x200);
    EXPECT_EQ(driver.r[3], 0x7472'6976u);
    read(0x204);
    EXPECT_EQ(driver.r[3], 2u);
    driver.r[3] = 99;
    read(0x208);
    EXPECT_EQ(driver.r[3], 0u);
    write(0x270, 1);
    write(0x250, 1);
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
}

TEST_F(Serve, ADriverWaitsNoLongerThanDescribed) {
    FakeSystem::hold_log();
    read(device_id);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    pass(timeout_us - 1);
    settle();
    EXPECT_EQ(driver.state, RunState::waiting);
    driver.r[3] = 99;
    pass(2);
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(driver.r[3], 0u);
    EXPECT_EQ(read_elr(), 0x4000'8004u);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, server.r[1], 3), PARTITA_WRONG_STATE) << "too late";
    EXPECT_NE(fake.log().find("unserved partition=0 vcpu=0 device=0 server=1 is=late ms=1"), std::string::npos);
}

TEST_F(Serve, ALateAnswerIsNotTheNextRequests) {
    read(device_id);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    const std::uint32_t first = server.r[1];
    pass(timeout_us + 1);
    settle();
    read(status);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_NE(server.r[1], first);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, first, 3), PARTITA_WRONG_STATE);
    EXPECT_EQ(driver.state, RunState::waiting);
}

TEST_F(Serve, AServersEndLetsItsDriversGo) {
    FakeSystem::hold_log();
    read(device_id);
    fake.be_cpu(1);
    ASSERT_TRUE(end(b, Ending::off, PARTITA_RESET_GUEST));
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(driver.r[3], 0u);
    EXPECT_NE(fake.log().find("device=0 server=1 is=off"), std::string::npos);
    read(device_id);  // without a server: at once
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(read_elr(), 0x4000'8008u);
    write(notify, 2);
    EXPECT_EQ(driver.state, RunState::runnable);
}

TEST_F(Serve, ANewServerLooksAtEverything) {
    fake.be_cpu(1);
    ASSERT_TRUE(end(b, Ending::off, PARTITA_RESET_GUEST));
    settle();
    write(notify, 2);
    fake.start(1);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_NOTIFY} << 28 | PARTITA_ASK_LAST);
    EXPECT_EQ(server.r[3], ~0u);
}

TEST_F(Serve, TheEndOfADriverTakesItsRequestBack) {
    read(device_id);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    const std::uint32_t handle = server.r[1];
    ASSERT_TRUE(end(a, Ending::off, PARTITA_RESET_GUEST));
    settle();
    EXPECT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(driver.state, RunState::off);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle, 3), PARTITA_WRONG_STATE);
}

TEST_F(Serve, MemoryIsTouchedOnceTheServerHasLetGo) {
    write(notify, 1);
    ASSERT_TRUE(end(a, Ending::restart, PARTITA_RESET_GUEST));
    settle();
    EXPECT_EQ(a.phase.load(), Phase::loading);
    EXPECT_EQ(driver.state, RunState::waiting);
    EXPECT_EQ(a.cursor.step, LoadCursor::Step::release);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_RELEASE} << 28) << "and not the notification of the life before";
    const std::uint32_t handle = server.r[1];
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[1], handle) << "nothing else comes before";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle), PSCI_SUCCESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle), PARTITA_WRONG_STATE);
    settle();
    EXPECT_EQ(a.phase.load(), Phase::running);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
}

TEST_F(Serve, AServerThatDoesNotLetGoIsWaitedForAsLongAsDescribed) {
    FakeSystem::hold_log();
    ASSERT_TRUE(end(a, Ending::restart, PARTITA_RESET_GUEST));
    settle();
    EXPECT_EQ(driver.state, RunState::waiting);
    pass(timeout_us + 1);
    settle();
    EXPECT_EQ(a.phase.load(), Phase::running);
    EXPECT_NE(fake.log().find("unserved partition=0 vcpu=0 device=0 server=1 is=late"), std::string::npos);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_RELEASE} << 28) << "it is still to do so, before anything else";
}

TEST_F(Serve, AServerThatWasNotThereIsToldOfTheNewLifeFirst) {
    fake.be_cpu(1);
    ASSERT_TRUE(end(b, Ending::off, PARTITA_RESET_GUEST));
    settle();
    ASSERT_TRUE(end(a, Ending::restart, PARTITA_RESET_GUEST));
    settle();
    ASSERT_EQ(a.phase.load(), Phase::running) << "waits for nobody";
    fake.start(1);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_RELEASE} << 28);
    const std::uint32_t handle = server.r[1];
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[1], handle) << "nothing else comes before";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle), PSCI_SUCCESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle), PARTITA_WRONG_STATE);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], std::uint32_t{PARTITA_ASK_NOTIFY} << 28 | PARTITA_ASK_LAST);
}

TEST_F(Serve, AnAnswerDuringAPauseIsThereAfterwards) {
    read(device_id);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    const std::uint32_t handle = server.r[1];
    ASSERT_EQ(control(a, b, PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    settle();
    ASSERT_EQ(a.phase.load(), Phase::paused);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, handle, 3), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.state, RunState::paused);
    EXPECT_EQ(driver.resumes_as, RunState::runnable);
    ASSERT_EQ(control(a, b, PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(driver.r[3], 3u);
}

TEST_F(Serve, AWaitGoesOnAfterAPause) {
    read(device_id);
    ASSERT_EQ(control(a, b, PARTITA_CONTROL_PAUSE), PSCI_SUCCESS);
    settle();
    ASSERT_EQ(control(a, b, PARTITA_CONTROL_RESUME), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.state, RunState::waiting);
    pass(timeout_us + 1);
    settle();
    EXPECT_EQ(driver.state, RunState::runnable);
}

// ldr r3, [r1, #4]! and the like: the CPU does not say what they do.
TEST_F(Serve, AnAccessThatTheCpuDoesNotDescribeIsForwarded) {
    constexpr std::uint32_t code = 0x4010'0000, write_flag = 1u << 6;
    class Flat final : public FakeTranslation {
        std::uint64_t translate(std::uint32_t address, bool, bool) override { return address & ~0xfffu; }
    } flat;
    fake_translation = &flat;
    const auto undescribed = [&](std::uint32_t instruction, std::uint32_t offset, std::uint32_t flags) {
        std::memcpy(fake_hardware.memory(0x4110'0000), &instruction, 4);
        write_elr(code);
        HDFAR::write(0x0a00'0000 + offset);
        HPFAR::write(0x0a00'0000 >> 8);
        const Syndrome value{0x24u << 26 | 1u << 25 | flags | 0x06};
        apply(driver, dispatch(driver, value), value);
    };
    driver.r[1] = 0x0a00'0004;
    undescribed(0xe5b1'3004, device_id, 0);
    EXPECT_EQ(driver.r[1], 0x0a00'0008u) << "written back";
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[2], PARTITA_ASK_LAST | 4u << 16 | device_id);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, server.r[1], 3), PSCI_SUCCESS);
    settle();
    EXPECT_EQ(driver.r[3], 3u);
    EXPECT_EQ(read_elr(), code + 4);

    driver.r[1] = 0x0a00'0050, driver.r[3] = 1;
    undescribed(0xe4a1'3004, notify, write_flag);  // strt r3, [r1], #4
    EXPECT_EQ(read_elr(), code + 4);
    ASSERT_EQ(ask(PARTITA_HYPERCALL_TAKE), PSCI_SUCCESS);
    EXPECT_EQ(server.r[3], 2u);

    driver.r[1] = 0x0a00'0008;
    undescribed(0xe891'0018, device_id, 0);  // ldm r1, {r3, r4}: two answers at once there are not
    EXPECT_EQ(driver.state, RunState::runnable);
    EXPECT_EQ(psr::Mode::get(read_spsr()), psr::abt);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_TAKE), PARTITA_EMPTY);
    fake_translation = nullptr;
}

TEST_F(Serve, ItsInterruptsDoNotWakeOneThatWaits) {
    read(device_id);
    a.distributor.write(driver.interrupts, 0x104, 4, 1u << 8);
    a.distributor.pulse(40);
    settle();
    EXPECT_EQ(driver.state, RunState::waiting);
}

TEST_F(Serve, WhatIsNotTheServersIsRefused) {
    EXPECT_EQ(ask(PARTITA_HYPERCALL_RAISE, 1, 1), PSCI_INVALID_PARAMETERS) << "no such device";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_RAISE, 0, 0), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_RAISE, 0, 4), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, 0x0000'0900), PSCI_INVALID_PARAMETERS) << "no such vCPU";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_ANSWER, 0x0001'0000), PARTITA_WRONG_STATE) << "nobody asked";
    fake.be_cpu(0);
    for (const std::uint32_t function : {PARTITA_HYPERCALL_TAKE, PARTITA_HYPERCALL_ANSWER, PARTITA_HYPERCALL_RAISE}) {
        driver.r[0] = function, driver.r[1] = 0, driver.r[2] = 1;
        hypercall(driver);
        EXPECT_EQ(static_cast<std::int32_t>(driver.r[0]), PARTITA_NOT_SUPPORTED) << "without the right";
    }
    EXPECT_EQ(ask(PARTITA_HYPERCALL_MESSAGE_PAGE, 0x5000'0000), PSCI_INVALID_ADDRESS) << "not its own memory";
}

TEST_F(Serve, OneWithTheRightServesOnlyItsOwn) {
    FakeSystem other{4, [](tool::Plan& plan) {
                         plan.partitions[0].flags = PARTITA_RIGHT_SERVE;
                         plan.partitions[1].flags = PARTITA_RIGHT_SERVE;
                         plan.partitions[1].serves = true;
                         tool::PlannedVirtio device;
                         device.interrupt = line, device.server = 1, device.timeout_us = timeout_us;
                         plan.partitions[0].virtio.push_back(device);
                     }};
    Vcpu& client = other.start(0);
    client.r[0] = PARTITA_HYPERCALL_RAISE, client.r[1] = 0, client.r[2] = 1;
    hypercall(client);
    EXPECT_EQ(static_cast<std::int32_t>(client.r[0]), PSCI_DENIED);
    client.r[0] = PARTITA_HYPERCALL_TAKE;
    hypercall(client);
    EXPECT_EQ(static_cast<std::int32_t>(client.r[0]), PARTITA_EMPTY);
}

}  // namespace
}  // namespace partita
