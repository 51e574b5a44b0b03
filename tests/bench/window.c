/* Notes when it went on after it had been interrupted, and how long after the begin of its window that was. */
#include "bench.h"

#define WINDOWS 300u

int main(void) {
    struct figures late = {0};
    uint64_t last = counter(), seen = 0;
    while (late.count < WINDOWS) {
        const uint64_t now = counter();
        if (now - last > 60) {
            const struct hypercall_result window = hypercall(PARTITA_HYPERCALL_WINDOW, 0, 0, 0);
            const uint64_t begin = (uint64_t)window.r1 << 32 | window.r0;
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
