/* Looks at its own processor time: windows, what it had and what others had, and the change of schedules. With the right to manage it
 * changes from schedule 0 to 1 and back. */
#include "partita/guest/guest.h"

static uint64_t pair(uint32_t low, uint32_t high) { return (uint64_t)high << 32 | low; }

struct span {
    uint64_t begin, end;
};
static struct span window(void) {
    const struct hypercall_result r = hypercall(PARTITA_HYPERCALL_WINDOW, 0, 0, 0);
    return (struct span){pair(r.r0, r.r1), pair(r.r2, r.r3)};
}
static struct span next_window(void) {
    const struct span now = window();
    while (timer_now() < now.end) {
    }
    return window();
}

static unsigned wrong;
#define CHECK(what, ok)                                                    \
    do {                                                                   \
        if (!(ok)) ++wrong, console_printf("scheduled: WRONG %s\n", what); \
    } while (0)

/* Waits until its windows are `microseconds` long; the time that took, in windows. */
static unsigned until_length(unsigned microseconds) {
    for (unsigned n = 0; n < 20; ++n) {
        const struct span here = next_window();
        if ((here.end - here.begin) * 1000000u / timer_frequency() == microseconds) return n;
    }
    return 1000;
}

int main(void) {
    const struct span first = next_window(), second = next_window();
    CHECK("a window is now", timer_now() >= second.begin && timer_now() < second.end);
    CHECK("windows of one length", second.end - second.begin == first.end - first.begin);
    const struct hypercall_result before = hypercall(PARTITA_HYPERCALL_TIME, 0, 0, 0);
    const uint64_t begin = timer_now();
    for (unsigned n = 0; n < 4; ++n) (void)next_window();
    const uint64_t end = timer_now();
    const struct hypercall_result after = hypercall(PARTITA_HYPERCALL_TIME, 0, 0, 0);
    const uint64_t ran = pair(after.r0, after.r1) - pair(before.r0, before.r1);
    const uint64_t stolen = pair(after.r2, after.r3) - pair(before.r2, before.r3);
    CHECK("it had some time", ran != 0 && stolen != 0);
    const uint64_t sum = ran + stolen, all = end - begin, slack = timer_frequency() / 10000;
    CHECK("what it had and what it missed is all there was", sum + slack > all && sum < all + slack);
    CHECK("yield", hypercall(PARTITA_HYPERCALL_YIELD, 0, 0, 0).r0 == PSCI_SUCCESS);

    struct hypercall_result asked = hypercall(PARTITA_HYPERCALL_SCHEDULE, ~0u, 0, 0);
    CHECK("two schedules, the first in force", asked.r0 == PSCI_SUCCESS && asked.r1 == 0 && asked.r2 == 2);
    asked = hypercall(PARTITA_HYPERCALL_SCHEDULE, 1, 0, 0);
    if (asked.r0 == (uint32_t)PSCI_DENIED) {
        console_printf("scheduled: denied%s\n", wrong ? ", but WRONG before" : "");
        return 0;
    }
    CHECK("the change is accepted", asked.r0 == PSCI_SUCCESS && asked.r1 == 1);
    CHECK("it comes", until_length(2000) <= 3);
    (void)hypercall(PARTITA_HYPERCALL_SCHEDULE, 0, 0, 0);
    CHECK("and goes", until_length(1000) <= 3);
    console_printf(wrong ? "scheduled: FAILED\n" : "scheduled: ok\n");
    return 0;
}
