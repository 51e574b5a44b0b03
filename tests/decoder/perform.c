/* Carries out instructions under qemu-arm, one for each state that it reads, and writes the state that each leaves. A Linux program
 * without a library: an UNDEFINED instruction behind the one in question, or the fault of where it branched to, ends it. */
#include "../../guest/linux/kernel.h"
#include "case.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGSEGV 11
#define SA_SIGINFO 4u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_NODEFER 0x40000000u

static void leave(int status) {
    kernel(1, status, 0, 0, 0, 0, 0);
    for (;;) {
    }
}

/* All of it; 0 where the input is at its end. */
static int move(long call, long file, void* at, uint32_t size) {
    for (uint32_t done = 0; done < size;) {
        const long part = kernel(call, file, (long)((char*)at + done), (long)(size - done), 0, 0, 0);
        if (part <= 0) return 0;
        done += (uint32_t)part;
    }
    return 1;
}

struct signal_context {
    uint32_t flags, link, stack[3];
    uint32_t trap, error, old_mask, r[16], cpsr, fault_address;
    uint32_t mask[32]; /* 128 bytes, as in the kernel's ucontext */
    uint32_t magic, size;
    uint64_t d[32];
} __attribute__((packed));

static struct state now;
static uint32_t stack_of_main[1024], stack_of_signals[4096];
__attribute__((used)) static uint32_t* const top_of_main = stack_of_main + 1024;

void next_case(void);

static void bytes(uint8_t* to, const uint8_t* from, uint32_t size) {
    for (uint32_t n = 0; n < size; ++n) to[n] = from[n];
}

static void caught(int number, void* information, struct signal_context* context) {
    (void)number, (void)information;
    if (context->magic != 0x56465001u) leave(3);
    bytes((uint8_t*)now.r, (const uint8_t*)context->r, sizeof now.r);
    bytes((uint8_t*)now.d, (const uint8_t*)context->d, sizeof now.d);
    now.cpsr = context->cpsr;
    bytes(now.memory, (const uint8_t*)AREA, AREA_SIZE);
    if (!move(4, 1, &now, sizeof now)) leave(4);
    __asm__ volatile("mov sp, %0\n\tb next_case" ::"r"(top_of_main));
}

/* r0: the state. Bit 5 of its cpsr says which instruction set it is. */
__asm__(
    ".fpu neon\n.text\n.arm\n.global start_case\nstart_case:\n"
    "clrex\n"
    "add r1, r0, #72\n vldmia r1!, {d0-d15}\n vldmia r1, {d16-d31}\n"
    "ldr r1, [r0, #64]\n msr cpsr_f, r1\n"
    "ldr sp, [r0, #52]\n ldr lr, [r0, #56]\n"
    "ldm r0, {r0-r12}\n"
    "ldr pc, =0x401001e0\n" /* ENTRY */
    ".ltorg\n"
    ".global _start\n_start:\n ldr sp, =top_of_main\n ldr sp, [sp]\n bl begin\n.ltorg\n");
_Static_assert(ENTRY == 0x401001e0u, "start_case jumps there");
void start_case(const struct state*) __attribute__((noreturn));

void next_case(void) {
    if (!move(3, 0, &now, sizeof now)) leave(0);
    bytes((uint8_t*)AREA, now.memory, AREA_SIZE);
    for (uint32_t n = 0; n < 4; ++n) ((uint8_t*)(AREA + AREA_SIZE))[n] = 0; /* an access may begin in the area alone */
    kernel(0xf0002, AREA, AREA + AREA_SIZE, 0, 0, 0, 0);                    /* cacheflush */
    start_case(&now);
}

void begin(void);
__attribute__((used)) void begin(void) {
    /* The stack that qemu-arm gives is around the area: a branch must find nothing there. */
    kernel(91, AREA & ~0xfffffu, 0x700000, 0, 0, 0, 0);
    /* mmap2: read, write, execute; private, fixed, anonymous */
    if (kernel(192, AREA, 0x1000, 7, 0x32, -1, 0) != (long)AREA) leave(2);
    struct {
        void* begin;
        int flags;
        uint32_t size;
    } stack = {stack_of_signals, 0, sizeof stack_of_signals};
    if (kernel(186, (long)&stack, 0, 0, 0, 0, 0) != 0) leave(2);
    struct {
        void (*handler)(int, void*, struct signal_context*);
        uint32_t flags;
        void* restorer;
        uint32_t mask[2];
    } action = {caught, SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER, (void*)next_case, {0, 0}};
    const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGSEGV};
    for (uint32_t n = 0; n < 4; ++n)
        if (kernel(174, signals[n], (long)&action, 0, 8, 0, 0) != 0) leave(2);
    next_case();
}
