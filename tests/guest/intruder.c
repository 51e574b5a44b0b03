/* Behaves for a while, then writes outside its memory. */
#include "partita/guest/guest.h"

int main(void) {
    console_printf("intruder: behaving\n");
    const uint64_t until = timer_now() + timer_frequency() / 2;
    while (timer_now() < until) {
    }
    console_printf("intruder: misbehaving\n");
    *(volatile uint32_t*)0x1c0f0000 = 0xbad;
    console_printf("intruder: still here\n");
    for (;;) wait_for_interrupt();
}
