/* Never sleeps. Notes when it went on after it had been interrupted for longer than its own loop takes, and tells it in the end. */
#include "bench.h"

#define GAPS 60u
static uint64_t resumed[GAPS];
#ifdef ENDLESS
static const int endless = 1;
#else
static const int endless = 0;
#endif

int main(void) {
    uint32_t count = 0;
    uint64_t last = counter();
    while (count < GAPS) {
        use_vfp();
        const uint64_t now = counter();
        if (!endless && now - last > 60) resumed[count++] = now;
        last = now;
        yield();
    }
    for (uint32_t n = 0; n < count; ++n) console_printf("back %llu\n", resumed[n]);
    console_printf("spinner done\n");
    return 0;
}
