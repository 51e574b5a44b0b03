// What of a partition's calls reaches the secure world, and as whose.
#include "partita/trusted.h"

#include <gtest/gtest.h>

#include "fake_system.hpp"
#include "message/hypercall.hpp"
#include "partita/hypercall.h"
#include "partition/loader.hpp"
#include "random.hpp"

namespace partita {
namespace {

struct Heard {
    firmware::Registers registers;
    std::uint32_t identity;
};
std::vector<Heard> heard;

// A secure world that answers the UID's call, and all others with recognisable words.
void answer(firmware::Registers& registers, std::uint32_t identity) {
    heard.push_back({registers, identity});
    if (registers.r0 == PARTITA_TRUSTED_UID)
        registers = {PARTITA_TRUSTED_UID_0, PARTITA_TRUSTED_UID_1, PARTITA_TRUSTED_UID_2, PARTITA_TRUSTED_UID_3};
    else
        registers = {0, 0x111, 0x222, 0x333};
}

class Trusted : public testing::Test {
protected:
    // "a" may ask for hash and seal.
    static void allow(tool::Plan& plan) {
        plan.partitions[0].trusted = 1u << PARTITA_TRUSTED_HASH | 1u << PARTITA_TRUSTED_SEAL;
        fake_hardware.secure_calls = answer;
        heard.clear();
    }
    FakeSystem fake{4, allow};
    Vcpu& a = fake.start(0);
    Vcpu& b = fake.start(1);

