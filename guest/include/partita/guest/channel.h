/* Channels to other partitions (docs/channels.md). An end is found by the channel's name; messages arrive as interrupts. */
#ifndef PARTITA_GUEST_CHANNEL_H
#define PARTITA_GUEST_CHANNEL_H

#include "partita/guest/guest.h"
#include "partita/system_image.h"

#ifdef __cplusplus
extern "C" {
#endif

struct channel {
    uint32_t port;
    uint32_t kind;         /* enum partita_channel_kind */
    uint32_t message_size; /* bytes of the longest message */
    uint32_t depth;        /* messages that a queue holds */
    uint32_t interrupt;    /* for interrupt_enable(): something can be received, or sent again, or another end has changed */
    bool sends;
};

/* Of a channel of memory: what this end may do with it. NULL, 0: there is no such part. */
struct channel_memory {
    void *send; /* this end writes it, and the other reads it */
    const void *receive;
    void *common; /* both write */
    uint32_t send_size, receive_size, common_size;
    bool cached;
};

struct channel_state {
    bool changed;     /* since the last call a life of another end began or ended */
    bool peers_run;   /* all other ends run */
    uint32_t life;    /* the number of the other end's life */
    uint32_t waiting; /* messages that can be received, or that there is room for; rings of a doorbell since the last call */
};

struct sample {
    uint32_t size;
    uint32_t age; /* ticks of the counter since it was sent, at most 0xffffffff */
    bool valid;   /* not older than described, and its sender still lives */
};

/* False: the partition has no end of such a channel. */
bool channel_open(const char *name, struct channel *channel);

/* Makes a channel's memory accessible, as the description says: cached, or as devices are, in words that are aligned. False: the partition
 * has no end of such a channel, or it is not memory. */
bool channel_memory(const char *name, struct channel_memory *memory);

/* Each returns PSCI_SUCCESS or what docs/hypercalls.md says: PARTITA_FULL, PARTITA_EMPTY, PARTITA_TOO_SOON, …
 * Rings the other end of a doorbell or of memory. */
int32_t channel_ring(const struct channel *doorbell);
int32_t channel_send(const struct channel *channel, const void *message, uint32_t size);
/* The same, but waits for room until the counter reaches `deadline`, and returns PARTITA_FULL then; interrupts are served meanwhile.
 * Takes the timer's interrupt and the channel's for itself. After interrupts_init(), with interrupts masked. */
int32_t channel_send_until(const struct channel *queue, const void *message, uint32_t size, uint64_t deadline);
/* `message` has room for message_size bytes. */
int32_t channel_receive(const struct channel *queue, void *message, uint32_t *size);
int32_t channel_read(const struct channel *sampling, void *message, struct sample *sample);
int32_t channel_state(const struct channel *channel, struct channel_state *state);

#ifdef __cplusplus
}
#endif

#endif
