/* Both ends of memory that two partitions share, for tests/system/test_shared.py. The end that `frames` comes from sends numbered messages
 * through a ring whenever the other asks for them; the other checks them, tries what it may not, spoils its own side, and begins another
 * life. */
#include "partita/guest/channel.h"
#include "partita/guest/ring.h"

#define MESSAGES 2000u
#define LONGEST 200u

static unsigned failures;
static struct channel frames;
static struct channel_memory memory;
static struct ring ring;
static uint32_t rings;

static void expect(bool good, const char* what, uint32_t detail) {
    if (!good && ++failures < 10) console_printf("WRONG: %s (%u)\n", what, (unsigned)detail);
}

static void nothing(uint32_t intid) { (void)intid; }

/* What came before it slept wakes it too. */
static void sleep(void) {
    wait_for_interrupt();
    interrupts_on();
    interrupts_off();
}

static void tell(int result) {
    if (result != RING_TELL) return;
    ++rings;
    (void)channel_ring(&frames);
}

static uint32_t nonzero(const void* part, uint32_t size) {
    const volatile uint32_t* const words = part;
    uint32_t count = 0;
    for (uint32_t n = 0; n < size / 4; ++n) count += words[n] != 0;
    return count;
}

static uint32_t length_of(uint32_t number) { return 4 + number * 7 % (LONGEST - 3); }

static void send_frames(void) {
    uint8_t message[LONGEST];
    for (uint32_t number = 0; number < MESSAGES; ++number) {
        const uint32_t size = length_of(number);
        for (uint32_t n = 0; n < size; ++n) message[n] = (uint8_t)(number + n);
        int result;
        while ((result = ring_send(&ring, message, size)) < 0) {
            if (result != RING_FULL) return expect(false, "to send", (uint32_t)-result);
            sleep();
        }
        tell(result);
    }
}

static void receive_frames(void) {
    uint8_t message[LONGEST];
    for (uint32_t number = 0; number < MESSAGES; ++number) {
        uint32_t size = 0, wrong = 0;
        int result;
        while ((result = ring_receive(&ring, message, sizeof message, &size)) == RING_EMPTY) sleep();
        if (result < 0) return expect(false, "to receive", (uint32_t)-result);
        tell(result);
        for (uint32_t n = 0; n < size; ++n) wrong += message[n] != (uint8_t)(number + n);
        expect(size == length_of(number) && wrong == 0, "a frame", number);
    }
}

static void ask(void) {
    const uint32_t go = 0x474f;
    int result;
    while ((result = ring_send(&ring, &go, sizeof go)) == RING_NOBODY) sleep();
    expect(result >= 0, "to ask", (uint32_t)-result);
    tell(result);
}

/* Until the other asks as often as it has lives. What it wrote into its side in between is no question. */
static void serve(void) {
    for (unsigned asked = 0; asked < 2;) {
        uint32_t words[LONGEST / 4] = {0}, size = 0;
        const int result = ring_receive(&ring, words, sizeof words, &size);
        if (result < 0) {
            sleep();
            continue;
        }
        tell(result);
        if (size != 4 || words[0] != 0x474f) continue;
        send_frames();
        ++asked;
    }
}

static void write_word(void* at) { *(volatile uint32_t*)at = 1; }
static void jump(void* at) { ((void (*)(void))(uintptr_t)at)(); }

static void try_what_is_forbidden(void) {
    void* const theirs = (void*)(uintptr_t)memory.receive;
    expect(guest_try(write_word, theirs) == 4, "to write what is the other's", 0);
    expect(guest_try(jump, theirs) == 3, "to execute what the other writes", 0);
    expect(guest_try(jump, memory.send) == 3, "to execute what it writes itself", 0);
    expect(guest_try(write_word, (uint8_t*)memory.send + memory.send_size) != 0, "to write behind the memory", 0);
    expect((int32_t)hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, (uint32_t)(uintptr_t)memory.send, 0, 0).r0 == PSCI_INVALID_ADDRESS,
           "to have messages in it", 0);
}

/* As a partition that has gone wrong would. */
static void spoil(void) {
    volatile uint32_t* const words = memory.send;
    uint32_t seed = 1;
    for (uint32_t n = 0; n < 2000; ++n) {
        seed = seed * 1664525u + 1013904223u;
        words[(seed >> 24) % (RING_HEADER / 4 + 4)] = (seed >> 8 & 3u) != 0 ? seed >> 20 : seed;
        (void)channel_ring(&frames);
    }
}

static void begin(void) {
    interrupts_init();
    if (!channel_open("frames", &frames) || !channel_memory("frames", &memory)) {
        console_printf("shared: there is no memory\n");
        power_off();
    }
    if (life_number() == 1 && frames.sends) expect(nonzero(memory.send, memory.send_size) == 0, "it begins with zeros", 0);
    ring_open(&ring, memory.send, memory.send_size, memory.receive, memory.receive_size);
    interrupt_enable(frames.interrupt, 0x80, nothing);
    (void)channel_ring(&frames); /* somebody listens now */
}

int main(void) {
    begin();
    if (frames.sends) {
        serve();
        console_printf("shared: camera %s, %u messages, %u rings\n", failures == 0 ? "ok" : "FAILED", 2 * MESSAGES, (unsigned)rings);
        for (;;) sleep();
    }
    if (life_number() == 2) expect(nonzero(memory.receive, memory.receive_size) > 1000, "what was in it has stayed", 0);
    ask();
    receive_frames();
    if (life_number() == 1 && failures == 0) {
        try_what_is_forbidden();
        spoil();
        if (failures == 0) restart();
    }
    console_printf("shared: viewer %s in life %u\n", failures == 0 ? "ok" : "FAILED", (unsigned)life_number());
    for (;;) sleep();
}
