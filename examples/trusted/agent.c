/* Asks the secure world on behalf of others, who cannot: a quote for whoever sends a nonce. */
#include "partita/guest/channel.h"
#include "partita/guest/trusted.h"
#include "trusted.h"

static struct channel ask, reply;
static struct partita_trusted_page page __attribute__((aligned(4096)));

static void copy(void* to, const void* from, uint32_t size) {
    for (uint32_t n = 0; n < size; ++n) ((uint8_t*)to)[n] = ((const uint8_t*)from)[n];
}

static void serve(const struct question* question) {
    static struct answer answer;
    answer.status = trusted_call(PARTITA_TRUSTED_ATTESTATION_KEY, &page, 0, NULL);
    if (answer.status == PARTITA_TRUSTED_OK) {
        copy(answer.key, page.output, PARTITA_PUBLIC_KEY_SIZE);
        copy(page.input, question->nonce, NONCE_SIZE);
        page.input_size = NONCE_SIZE;
        answer.status = trusted_call(PARTITA_TRUSTED_QUOTE, &page, 0, NULL);
        copy(&answer.quote, page.output, sizeof answer.quote);
    }
    page.input_size = 0;
    const int32_t sent = channel_send(&reply, &answer, sizeof answer);
    console_printf("agent: a quote was asked for: %d, %d\n", (int)answer.status, (int)sent);
}

static volatile bool asked;
static void on_question(uint32_t intid) {
    (void)intid;
    asked = true;
}

int main(void) {
    if (!channel_open("ask", &ask) || !channel_open("answer", &reply)) {
        console_write("agent: not all channels are there\n");
        return 1;
    }
    console_printf("agent: %s\n", trusted_service() ? "the trusted service is there" : "there is no trusted service on this board");
    interrupts_init();
    interrupt_enable(ask.interrupt, 0x80, on_question);
    for (;;) {
        static uint8_t bytes[sizeof(struct question)];
        uint32_t size = 0;
        asked = false;
        interrupts_on();
        while (channel_receive(&ask, bytes, &size) == PSCI_SUCCESS)
            if (size == sizeof(struct question)) serve((const struct question*)bytes);
        interrupts_off();
        while (!asked) {
            wait_for_interrupt();
            interrupts_on();
            interrupts_off();
        }
    }
}
