/* Both ends of channels, for tests/system/test_channels.py. It finds out by its device tree which it is: whoever has an end of `commands`
 * that sends asks, whoever has one that receives answers. */
#include "partita/guest/channel.h"

#define ROUNDS 1000u
#define WORDS 16u

static unsigned failures;
static struct channel commands, answers, speed, bell;
static volatile uint32_t arrived;

static void expect(bool good, const char* what, uint32_t detail) {
    if (!good && ++failures < 10) console_printf("WRONG: %s (%u)\n", what, (unsigned)detail);
}

static void on_message(uint32_t intid) {
    (void)intid;
    ++arrived;
}

static void fill(uint32_t* message, uint32_t number) {
    for (uint32_t n = 0; n < WORDS; ++n) message[n] = number * 0x9e3779b1u + n;
}

static bool is_whole(const uint32_t* message) {
    for (uint32_t n = 1; n < WORDS; ++n)
        if (message[n] != message[0] + n) return false;
    return true;
}

static void sleep_for(uint32_t microseconds) { timer_sleep_until(timer_now() + (uint64_t)timer_frequency() / 1000000u * microseconds); }

/* Sleeps until a message is there: its interrupt wakes, and one that came before is seen by the attempt that follows. */
static uint32_t receive(const struct channel* queue, uint32_t* message) {
    uint32_t size = 0;
    while (channel_receive(queue, message, &size) != PSCI_SUCCESS) {
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
    return size;
}

static void check_refusals(void) {
    uint32_t message[WORDS] = {0}, size = 0;
    struct channel_state state;
    const struct channel none = {.port = 99, .message_size = sizeof message};
    expect(hypercall(PARTITA_HYPERCALL_MESSAGE_PAGE, ~0u, 0, 0).r0 == PSCI_SUCCESS, "to have no page any more", 0);
    expect((int32_t)hypercall(PARTITA_HYPERCALL_RECEIVE, answers.port, 0, 0).r0 == PARTITA_NO_MESSAGE_PAGE, "to receive without a page", 0);
    expect(channel_receive(&answers, message, &size) == PARTITA_EMPTY, "the page is named again", 0);
    expect(channel_send(&none, message, 4) == PSCI_INVALID_PARAMETERS, "a port that is not there", 0);
    expect(channel_state(&none, &state) == PSCI_INVALID_PARAMETERS, "a port that is not there has a state", 0);
    expect(channel_send(&answers, message, 4) == PSCI_DENIED, "to send by an end that receives", 0);
    expect(channel_receive(&commands, message, &size) == PSCI_DENIED, "to receive by an end that sends", 0);
    expect(channel_send(&commands, message, 0) == PSCI_INVALID_PARAMETERS, "an empty message", 0);
    expect(channel_send(&commands, message, sizeof message + 1) == PSCI_INVALID_PARAMETERS, "a message that is too long", 0);
}

static uint32_t fill_queue(void) {
    uint32_t message[WORDS], count = 0;
    fill(message, 0);
    while (channel_send(&commands, message, sizeof message) == PSCI_SUCCESS) ++count;
    const uint64_t begin = timer_now(), wait = timer_frequency() / 100u;
    expect(channel_send_until(&commands, message, sizeof message, begin + wait) == PARTITA_FULL, "a full queue has room", count);
    expect(timer_now() >= begin + wait, "it did not wait for room", 0);
    return count;
}

/* A value each millisecond, so many times. */
static void write_speed(uint32_t times) {
    uint32_t message[WORDS];
    for (uint32_t n = 0; n < times; ++n) {
        fill(message, n);
        (void)channel_send(&speed, message, sizeof message);
        sleep_for(1000);
    }
}

/* Asks: the answer to each number is its double. Meanwhile the speed is written again and again. */
static void ask(void) {
    uint32_t message[WORDS];
    check_refusals();
    struct channel_state state = {0};
    while (channel_state(&commands, &state) == PSCI_SUCCESS && !state.peers_run) sleep_for(100);
    expect(fill_queue() == commands.depth, "the queue is as deep as described", commands.depth);
    expect(channel_ring(&bell) == PSCI_SUCCESS, "the doorbell", 0);
    expect(channel_ring(&bell) == PARTITA_TOO_SOON, "the doorbell rings again at once", 0);
    for (uint32_t n = 0; n < commands.depth; ++n) (void)receive(&answers, message);
    const uint64_t begin = timer_now();
    for (uint32_t n = 1; n <= ROUNDS; ++n) {
        fill(message, n);
        expect(channel_send(&speed, message, sizeof message) == PSCI_SUCCESS, "the speed", n);
        message[0] = n;
        expect(channel_send_until(&commands, message, 4 + n % 61, timer_now() + timer_frequency()) == PSCI_SUCCESS, "a command", n);
        const uint32_t size = receive(&answers, message);
        expect(size == 4 && message[0] == 2 * n, "the answer", message[0]);
    }
    const uint32_t took = (uint32_t)((timer_now() - begin) / (timer_frequency() / 1000000u));
    console_printf("messages: %u there and back, %u us each, %u interrupts\n", ROUNDS, (unsigned)(took / ROUNDS), (unsigned)arrived);
    console_printf("messages: asker %s\n", failures == 0 ? "ok" : "FAILED");
    write_speed(100);
}

static void check_speed(uint32_t* reads) {
    uint32_t message[WORDS];
    struct sample sample;
    if (channel_read(&speed, message, &sample) != PSCI_SUCCESS) return;
    expect(sample.size == sizeof message && is_whole(message), "a torn value", *reads);
    ++*reads;
}

static void wait_for_speed(bool valid) {
    uint32_t message[WORDS];
    struct sample sample;
    do {
        sleep_for(1000);
        (void)channel_read(&speed, message, &sample);
    } while (sample.valid != valid);
}

static void answer(void) {
    uint32_t message[WORDS], reads = 0, count = 0;
    struct sample sample;
    expect(life_number() > 1 || channel_read(&speed, message, &sample) == PARTITA_EMPTY, "a value that nobody wrote", 0);
    struct channel_state state;
    while (channel_state(&bell, &state) == PSCI_SUCCESS && state.waiting == 0) {
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
    for (; count < commands.depth; ++count) {
        expect(receive(&commands, message) == sizeof message && is_whole(message), "a torn message", count);
        expect(channel_send(&answers, message, 4) == PSCI_SUCCESS, "to answer", count);
    }
    for (uint32_t n = 1; n <= ROUNDS; ++n) {
        const uint32_t size = receive(&commands, message);
        expect(size == 4 + n % 61 && message[0] == n, "messages in order", message[0]);
        message[0] *= 2;
        expect(channel_send(&answers, message, 4) == PSCI_SUCCESS, "to answer", n);
        check_speed(&reads);
    }
    expect(channel_read(&speed, message, &sample) == PSCI_SUCCESS && sample.valid, "a fresh value is valid", sample.age);
    expect(reads > ROUNDS / 2, "values that were read", reads);
    console_printf("messages: answerer %s\n", failures == 0 ? "ok" : "FAILED");
    wait_for_speed(false);
    (void)channel_state(&commands, &state);
    console_printf("messages: the speed is no longer valid; changed %u, peers run %u, life %u\n", state.changed, state.peers_run,
                   (unsigned)state.life);
    wait_for_speed(true);
    (void)channel_state(&commands, &state);
    console_printf("messages: the speed is valid again; changed %u, peers run %u, life %u\n", state.changed, state.peers_run,
                   (unsigned)state.life);
}

int main(void) {
    interrupts_init();
    if (!channel_open("commands", &commands) || !channel_open("answers", &answers) || !channel_open("speed", &speed) ||
        !channel_open("bell", &bell)) {
        console_write("messages: not all channels are there\n");
        return 0;
    }
    expect(!channel_open("command", &(struct channel){0}) && !channel_open("other", &(struct channel){0}), "a channel of another name", 0);
    interrupt_enable(commands.sends ? answers.interrupt : commands.interrupt, 0x80, on_message);
    if (!bell.sends) interrupt_enable(bell.interrupt, 0x80, on_message);
    if (commands.sends && life_number() > 1) {
        sleep_for(10000);  // a new life may begin between two looks of the reader; no value is valid until it writes one
        write_speed(~0u);
    } else if (commands.sends)
        ask();
    else
        answer();
    return 0;
}
