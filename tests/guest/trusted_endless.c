/* Asks for signatures until its watchdog ends it, wherever that is. */
#include "partita/guest/trusted.h"

static struct partita_trusted_page page __attribute__((aligned(4096)));

int main(void) {
    page.input_size = 16;
    for (unsigned n = 0;; ++n) {
        const int32_t status = trusted_call(PARTITA_TRUSTED_SIGN, &page, 0, NULL);
        if (status != PARTITA_TRUSTED_OK)
            console_printf("life %u: WRONG: %d\n", (unsigned)life_number(), (int)status);
        else if (n == 0)
            console_printf("life %u: signed\n", (unsigned)life_number());
    }
}
