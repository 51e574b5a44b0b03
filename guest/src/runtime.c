/* What the compiler calls by itself. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
void *memmove(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* Eight words at once where both are aligned alike. Where they are not, which needs the MMU, words are loaded from any address
 * (DDI 0406C.d A3.2.1). */
static const uint8_t *copy_words(uint8_t *to, const uint8_t *from, size_t size) {
    const uint8_t *const end = to + (size & ~31u);
    if (((uintptr_t)from & 3u) == 0) {
        while (to != end)
            __asm__ volatile("ldmia %1!, {r4-r9, r12, lr}\n\tstmia %0!, {r4-r9, r12, lr}"
                             : "+r"(to), "+r"(from)::"r4", "r5", "r6", "r7", "r8", "r9", "r12", "lr", "memory");
        return from;
    }
    while (to != end)
        __asm__ volatile(
            "ldr r4, [%1], #4\n\tldr r5, [%1], #4\n\tldr r6, [%1], #4\n\tldr r7, [%1], #4\n\t"
            "ldr r8, [%1], #4\n\tldr r9, [%1], #4\n\tldr r12, [%1], #4\n\tldr lr, [%1], #4\n\t"
            "stmia %0!, {r4-r9, r12, lr}"
            : "+r"(to), "+r"(from)::"r4", "r5", "r6", "r7", "r8", "r9", "r12", "lr", "memory");
    return from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (size >= 64) {
        while (((uintptr_t)out & 3u) != 0) *out++ = *in++, --size;
        in = copy_words(out, in, size);
        out += size & ~31u;
        size &= 31u;
    }
    if ((((uintptr_t)out | (uintptr_t)in) & 3u) == 0)
        for (; size >= 4; size -= 4, out += 4, in += 4) *(uint32_t *)(void *)out = *(const uint32_t *)(const void *)in;
    while (size--) *out++ = *in++;
    return to;
}

void *memset(void *to, int value, size_t size) {
    uint8_t *out = to;
    const uint32_t word = (uint8_t)value * 0x01010101u;
    for (; size != 0 && ((uintptr_t)out & 3u) != 0; --size) *out++ = (uint8_t)value;
    for (; size >= 4; size -= 4, out += 4) *(uint32_t *)(void *)out = word;
    while (size--) *out++ = (uint8_t)value;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in) return memcpy(to, from, size);
    while (size--) out[size] = in[size];
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *left = a, *right = b;
    for (; size; --size, ++left, ++right)
        if (*left != *right) return *left - *right;
    return 0;
}

void __cxa_pure_virtual(void) __attribute__((noreturn)); /* in a table of functions of C++, and never called */
void __aeabi_memcpy(void *to, const void *from, size_t size);
void __aeabi_memcpy4(void *to, const void *from, size_t size);
void __aeabi_memcpy8(void *to, const void *from, size_t size);
void __aeabi_memmove(void *to, const void *from, size_t size);
void __aeabi_memmove4(void *to, const void *from, size_t size);
void __aeabi_memmove8(void *to, const void *from, size_t size);
void __aeabi_memset(void *to, size_t size, int value);
void __aeabi_memclr(void *to, size_t size);
void __aeabi_memclr4(void *to, size_t size);
void __aeabi_memclr8(void *to, size_t size);
void __cxa_pure_virtual(void) { __builtin_trap(); }
void __aeabi_memcpy(void *to, const void *from, size_t size) { memcpy(to, from, size); }
void __aeabi_memcpy4(void *to, const void *from, size_t size) { memcpy(to, from, size); }
void __aeabi_memcpy8(void *to, const void *from, size_t size) { memcpy(to, from, size); }
void __aeabi_memmove(void *to, const void *from, size_t size) { memmove(to, from, size); }
void __aeabi_memmove4(void *to, const void *from, size_t size) { memmove(to, from, size); }
void __aeabi_memmove8(void *to, const void *from, size_t size) { memmove(to, from, size); }
void __aeabi_memset(void *to, size_t size, int value) { memset(to, value, size); }
void __aeabi_memclr(void *to, size_t size) { memset(to, 0, size); }
void __aeabi_memclr4(void *to, size_t size) { memset(to, 0, size); }
void __aeabi_memclr8(void *to, size_t size) { memset(to, 0, size); }
