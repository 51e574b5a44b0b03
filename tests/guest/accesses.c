/* Loads and stores of every form, to the distributor's priority registers: what a CPU does not describe to its hypervisor. A priority
 * has five bits, so that words of 0xf8f8f8f8 are kept. */
#include "partita/guest/guest.h"

#define GICD 0x08000000u
#define PRIORITIES ((volatile uint32_t*)(GICD + 0x420u))

static unsigned failures;

static void expect(bool good, const char* what) {
    console_printf("%s: %s\n", good ? "ok" : "WRONG", what);
    if (!good) ++failures;
}

static void fill(void) {
    for (uint32_t n = 0; n < 8; ++n) PRIORITIES[n] = 0x10203040u + n * 0x08080808u;
}
static uint32_t word(uint32_t n) { return 0x10203040u + n * 0x08080808u; }

/* T32, by name: r0 is where; the result comes in r0. */
__asm__(
    ".text\n.syntax unified\n.fpu neon\n.thumb\n"
#define THUMB(name, body) ".global " name "\n.type " name ", %function\n.thumb_func\n" name ":\n" body "\n bx lr\n"
    THUMB("thumb_pair", "ldrd r0, r1, [r0, #8]\n eor r0, r0, r1") THUMB(
        "thumb_block",
        "push {r4-r6}\n mov r4, r0\n ldmia r4!, {r1-r3}\n subs r0, r4, r0\n add r0, r0, r1\n add r0, r0, r2\n add r0, r0, r3\n pop {r4-r6}")
        THUMB("thumb_narrow_store", "movs r1, #0x48\n movs r2, #0x50\n stmia r0!, {r1, r2}")
            THUMB("thumb_in_block", "cmp r0, r0\n ittt eq\n ldrdeq r0, r1, [r0]\n addeq r0, r0, r1\n addeq r0, r0, #1")
                THUMB("thumb_post_index", "mov r1, r0\n ldr r0, [r1], #12\n ldr r2, [r1, #-4]!\n add r0, r0, r2")
                    THUMB("thumb_lr", "push {r4, lr}\n mov r4, r0\n ldrd lr, r12, [r4]\n add r0, lr, r12\n pop {r4, lr}") ".arm\n");
uint32_t thumb_pair(volatile void*);
uint32_t thumb_block(volatile void*);
uint32_t thumb_narrow_store(volatile void*);
uint32_t thumb_in_block(volatile void*);
uint32_t thumb_post_index(volatile void*);
uint32_t thumb_lr(volatile void*);

static uint32_t unaligned_value;
static void unaligned(void* address) { __asm__ volatile("ldr %0, [%1]" : "=r"(unaligned_value) : "r"(address)); }

static void a32(void) {
    volatile uint32_t* at = PRIORITIES;
    uint32_t a, b, c;
    fill();
    __asm__ volatile("ldrd r2, r3, [%2]\n mov %0, r2\n mov %1, r3" : "=r"(a), "=r"(b) : "r"(at) : "r2", "r3");
    expect(a == word(0) && b == word(1), "LDRD");
    __asm__ volatile("mov r2, #0x40\n mov r3, #0x48\n strd r2, r3, [%0, #8]!" : "+r"(at)::"r2", "r3", "memory");
    expect(at == PRIORITIES + 2 && PRIORITIES[2] == 0x40 && PRIORITIES[3] == 0x48, "STRD with write-back");
    fill();
    at = PRIORITIES + 4;
    __asm__ volatile("ldmdb %0!, {%1, %2, %3}" : "+r"(at), "=&r"(a), "=&r"(b), "=&r"(c));
    expect(at == PRIORITIES + 1, "LDMDB with write-back");
    expect((a ^ b ^ c) == (word(1) ^ word(2) ^ word(3)), "... and what it loads");
    __asm__ volatile("mov r2, #0x50\n mov r3, #0x58\n stmib %0, {r2, r3}" ::"r"(PRIORITIES) : "r2", "r3", "memory");
    expect(PRIORITIES[1] == 0x50 && PRIORITIES[2] == 0x58 && PRIORITIES[0] == word(0), "STMIB");
    fill();
    at = PRIORITIES;
    __asm__ volatile("ldr %0, [%1], #4" : "=r"(a), "+r"(at));
    expect(a == word(0) && at == PRIORITIES + 1, "LDR, post-indexed");
    __asm__ volatile("mov r2, #3\n ldrb %0, [%1, r2, lsl #2]!" : "=&r"(a), "+r"(at)::"r2");
    expect(a == (word(4) & 0xff) && at == PRIORITIES + 4, "LDRB, pre-indexed by a register");
    unaligned_value = 0;
    const int ended = guest_try(unaligned, (void*)(GICD + 0x422u));
    expect(ended == 4 || unaligned_value == (word(0) >> 16 | word(1) << 16), "LDR across two registers, or the CPU's own alignment fault");
    PRIORITIES[0] = 0x80;
    __asm__ volatile("mov r2, %1\n ldrsb %0, [r2], #1" : "=r"(a) : "r"(PRIORITIES) : "r2");
    expect(a == 0xffffff80u, "LDRSB");
    __asm__ volatile("mov r2, #0x68\n swpb %0, r2, [%1]" : "=&r"(a) : "r"(PRIORITIES) : "r2", "memory");
    expect(a == 0x80 && (PRIORITIES[0] & 0xff) == 0x68, "SWPB");
    __asm__ volatile("ldrex %0, [%1]" : "=r"(a) : "r"(PRIORITIES + 1));
    expect(a == word(1), "LDREX");
    __asm__ volatile("ldrexd r2, r3, [%2]\n mov %0, r2\n mov %1, r3" : "=r"(a), "=r"(b) : "r"(PRIORITIES + 2) : "r2", "r3");
    expect(a == word(2) && b == word(3), "LDREXD");
}

