/* Shares a CPU with others: fills every register that moves at a switch with a pattern of its own, sleeps and spins in
 * turn, and looks whether anything has changed or shone through. */
#include "partita/guest/guest.h"
#include "partition/system_registers.h"

static volatile bool woken;
static void on_timer(uint32_t intid) {
    (void)intid;
    timer_stop();
    woken = true;
}

static uint64_t pattern[32], seen[32];

static void fill(void) {
    void* at = pattern;
    __asm__ volatile(".fpu neon\n\tvldmia %0!, {d0-d15}\n\tvldmia %0, {d16-d31}" : "+r"(at)::"memory");
}
static void look(void) {
    void* at = seen;
    __asm__ volatile(".fpu neon\n\tvstmia %0!, {d0-d15}\n\tvstmia %0, {d16-d31}" : "+r"(at)::"memory");
}

/* Each of the table, as it was at first, with its free bits this partition's own. */
struct registers {
#define PAIR(first, second, name, opc1, crm, free) uint64_t name;
#define WORD(n, name, opc1, crn, crm, opc2, free) uint32_t name;
    PARTITA_SYSTEM_PAIRS(PAIR)
    PARTITA_SYSTEM_WORDS(WORD)
#undef PAIR
#undef WORD
};

static void get(struct registers* to) {
#define PAIR(first, second, name, opc1, crm, free) __asm__ volatile("mrrc p15, " #opc1 ", %Q0, %R0, c" #crm : "=r"(to->name));
#define WORD(n, name, opc1, crn, crm, opc2, free) __asm__ volatile("mrc p15, " #opc1 ", %0, c" #crn ", c" #crm ", " #opc2 : "=r"(to->name));
    PARTITA_SYSTEM_PAIRS(PAIR)
    PARTITA_SYSTEM_WORDS(WORD)
#undef PAIR
#undef WORD
}

static void set(const struct registers* from) {
#define PAIR(first, second, name, opc1, crm, free) \
    if (free != 0) __asm__ volatile("mcrr p15, " #opc1 ", %Q0, %R0, c" #crm ::"r"(from->name));
#define WORD(n, name, opc1, crn, crm, opc2, free) \
    if (free != 0) __asm__ volatile("mcr p15, " #opc1 ", %0, c" #crn ", c" #crm ", " #opc2 ::"r"(from->name));
    PARTITA_SYSTEM_PAIRS(PAIR)
    PARTITA_SYSTEM_WORDS(WORD)
#undef PAIR
#undef WORD
    __asm__ volatile("isb");
}

static uint32_t next(uint32_t* state) {
    *state = *state * 1664525u + 1013904223u;
    return *state ^ *state >> 16;
}

/* The free bits of each differ, from round to round and from one another. */
static void own(struct registers* to, uint32_t* state) {
#define PAIR(first, second, name, opc1, crm, free) to->name = (to->name & ~(uint64_t)free) | (next(state) & free);
#define WORD(n, name, opc1, crn, crm, opc2, free) to->name = (to->name & ~(uint32_t)free) | (next(state) & free);
    PARTITA_SYSTEM_PAIRS(PAIR)
    PARTITA_SYSTEM_WORDS(WORD)
#undef PAIR
#undef WORD
}

/* The name of the first that is not as it should be, or NULL. */
static const char* differing(const struct registers* left, const struct registers* right) {
#define PAIR(first, second, name, opc1, crm, free) \
    if (left->name != right->name) return #name;
#define WORD(n, name, opc1, crn, crm, opc2, free) \
    if (left->name != right->name) return #name;
    PARTITA_SYSTEM_PAIRS(PAIR)
    PARTITA_SYSTEM_WORDS(WORD)
#undef PAIR
#undef WORD
    return NULL;
}

static bool same_vfp(void) {
    bool same = true;
    for (unsigned n = 0; n < 32; ++n) same = same && pattern[n] == seen[n];
    return same;
}

int main(void) {
    const uint32_t seed = (uint32_t)timer_now() | 1;
    for (unsigned n = 0; n < 32; ++n) pattern[n] = (uint64_t)seed << 32 | n;
    interrupts_init();
    interrupt_enable(TIMER_INTERRUPT, 0x80, on_timer);
    struct registers mine, now;
    get(&mine);
    uint32_t state = seed;
    for (unsigned round = 0; round < 300; ++round) {
        fill();
        own(&mine, &state);
        set(&mine);
        woken = false;
        timer_set(timer_now() + timer_frequency() / (round % 2 ? 500 : 3000));
        while (!woken) {
            if (round % 2) wait_for_interrupt();
            interrupts_on();
            interrupts_off();
        }
        look();
        get(&now);
        const char* const wrong = same_vfp() ? differing(&mine, &now) : "vfp";
        if (wrong) {
            console_printf("neighbour: FAILED in round %u: %s\n", round, wrong);
            return 1;
        }
    }
    console_printf("neighbour: ok\n");
    return 0;
}
