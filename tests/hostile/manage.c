/* A parent partition that means ill: calls of a manager with any arguments, at full speed. It may end, pause and restart others, and does
 * so with one of them; the rest of the system is to notice nothing, and what the calls tell goes into its own page, there and nowhere else.
 */
#include "hostile.h"
#include "partita/guest/calls.h"

#define PAGE 4096u
#define CANARY 0xa5u

static uint8_t page[PAGE] __attribute__((aligned(4096)));

static uint32_t argument(void) {
    static const uint32_t some[] = {0, 1, 2, 3, 4, 5, 6, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000000, 0xfffffffc};
    return next_random() % 4 == 0 ? next_random() : some[next_random() % (sizeof some / sizeof *some)];
}

static uint32_t offset(void) { return next_random() % 3 == 0 ? next_random() : next_random() % (PAGE + 8); }

/* All but `size` bytes at `at` are as they were. */
static void check_page(uint32_t at, uint32_t size, const char* what) {
    for (uint32_t n = 0; n < PAGE; ++n)
        if ((n < at || n >= at + size) && page[n] != CANARY) {
            expect(false, what, n);
            break;
        }
    for (uint32_t n = 0; n < size && at + n < PAGE; ++n) page[at + n] = CANARY;
}

static bool known(int32_t result) {
    return result == PSCI_SUCCESS || result == PSCI_INVALID_PARAMETERS || result == PSCI_DENIED || result == PARTITA_WRONG_STATE ||
           result == PARTITA_BUSY;
}

static bool is(const char* name, const char* other) {
    while (*name != 0 && *name == *other) ++name, ++other;
    return *name == *other;
}

static uint32_t number_of(const char* name) {
    for (uint32_t n = 0; (int32_t)partita_call_partition(n, 0, 0).r0 == PSCI_SUCCESS; ++n)
        if (is(((const struct partita_partition_state*)(const void*)page)->name, name)) return n;
    expect(false, "a partition is not there", 0);
    return ~0u;
}

static uint32_t phase_of(uint32_t number) {
    (void)partita_call_partition(number, 0, 0);
    return ((const struct partita_partition_state*)(const void*)page)->phase;
}

/* Of itself it may not stop or pause anything; a restart would be its end, rightly. */
static void control(uint32_t victim, uint32_t itself) {
    const uint32_t who = next_random() % 8;
    const uint32_t target = who == 0 ? itself : who == 1 ? 100 + (next_random() & 0xffffu) : victim, action = next_random() % 7;
    if (target == itself && action == PARTITA_CONTROL_RESTART) return;
    const int32_t result = (int32_t)partita_call_control(target, action, 0).r0;
    expect(known(result), "what CONTROL answers", (uint32_t)result);
    if (target == itself) expect(result != PSCI_SUCCESS, "it changes itself", action);
    if (target >= 100 || action > PARTITA_CONTROL_RESTART) expect(result == PSCI_INVALID_PARAMETERS, "nobody, or nothing", action);
}

static void ask(uint32_t victim, uint32_t itself) {
    const uint32_t at = offset(), a = argument();
    int32_t result = 0;
    switch (next_random() % 4) {
        case 0:
            result = (int32_t)partita_call_partition(a, at, 0).r0;
            check_page(at, result == PSCI_SUCCESS ? sizeof(struct partita_partition_state) : 0, "PARTITION");
            break;
        case 1:
            result = (int32_t)partita_call_vcpu(a, argument(), at).r0;
            check_page(at, result == PSCI_SUCCESS ? sizeof(struct partita_vcpu_state) : 0, "VCPU");
            break;
        case 2: {
            const struct hypercall_result of = partita_call_log(at, argument(), next_random() % 3 == 0 ? argument() : 0);
            result = (int32_t)of.r0;
            check_page(at, result == PSCI_SUCCESS ? of.r1 : 0, "LOG");
            break;
        }
        default: control(victim, itself); return;
    }
    expect(known(result), "an answer", (uint32_t)result);
}

int main(void) {
    (void)partita_call_message_page((uint32_t)(uintptr_t)page, 0, 0);
    const uint32_t victim = number_of("victim"), itself = number_of("hostile");
    uint32_t tried = 0;
    for (uint32_t n = 0; n < PAGE; ++n) page[n] = CANARY;
    for (; tried < 20000; ++tried) ask(victim, itself);
    /* Whatever was done to it, it can be made to run again. */
    for (uint32_t n = 0; n < 1000000 && phase_of(victim) != PARTITA_PHASE_RUNNING; ++n) {
        (void)partita_call_control(victim, PARTITA_CONTROL_START, 0);
        (void)partita_call_control(victim, PARTITA_CONTROL_RESUME, 0);
    }
    expect(phase_of(victim) == PARTITA_PHASE_RUNNING || phase_of(victim) == PARTITA_PHASE_LOADING ||
               phase_of(victim) == PARTITA_PHASE_STOPPING,
           "it does not run again", phase_of(victim));
    return told("manage", tried);
}
