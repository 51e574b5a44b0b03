/* Looks at the virtual platform from inside, and says of each thing whether it is as documented. */
#include "partita/guest/guest.h"

#define GICD 0x08000000u
#define GICC 0x08010000u
#define REG32(address) (*(volatile uint32_t*)(address))
#define REG8(address) (*(volatile uint8_t*)(address))

static unsigned failures;

static void expect(bool good, const char* what) {
    console_printf("%s: %s\n", good ? "ok" : "WRONG", what);
    if (!good) ++failures;
}

static volatile uint32_t taken_count, taken_last;
static volatile bool due_again;
static void on_interrupt(uint32_t intid) {
    taken_last = intid;
    ++taken_count;
    if (due_again) { /* before this one has ended */
        const uint64_t at = timer_now() + timer_frequency() / 100000;
        due_again = false;
        timer_set(at);
        while (timer_now() < at + timer_frequency() / 100000) {
        }
        return;
    }
    if (intid == 27) timer_stop();
    if (intid == 30) __asm__ volatile("mcr p15, 0, %0, c14, c2, 1" ::"r"(0)); /* CNTP_CTL */
}

static bool comes(uint32_t intid) {
    const uint64_t limit = timer_now() + timer_frequency() / 2;
    while (timer_now() < limit) {
        interrupts_on();
        interrupts_off();
        if (taken_count != 0) break;
    }
    const bool good = taken_count == 1 && taken_last == intid;
    taken_count = 0;
    return good;
}

static void read_word(void* address) { (void)*(volatile uint32_t*)address; }
static void write_word(void* address) { *(volatile uint32_t*)address = 1; }
static void read_pair(void* address) { __asm__ volatile("ldrd r2, r3, [%0]" ::"r"(address) : "r2", "r3"); }
static void call_address(void* address) { ((void (*)(void))address)(); }
static void implementation_defined(void* unused) {
    (void)unused;
    uint32_t value;
    __asm__ volatile("mrc p15, 1, %0, c15, c0, 0" : "=r"(value));
}
static void unallocated(void* unused) {
    (void)unused;
    __asm__ volatile(".inst 0xee000210"); /* mcr p2, 0, r0, c0, c0, 0 */
}

static uint32_t smc(uint32_t function) {
    register uint32_t r0 __asm__("r0") = function;
    __asm__ volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0)::"r1", "r2", "r3", "memory");
    return r0;
}

static void identity(void) {
    uint32_t midr, mpidr, actlr, pmcr, didr;
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 0" : "=r"(midr));
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 5" : "=r"(mpidr));
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 1" : "=r"(actlr));
    __asm__ volatile("mrc p15, 0, %0, c9, c12, 0" : "=r"(pmcr));
    __asm__ volatile("mrc p14, 0, %0, c0, c0, 0" : "=r"(didr));
    console_printf("midr 0x%08x\n", (unsigned)midr);
    expect(mpidr == 0x80000000u, "MPIDR is that of virtual CPU 0");
    expect(actlr == 0x40, "ACTLR says coherent");
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 1" ::"r"(0));
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 1" : "=r"(actlr));
    expect(actlr == 0x40, "ACTLR cannot be changed");
    expect(pmcr == 0, "no performance counters");
    expect(didr == 0, "no debug hardware");
}

static void calls(void) {
    expect(hypervisor_version() == (PARTITA_VERSION_MAJOR << 16 | PARTITA_VERSION_MINOR), "the hypervisor says who it is");
    expect(hypercall(PSCI_VERSION, 0, 0, 0).r0 == 0x10001, "PSCI 1.1");
    expect(hypercall(0x8600fff0, 1, 2, 3).r0 == 0xffffffffu, "an unknown call is refused");
    const struct hypercall_result result = hypercall(PSCI_FEATURES, PSCI_CPU_ON, 2, 3);
    expect(result.r0 == 0 && result.r1 == PSCI_CPU_ON && result.r2 == 2 && result.r3 == 3, "PSCI_FEATURES, and r1 to r3 are kept");
    expect((int32_t)hypercall(PSCI_CPU_ON, 0, 0x40010000, 0).r0 == PSCI_ALREADY_ON, "CPU_ON of oneself");
    expect((int32_t)hypercall(PSCI_CPU_ON, 7, 0x40010000, 0).r0 == PSCI_INVALID_PARAMETERS, "CPU_ON of nobody");
    expect((int32_t)hypercall(PSCI_AFFINITY_INFO, 0, 0, 0).r0 == 0, "AFFINITY_INFO");
    expect(smc(PSCI_VERSION) == 0x10001 && smc(0xdeadbeef) == 0xffffffffu, "SMC is answered like HVC");
}

