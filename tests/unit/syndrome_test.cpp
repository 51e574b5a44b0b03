#include "arch/syndrome.hpp"

#include <gtest/gtest.h>

namespace partita {
namespace {

// Values that QEMU's Cortex-A15 reports.
TEST(Syndrome, LoadsAndStoresOfOneRegister) {
    const Syndrome syndrome{0x93830006};  // ldr r3, [..]
    EXPECT_EQ(syndrome.trap_class(), TrapClass::data_abort);
    const DataAbort load{syndrome.raw};
    EXPECT_TRUE(load.described());
    EXPECT_EQ(load.bytes(), 4u);
    EXPECT_EQ(load.reg(), 3u);
    EXPECT_FALSE(load.write());
    EXPECT_TRUE(load.translation_fault());
    EXPECT_TRUE(syndrome.long_instruction());
    const DataAbort store{0x91410046};  // strh.n r1, [..]
    EXPECT_TRUE(store.described());
    EXPECT_EQ(store.bytes(), 2u);
    EXPECT_TRUE(store.write());
    EXPECT_FALSE(Syndrome{store.raw}.long_instruction());
}

TEST(Syndrome, WhatDescribesNoInstructionIsSaid) {
    EXPECT_FALSE(DataAbort{0x90000006}.described());  // ldrd
    EXPECT_FALSE(DataAbort{0x93c00006}.described());  // reserved size
    EXPECT_FALSE(DataAbort{0x938f0006}.described());  // the PC as destination
    EXPECT_TRUE(DataAbort{0x900001c6}.table_walk());
    EXPECT_TRUE(DataAbort{0x900001c6}.cache_maintenance());
    EXPECT_TRUE(DataAbort{0x9000000e}.permission_fault());
    EXPECT_TRUE(DataAbort{0x94000010}.external());
    EXPECT_FALSE(DataAbort{0x94000006}.external());
}

// mrc p15, 1, r5, c9, c0, 2 (L2CTLR).
TEST(Syndrome, CoprocessorAccess) {
    const CoprocessorAccess access{CoprocessorAccess::key(1, 9, 0, 2) | 5u << 5 | 1u};
    EXPECT_EQ(access.key(), CoprocessorAccess::key(1, 9, 0, 2));
    EXPECT_EQ(access.rt(), 5u);
    EXPECT_TRUE(access.read());
    EXPECT_NE(CoprocessorAccess::key(1, 9, 0, 2), CoprocessorAccess::key(1, 9, 0, 3));
}

}  // namespace
}  // namespace partita
