/* A driver of virtio devices, whatever they are, that means ill: registers in any order, queues and buffers anywhere, chains without end,
 * notifications without pause; and lives that end in the middle of it. It may break its own device, and nothing else. */
#include "hostile.h"
#include "partita/guest/tree.h"

#define DEVICES 0x0a000000u
#define SLOTS 32u
#define REGISTER(offset) REG32(device + (offset))
#define QUEUE_SIZE 16u
#define LIVES 6u
#define ROUNDS 60u

static uint32_t device, ids[SLOTS], count; /* the one that it is at; those that there are */

struct descriptor {
    uint32_t address, high, size;
    uint16_t flags, next;
};
struct queue {
    struct descriptor descriptors[QUEUE_SIZE];
    uint16_t available[2 + QUEUE_SIZE + 1];
    uint16_t padding[3];
    uint32_t used[1 + 2 * QUEUE_SIZE + 1];
} __attribute__((aligned(64)));

static struct queue queues[6];
static uint8_t buffer[256];

/* Its own memory, and what is not: the GIC, its own device, address 0, behind its memory, what only the server has, the end of all. */
static uint32_t somewhere(void) {
    static const uint32_t places[] = {0x08000000, DEVICES, 0, 0x40200000, 0x40400000, 0x80000000, 0xfffffff0, 0x401ffff8};
    return next_random() % 3 != 0 ? (uint32_t)(uintptr_t)buffer + next_random() % 300 : places[next_random() % 8] + next_random() % 64;
}

static void set_up(void) {
    REGISTER(0x070) = 0;
    REGISTER(0x070) = 3;
    REGISTER(0x024) = 0;
    REGISTER(0x020) = 0x30000002;
    REGISTER(0x024) = 1;
    REGISTER(0x020) = 1;
    REGISTER(0x070) = 11;
    for (uint32_t n = 0; n < 6; ++n) {
        uint8_t* const bytes = (uint8_t*)&queues[n];
        for (uint32_t byte = 0; byte < sizeof queues[n]; ++byte) bytes[byte] = 0;
        REGISTER(0x030) = n;
        REGISTER(0x038) = QUEUE_SIZE;
        REGISTER(0x080) = next_random() % 16 == 0 ? somewhere() : (uint32_t)(uintptr_t)queues[n].descriptors;
        REGISTER(0x090) = next_random() % 16 == 0 ? somewhere() : (uint32_t)(uintptr_t)queues[n].available;
        REGISTER(0x0a0) = next_random() % 16 == 0 ? somewhere() : (uint32_t)(uintptr_t)queues[n].used;
        REGISTER(0x084) = next_random() % 32 == 0;
        REGISTER(0x094) = next_random() % 32 == 0;
        REGISTER(0x044) = 1;
    }
    REGISTER(0x070) = 15;
}

static void offer(uint32_t n) {
    struct queue* const queue = &queues[n];
    for (uint32_t d = 0; d < QUEUE_SIZE; ++d)
        queue->descriptors[d] =
            (struct descriptor){somewhere(), next_random() % 64 == 0, next_random() % 8 == 0 ? next_random() : next_random() % 200,
                                (uint16_t)(next_random() % 8), (uint16_t)(next_random() % (QUEUE_SIZE + 1))};
    /* Control messages that could be good ones, too. */
    for (uint32_t byte = 0; byte < sizeof buffer; ++byte) buffer[byte] = (uint8_t)(next_random() % 3 == 0 ? next_random() % 8 : 0);
    for (uint32_t entry = 0; entry < QUEUE_SIZE; ++entry) queue->available[2 + entry] = (uint16_t)(next_random() % (QUEUE_SIZE + 1));
    queue->available[1] = (uint16_t)(queue->available[1] + (next_random() % 16 == 0 ? next_random() : next_random() % 4));
    __asm__ volatile("dsb" ::: "memory");
    REGISTER(0x050) = n;
}

static void any_register(void) {
    const uint32_t offset = next_random() % 0x200;
    switch (next_random() % 6) {
        case 0: REGISTER(offset & ~3u) = next_random(); break;
        case 1: REG16(device + (offset & ~1u)) = (uint16_t)next_random(); break;
        case 2: REG8(device + offset) = (uint8_t)next_random(); break;
        case 3: (void)REGISTER(offset & ~3u); break;
        case 4: (void)REG16(device + (offset & ~1u)); break;
        default: (void)REG8(device + offset); break;
    }
}

static void choose(uint32_t which) {
    for (uint32_t slot = 0; slot < SLOTS; ++slot)
        if (ids[slot] != 0 && which-- == 0) device = DEVICES + slot * 0x200;
}

static void find_devices(void) {
    uint32_t bytes = 0;
    for (uint32_t slot = 0; slot < SLOTS; ++slot) {
        char name[] = "virtio_mmio@a000000";
        for (uint32_t digit = 0; digit < 4; ++digit) name[18 - digit] = "0123456789abcdef"[slot * 0x200 >> digit * 4 & 0xf];
        device = DEVICES + slot * 0x200;
        if (tree_child_property("", name, "compatible", &bytes) == NULL) continue;
        ids[slot] = REGISTER(0x008);
        expect(ids[slot] != 0, "a device", slot);
        expect(REGISTER(0x070) == 0, "another life finds it reset", REGISTER(0x070));
        ++count;
    }
    console_printf("%u devices\n", (unsigned)count);
}

int main(void) {
    const uint32_t life = life_number();
    for (uint32_t n = 0; n < life * 1000; ++n) (void)next_random();
    find_devices();
    for (uint32_t round = 0; round < ROUNDS; ++round) {
        choose(round % count);
        set_up();
        for (uint32_t n = 0; n < 12; ++n) offer(next_random() % 6);
        for (uint32_t n = 0; n < 100; ++n) REGISTER(0x050) = next_random() % 8 == 0 ? next_random() : next_random() % 6;
        if (round % 4 == 0)
            for (uint32_t n = 0; n < 50; ++n) any_register();
        expect(REGISTER(0) == 0x74726976, "what it always reads", REGISTER(0));
        if (life < LIVES && round == life * 7) restart();
    }
    for (uint32_t n = 0; n < count; ++n) {
        choose(n);
        REGISTER(0x070) = 0;
        expect(REGISTER(0x070) == 0, "a reset mends it", REGISTER(0x070));
    }
    return told("virtio", ROUNDS);
}
