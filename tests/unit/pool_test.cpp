// Partitions that are given what they run at run time: the plan, the record that the tool compiles, and what the hypervisor does with it.
#include <gtest/gtest.h>

#include <cstring>

#include "banked.hpp"
#include "boot/image_contents.hpp"
#include "fake_system.hpp"
#include "message/hypercall.hpp"
#include "pack/describe.hpp"
#include "pack/guest.hpp"
#include "partition/control.hpp"
#include "plan_fixture.hpp"
#include "random.hpp"

namespace partita {
namespace {

using std::uint32_t;

class PoolPlan : public tool::PlanFixture {
protected:
    static constexpr const char* parent =
        "[system]\nboard = \"virt\"\n[[partition]]\nname = \"parent\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [0]\ncontrol = "
        "true\nrights "
        "= [\"manage\"]\n";
    static constexpr const char* pool =
        "[pool]\nstore = \"1 MiB\"\npartitions = 2\nmemory = \"4 MiB\"\ncpus = [1, 2]\n[[cpu]]\nid = 1\nslice = \"1 ms\"\n[[cpu]]\nid = "
        "2\nslice = \"1 ms\"\n";
    static std::string worker(const std::string& more, const char* memory = "2 MiB", const char* cpus = "[1]") {
        return fmt::format("[[partition]]\npool = true\nname = \"worker\"\nkernel = \"a.elf\"\nmemory = \"{}\"\ncpus = {}\n{}", memory,
                           cpus, more);
    }
    bool complains(const std::string& text, const std::string& words) {
        const std::string told = complaints(text);
        EXPECT_NE(told.find(words), std::string::npos) << told;
        return told.find(words) != std::string::npos;
    }
};

TEST_F(PoolPlan, PlacesAreEmptyPartitionsAndTheParentHasAStore) {
    ASSERT_EQ(complaints(std::string{parent} + pool + worker("on_exit = \"restart\"\n")), "");
    ASSERT_EQ(plan->partitions.size(), 3u);
    ASSERT_EQ(plan->pooled.size(), 1u);
    const tool::PlannedPartition &first = plan->partitions[0], &place = plan->partitions[1];
    ASSERT_TRUE(first.store);
    EXPECT_EQ(first.store->second, 1u << 20);
    const auto kept = std::find_if(first.regions.begin(), first.regions.end(), [](const auto& one) { return one.what == "store"; });
    ASSERT_NE(kept, first.regions.end());
    EXPECT_EQ(kept->ipa, first.store->first);
    EXPECT_NE(kept->pa, 0u);
    EXPECT_EQ(kept->flags, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT);
    EXPECT_EQ(place.name, "pool-0");
    EXPECT_EQ(plan->partitions[2].name, "pool-1");
    EXPECT_TRUE(place.copies.empty());
    EXPECT_EQ(place.flags & (PARTITA_POOL | PARTITA_OFF_AT_BOOT), PARTITA_POOL | PARTITA_OFF_AT_BOOT);
    EXPECT_EQ(place.cpus, (std::vector<uint32_t>{1, 2}));
    EXPECT_TRUE(tool::describe_system(*plan, {0x4020'0000, 0x20000, sizeof(Partition), VcpuSlot::backed}, {}));

    const auto bytes = tool::compile_guest(plan->pooled[0], place.regions);
    ASSERT_TRUE(bytes) << bytes.error();
    partita_guest guest{};
    std::memcpy(&guest, bytes->data(), sizeof guest);
    EXPECT_STREQ(guest.name, "worker");
    EXPECT_EQ(guest.flags, PARTITA_ON_EXIT_RESTART);
    EXPECT_EQ(guest.copies, 2u) << "a segment, and the device tree";
    EXPECT_EQ(guest.copy[0].ipa, 0x4001'0000u);
    EXPECT_EQ((*bytes)[guest.copy[0].source], 0xee);
    EXPECT_EQ(guest.r2, guest.copy[1].ipa);
}

// What the parent serves is seen beside its store.
TEST_F(PoolPlan, AParentThatServesHasRoomForBoth) {
    std::string text{parent};
    text.replace(text.find("\"manage\""), 8, "\"manage\", \"serve\"");
    text +=
        "[[partition]]\nname = \"linux\"\nkernel = \"a.elf\"\nmemory = \"64 MiB\"\ncpus = [3]\nvirtio_ports = true\n"
        "[[channel]]\nname = \"c\"\nkind = \"queuing\"\nfrom = \"linux\"\nto = \"parent\"\nmessage = \"8 B\"\ndepth = 2\n";
    ASSERT_EQ(complaints(text + pool + worker("")), "");
    const auto bytes = tool::describe_system(*plan, {0x4020'0000, 0x20000, sizeof(Partition), VcpuSlot::backed}, {});
    EXPECT_TRUE(bytes) << bytes.error();
}

TEST_F(PoolPlan, WhatCannotBeIsToldWithItsRemedy) {
    complains(std::string{parent} + worker(""), "s.toml:10:1: error: there is no place where \"worker\" could be made; add [pool]");
    complains(std::string{parent} + pool + worker("watchdog = \"1 s\"\n"), "a partition of the pool has no \"watchdog\" of its own");
    complains(std::string{parent} + pool + worker("", "8 MiB"), "memory of \"worker\" is 8 MiB; the pool's partitions have 4 MiB each");
    complains(std::string{parent} + pool + worker("", "3 MiB"), "it must be a multiple of 2 MiB");
    complains(std::string{parent} + pool + worker("", "2 MiB", "[2]"),
              "virtual CPU 0 of \"worker\" cannot run on CPU 2: those of the pool's partitions run on 1, 2");
    complains(std::string{parent} + pool + worker("", "2 MiB", "[1, 2, 3]"), "virtual CPU 2 of \"worker\"");
    complains(std::string{parent} + "[pool]\nstore = \"1 MiB\"\npartitions = 1\n", "and no \"memory\"");
    complains(std::string{parent} + "[pool]\nstore = \"1 MiB\"\npartitions = 1\n", "and no \"cpus\"");
    complains(std::string{parent} + "[pool]\nstore = \"5000 B\"\n", "store is 5000 B; it can be a multiple of 4 KiB");
    complains(std::string{parent} + "[pool]\n", "this [pool] has no \"store\"");
    complains(std::string{parent} + "[pool]\nstore = \"2000 MiB\"\n", "from 8 KiB to 1 GiB");
    complains(std::string{parent} +
                  "[pool]\nstore = \"1 MiB\"\npartitions = 9\nmemory = \"2 MiB\"\ncpus = [1]\n[[cpu]]\nid = 1\nslice = \"1 ms\"\n",
              "more than 8 partitions");
    std::string nobody{parent};
    nobody.replace(nobody.find("control = true\n"), 15, "");
    complains(nobody + pool, "nobody would receive images at run time; add a parent partition");
    std::string twice{worker("")};
    twice.replace(twice.find("worker"), 6, "parent");
    complains(std::string{parent} + pool + twice, "two partitions are called \"parent\"");
}

// Nothing of a record is believed: whatever its bytes are, it is good and within the partition's memory, or it is refused.
TEST_F(PoolPlan, ARecordIsGoodOrRefused) {
    ASSERT_EQ(complaints(std::string{parent} + pool + worker("")), "");
    const auto bytes = tool::compile_guest(plan->pooled[0], plan->partitions[1].regions);
    ASSERT_TRUE(bytes);
    partita_guest good{};
    std::memcpy(&good, bytes->data(), sizeof good);
    const auto size = static_cast<uint32_t>(bytes->size());
    std::vector<partita_region> regions;
    for (const auto& one : plan->partitions[1].regions) regions.push_back({one.ipa, one.pa, one.size, one.flags, one.channel});
    const auto sealed = [](partita_guest guest) {
        guest.checksum = 0;
        guest.checksum = image_checksum(std::as_bytes(std::span{&guest, 1}));
        return guest;
    };
    const auto fault_of = [&](const partita_guest& guest, uint32_t bytes_of_all) {
        const auto checked = check_guest(guest, bytes_of_all, regions);
        return checked ? std::optional<ImageFault>{} : checked.error();
    };
    EXPECT_EQ(fault_of(good, size), std::nullopt);
    EXPECT_EQ(fault_of(good, size - 1), ImageFault::table_outside);
    EXPECT_EQ(fault_of(good, sizeof good - 1), ImageFault::too_short);
    struct Case {
        void (*change)(partita_guest&);
        ImageFault fault;
    };
    for (const auto& [change, fault] : {
             Case{[](partita_guest& one) { one.magic = 0; }, ImageFault::not_an_image},
             {[](partita_guest& one) { one.name[0] = 0; }, ImageFault::bad_name},
             {[](partita_guest& one) { std::memset(one.name, 'x', sizeof one.name); }, ImageFault::bad_name},
             {[](partita_guest& one) { one.name[1] = '\n'; }, ImageFault::bad_name},
             {[](partita_guest& one) { one.copies = PARTITA_GUEST_COPIES + 1; }, ImageFault::too_many},
             {[](partita_guest& one) { one.patches = ~0u; }, ImageFault::too_many},
             {[](partita_guest& one) { one.flags = PARTITA_RIGHT_MANAGE; }, ImageFault::bad_reference},
             {[](partita_guest& one) { one.entry = 0x0801'0000; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.copy[0].ipa = 0x0801'0000; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.copy[0].ipa = 0x4040'0000 - 56; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.copy[0].source = ~std::uint64_t{0}; }, ImageFault::table_outside},
             {[](partita_guest& one) { one.copy[0].size = ~std::uint64_t{0}; }, ImageFault::table_outside},
             {[](partita_guest& one) { one.copy[0].source += 4; }, ImageFault::misaligned},
             {[](partita_guest& one) { one.patch[0].kind = 9; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.patch[0].size = PARTITA_LONGEST_PATCH + 1; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.patch[0].nop_size = PARTITA_LONGEST_PATCHED + 4; }, ImageFault::outside_region},
             {[](partita_guest& one) { one.patch[0].nop_before = ~0u; }, ImageFault::outside_region},
         }) {
        partita_guest bad = good;
        change(bad);
        EXPECT_EQ(fault_of(sealed(bad), size), fault);
    }
    partita_guest damaged = good;
    damaged.r1 ^= 1;
    EXPECT_EQ(fault_of(damaged, size), ImageFault::checksum);
    Random random{3};
    unsigned accepted = 0;
    for (int n = 0; n < 20'000; ++n) {
        partita_guest any = good;
        for (uint32_t changes = random.below(4); changes-- != 0;)
            reinterpret_cast<std::uint8_t*>(&any)[random.below(sizeof any)] ^= static_cast<std::uint8_t>(1u << random.below(8));
        any = sealed(any);
        if (!check_guest(any, size, regions)) continue;
        ++accepted;
        for (const partita_copy& copy : std::span{any.copy}.first(any.copies)) {
            ASSERT_LE(copy.source + copy.size, size);
            ASSERT_TRUE(copy.ipa >= 0x4000'0000 && copy.ipa + copy.size <= 0x4040'0000);
        }
        ASSERT_TRUE((any.entry & ~1u) >= 0x4000'0000 && any.entry < 0x4040'0000);
    }
    EXPECT_GT(accepted, 1000u);
}

// "a" is a place of the pool, "b" the parent partition with a store of a page and more.
class Guests : public testing::Test {
protected:
    static constexpr uint32_t store = tool::platform::ram + 0x40'0000;
    static constexpr std::uint64_t store_pa = 0x4300'0000, own_pa = 0x4100'0000;
    Guests()
        : fake(4, [this](tool::Plan& plan) {
              description.control.value = true;
              tool::PlannedPartition &place = plan.partitions[0], &manager = plan.partitions[1];
              if (pooled) place.copies.clear(), place.patches.clear(), place.flags |= PARTITA_POOL | PARTITA_OFF_AT_BOOT;
              manager.description = &description;
              manager.flags = PARTITA_RIGHT_MANAGE;
              manager.regions.push_back(
                  {"store", store, store_pa, 0x4000, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
          }) {
        fake.start(1);
        guest.magic = PARTITA_GUEST_MAGIC;
        std::strcpy(guest.name, "worker");
        guest.entry = tool::platform::ram + 0x8000, guest.r0 = 1, guest.r1 = 2, guest.r2 = 3;
        guest.copies = 1;
        guest.copy[0] = {sizeof guest, tool::platform::ram + 0x8000, 64};
        guest.patches = 1;
        guest.patch[0] = {tool::platform::ram + 0x9000, 4, PARTITA_PATCH_STARTS, 0, 0};
    }
    std::int32_t ask(uint32_t function, uint32_t r1, uint32_t r2 = 0, uint32_t r3 = 0) {
        fake.be_cpu(1);
        parent.r[0] = function, parent.r[1] = r1, parent.r[2] = r2, parent.r[3] = r3;
        hypercall(parent);
        return static_cast<std::int32_t>(parent.r[0]);
    }
    void put(std::uint8_t fill) {
        guest.checksum = 0;
        guest.checksum = image_checksum(std::as_bytes(std::span{&guest, 1}));
        std::memcpy(fake_hardware.memory(store_pa), &guest, sizeof guest);
        std::memset(fake_hardware.memory(store_pa + sizeof guest), fill, 64);
    }
    std::int32_t load(uint32_t size = sizeof(partita_guest) + 64) { return ask(PARTITA_HYPERCALL_LOAD, 0, store, size); }
    // Begins a life, and runs its first virtual CPU.
    void run() {
        fake.be_cpu(0);
        ASSERT_EQ(run_next(system().cpus[0]), &first);
    }
    void settle() {
        for (uint32_t cpu : {0u, 1u, 0u}) {
            fake.be_cpu(cpu);
            try {
                (void)run_next(system().cpus[cpu]);
            } catch (const Idle&) {
            }
        }
    }

    bool pooled = true;
    tool::PartitionDescription description;
    partita_guest guest{};
    FakeSystem fake;
    Partition& a = system().partitions[0];
    Vcpu& first = fake.vcpu(0, 0);
    Vcpu& parent = fake.vcpu(1, 0);
};

TEST_F(Guests, APlaceRunsWhatItIsGivenAndIsFreeAgain) {
    EXPECT_TRUE(a.is_empty());
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_START), PARTITA_WRONG_STATE) << "nothing to run";
    EXPECT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(system().alive.load(), 1u);
    put(0x77);
    ASSERT_EQ(load(), PSCI_SUCCESS);
    EXPECT_STREQ(a.guest.name, "worker");
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_START), PSCI_SUCCESS);
    run();
    EXPECT_EQ(first.r[0], 1u);
    EXPECT_EQ(first.r[2], 3u);
    EXPECT_EQ(read_elr(), guest.entry);
    EXPECT_EQ(std::to_integer<int>(*fake_hardware.memory(own_pa + 0x8000)), 0x77);
    EXPECT_EQ(std::to_integer<int>(*fake_hardware.memory(own_pa + 0x9003)), 1) << "the first life, for it";
    EXPECT_EQ(load(), PARTITA_WRONG_STATE) << "it runs";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0), PARTITA_WRONG_STATE);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_STOP), PSCI_SUCCESS);
    settle();
    ASSERT_EQ(a.phase.load(), Phase::off);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0), PSCI_SUCCESS);
    EXPECT_TRUE(a.is_empty());
    EXPECT_STREQ(a.guest.name, "a");
    EXPECT_EQ(ask(PARTITA_HYPERCALL_CONTROL, 0, PARTITA_CONTROL_START), PARTITA_WRONG_STATE);
}

TEST_F(Guests, WhatIsCheckedIsACopy) {
    put(0x77);
    ASSERT_EQ(load(), PSCI_SUCCESS);
    partita_guest other = guest;
    other.copy[0] = {0, 0x0801'0000, ~std::uint64_t{0}};
    other.entry = 0;
    std::memcpy(fake_hardware.memory(store_pa), &other, sizeof other);
    EXPECT_EQ(a.copies[0].ipa, guest.copy[0].ipa);
    EXPECT_EQ(a.copies[0].source, store_pa + sizeof guest);
    EXPECT_EQ(a.guest.entry, guest.entry);
}

TEST_F(Guests, WhatIsRefusedChangesNothing) {
    put(0x77);
    ASSERT_EQ(load(), PSCI_SUCCESS);
    std::strcpy(guest.name, "second");
    guest.entry = 0x0801'0000;
    put(0x88);
    EXPECT_EQ(load(), PSCI_INVALID_PARAMETERS);
    EXPECT_EQ(parent.r[1], static_cast<uint32_t>(ImageFault::outside_region));
    EXPECT_STREQ(a.guest.name, "worker");
    EXPECT_FALSE(system().staging.load());
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0, store + 4, 700), PSCI_INVALID_ADDRESS) << "not at a page";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0, store, 0x4001), PSCI_INVALID_ADDRESS) << "longer than the store";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0, tool::platform::ram, 700), PSCI_INVALID_ADDRESS) << "not kept";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 0, ~0u & ~0xfffu, 0x2000), PSCI_INVALID_ADDRESS);
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 2, store, 700), PSCI_INVALID_PARAMETERS) << "no such partition";
    EXPECT_EQ(ask(PARTITA_HYPERCALL_LOAD, 1, 0, 0), PSCI_DENIED) << "not of the pool";
    system().staging.store(true);
    EXPECT_EQ(load(), PARTITA_BUSY);
    fake.be_cpu(0);
    first.r[0] = PARTITA_HYPERCALL_LOAD;
    hypercall(first);
    EXPECT_EQ(static_cast<std::int32_t>(first.r[0]), PARTITA_NOT_SUPPORTED) << "without the right";
}

TEST_F(Guests, RightsAreNotGivenWithIt) {
    guest.flags = PARTITA_ON_EXIT_RESTART;
    put(1);
    ASSERT_EQ(load(), PSCI_SUCCESS);
    EXPECT_EQ(a.guest.flags, PARTITA_POOL | PARTITA_OFF_AT_BOOT | PARTITA_ON_EXIT_RESTART);
    guest.flags = PARTITA_RIGHT_MANAGE;
    put(1);
    EXPECT_EQ(load(), PSCI_INVALID_PARAMETERS);
}

}  // namespace
}  // namespace partita
