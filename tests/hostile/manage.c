/* A parent partition that means ill: calls of a manager with any arguments, at full speed. It may end, pause and restart others, and does
 * so with one of them, and gives a place of the pool records of any content to run; the rest of the system is to notice nothing, and what
 * the calls tell goes into its own page, there and nowhere else.
 */
#include "hostile.h"
#include "partita/guest/calls.h"
#include "partita/guest/tree.h"
#include "partita/system_image.h"

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

/* A record that would do, changed by a few words, sealed or not. What it copies is an endless loop. */
static uint32_t store, store_size;

static void put_record(void) {
    struct partita_guest* const guest = (struct partita_guest*)(uintptr_t)store;
    uint32_t* const words = (uint32_t*)(uintptr_t)store;
    for (uint32_t n = 0; n < sizeof *guest / 4; ++n) words[n] = 0;
    guest->magic = PARTITA_GUEST_MAGIC;
    guest->name[0] = 'm';
    guest->entry = 0x40008000;
    guest->copies = 1 + next_random() % PARTITA_GUEST_COPIES;
    for (uint32_t n = 0; n < guest->copies; ++n) {
        guest->copy[n].source = n == 0 ? sizeof *guest : next_random() % 256 * 8;
        guest->copy[n].ipa = 0x40008000 + n * 64;
        guest->copy[n].size = n == 0 ? 64 : next_random() % 512;
    }
    guest->patches = 1 + next_random() % PARTITA_GUEST_PATCHES;
    for (uint32_t n = 1; n < guest->patches; ++n) {
        guest->patch[n].ipa = 0x40100100, guest->patch[n].kind = PARTITA_PATCH_RANDOM;
        guest->patch[n].size = next_random() % 16 == 0 ? argument() & 0xfffffu : next_random() % (PARTITA_LONGEST_PATCH + 1);
        guest->patch[n].nop_size = next_random() % 16 == 0 ? argument() & 0xffffcu : PARTITA_LONGEST_PATCHED;
    }
    guest->patch[0].ipa = 0x40100000, guest->patch[0].size = 4, guest->patch[0].kind = PARTITA_PATCH_STARTS;
    for (uint32_t n = 0; n < 512; ++n) words[sizeof *guest / 4 + n] = 0xeafffffe; /* b . */
    for (uint32_t changes = next_random() % 3; changes != 0; --changes) words[next_random() % (sizeof *guest / 4)] = argument();
    if (next_random() % 8 == 0) return;
    uint32_t sum = 0;
    guest->checksum = 0;
    for (uint32_t n = 0; n < sizeof *guest / 4; ++n) sum += words[n];
    guest->checksum = 0 - sum;
}

static uint32_t given;

static void load(uint32_t place, uint32_t itself) {
    const uint32_t action = next_random() % 4 == 0 ? PARTITA_CONTROL_START : PARTITA_CONTROL_STOP;
    (void)partita_call_control(place, action, 0);
    if (next_random() % 16 == 0) (void)partita_call_load(place, 0, 0);
    put_record();
    const bool any = next_random() % 4 == 0;
    const uint32_t target = any && next_random() % 2 == 0 ? argument() : place, from = any ? argument() : store;
    const uint32_t size = any ? argument() : sizeof(struct partita_guest) + 2048;
    if (target < 8 && target != place && target != itself && size == 0) return;
    const int32_t result = (int32_t)partita_call_load(target, from, size).r0;
    expect(known(result) || result == PSCI_INVALID_ADDRESS, "what LOAD answers", (uint32_t)result);
    if (result == PSCI_SUCCESS && size != 0) {
        ++given;
        expect(target == place, "one that runs was given something", target);
        expect(from >= store && size <= store_size, "from memory that is not kept", from);
    }
}

static void ask(uint32_t victim, uint32_t itself, uint32_t place) {
    const uint32_t at = offset(), a = argument();
    int32_t result = 0;
    switch (next_random() % 5) {
        case 4: load(place, itself); return;
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
    const uint32_t victim = number_of("victim"), itself = number_of("hostile"), place = number_of("pool-0");
    uint32_t bytes = 0;
    const uint32_t* const where = tree_child_property("", "hypervisor", "partita,store", &bytes);
    expect(where != NULL && bytes == 8, "no store", bytes);
    store = tree_cell(where), store_size = tree_cell(where + 1);
    uint32_t tried = 0;
    for (uint32_t n = 0; n < PAGE; ++n) page[n] = CANARY;
    for (; tried < 20000; ++tried) ask(victim, itself, place);
    expect(given > 100, "hardly any record was good", given);
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
