/* What the non-secure world may ask of the monitor, and what it must not reach. */
#include <stdint.h>

#include "../../examples/passthrough/edu.h"
#include "partita/hypercall.h"

#define UART 0x09000000u
#define SECURE_RAM 0x0e000000u
#define SECURE_UART 0x09040000u
#define SECURE_GPIO 0x090b0000u
#define GICD 0x08000000u
#define GICC 0x08010000u
#define SECURE_PARTITION 0x0e200000u
#define FUNCTION 0x3f008000u /* device 1 of the bus: its configuration space */
#define BAR 0x10000000u
#define OTHER 1u /* the CPU that is started and ended */

extern const char second[];
uint32_t smc_keeps(uint32_t* numbers);
uint32_t try_read(uint32_t address);
uint32_t try_write(uint32_t address);
uint32_t try_frequency(void);
void probe_main(void);
void probe_second(uint32_t context, uint32_t status, uint32_t hyp_control, uint32_t control);

static volatile uint32_t told[4], arrivals;

static uint32_t read32(uint32_t at) { return *(volatile uint32_t*)at; }
static void write32(uint32_t at, uint32_t value) { *(volatile uint32_t*)at = value; }
static void put(const char* text) {
    for (; *text; ++text) write32(UART, (uint8_t)*text);
}
static void check(uint32_t good, const char* what) {
    put(good ? "ok: " : "WRONG: ");
    put(what);
    put("\r\n");
}

static int32_t smc(uint32_t function, uint32_t a, uint32_t b, uint32_t c) {
    uint32_t numbers[4] = {function, a, b, c};
    if (smc_keeps(numbers) != 0) put("WRONG: a register was lost\r\n");
    return (int32_t)numbers[0];
}

void probe_second(uint32_t context, uint32_t status, uint32_t hyp_control, uint32_t control) {
    told[0] = context;
    told[1] = status;
    told[2] = hyp_control;
    told[3] = control;
    ++arrivals;
    smc(PSCI_CPU_OFF, 0, 0, 0);
    put("WRONG: CPU_OFF came back\r\n");
}

static void start_and_end(uint32_t context) {
    const uint32_t before = arrivals;
    check(smc(PSCI_CPU_ON, OTHER, (uint32_t)second, context) == PSCI_SUCCESS, "CPU_ON");
    while (arrivals == before) {
    }
    check(told[0] == context, "its context");
    check((told[1] & 0x1ff) == 0x1da, "it begins in Hyp mode, all masked");
    check((told[2] & 0x1005) == 0 && (told[3] & 0x1005) == 0, "... with MMU and caches off");
    while (smc(PSCI_AFFINITY_INFO, OTHER, 0, 0) != 1) {
    }
    check(1, "CPU_OFF");
}

/* Any function with any arguments, but those that end what runs here. */
static void storm(void) {
    uint32_t seed = 12345, wrong = 0;
    for (uint32_t n = 0; n < 20000; ++n) {
        uint32_t words[4];
        for (uint32_t k = 0; k < 4; ++k) {
            seed = seed * 1664525u + 1013904223u;
            words[k] = seed ^ seed >> 15;
        }
        static const uint32_t classes[] = {0x00000000u, 0x80000000u, 0x84000000u, 0xc4000000u,
                                           0x86000000u, 0xb2000000u, 0xbf000000u, 0x04000000u};
        words[0] = classes[words[0] & 7] | (words[0] >> 8 & 0x1f);
        if (words[0] == PSCI_CPU_OFF || words[0] == PSCI_SYSTEM_OFF || words[0] == PSCI_SYSTEM_RESET || words[0] == PSCI_CPU_SUSPEND)
            continue;
        if (words[0] == PSCI_CPU_ON) words[2] &= 0x3fffffffu; /* no memory */
        const int32_t result = smc(words[0], words[1], words[2], words[3]);
        wrong += result > 0x10001 || result < -9;
    }
    check(wrong == 0, "a storm of calls");
}

