/* Channels by hypercalls. Each virtual CPU has a page of its own, through which its messages go. */
#include "partita/guest/channel.h"

#include "coprocessor.h"
#include "partita/guest/calls.h"
#include "partita/guest/tree.h"

void guest_map_shared(uint32_t address, uint32_t size, bool cached); /* boot.c */

#define PAGE_SIZE 4096u

static uint8_t pages[PARTITA_MAX_VCPUS_PER_PARTITION][PAGE_SIZE] __attribute__((aligned(4096)));

static uint8_t *message_page(void) { return pages[read_mpidr() & 0xffu]; }

/* SEND or RECEIVE by the calling virtual CPU's page, which the hypervisor is told when it does not know it: at first, and when the virtual
 * CPU was off meanwhile. */
static struct hypercall_result call(uint32_t function, const struct channel *channel, uint32_t size) {
    const struct hypercall_result result = hypercall(function, channel->port, 0, size);
    if ((int32_t)result.r0 != PARTITA_NO_MESSAGE_PAGE) return result;
    (void)partita_call_message_page((uint32_t)(uintptr_t)message_page(), 0, 0);
    return hypercall(function, channel->port, 0, size);
}

static void copy(void *to, const void *from, uint32_t size) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0)
        for (; size >= 4; size -= 4, out += 4, in += 4) *(uint32_t *)(void *)out = *(const uint32_t *)(const void *)in;
    while (size-- != 0) *out++ = *in++;
}

static uint32_t cell(const char *name, const char *property) {
    uint32_t bytes = 0;
    const uint32_t *const at = tree_child_property("channels", name, property, &bytes);
    return at != NULL && bytes >= 4 ? tree_cell(at) : 0;
}

/* Compatibles and directions differ in a letter. */
static char letter(const char *name, const char *property, uint32_t index) {
    uint32_t bytes = 0;
    const char *const text = (const char *)tree_child_property("channels", name, property, &bytes);
    return text != NULL && bytes > index ? text[index] : 0;
}

bool channel_open(const char *name, struct channel *channel) {
    uint32_t bytes = 0;
    const uint32_t *const interrupts = tree_child_property("channels", name, "interrupts", &bytes);
    if (interrupts == NULL || bytes < 12) return false;
    const char kind = letter(name, "compatible", sizeof "partita," - 1);
    channel->port = cell(name, "reg");
    const bool memory = kind == 's' && letter(name, "compatible", sizeof "partita,s" - 1) == 'h'; /* shared-memory, sampling-port */
    channel->kind = memory        ? PARTITA_CHANNEL_MEMORY
                    : kind == 'd' ? PARTITA_CHANNEL_DOORBELL
                    : kind == 's' ? PARTITA_CHANNEL_SAMPLING
                                  : PARTITA_CHANNEL_QUEUING;
    channel->message_size = cell(name, "partita,message-size");
    channel->depth = cell(name, "partita,depth");
    channel->interrupt = tree_cell(interrupts + 1) + 32;
    channel->sends = letter(name, "partita,direction", 0) == 's';
    return true;
}

static void *part(const char *name, const char *property, bool cached, uint32_t *size) {
    uint32_t bytes = 0;
    const uint32_t *const at = tree_child_property("channels", name, property, &bytes);
    if (at == NULL || bytes < 8) return NULL;
    const uint32_t address = tree_cell(at);
    *size = tree_cell(at + 1);
    guest_map_shared(address, *size, cached);
    return (void *)(uintptr_t)address;
}

bool channel_memory(const char *name, struct channel_memory *memory) {
    struct channel channel;
    *memory = (struct channel_memory){0};
    if (!channel_open(name, &channel) || channel.kind != PARTITA_CHANNEL_MEMORY) return false;
    memory->cached = letter(name, "partita,attributes", 0) == 'c';
    memory->send = part(name, "partita,send-memory", memory->cached, &memory->send_size);
    memory->receive = part(name, "partita,receive-memory", memory->cached, &memory->receive_size);
    memory->common = part(name, "partita,common-memory", memory->cached, &memory->common_size);
    return true;
}

int32_t channel_ring(const struct channel *doorbell) { return (int32_t)partita_call_send(doorbell->port, 0, 0).r0; }

int32_t channel_send(const struct channel *channel, const void *message, uint32_t size) {
    if (size > channel->message_size) return PSCI_INVALID_PARAMETERS;
    copy(message_page(), message, size);
    return (int32_t)call(PARTITA_HYPERCALL_SEND, channel, size).r0;
}

static void on_room(uint32_t intid) { (void)intid; }
static void on_deadline(uint32_t intid) {
    (void)intid;
    timer_stop();
}

int32_t channel_send_until(const struct channel *queue, const void *message, uint32_t size, uint64_t deadline) {
    int32_t result = channel_send(queue, message, size);
    if (result != PARTITA_FULL) return result;
    interrupt_enable(queue->interrupt, 0x80, on_room);
    interrupt_enable(TIMER_INTERRUPT, 0x40, on_deadline);
    /* Room may have come before its interrupt was enabled: so once more before any sleep. */
    while ((result = channel_send(queue, message, size)) == PARTITA_FULL && timer_now() < deadline) {
        timer_set(deadline);
        wait_for_interrupt();
        interrupts_on();
        interrupts_off();
    }
    timer_stop();
    return result;
}

int32_t channel_receive(const struct channel *queue, void *message, uint32_t *size) {
    const struct hypercall_result result = call(PARTITA_HYPERCALL_RECEIVE, queue, 0);
    if ((int32_t)result.r0 != PSCI_SUCCESS) return (int32_t)result.r0;
    copy(message, message_page(), result.r1);
    *size = result.r1;
    return PSCI_SUCCESS;
}

int32_t channel_read(const struct channel *sampling, void *message, struct sample *sample) {
    const struct hypercall_result result = call(PARTITA_HYPERCALL_RECEIVE, sampling, 0);
    if ((int32_t)result.r0 != PSCI_SUCCESS) return (int32_t)result.r0;
    copy(message, message_page(), result.r1);
    *sample = (struct sample){result.r1, result.r2, result.r3 != 0};
    return PSCI_SUCCESS;
}

int32_t channel_state(const struct channel *channel, struct channel_state *state) {
    const struct hypercall_result result = partita_call_port(channel->port, 0, 0);
    if ((int32_t)result.r0 != PSCI_SUCCESS) return (int32_t)result.r0;
    state->changed = (result.r1 & PARTITA_PORT_CHANGED) != 0;
    state->peers_run = (result.r1 & PARTITA_PORT_PEERS_RUN) != 0;
    state->life = result.r2;
    state->waiting = result.r3;
    return PSCI_SUCCESS;
}