static void banks(void) {
    uint32_t a, b;
    fill();
    __asm__ volatile(
        "mov r5, %2\n mrs r2, cpsr\n cps #0x11\n ldm r5, {r8, r9}\n mov r3, r8\n mov r4, r9\n msr cpsr_c, r2\n mov %0, r3\n mov %1, r4"
        : "=r"(a), "=r"(b)
        : "r"(PRIORITIES)
        : "r2", "r3", "r4", "r5");
    expect(a == word(0) && b == word(1), "LDM to r8 and r9 of FIQ mode");
    __asm__ volatile("mov r2, sp\n ldrd r4, r5, [%1]\n ldm %1, {r3, sp}\n mov %0, sp\n mov sp, r2"
                     : "=&r"(a)
                     : "r"(PRIORITIES)
                     : "r2", "r3", "r4", "r5");
    expect(a == word(1), "LDM to SP");
}

static void vfp(void) {
    uint32_t low, high, single;
    fill();
    __asm__ volatile(".fpu neon\n vldr d17, [%3, #8]\n vmov %0, %1, d17\n vldmia %3, {s1-s3}\n vmov %2, s3"
                     : "=r"(low), "=r"(high), "=r"(single)
                     : "r"(PRIORITIES));
    expect(low == word(2) && high == word(3), "VLDR of a doubleword");
    expect(single == word(2), "VLDM of words");
    volatile uint32_t* at = PRIORITIES + 2;
    __asm__ volatile(".fpu neon\n vmov d17, %1, %2\n vstmdb %0!, {d17}" : "+r"(at) : "r"(0x08u), "r"(0x18u) : "memory");
    expect(at == PRIORITIES && PRIORITIES[0] == 0x08 && PRIORITIES[1] == 0x18, "VSTM with write-back");
}

static void byte_order(void) {
    uint32_t a, b;
    fill();
    __asm__ volatile("setend be\n ldrd r2, r3, [%2]\n setend le\n mov %0, r2\n mov %1, r3"
                     : "=r"(a), "=r"(b)
                     : "r"(PRIORITIES)
                     : "r2", "r3");
    expect(a == __builtin_bswap32(word(0)) && b == __builtin_bswap32(word(1)), "LDRD, big-endian");
}

static void t32(void) {
    fill();
    expect(thumb_pair(PRIORITIES) == (word(2) ^ word(3)), "T32 LDRD");
    expect(thumb_block(PRIORITIES) == 12 + word(0) + word(1) + word(2), "T32 LDM with write-back, of 16 bits");
    expect(thumb_in_block(PRIORITIES) == word(0) + word(1) + 1, "T32 LDRD in an IT block");
    expect(thumb_post_index(PRIORITIES) == word(0) + word(2), "T32 LDR, post- and pre-indexed");
    expect(thumb_lr(PRIORITIES) == word(0) + word(1), "T32 LDRD to LR");
    expect(thumb_narrow_store(PRIORITIES) == (uint32_t)(PRIORITIES + 2) && PRIORITIES[0] == 0x48 && PRIORITIES[1] == 0x50,
           "T32 STM of 16 bits");
}

static void structure(void* address) { __asm__ volatile(".fpu neon\n vld1.32 {d16}, [%0]" ::"r"(address)); }
static void to_nothing(void* address) { __asm__ volatile("ldrd r2, r3, [%0]" ::"r"(address) : "r2", "r3"); }

int main(void) {
    a32();
    banks();
    vfp();
    byte_order();
    t32();
    expect(guest_try(structure, (void*)(GICD + 0x420u)) == 4, "VLD1 is an abort");
    expect(guest_try(to_nothing, (void*)0x1c0f0000) == 4, "LDRD of nothing is an abort");
    if (failures)
        console_printf("accesses: %u FAILED\n", failures);
    else
        console_printf("accesses: ok\n");
    return 0;
}