    std::int32_t call(Vcpu& vcpu, std::uint32_t function, std::uint32_t r1, std::uint32_t r2 = 0, std::uint32_t r3 = 0) {
        heard.clear();
        vcpu.r[0] = function, vcpu.r[1] = r1, vcpu.r[2] = r2, vcpu.r[3] = r3;
        hypercall(vcpu);
        return static_cast<std::int32_t>(vcpu.r[0]);
    }
};

constexpr std::uint32_t hash_call = PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_HASH;

TEST_F(Trusted, APageIsLookedUpAndTheCallerNamed) {
    EXPECT_EQ(call(a, hash_call, 0x4000'3000, 5, 6), PARTITA_TRUSTED_OK);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].registers.r0, hash_call);
    EXPECT_EQ(heard[0].registers.r1, 0x4100'3000u) << "where the page is on the board";
    EXPECT_EQ(heard[0].registers.r2, 5u);
    EXPECT_EQ(heard[0].registers.r3, 6u);
    EXPECT_EQ(heard[0].identity, 1u);
    EXPECT_EQ(a.r[1], 0x111u);
    EXPECT_EQ(a.r[2], 0x222u);
    EXPECT_EQ(a.r[3], 0x333u);
}

TEST_F(Trusted, ATicketIsAValue) {
    EXPECT_EQ(call(a, PARTITA_TRUSTED_RESUME, 0x1234'5678), PARTITA_TRUSTED_OK);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].registers.r1, 0x1234'5678u);
    EXPECT_EQ(heard[0].identity, 1u);
}

TEST_F(Trusted, ACallIsGivenUpByItsCaller) {
    EXPECT_EQ(call(a, PARTITA_TRUSTED_CANCEL, 2), PARTITA_TRUSTED_OK);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].identity, 1u);
}

TEST_F(Trusted, WhatIsNotAllowedIsNotHeard) {
    const std::uint32_t refused[] = {PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_SIGN,
                                     PARTITA_TRUSTED_CALL + 31,
                                     PARTITA_TRUSTED_CALL + 32,
                                     PARTITA_TRUSTED_CALL + 33,
                                     0xb200'0002,
                                     PARTITA_TRUSTED_FORGET,
                                     0xbf00'ff02,
                                     0x3300'0002,
                                     0x7200'0002,
                                     0xf200'0002};
    for (const std::uint32_t function : refused) {
        EXPECT_EQ(call(a, function, 0x4000'3000), PARTITA_TRUSTED_NOT_SUPPORTED) << std::hex << function;
        EXPECT_TRUE(heard.empty()) << std::hex << function;
    }
    for (const std::uint32_t function : {hash_call, PARTITA_TRUSTED_UID, PARTITA_TRUSTED_REVISION, PARTITA_TRUSTED_RESUME}) {
        EXPECT_EQ(call(b, function, 0x4000'3000), PARTITA_TRUSTED_NOT_SUPPORTED) << "another partition";
        EXPECT_TRUE(heard.empty());
    }
}

TEST_F(Trusted, NothingButItsOwnMemoryIsAPage) {
    for (const std::uint32_t ipa : {0u, 0x0900'0000u, 0x0800'0000u, 0x4000'3004u, 0x3fff'f000u, 0x4020'0000u, 0x4100'0000u, 0xffff'f000u}) {
        EXPECT_EQ(call(a, hash_call, ipa), PARTITA_TRUSTED_INVALID) << std::hex << ipa;
        EXPECT_TRUE(heard.empty()) << std::hex << ipa;
    }
    EXPECT_EQ(call(a, hash_call, 0x401f'f000), PARTITA_TRUSTED_OK) << "its last page";
}

// Whatever is called: pages that the secure world hears of are the caller's, and so is the name.
TEST_F(Trusted, AStormStaysInside) {
    Random random{77};
    for (unsigned n = 0; n < 20'000; ++n) {
        const std::uint32_t owner = random.below(2) != 0 ? PARTITA_TRUSTED_CALL : random();
        Vcpu& caller = random.below(3) == 0 ? b : a;
        if (!PARTITA_TRUSTED_IS_OURS(owner)) continue;
        (void)call(caller, (owner & 0xffff'0000) | random.below(40), random.below(2) != 0 ? 0x4000'0000 | (random() & 0x3f'f000) : random(),
                   random());
        for (const Heard& one : heard) {
            EXPECT_EQ(&caller, &a);
            EXPECT_EQ(one.identity, 1u);
            if (one.registers.r0 == hash_call || one.registers.r0 == PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_SEAL) {
                EXPECT_EQ(one.registers.r1 >> 21, 0x4100'0000u >> 21);
            }
        }
    }
}

TEST_F(Trusted, ANewLifeHasNoCallOfTheOldOne) {
    heard.clear();
    begin(system().partitions[0]);
    while (!load_step(system().partitions[0])) {
    }
    begin(system().partitions[1]);
    while (!load_step(system().partitions[1])) {
    }
    const auto forgets = [](const Heard& one) { return one.registers.r0 == PARTITA_TRUSTED_FORGET; };
    EXPECT_EQ(std::ranges::count_if(heard, forgets), 1);
    const auto at = std::ranges::find_if(heard, forgets);
    ASSERT_NE(at, heard.end());
    EXPECT_EQ(at->registers.r1, 1u);
    EXPECT_EQ(at->identity, 0u) << "the hypervisor itself";
}

// The same image where another trusted OS is below: its functions at these numbers take addresses.
TEST(TrustedElsewhere, ForeignFirmwareIsNotCalled) {
    FakeSystem fake{4, [](tool::Plan& plan) {
                        plan.partitions[0].trusted = 1u << PARTITA_TRUSTED_HASH;
                        fake_hardware.secure_calls = [](firmware::Registers& registers, std::uint32_t) {
                            registers = {0x384f'b3e0, 0xe7f8'11e3, 0xaf63'0002, 0xa5d5'c51b};
                        };
                    }};
    Vcpu& vcpu = fake.start(0);
    fake_hardware.secure_calls = [](firmware::Registers&, std::uint32_t) { ADD_FAILURE() << "it was called"; };
    vcpu.r[0] = hash_call, vcpu.r[1] = 0x4000'3000;
    hypercall(vcpu);
    EXPECT_EQ(static_cast<std::int32_t>(vcpu.r[0]), PARTITA_TRUSTED_NOT_SUPPORTED);
}

}  // namespace
}  // namespace partita
