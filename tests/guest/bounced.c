/* A driver of a served disk that shares a pool with its server, and nothing else (share = "pool"): writes a sector, reads it back, and then
 * means memory of its own, which its server cannot have. */
#include "partita/guest/guest.h"
#include "partita/guest/tree.h"

#define DEVICES 0x0a000000u
#define REGISTER(offset) (*(volatile uint32_t*)(device + (offset)))
#define QUEUE_SIZE 8u
#define NEXT 1u
#define DEVICE_WRITES 2u
#define NEEDS_RESET 64u

static uint32_t device;

/* All that the device reads and writes. Virtual I/O Device 1.2 §2.7, §5.2.6. */
struct shared {
    struct {
        uint64_t address;
        uint32_t size;
        uint16_t flags, next;
    } descriptors[QUEUE_SIZE];
    struct {
        uint16_t flags, index, ring[QUEUE_SIZE];
    } available;
    struct {
        uint16_t flags, index;
        uint32_t ring[QUEUE_SIZE][2];
    } used __attribute__((aligned(4)));
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint32_t data[128];
    uint8_t status;
};
static volatile struct shared* shared;
static uint32_t own[128] = {0x5ec4e7};

static const uint32_t* find_pool(uint32_t* size) {
    uint32_t bytes = 0;
    const uint32_t* const reg = tree_child_property("reserved-memory", "shared", "reg", &bytes);
    if (reg == NULL || bytes != 16) return NULL;
    *size = tree_cell(reg + 3);
    return (const uint32_t*)(uintptr_t)tree_cell(reg + 1);
}

static void place(uint32_t at, const volatile void* what) {
    REGISTER(at) = (uint32_t)(uintptr_t)what;
    REGISTER(at + 4) = 0;
}

static void set_up(void) {
    REGISTER(0x070) = 0;
    REGISTER(0x070) = 3;
    REGISTER(0x024) = 1;
    REGISTER(0x020) = 3; /* version 1 of the standard, and addresses as the platform means them */
    REGISTER(0x024) = 0;
    REGISTER(0x020) = 0;
    REGISTER(0x070) = 11;
    for (uint32_t n = 0; n < sizeof *shared; ++n) ((volatile uint8_t*)shared)[n] = 0;
    REGISTER(0x030) = 0;
    REGISTER(0x038) = QUEUE_SIZE;
    place(0x080, shared->descriptors);
    place(0x090, &shared->available);
    place(0x0a0, &shared->used);
    REGISTER(0x044) = 1;
    REGISTER(0x070) = 15;
}

static void describe(uint32_t n, const volatile void* what, uint32_t size, uint32_t flags) {
    shared->descriptors[n].address = (uintptr_t)what;
    shared->descriptors[n].size = size;
    shared->descriptors[n].flags = (uint16_t)flags;
    shared->descriptors[n].next = (uint16_t)(n + 1);
}

/* A request of one sector from or to `data`, and what the device says of it; -1: nothing within a second. */
static int request(uint32_t type, uint32_t sector, const volatile void* data) {
    shared->header.type = type;
    shared->header.sector = sector;
    shared->status = 0xff;
    describe(0, &shared->header, sizeof shared->header, NEXT);
    describe(1, data, 512, NEXT | (type == 0 ? DEVICE_WRITES : 0));
    describe(2, &shared->status, 1, DEVICE_WRITES);
    const uint16_t before = shared->used.index;
    __asm__ volatile("dmb" ::: "memory");
    shared->available.index = (uint16_t)(shared->available.index + 1); /* entry 0 of each: the same chain */
    __asm__ volatile("dmb" ::: "memory");
    REGISTER(0x050) = 0;
    for (const uint64_t end = timer_now() + timer_frequency(); timer_now() < end;)
        if (shared->used.index != before) return shared->status;
    return -1;
}

int main(void) {
    uint32_t size = 0;
    shared = (volatile struct shared*)(uintptr_t)find_pool(&size);
    for (device = DEVICES; REGISTER(0x008) != 2 && device < DEVICES + 31 * 0x200;) device += 0x200;
    if (shared == NULL || REGISTER(0x008) != 2) {
        console_write("bounced: no pool, or no disk\n");
        return 1;
    }
    console_printf("bounced: %u KiB at 0x%x\n", (unsigned)(size >> 10), (unsigned)(uintptr_t)shared);
    set_up();
    for (uint32_t n = 0; n < 128; ++n) shared->data[n] = n * 0x01010101u;
    const int wrote = request(1, 5, shared->data);
    for (uint32_t n = 0; n < 128; ++n) shared->data[n] = 0;
    const int read = request(0, 5, shared->data);
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < 128; ++n) wrong += shared->data[n] != n * 0x01010101u;
    console_printf("bounced: wrote %d, read %d, %u words are others\n", wrote, read, (unsigned)wrong);
    const int meant = request(1, 6, own);
    console_printf("bounced: of memory of its own %d, status %x\n", meant, (unsigned)REGISTER(0x070));
    set_up();
    shared->data[0] = 1;
    const int last = request(1, 5, shared->data);
    console_printf("bounced: %s\n", wrote == 0 && read == 0 && wrong == 0 && meant == -1 && last == 0 ? "ok" : "FAILED");
    return 0;
}