static void isolation(void) {
    check(try_read(SECURE_RAM) && try_write(SECURE_RAM), "secure memory is out of reach");
    check(try_read(SECURE_UART) && try_write(SECURE_UART), "so is the secure UART");
    check(try_write(SECURE_GPIO + 4), "and what powers the board off");
    check(try_read(0) != 0, "and the secure flash");
    check(try_frequency() == 1, "CNTFRQ is the secure world's");
    write32(GICD + 0x80, 0);
    check(read32(GICD + 0x80) == 0, "the interrupts' groups read as zero");
    write32(GICD + 0x180, 0xffffffffu); /* ICENABLER0, and nothing of the secure world's */
    write32(GICD + 0x280, 0xffffffffu);
    check((read32(GICD + 0x100) & 0xff00u) == 0, "secure interrupts are not seen");
    write32(GICC + 4, 0); /* PMR: no interrupt of this world's, and yet the other CPU hears the monitor */
}

static uint32_t memory[1024] __attribute__((aligned(4096)));

static uint32_t copy(uint32_t address, uint32_t bytes, bool to_memory) {
    edu_start_dma(BAR, address, bytes, to_memory, false);
    for (uint32_t n = 0; n < 100000000u; ++n)
        if (!edu_busy(BAR)) return 1;
    return 0;
}

/* A device that masters the bus, which nothing but the bus stops: no System MMU is here. */
static void reach_by_device(void) {
    static const uint32_t targets[] = {SECURE_RAM, SECURE_PARTITION, SECURE_UART, 0};
    uint32_t works, seen = 0;
    write32(FUNCTION + 0x10, BAR);
    write32(FUNCTION + 0x04, 6); /* memory, bus master */
    for (uint32_t n = 0; n < 1024; ++n) memory[n] = 0xabcd0000u + n;
    works = (*edu_at(BAR, EDU_ID) & 0xffffu) == 0xedu && copy((uint32_t)memory, 4096, false);
    for (uint32_t n = 0; n < 1024; ++n) memory[n] = 0;
    works = works && copy((uint32_t)memory, 4096, true);
    for (uint32_t n = 0; n < 1024; ++n) works = works && memory[n] == 0xabcd0000u + n;
    check(works, "a device copies memory");
    for (uint32_t n = 0; n < 1024; ++n) memory[n] = 0;
    works = works && copy((uint32_t)memory, 4096, false);
    for (uint32_t n = 0; n < sizeof targets / sizeof *targets; ++n) {
        works = works && copy(targets[n], 4096, false) && copy((uint32_t)memory, 4096, true);
        for (uint32_t k = 0; k < 1024; ++k) seen += memory[k] != 0 && memory[k] != ~0u;
    }
    check(works && seen == 0, "what it reads of the secure world is nothing");
    for (uint32_t n = 0; n < 1024; ++n) memory[n] = 0xdeadbeefu;
    works = copy((uint32_t)memory, 4096, false);
    for (uint32_t n = 0; n < sizeof targets / sizeof *targets; ++n) works = works && copy(targets[n], 4096, true);
    check(works && smc(PSCI_VERSION, 0, 0, 0) == 0x10001, "what it writes there does not arrive");
}

void probe_main(void) {
    check(smc(PSCI_VERSION, 0, 0, 0) == 0x10001, "PSCI 1.1");
    check(smc(PSCI_FEATURES, PSCI_CPU_ON, 0, 0) == PSCI_SUCCESS, "CPU_ON is a feature");
    check(smc(0x84000099u, 0, 0, 0) == PSCI_NOT_SUPPORTED, "what is unknown is not supported");
    check(smc(PSCI_AFFINITY_INFO, OTHER, 0, 0) == 1, "the other CPU is off");
    check(smc(PSCI_CPU_ON, 99, (uint32_t)second, 0) == PSCI_INVALID_PARAMETERS, "no such CPU");
    check(smc(PSCI_CPU_ON, OTHER, SECURE_RAM, 0) == PSCI_INVALID_ADDRESS, "no CPU begins in secure memory");
    start_and_end(0x1234);
    isolation();
    start_and_end(0x5678);
    reach_by_device();
    storm();
    start_and_end(0x9abc);
    put("probe: done\r\n");
    smc(PSCI_SYSTEM_OFF, 0, 0, 0);
}
