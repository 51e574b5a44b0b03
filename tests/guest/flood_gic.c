/* Hostile: writes all it can to its distributor, without end. */
#include "partita/guest/guest.h"

int main(void) {
    uint32_t value = 1;
    interrupts_off();
    for (;;)
        for (uint32_t offset = 0; offset < 0x1000; offset += 4) {
            value = value * 1664525u + 1013904223u;
            *(volatile uint32_t*)(0x08000000u + offset) = value;
        }
}
