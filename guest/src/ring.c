/* See ring.h. Each word in shared memory has one writer; what is read of the other's is read once, and then checked. */
#include "partita/guest/ring.h"

#include <stdatomic.h>
#include <stdbool.h>

#define WORD 4u

static void acquire(void) { atomic_thread_fence(memory_order_acquire); }
static void release(void) { atomic_thread_fence(memory_order_release); }
/* Between "I have written" and "does the other wait?", and the other way round on the other side. */
static void both_ways(void) { atomic_thread_fence(memory_order_seq_cst); }

static volatile uint32_t *words_of(volatile struct ring_side *side) { return (volatile uint32_t *)(side + 1); }
static const volatile uint32_t *words_behind(const volatile struct ring_side *side) { return (const volatile uint32_t *)(side + 1); }

static uint32_t padded(uint32_t size) { return (size + WORD - 1) / WORD * WORD; }
static uint32_t between(uint32_t tail, uint32_t head, uint32_t room) { return head >= tail ? head - tail : head + 2 * room - tail; }
static uint32_t after(uint32_t position, uint32_t bytes, uint32_t room) {
    position += bytes;
    return position >= 2 * room ? position - 2 * room : position;
}
static uint32_t word_at(uint32_t position, uint32_t room) { return (position >= room ? position - room : position) / WORD; }
static bool possible(uint32_t position, uint32_t room) { return position < 2 * room && position % WORD == 0; }

/* Two of the other's words that belong together: 0 where the first, which says of what the second is, changed meanwhile. */
static uint32_t read_pair(const volatile uint32_t *of, const volatile uint32_t *value, uint32_t *out) {
    const uint32_t before = *of;
    acquire();
    *out = *value;
    acquire();
    return *of == before ? before : 0;
}

static void publish_tail(struct ring *ring) {
    ring->own->synced = 0;
    release();
    ring->own->tail = ring->tail;
    release();
    ring->own->synced = ring->other_epoch;
}

void ring_open(struct ring *ring, void *own, uint32_t own_size, const void *other, uint32_t other_size) {
    *ring = (struct ring){.own = own, .other = other, .own_room = own_size - RING_HEADER, .other_room = other_size - RING_HEADER};
    ring->own->epoch = 0;
    release();
    ring->epoch = ring->own->openings + 1;
    if (ring->epoch == 0) ring->epoch = 1;
    ring->own->openings = ring->epoch;
    ring->own->head = 0;
    ring->own->wants_message = ring->own->wants_room = 0;
    ring->other_epoch = read_pair(&ring->other->epoch, &ring->other->head, &ring->tail);
    if (ring->other_epoch == 0 || !possible(ring->tail, ring->other_room)) ring->tail = 0;
    publish_tail(ring);
    release();
    ring->own->epoch = ring->epoch;
}

/* How many bytes can be sent, or RING_BROKEN. What the other has taken of an earlier life of this end is nothing of this one. */
static int room_for(const struct ring *ring, uint32_t *free) {
    uint32_t tail = 0;
    if (read_pair(&ring->other->synced, &ring->other->tail, &tail) != ring->epoch) tail = 0;
    if (!possible(tail, ring->own_room)) return RING_BROKEN;
    const uint32_t used = between(tail, ring->head, ring->own_room);
    if (used > ring->own_room) return RING_BROKEN;
    *free = ring->own_room - used;
    return 0;
}

/* Either this end sees the room that is made, or the other that it is waited for. */
static int find_room(struct ring *ring, uint32_t need) {
    uint32_t free = 0;
    int result = room_for(ring, &free);
    if (result == 0 && free < need) {
        ring->own->wants_room = 1;
        both_ways();
        result = room_for(ring, &free);
    }
    if (result != 0) return result;
    if (free < need) return RING_FULL;
    if (ring->own->wants_room != 0) ring->own->wants_room = 0;
    return 0;
}

typedef uint32_t __attribute__((may_alias)) any_word;

static bool is_aligned(const uint8_t *bytes) { return ((uintptr_t)bytes & (WORD - 1)) == 0; }

