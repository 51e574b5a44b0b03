/* A driver of a virtio device that another partition, on another CPU, serves: what it does often, and what waits for the server. */
#include "bench.h"

#define REPETITIONS 64u
#define DEVICE 0x0a000000u

/* Until the server has taken what was asked before. */
static void settle(void) {
    const uint64_t end = counter() + 100000;
    while (counter() < end) yield();
}

#define MEASURE(name, operation)                                                          \
    do {                                                                                  \
        struct figures figures = {0};                                                     \
        console_printf("operation " name "\n");                                           \
        settle();                                                                         \
        mark_begin();                                                                     \
        (void)(operation);                                                                \
        mark_end();                                                                       \
        for (uint32_t n = 0; n < REPETITIONS; ++n) settle(), record(&figures, operation); \
        report(name, &figures);                                                           \
    } while (0)

int main(void) {
    uint32_t out = 0;
    bench_interrupts_on();
    settle();
    MEASURE("virtio_notify", TIMED("str %[in], [%[in], #0x50]", DEVICE, out));
    MEASURE("virtio_status", TIMED("ldr %[out], [%[in], #0x60]", DEVICE, out));
    MEASURE("virtio_forwarded", TIMED("ldr %[out], [%[in], #0x70]", DEVICE, out));
    console_printf("driver done\n");
    return (int)out;
}
