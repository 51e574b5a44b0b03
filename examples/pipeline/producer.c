/* Both ends of the pipeline, as in a controller: takes a measurement each millisecond, and gets the command for it as an interrupt. Each
 * second it says how long that took: there, through the filter in another partition, and back. */
#include "partita/guest/channel.h"
#include "pipeline.h"

#define RATE 1000u
#define BUCKETS 16u
#define PROBE 0xffffffffu /* the number of a measurement that only asks whether the filter is there */

static struct channel measurements, commands, gain;
static volatile uint32_t answered;
static volatile bool found;
static uint32_t expected, lost, worst, histogram[BUCKETS]; /* bucket n: less than 2^n us */

static uint32_t nanoseconds(uint64_t ticks) { return (uint32_t)(ticks * 1000000u / (timer_frequency() / 1000u)); }

static void record(uint64_t ticks) {
    const uint32_t took = nanoseconds(ticks);
    uint32_t bucket = 0;
    while (bucket + 1 < BUCKETS && took >= 1000u << bucket) ++bucket;
    ++histogram[bucket];
    if (took > worst) worst = took;
}

static void on_command(uint32_t intid) {
    (void)intid;
    struct command command;
    uint32_t size = 0;
    while (channel_receive(&commands, &command, &size) == PSCI_SUCCESS) {
        if (command.number == PROBE) {
            found = true;
            continue;
        }
        record(timer_now() - command.taken);
        lost += command.number - expected;
        expected = command.number + 1;
        ++answered;
    }
}

static int32_t measure(uint32_t number) {
    const struct measurement measurement = {number, (int32_t)(number % 100u) - 50, timer_now()};
    return channel_send(&measurements, &measurement, sizeof measurement);
}

/* Until the filter is there: its program may still have to be started. One probe waits for it at a time. */
static void find_filter(void) {
    while (!found) {
        struct channel_state state;
        if (channel_state(&measurements, &state) == PSCI_SUCCESS && state.waiting == measurements.depth) (void)measure(PROBE);
        timer_sleep_until(timer_now() + timer_frequency() / 10);
    }
}

static void tell(uint32_t number) {
    console_printf("pipeline: %u sent, %u answered, %u lost, worst %u ns;", (unsigned)number, (unsigned)answered, (unsigned)lost,
                   (unsigned)worst);
    for (uint32_t n = 0; n < BUCKETS; ++n)
        if (histogram[n] != 0) console_printf(" <%u us: %u", 1u << n, (unsigned)histogram[n]);
    console_write(".\n");
}

int main(void) {
    if (!channel_open("measurements", &measurements) || !channel_open("commands", &commands) || !channel_open("gain", &gain)) {
        console_write("producer: not all channels are there\n");
        return 1;
    }
    interrupts_init();
    interrupt_enable(commands.interrupt, 0x80, on_command);
    find_filter();
    const uint64_t period = timer_frequency() / RATE;
    uint64_t next = timer_now() + period;
    for (uint32_t number = 0;; ++number, next += period) {
        timer_sleep_until(next);
        if (measure(number) == PARTITA_FULL) ++lost;
        if (number % 100u == 0) {
            const struct gain strength = {1, 2 + (int32_t)(number / 100u % 3u)};
            (void)channel_send(&gain, &strength, sizeof strength);
        }
        if (number % RATE == RATE - 1) tell(number + 1);
    }
}
