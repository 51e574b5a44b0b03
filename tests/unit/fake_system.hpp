// A whole system on fake hardware: described, checked and set up by the code that does so in Hyp.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>

#include "boot/image_check.hpp"
#include "boot/setup.hpp"
#include "cpu_pointer.hpp"
#include "fake_gic.hpp"
#include "fake_hardware.hpp"
#include "machine/uart.hpp"
#include "pack/describe.hpp"
#include "partition/lifecycle.hpp"
#include "partition/system.hpp"
#include "schedule/schedule.hpp"
#include "trap/run.hpp"

namespace partita {

// Two partitions: "a" with vCPUs on CPUs 0 and 1, "b" with one on CPU 1, which they share.
class FakeSystem {
public:
    static constexpr std::uint64_t base = 0x4020'0000;

    // `change` may make another system of it before it is set up.
    explicit FakeSystem(unsigned list_registers = 4, const std::function<void(tool::Plan&)>& change = {}) : gic(list_registers) {
        system().~System();
        new (&system()) System{};
        fake_hardware = {};
        fake_mmio.clear();
        CNTFRQ::write(62'500'000);
        CNTPCT::write(1'000'000);
        board_.name = "fake";
        board_.cpus = {0, 1};
        board_.memory = {{0x4000'0000, 0x4000'0000}};
        board_.gicd = {0x0800'0000, 0x1000}, board_.gicc = {0x0801'0000, 0x2000}, board_.gich = {0x0803'0000, 0x1000},
        board_.gicv = {0x0804'0000, 0x2000};
        board_.uart = {0x0900'0000, 0x1000}, board_.uart_interrupt = 33;
        plan_.board = &board_;
        plan_.slices = {0, 5'000'000};
        plan_.partitions.push_back(partition("a", {0, 1}, 0x4100'0000));
        plan_.partitions.push_back(partition("b", {1}, 0x4200'0000));
        plan_.partitions[0].routes.push_back({40, false, "device"});
        plan_.partitions[0].routes.push_back({41, true, "edge device"});
        if (change) change(plan_);
        const auto bytes = tool::describe_system(plan_, {base, 0x20000, sizeof(Partition), VcpuSlot::backed}, {});
        EXPECT_TRUE(bytes) << (bytes ? "" : bytes.error());
        description_.assign((bytes->size() + 7) / 8, 0);
        std::memcpy(description_.data(), bytes->data(), bytes->size());
        const auto view = check_image(std::as_bytes(std::span{description_}).first(bytes->size()));
        EXPECT_TRUE(view);
        own_.resize(kBlockSize);
        newest = this;
        console::open_channel(PARTITA_CONSOLE_LOG, "partita:", log_);
        system().list_registers = list_registers;
        set_up(*view, own_.data());
        for (std::uint32_t n = 0; n < 2; ++n) {
            system().cpus[n].interface = 1u << n;
            be_cpu(n);
            prepare_traps(system().cpus[n]);
        }
        be_cpu(0);
    }
    ~FakeSystem() { set_cpu_pointer(nullptr); }
    // Where the hypervisor's own memory lies: for hardware that reads it.
    [[nodiscard]] static std::byte* own_memory(std::uint64_t pa) { return newest->own_.data() + (pa - base); }
    FakeSystem(const FakeSystem&) = delete;
    FakeSystem& operator=(const FakeSystem&) = delete;

    void be_cpu(std::uint32_t n) {
        set_cpu_pointer(&system().cpus[n]);
        gic.select(n);
    }
    [[nodiscard]] Vcpu& vcpu(std::uint32_t partition, std::uint32_t index) { return system().partitions[partition].vcpus[index].vcpu; }

    // Starts a partition without filling its memory, and loads its first vCPU.
    Vcpu& start(std::uint32_t partition) {
        Vcpu& first = vcpu(partition, 0);
        be_cpu(first.cpu->index);
        begin(system().partitions[partition]);
        enter(system().partitions[partition]);
        enter_channels(system().partitions[partition]);
        EXPECT_EQ(run_next(*first.cpu), &first);
        return first;
    }

    // From now on the wire takes nothing, so that the log is kept; what it has since.
    static void hold_log() { fake_mmio[layout::uart + uart::registers::FR] = uart::registers::transmit_full; }
    [[nodiscard]] std::string log() {
        std::string out;
        while (const auto byte = log_.take()) out += static_cast<char>(*byte);
        return out;
    }

    FakeGic gic;

    [[nodiscard]] static tool::PlannedPartition partition(const std::string& name, std::vector<std::uint32_t> cpus, std::uint64_t pa) {
        tool::PlannedPartition out;
        out.name = name;
        out.cpus = std::move(cpus);
        out.entry = tool::platform::ram + 0x8000;
        out.r2 = tool::platform::ram;
        out.regions.push_back(
            {"memory", tool::platform::ram, pa, kBlockSize, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_EXECUTE});
        out.regions.push_back({"gicv", tool::platform::gicc, 0x0804'0000, 0x2000,
                               PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE | PARTITA_REGION_SHARED});
        out.copies.push_back({"image", tool::platform::ram + 0x8000, tool::Bytes(100'000, 0x11), 0x4400'0000});
        out.patches.push_back({tool::platform::ram + 0x100, 64, 12, 76});
        return out;
    }

    // Whoever has a turn on the CPU has used it up.
    static void end_turns(Cpu& cpu) {
        for (std::uint32_t n = 0; n < cpu.count; ++n) cpu.vcpus[n]->turn_until = 0;
    }

private:
    tool::Board board_;
    tool::Plan plan_;
    std::vector<std::uint64_t> description_;
    std::vector<std::byte> own_;
    console::Ring log_;
    static inline FakeSystem* newest = nullptr;
};

}  // namespace partita