static void interrupts(void) {
    interrupts_init();
    interrupt_enable(3, 0x80, on_interrupt);
    interrupt_enable(27, 0x80, on_interrupt);
    interrupt_enable(30, 0x80, on_interrupt);
    interrupt_enable(60, 0x80, on_interrupt);
    REG32(GICD + 0xf00) = 2u << 24 | 3;
    expect(comes(3), "an SGI to oneself");
    timer_set(timer_now() + timer_frequency() / 1000);
    expect(comes(27), "the virtual timer");
    due_again = true;
    timer_set(timer_now() + timer_frequency() / 1000);
    const bool first = comes(27);
    expect(first && comes(27), "the virtual timer, due again before its interrupt ends");
    __asm__ volatile("mcr p15, 0, %0, c14, c2, 0" ::"r"(1000)); /* CNTP_TVAL */
    __asm__ volatile("mcr p15, 0, %0, c14, c2, 1" ::"r"(1));    /* CNTP_CTL */
    expect(comes(30), "the physical timer");
    timer_set(timer_now() + timer_frequency() / 1000);
    wait_for_interrupt();
    expect(comes(27), "WFI wakes");
    REG32(GICD + 0x204) = 1u << 28;
    expect(comes(60), "an interrupt that software pends");
    REG32(GICD + 0x184) = 1u << 28;
    REG32(GICD + 0x204) = 1u << 28;
    expect(!comes(60) && (REG32(GICD + 0x204) & 1u << 28) != 0, "nothing comes while disabled, and it stays pending");
    REG32(GICD + 0x284) = 1u << 28;
    expect((REG32(GICD + 0x004) & 0xffu) == 2, "TYPER: 96 interrupts, one CPU");
    REG8(GICD + 0x400 + 61) = 0x58;
    expect(REG8(GICD + 0x400 + 61) == 0x58 && (REG32(GICD + 0x400 + 60) & 0xffffu) == 0x5880u, "priorities are bytes");
}

static void borders(void) {
    expect(guest_try(read_word, (void*)0x1c0f0000) == 4, "reading nothing is a data abort");
    expect(guest_try(write_word, (void*)0x1c0f0000) == 4, "writing nothing is a data abort");
    expect(guest_try(read_word, (void*)0x40000000) == 0, "reading memory is not");
    expect(guest_try(read_word, (void*)0x08012000) == 4, "nothing behind the CPU interface");
    expect(guest_try(read_word, (void*)0x08030000) == 4, "no hypervisor control interface");
    expect(guest_try(read_word, (void*)0x40400000) == 4, "no memory behind one's own");
    expect(guest_try(read_word, (void*)0xf0000000) == 4, "no hypervisor");
    expect(guest_try(read_pair, (void*)GICD) == 0, "LDRD of a device is emulated");
    expect(guest_try(call_address, (void*)0x48000000) == 3, "jumping to nothing is a prefetch abort");
    expect(guest_try(implementation_defined, 0) == 1, "c15 is undefined");
    expect(guest_try(unallocated, 0) == 1, "an unallocated coprocessor is undefined");
}

int main(void) {
    identity();
    calls();
    interrupts();
    borders();
    if (failures)
        console_printf("probe: %u FAILED\n", failures);
    else
        console_printf("probe: ok\n");
    return 0;
}
