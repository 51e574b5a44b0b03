/* The middle of the pipeline: sleeps until a measurement arrives, filters it, and answers with a command. How strongly it filters is read
 * from a sampling port: the latest value, as old as it may be. */
#include "partita/guest/channel.h"
#include "pipeline.h"

static void on_measurement(uint32_t intid) { (void)intid; }

int main(void) {
    struct channel measurements, commands, gain;
    if (!channel_open("measurements", &measurements) || !channel_open("commands", &commands) || !channel_open("gain", &gain)) {
        console_write("filter: not all channels are there\n");
        return 1;
    }
    interrupts_init();
    interrupt_enable(measurements.interrupt, 0x80, on_measurement);
    int32_t filtered = 0;
    for (;;) {
        struct measurement measurement;
        uint32_t size = 0;
        while (channel_receive(&measurements, &measurement, &size) == PSCI_SUCCESS) {
            struct gain latest = {1, 2};
            struct sample sample;
            if (channel_read(&gain, &latest, &sample) != PSCI_SUCCESS || !sample.valid) latest = (struct gain){1, 2};
            filtered += (measurement.value - filtered) * latest.numerator / latest.denominator;
            const struct command command = {measurement.number, filtered, measurement.taken};
            (void)channel_send(&commands, &command, sizeof command);
        }
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}
