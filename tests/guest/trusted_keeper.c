/* What the secure world keeps over a reset: counts on where an earlier life stopped, finds what that one stored, and reaches the limits. */
#include "partita/guest/trusted.h"

static struct partita_trusted_page page __attribute__((aligned(4096)));
static unsigned failures;

static void check(bool good, const char* what) {
    console_printf("keeper: %s: %s\n", what, good ? "ok" : "WRONG");
    if (!good) ++failures;
}

static int32_t call(enum partita_trusted_function function, uint8_t label, uint32_t input_size) {
    for (unsigned n = 0; n < PARTITA_TRUSTED_LABEL; ++n) page.label[n] = n == 0 ? label : 0;
    page.input_size = input_size;
    page.output_size = 0;
    return trusted_call(function, &page, 0, NULL);
}

static uint32_t value(void) { return page.output[0] | (uint32_t)page.output[1] << 8 | (uint32_t)page.output[2] << 16; }

/* Bytes that say which life has stored them. */
enum { COUNTER = 1, KEPT = 2, FILL = 10, SIZE = 301 };
static uint8_t byte_of(uint32_t life, uint32_t n) { return (uint8_t)(life * 7 + n * 13 + 1); }

/* The counter was at `before` when it was stored, or a little later: the power may fail between the two. */
static void look_at_what_was_kept(uint32_t before) {
    check(call(PARTITA_TRUSTED_LOAD, KEPT, 0) == PARTITA_TRUSTED_OK, "load");
    if (page.output_size == 0) {
        console_printf("keeper: nothing was kept\n");
        return;
    }
    const uint32_t life = page.output[SIZE] | (uint32_t)page.output[SIZE + 1] << 8;
    bool good = page.output_size == SIZE + 2 && life <= before;
    for (uint32_t n = 0; n < SIZE; ++n) good = good && page.output[n] == byte_of(life, n);
    check(good, "what an earlier life has stored");
}

static void store(uint32_t life) {
    for (uint32_t n = 0; n < SIZE; ++n) page.input[n] = byte_of(life, n);
    page.input[SIZE] = (uint8_t)life;
    page.input[SIZE + 1] = (uint8_t)(life >> 8);
    check(call(PARTITA_TRUSTED_STORE, KEPT, SIZE + 2) == PARTITA_TRUSTED_OK, "stored");
}

static void reach_the_limits(void) {
    int32_t status = PARTITA_TRUSTED_OK;
    unsigned kept = 0, writes = 0;
    for (unsigned n = 0; n < 7; ++n) (void)call(PARTITA_TRUSTED_STORE, (uint8_t)(FILL + n), 0); /* of a life that was cut off */
    check(call(PARTITA_TRUSTED_STORE, FILL, PARTITA_TRUSTED_VALUE + 1) == PARTITA_TRUSTED_INVALID, "more than can be kept");
    for (; kept < 10 && status == PARTITA_TRUSTED_OK; ++kept) status = call(PARTITA_TRUSTED_STORE, (uint8_t)(FILL + kept), 4);
    check(status == PARTITA_TRUSTED_FULL && kept == 7, "no more than it may have");
    check(call(PARTITA_TRUSTED_STORE, FILL, 0) == PARTITA_TRUSTED_OK && call(PARTITA_TRUSTED_STORE, FILL + 6, 4) == PARTITA_TRUSTED_OK,
          "one out, another in");
    for (kept = 1; kept < 7; ++kept) (void)call(PARTITA_TRUSTED_STORE, (uint8_t)(FILL + kept), 0);
    for (status = PARTITA_TRUSTED_OK; status == PARTITA_TRUSTED_OK && writes < 100; ++writes)
        status = call(PARTITA_TRUSTED_INCREMENT, COUNTER, 0);
    check(status == PARTITA_TRUSTED_TOO_OFTEN, "not more often than the flash bears");
}

int main(void) {
    interrupts_init();
    if (!trusted_service()) {
        console_write("keeper: there is no service\n");
        return 0;
    }
    const int32_t status = call(PARTITA_TRUSTED_COUNTER, COUNTER, 0);
    if (status == PARTITA_TRUSTED_NO_STORAGE) {
        check(call(PARTITA_TRUSTED_INCREMENT, COUNTER, 0) == status && call(PARTITA_TRUSTED_STORE, KEPT, 4) == status &&
                  call(PARTITA_TRUSTED_LOAD, KEPT, 0) == status,
              "this board keeps nothing, and says so");
        return 0;
    }
    check(status == PARTITA_TRUSTED_OK && page.output_size == 8, "counter");
    uint32_t count = value();
    console_printf("keeper: begins at %u\n", (unsigned)count);
    look_at_what_was_kept(count);
    store(count);
    for (unsigned n = 0; n < 20; ++n) {
        check(call(PARTITA_TRUSTED_INCREMENT, COUNTER, 0) == PARTITA_TRUSTED_OK && value() == count + 1, "one more");
        console_printf("keeper: count %u\n", (unsigned)++count);
    }
    reach_the_limits();
    call(PARTITA_TRUSTED_ATTESTATION_KEY, 0, 0);
    console_write("keeper: key ");
    for (unsigned n = 0; n < 65; ++n) console_printf("%02x", page.output[n]);
    console_printf("\nkeeper: %s\n", failures ? "FAILED" : "done");
    return 0;
}
