/* Notes when it went on after it had been interrupted, and how long after the begin of its window that was. */
#include "bench.h"

#define WINDOWS 300u

static uint64_t window_begin(void) {
    const struct hypercall_result window = hypercall(PARTITA_HYPERCALL_WINDOW, 0, 0, 0);
    return (uint64_t)window.r1 << 32 | window.r0;
}

int main(void) {
    struct figures late = {0};
    uint64_t seen = window_begin(), last = counter(); /* it began to run somewhere in this one */
    while (late.count < WINDOWS) {
        const uint64_t now = counter();
        if (now - last > 60) {
            const uint64_t begin = window_begin();
            if (begin != seen && now > begin) record(&late, (uint32_t)(now - begin)); /* not a mere interrupt in the middle */
            seen = begin;
            last = counter();
            continue;
        }
        last = now;
        yield();
    }
    report("window_jitter", &late);
    console_printf("window done\n");
    return 0;
}
