/* Messages through memory that two partitions share (docs/channels.md): one that sends and one that receives in each direction, without a
 * lock, an exclusive access or a call of the hypervisor. Nothing that the other end writes can make this one read or write outside its
 * memory, or wait: what it has received was copied out before it was looked at. */
#ifndef PARTITA_GUEST_RING_H
#define PARTITA_GUEST_RING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RING_TELL 1      /* done, and the other waits for it: ring the channel's doorbell */
#define RING_EMPTY (-1)  /* nothing has come; when something does, the other is asked to ring */
#define RING_FULL (-2)   /* no room; when there is, the other is asked to ring */
#define RING_LENGTH (-3) /* a message of no byte or of more than fit, or one that is longer than the room given for it */
#define RING_NOBODY (-4) /* the other end has not opened its side */
#define RING_BROKEN (-5) /* what the other end wrote is impossible; ring_open() begins anew */

#define RING_HEADER 64u /* bytes of each part */

/* The begin of a part. Its owner writes it; the other end only reads it. Positions count bytes from 0 to twice the room, so that full and
 * empty differ. */
struct ring_side {
    uint32_t openings;      /* how often it was opened, since the memory was zeroed */
    uint32_t epoch;         /* `openings`, or 0 while it is being opened */
    uint32_t head;          /* behind the last message that it sent */
    uint32_t synced;        /* the other side's epoch that `tail` is of; 0: none */
    uint32_t tail;          /* behind the last message that it received */
    uint32_t wants_message; /* it waits for one */
    uint32_t wants_room;    /* it waits for room */
    uint32_t reserved[RING_HEADER / 4 - 7];
};

/* An end. Sending may be one virtual CPU's, and receiving another's; each is only one's. */
struct ring {
    volatile struct ring_side *own;
    const volatile struct ring_side *other;
    uint32_t own_room, other_room; /* bytes behind the headers */
    uint32_t epoch, head;
    uint32_t other_epoch, tail;
};

/* Each part has at least 128 bytes, a multiple of 4, and is aligned to 4. What the other sent before is for an earlier life, and passed
 * over. */
void ring_open(struct ring *ring, void *own, uint32_t own_size, const void *other, uint32_t other_size);
/* 0, RING_TELL, RING_FULL, RING_LENGTH, RING_NOBODY or RING_BROKEN. A message takes 4 bytes beside its own, rounded up to 4. */
int ring_send(struct ring *ring, const void *message, uint32_t size);
/* 0, RING_TELL, RING_EMPTY, RING_LENGTH (`size` says how much room it needs; it stays) or RING_BROKEN. */
int ring_receive(struct ring *ring, void *message, uint32_t room, uint32_t *size);

#ifdef __cplusplus
}
#endif

#endif