/* Bytes into words that are written once each, and out of words that are read once each: to this end they may lie in a device's memory. */
static void put_run(volatile uint32_t *words, const uint8_t *bytes, uint32_t size) {
    if (is_aligned(bytes))
        for (; size >= WORD; size -= WORD, bytes += WORD) *words++ = *(const any_word *)(const void *)bytes;
    while (size != 0) {
        uint32_t word = 0;
        for (uint32_t n = 0; n < WORD && size != 0; ++n, --size) word |= (uint32_t)*bytes++ << 8 * n;
        *words++ = word;
    }
}

static void take_run(const volatile uint32_t *words, uint8_t *bytes, uint32_t size) {
    if (is_aligned(bytes))
        for (; size >= WORD; size -= WORD, bytes += WORD) *(any_word *)(void *)bytes = *words++;
    while (size != 0) {
        uint32_t word = *words++;
        for (uint32_t n = 0; n < WORD && size != 0; ++n, --size, word >>= 8) *bytes++ = (uint8_t)word;
    }
}

/* Of `size` bytes from a position on, those before the end of the room. */
static uint32_t before_end(uint32_t index, uint32_t size, uint32_t room) {
    const uint32_t left = room - index * WORD;
    return size < left ? size : left;
}

static void put(struct ring *ring, const uint8_t *message, uint32_t size) {
    volatile uint32_t *const words = words_of(ring->own);
    words[word_at(ring->head, ring->own_room)] = size;
    ring->head = after(ring->head, WORD, ring->own_room);
    const uint32_t index = word_at(ring->head, ring->own_room), first = before_end(index, size, ring->own_room);
    put_run(words + index, message, first);
    put_run(words, message + first, size - first);
    ring->head = after(ring->head, padded(size), ring->own_room);
}

int ring_send(struct ring *ring, const void *message, uint32_t size) {
    if (size == 0 || size > ring->own_room - WORD) return RING_LENGTH;
    if (ring->other->epoch == 0) return RING_NOBODY;
    const int result = find_room(ring, WORD + padded(size));
    if (result != 0) return result;
    put(ring, message, size);
    release();
    ring->own->head = ring->head;
    both_ways();
    return ring->other->wants_message != 0 ? RING_TELL : 0;
}

/* How many bytes wait, or RING_EMPTY or RING_BROKEN. A new life of the other end begins at 0. */
static int waiting(struct ring *ring, uint32_t *used) {
    uint32_t head = 0;
    const uint32_t epoch = read_pair(&ring->other->epoch, &ring->other->head, &head);
    if (epoch == 0) return RING_EMPTY;
    if (epoch != ring->other_epoch) {
        ring->other_epoch = epoch;
        ring->tail = 0;
        publish_tail(ring);
    }
    if (!possible(head, ring->other_room)) return RING_BROKEN;
    *used = between(ring->tail, head, ring->other_room);
    if (*used > ring->other_room) return RING_BROKEN;
    return *used == 0 ? RING_EMPTY : 0;
}

static int find_message(struct ring *ring, uint32_t *used) {
    int result = waiting(ring, used);
    if (result == RING_EMPTY) {
        ring->own->wants_message = 1;
        both_ways();
        result = waiting(ring, used);
    }
    if (result == 0 && ring->own->wants_message != 0) ring->own->wants_message = 0;
    return result;
}

static void take(const struct ring *ring, uint32_t from, uint8_t *message, uint32_t size) {
    const volatile uint32_t *const words = words_behind(ring->other);
    const uint32_t index = word_at(from, ring->other_room), first = before_end(index, size, ring->other_room);
    take_run(words + index, message, first);
    take_run(words, message + first, size - first);
}

int ring_receive(struct ring *ring, void *message, uint32_t room, uint32_t *size) {
    uint32_t used = 0;
    const int result = find_message(ring, &used);
    if (result != 0) return result;
    const uint32_t length = words_behind(ring->other)[word_at(ring->tail, ring->other_room)];
    if (length == 0 || length > ring->other_room - WORD || WORD + padded(length) > used) return RING_BROKEN;
    *size = length;
    if (length > room) return RING_LENGTH;
    take(ring, after(ring->tail, WORD, ring->other_room), message, length);
    acquire();
    if (ring->other->epoch != ring->other_epoch) return RING_EMPTY; /* its life ended meanwhile, and with it what it sent */
    ring->tail = after(ring->tail, WORD + padded(length), ring->other_room);
    release();
    ring->own->tail = ring->tail;
    both_ways();
    return ring->other->wants_room != 0 ? RING_TELL : 0;
}
