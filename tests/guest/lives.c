/* Tells its virtual counter when it begins, works a little, and powers off. */
#include "partita/guest/guest.h"

int main(void) {
    console_printf("life begins at %llu us\n", (unsigned long long)(timer_now() * 1000000u / timer_frequency()));
    const uint64_t end = timer_now() + timer_frequency() / 100;
    while (timer_now() < end) {
    }
    return 0;
}
