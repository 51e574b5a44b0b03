/* Two partitions on a CPU each: a doorbell from one to the other, which runs, and messages of 64 bytes, copied and through shared memory.
 * The one that has the ends that send measures what sending costs; the other then what it costs to receive. */
#include "bench.h"
#include "partita/guest/channel.h"
#include "partita/guest/ring.h"

#define REPETITIONS 100u
#define FIRST 5u /* repetitions that are not recorded: to warm up, and the one between the marks */
#define SIZE 64u

static uint32_t page[1024] __attribute__((aligned(4096)));
static struct channel bell, times, queue, value;
static struct ring ring_end;

/* The ticks of one call; its answer in r0 must be 0. */
static uint32_t call(uint32_t function, uint32_t port, uint32_t size) {
    uint64_t before, after;
    register uint32_t r0 __asm__("r0") = function;
    register uint32_t r1 __asm__("r1") = port;
    register uint32_t r2 __asm__("r2") = 0;
    register uint32_t r3 __asm__("r3") = size;
    __asm__ volatile(".arch_extension virt\n\tmrrc p15, 1, %Q0, %R0, c14\n\thvc #0\n\tmrrc p15, 1, %Q1, %R1, c14"
                     : "=&r"(before), "=&r"(after), "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
    if (r0 != 0) console_printf("call %08x of port %u: %d\n", (unsigned)function, (unsigned)port, (int)r0);
    return (uint32_t)(after - before) - 1;
}

static void measure(const char* name, uint32_t function, const struct channel* channel, uint32_t size) {
    struct figures figures = {0};
    for (uint32_t n = 1; n < FIRST; ++n) (void)call(function, channel->port, size);
    console_printf("operation %s\n", name);
    mark_begin();
    (void)call(function, channel->port, size);
    mark_end();
    for (uint32_t n = 0; n < REPETITIONS; ++n) record(&figures, call(function, channel->port, size));
    report(name, &figures);
}

/* One message through the ring, which the other end does not wait for; `by` is this end's part in it. */
static int send_frame(void) { return ring_send(&ring_end, page, SIZE); }
static int receive_frame(void) {
    uint32_t size = 0;
    return ring_receive(&ring_end, page, sizeof page, &size);
}

static void measure_ring(const char* name, int (*by)(void)) {
    struct figures figures = {0};
    int result = by();
    console_printf("operation %s\n", name);
    mark_begin();
    result |= by();
    mark_end();
    for (uint32_t n = 0; n < REPETITIONS; ++n) {
        const uint64_t before = counter();
        result |= by();
        record(&figures, (uint32_t)(counter() - before) - 1);
    }
    if (result != 0) console_printf("%s: %d\n", name, result);
    report(name, &figures);
}

/* Under -icount one CPU runs at a time, until it yields. */
static void settle(void) {
    for (uint32_t n = 0; n < 200; ++n) yield();
}

/* When the other's interrupt handler was entered comes back as a message. */
static uint32_t ring(void) {
    settle();
    const uint64_t from = counter();
    (void)hypercall(PARTITA_HYPERCALL_SEND, bell.port, 0, 0);
    do settle(); /* the other CPU runs */
    while (hypercall(PARTITA_HYPERCALL_RECEIVE, times.port, 0, 0).r0 != 0);
    return (uint32_t)((uint64_t)page[1] << 32 | page[0]) - (uint32_t)from;
}

static void wait_for_peer(void) {
    struct channel_state state;
    do {
        settle();
        (void)channel_state(&bell, &state);
    } while (!state.peers_run);
    while (hypercall(PARTITA_HYPERCALL_RECEIVE, times.port, 0, 0).r0 != 0) yield(); /* it is ready */
}

static void send_all(void) {
    struct figures figures = {0};
    wait_for_peer();
    for (uint32_t n = 1; n < FIRST; ++n) (void)ring();
    console_printf("operation doorbell\n");
    mark_begin();
    (void)ring();
    mark_end();
    for (uint32_t n = 0; n < REPETITIONS; ++n) record(&figures, ring());
    report("doorbell", &figures);
    measure("queue_send", PARTITA_HYPERCALL_SEND, &queue, SIZE);
    measure("sampling_write", PARTITA_HYPERCALL_SEND, &value, SIZE);
    measure_ring("ring_send", send_frame);
    (void)ring();
}

static void send_time(uint64_t time) {
    page[0] = (uint32_t)time, page[1] = (uint32_t)(time >> 32);
    (void)hypercall(PARTITA_HYPERCALL_SEND, times.port, 0, 8);
}

static void receive_all(void) {
    write8(GICD + 0x400 + bell.interrupt, 0x80);
    write8(GICD + 0x800 + bell.interrupt, 1);
    REG32(GICD + 0xc00 + bell.interrupt / 16 * 4) = 2u << bell.interrupt % 16 * 2; /* an edge, as the device tree says */
    struct channel_state state;
    (void)channel_state(&bell, &state);
    REG32(GICD + 0x100 + bell.interrupt / 32 * 4) = 1u << bell.interrupt % 32;
    settle();
    uint32_t seen = taken[0].count;
    send_time(0);
    for (uint32_t n = 0; n < FIRST + REPETITIONS + 1; ++n) {
        while (taken[0].count == seen) yield();
        seen = taken[0].count;
        send_time(taken[0].entered);
    }
    settle();
    measure("queue_receive", PARTITA_HYPERCALL_RECEIVE, &queue, 0);
    measure("sampling_read", PARTITA_HYPERCALL_RECEIVE, &value, 0);
    measure_ring("ring_receive", receive_frame);
    console_printf("channels done\n");
}

int main(void) {
    bench_interrupts_on();
    if (!channel_open("bell", &bell) || !channel_open("times", &times) || !channel_open("queue", &queue) || !channel_open("value", &value))
        console_printf("no channels\n");
    struct channel_memory memory;
    if (!channel_memory("frames", &memory)) console_printf("no memory\n");
    ring_open(&ring_end, memory.send, memory.send_size, memory.receive, memory.receive_size);
    (void)hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, (uint32_t)(uintptr_t)page, 0, 0);
    if (bell.sends)
        send_all();
    else
        receive_all();
    return 0;
}
