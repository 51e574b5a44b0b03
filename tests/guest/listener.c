/* Has the interrupts of all its ports enabled, and sleeps: the dearest receiver that there is. */
#include "partita/guest/guest.h"

static void on_message(uint32_t intid) { (void)intid; }

int main(void) {
    interrupts_init();
    for (uint32_t intid = 64; intid < 96; ++intid) interrupt_enable(intid, 0x80, on_message);
    console_write("listener: ready\n");
    for (;;) {
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
}
