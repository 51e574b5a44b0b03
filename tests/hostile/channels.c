/* A partition that uses its ends of channels in every way that it may not, from two virtual CPUs at once: any port, any place, any size,
 * pages that are not its own and pages that the other virtual CPU changes meanwhile, and as fast as it can. Row 27 of docs/security.md. */
#include "hostile.h"
#include "partita/guest/channel.h"

#define ROUNDS 60000u

static uint32_t pages[2][1024] __attribute__((aligned(4096)));
static uint32_t stack[1024] __attribute__((used));
static volatile uint32_t second_done, answers[64];
static struct channel out, in, value, bell;
void channels_secondary(void);
void secondary_loop(void) __attribute__((noreturn));

static int32_t call(uint32_t function, uint32_t a, uint32_t b, uint32_t c) {
    const struct hypercall_result result = hypercall(function, a, b, c);
    const int32_t code = (int32_t)result.r0;
    expect(code <= 0 && code > -32, "an answer that is none", result.r0);
    ++answers[(uint32_t)(-code) % 64];
    return code;
}

static uint32_t any_place(uint32_t random) { return random % 4 == 0 ? random : random % 3 == 0 ? random % 4096 : random % 1024 * 4; }
static uint32_t any_size(uint32_t random) { return random % 8 == 0 ? random : random % 80; }

static void any_call(uint32_t own) {
    const uint32_t random = next_random(), what = random >> 8 & 0xfu;
    const uint32_t port = random % 16 == 0 ? next_random() : random % 5;
    if (what == 0) {
        const uint32_t wild[] = {0x40200000u, 0x08010000u, 0x08000000u, 0, 0x40010004u, 0xfffff000u, ~0u, next_random() & ~0xfffu};
        (void)call(PARTITA_HYPERCALL_MESSAGE_PAGE, wild[next_random() % 8], 0, 0);
        (void)call(PARTITA_HYPERCALL_MESSAGE_PAGE, (uint32_t)(uintptr_t)pages[own], 0, 0);
    } else if (what < 8) {
        pages[own][next_random() % 1024] = random;
        (void)call(PARTITA_HYPERCALL_SEND, port, any_place(next_random()), any_size(next_random()));
    } else if (what < 13) {
        (void)call(PARTITA_HYPERCALL_RECEIVE, port, any_place(next_random()), next_random());
    } else {
        (void)call(PARTITA_HYPERCALL_PORT, port, next_random(), next_random());
    }
}

/* Both use the first one's page: what one sends the other is writing. */
void secondary_loop(void) {
    (void)hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, (uint32_t)(uintptr_t)pages[0], 0, 0);
    for (uint32_t n = 0; n < ROUNDS; ++n) any_call(0);
    second_done = 1;
    hypercall(PSCI_CPU_OFF, 0, 0, 0);
    for (;;) {
    }
}
/* It starts without caches: what it writes is not what it seems to be, which is its own affair. */
__asm__(".text\n.global channels_secondary\nchannels_secondary:\n\tldr sp, =stack + 4096\n\tb secondary_loop\n\t.ltorg\n");

static void check_in_peace(void) {
    uint32_t message[16] = {0};
    expect(channel_send(&in, message, 4) == PSCI_DENIED, "to send by an end that receives", 0);
    expect((int32_t)hypercall(PARTITA_HYPERCALL_RECEIVE, out.port, 0, 0).r0 == PSCI_DENIED, "to receive by an end that sends", 0);
    expect((int32_t)hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, 0x40200000u, 0, 0).r0 == PSCI_INVALID_ADDRESS, "a page behind its memory", 0);
    expect(channel_send(&out, message, 65) == PSCI_INVALID_PARAMETERS, "a message that is too long", 0);
}

int main(void) {
    if (!channel_open("out", &out) || !channel_open("in", &in) || !channel_open("value", &value) || !channel_open("bell", &bell)) {
        expect(false, "no channels", 0);
        return told("channels", 0);
    }
    check_in_peace();
    (void)hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, (uint32_t)(uintptr_t)pages[0], 0, 0);
    const bool second = cpu_on(1, channels_secondary, 0) == PSCI_SUCCESS;
    for (uint32_t n = 0; n < ROUNDS; ++n) any_call(second ? 1 : 0);
    while (second && !second_done) __asm__ volatile("yield");
    check_in_peace();
    expect(answers[0] != 0 && answers[-PSCI_DENIED] != 0 && answers[-PSCI_INVALID_PARAMETERS] != 0 && answers[-PARTITA_FULL] != 0,
           "not every answer was met", answers[0]);
    return told("channels", ROUNDS);
}
