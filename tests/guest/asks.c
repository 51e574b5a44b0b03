/* Sends a message each millisecond through memory that it shares, and waits for it to come back: for tests/system/test_linux_ends.py. */
#include "partita/guest/channel.h"
#include "partita/guest/ring.h"

#define MESSAGES 1000u
#define WORDS 16u

static struct channel frames;
static struct ring ring;
static uint32_t answered, wrong, worst;
static uint64_t sent; /* when the last message was */

static void nothing(uint32_t intid) { (void)intid; }

static void sleep(void) {
    wait_for_interrupt();
    interrupts_on();
    interrupts_off();
}

static int send(const void* message, uint32_t size) {
    int result;
    while (sent = timer_now(), (result = ring_send(&ring, message, size)) == RING_NOBODY || result == RING_FULL) sleep();
    if (result == RING_TELL) (void)channel_ring(&frames);
    return result;
}

static void ask(uint32_t number) {
    uint32_t message[WORDS], answer[WORDS], size = 0;
    for (uint32_t n = 0; n < WORDS; ++n) message[n] = number * 0x9e3779b1u + n;
    int result = send(message, sizeof message);
    if (result < 0) return (void)++wrong;
    while ((result = ring_receive(&ring, answer, sizeof answer, &size)) == RING_EMPTY) sleep();
    const uint32_t took = (uint32_t)(timer_now() - sent);
    if (took > worst) worst = took;
    if (result < 0 || size != sizeof answer) return (void)++wrong;
    for (uint32_t n = 0; n < WORDS; ++n) wrong += answer[n] != message[n];
    ++answered;
}

int main(void) {
    struct channel_memory memory;
    interrupts_init();
    if (!channel_open("frames", &frames) || !channel_memory("frames", &memory)) {
        console_printf("asks: there is no memory\n");
        return 1;
    }
    ring_open(&ring, memory.send, memory.send_size, memory.receive, memory.receive_size);
    interrupt_enable(frames.interrupt, 0x80, nothing);
    (void)channel_ring(&frames);
    uint64_t next = timer_now();
    for (uint32_t n = 0; n < MESSAGES; ++n) {
        ask(n);
        next += timer_frequency() / 1000;
        if (timer_now() < next) timer_sleep_until(next);
    }
    (void)send("", 1);
    console_printf("asks: %u sent, %u answered, %u wrong, worst %u us, memory %s\n", MESSAGES, (unsigned)answered, (unsigned)wrong,
                   (unsigned)(worst / (timer_frequency() / 1000000)), memory.cached ? "cached" : "uncached");
    for (;;) sleep();
}
