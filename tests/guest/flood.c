/* Hostile: reads what it does not have, without end. Its vector just goes on. */
#include "partita/guest/guest.h"

static void read_nothing(void* address) { (void)*(volatile uint32_t*)address; }

int main(void) {
    console_printf("flood: begins\n");
    for (;;) guest_try(read_nothing, (void*)0x1c0f0000);
}
