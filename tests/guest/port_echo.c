/* Sends what it receives by channel "to" back by channel "from", all of it (what has no room waits, and what follows with it), and a number
 * that grows by "value", a hundred times a second. Tells of the other end's lives. */
#include "partita/guest/channel.h"

static void on_message(uint32_t intid) { (void)intid; }

int main(void) {
    struct channel to, from, value;
    static uint8_t message[4096];
    uint32_t number = 0, size = 0; /* size: of the message that waits */
    if (!channel_open("to", &to) || !channel_open("from", &from) || !channel_open("value", &value)) {
        console_write("port-echo: not all channels are there\n");
        return 1;
    }
    interrupts_init();
    interrupt_enable(to.interrupt, 0x80, on_message);
    interrupt_enable(from.interrupt, 0x80, on_message);
    console_write("port-echo: ready\n");
    uint64_t next = timer_now();
    for (;;) {
        struct channel_state state;
        if (channel_state(&to, &state) == PSCI_SUCCESS && state.changed)
            console_printf("port-echo: the other end %s, life %u\n", state.peers_run ? "runs" : "is gone", (unsigned)state.life);
        while (size != 0 || channel_receive(&to, message, &size) == PSCI_SUCCESS) {
            if (channel_send(&from, message, size) != PSCI_SUCCESS) break;
            size = 0;
        }
        (void)channel_send(&value, &number, sizeof number);
        ++number;
        next += timer_frequency() / 100;
        timer_sleep_until(next);
    }
}
