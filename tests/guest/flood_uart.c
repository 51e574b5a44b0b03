/* Hostile: writes to its console without looking whether there is room. */
#include "partita/guest/guest.h"

int main(void) {
    for (;;)
        for (char c = ' '; c < '~'; ++c) *(volatile uint32_t*)0x09000000 = (uint8_t)c;
}
