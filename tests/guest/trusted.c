/* What the trusted service does, and what it does not: this partition may ask for all of it but public_key. */
#include "partita/guest/trusted.h"

static struct partita_trusted_page page __attribute__((aligned(4096)));
static unsigned failures;

static void check(bool good, const char* what) {
    console_printf("trusted: %s: %s\n", what, good ? "ok" : "WRONG");
    if (!good) ++failures;
}

static bool same(const uint8_t* a, const uint8_t* b, uint32_t size) {
    while (size--)
        if (*a++ != *b++) return false;
    return true;
}

static void put(const char* text, uint8_t label) {
    page.input_size = 0;
    page.output_size = 0xffffffffu;
    for (unsigned n = 0; n < PARTITA_TRUSTED_LABEL; ++n) page.label[n] = n == 0 ? label : 0;
    while (*text) page.input[page.input_size++] = (uint8_t)*text++;
}

static int32_t call(enum partita_trusted_function function) { return trusted_call(function, &page, 0, NULL); }

/* FIPS 180-4, its own example. */
static void try_hash(void) {
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                  0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    put("abc", 0);
    check(call(PARTITA_TRUSTED_HASH) == PARTITA_TRUSTED_OK && page.output_size == 32 && same(page.output, abc, 32),
          "SHA-256 of FIPS 180-4's example");
}

static void try_random(void) {
    uint8_t first[32];
    put("", 0);
    check(trusted_call(PARTITA_TRUSTED_RANDOM, &page, 32, NULL) == PARTITA_TRUSTED_OK && page.output_size == 32, "random numbers");
    for (unsigned n = 0; n < 32; ++n) first[n] = page.output[n];
    trusted_call(PARTITA_TRUSTED_RANDOM, &page, 32, NULL);
    check(!same(first, page.output, 32), "others the next time");
    check(trusted_call(PARTITA_TRUSTED_RANDOM, &page, PARTITA_TRUSTED_OUTPUT + 1, NULL) == PARTITA_TRUSTED_INVALID,
          "more than there is room for");
    check(trusted_call(PARTITA_TRUSTED_RANDOM, &page, 0, NULL) == PARTITA_TRUSTED_INVALID, "none");
}

static void try_hmac(void) {
    uint8_t first[32];
    put("message", 1);
    check(call(PARTITA_TRUSTED_HMAC) == PARTITA_TRUSTED_OK && page.output_size == 32, "HMAC");
    for (unsigned n = 0; n < 32; ++n) first[n] = page.output[n];
    check(call(PARTITA_TRUSTED_HMAC) == PARTITA_TRUSTED_OK && same(first, page.output, 32), "the same again");
    put("message", 2);
    check(call(PARTITA_TRUSTED_HMAC) == PARTITA_TRUSTED_OK && !same(first, page.output, 32), "another key's");
}

static void move_output_to_input(void) {
    page.input_size = page.output_size;
    for (uint32_t n = 0; n < page.input_size; ++n) page.input[n] = page.output[n];
}

static void try_seal(void) {
    static const char secret[] = "the combination is 1 2 3 4 5";
    put(secret, 7);
    check(call(PARTITA_TRUSTED_SEAL) == PARTITA_TRUSTED_OK && page.output_size == sizeof secret - 1 + 28, "sealed");
    move_output_to_input();
    check(call(PARTITA_TRUSTED_OPEN) == PARTITA_TRUSTED_OK && page.output_size == sizeof secret - 1 &&
              same(page.output, (const uint8_t*)secret, sizeof secret - 1),
          "opened");
    page.label[0] = 8;
    check(call(PARTITA_TRUSTED_OPEN) == PARTITA_TRUSTED_DENIED, "not with another key");
    page.label[0] = 7;
    page.input[20] ^= 1;
    check(call(PARTITA_TRUSTED_OPEN) == PARTITA_TRUSTED_DENIED, "not when it was changed");
    page.input_size = 27;
    check(call(PARTITA_TRUSTED_OPEN) == PARTITA_TRUSTED_INVALID, "too short to be sealed");
}

static volatile unsigned ticks;
static uint64_t tick_length;
static void on_timer(uint32_t intid) {
    (void)intid;
    ++ticks;
    timer_set(timer_now() + tick_length);
}

/* A signature takes longer than a millisecond: the partition's timer is served all the while. */
static void try_sign(void) {
    uint32_t interruptions = 0;
    uint8_t first[64];
    tick_length = timer_frequency() / 1000;
    interrupt_enable(TIMER_INTERRUPT, 0x40, on_timer);
    timer_set(timer_now() + tick_length);
    interrupts_on();
    put("to be signed", 3);
    const unsigned before = ticks;
    int32_t status = PARTITA_TRUSTED_OK;
    for (unsigned n = 0; n < 20 && status == PARTITA_TRUSTED_OK && interruptions == 0; ++n)
        status = trusted_call(PARTITA_TRUSTED_SIGN, &page, 0, &interruptions);
    const unsigned served = ticks - before;
    check(status == PARTITA_TRUSTED_OK && page.output_size == 64, "signed");
    check(interruptions != 0 && served != 0, "interrupted, and resumed");
    for (unsigned n = 0; n < 64; ++n) first[n] = page.output[n];
    check(trusted_call(PARTITA_TRUSTED_SIGN, &page, 0, NULL) == PARTITA_TRUSTED_OK && same(first, page.output, 64),
          "the same, interrupted or not");
    interrupts_off();
    timer_stop();
}

static void try_refusals(void) {
    put("", 0);
    check(call(PARTITA_TRUSTED_PUBLIC_KEY) == PARTITA_TRUSTED_NOT_SUPPORTED, "what it may not ask");
    check((int32_t)hypercall(PARTITA_TRUSTED_CALL + 31, (uint32_t)(uintptr_t)&page, 0, 0).r0 == PARTITA_TRUSTED_NOT_SUPPORTED,
          "what nobody may");
    check((int32_t)hypercall(PARTITA_TRUSTED_FORGET, 1, 0, 0).r0 == PARTITA_TRUSTED_NOT_SUPPORTED, "what the hypervisor may");
    check((int32_t)hypercall(PARTITA_TRUSTED_RESUME, 1, 0, 0).r0 == PARTITA_TRUSTED_INVALID, "a ticket that is none");
    static const uint32_t others[] = {0, 0x0e000000u, 0x0e200000u, 0x09000000u, 0x08000000u, 0xe0200000u, 0xfffff000u, 0x7ffff000u};
    bool refused = true;
    for (unsigned n = 0; n < sizeof others / sizeof *others; ++n)
        refused = refused && (int32_t)hypercall(PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_HASH, others[n], 0, 0).r0 == PARTITA_TRUSTED_INVALID;
    check(refused, "memory that is not this partition's");
    check(
        (int32_t)hypercall(PARTITA_TRUSTED_CALL + PARTITA_TRUSTED_HASH, (uint32_t)(uintptr_t)&page + 4, 0, 0).r0 == PARTITA_TRUSTED_INVALID,
        "not at the begin of a page");
    page.input_size = PARTITA_TRUSTED_INPUT + 1;
    check(call(PARTITA_TRUSTED_HASH) == PARTITA_TRUSTED_INVALID, "more input than a page has");
}

int main(void) {
    interrupts_init();
    if (!trusted_service()) {
        console_write("trusted: there is no service\n");
        return 0;
    }
    try_hash();
    try_random();
    try_hmac();
    try_seal();
    try_sign();
    try_refusals();
    console_printf("trusted: %s\n", failures ? "FAILED" : "done");
    return 0;
}
