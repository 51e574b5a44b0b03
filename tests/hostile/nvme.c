/* A partition drives its NVMe disk, and lets it reach for what is not its own in every way that the disk has: data, lists of pages, queues
 * of commands and of completions, and sixty commands at once. Each second life tries one way; the
 * others end with reads under way that must not reach the next. Rows 29 and 30 of docs/security.md. NVM Express Base 1.4: 3.1
 * (registers), 4.2 (commands), 4.6 (completions), 5 and 6. */
#include "foreign.h"

#define VENDOR 0x1b36u
#define DEVICE 0x0010u
#define ENTRIES 64u
#define BLOCK 512u
#define LANDING_PAGES 64u

enum reg { CAP_HIGH = 0x04, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, DOORBELLS = 0x1000 };
enum opcode { CREATE_SQ = 0x01, CREATE_CQ = 0x05, IDENTIFY = 0x06, WRITE = 0x01, READ = 0x02 };

struct command {
    uint32_t word[16];
};
struct completion {
    uint32_t word[4];
};
struct queue {
    uint32_t number, tail, head, phase;
    volatile struct command* commands;
    volatile struct completion* completions;
};

static uint32_t base, function;
static volatile struct command admin_commands[ENTRIES] __attribute__((aligned(4096)));
static volatile struct completion admin_completions[ENTRIES] __attribute__((aligned(4096)));
static volatile struct command disk_commands[ENTRIES] __attribute__((aligned(4096)));
static volatile struct completion disk_completions[ENTRIES] __attribute__((aligned(4096)));
static volatile uint32_t page[1024] __attribute__((aligned(4096)));
static volatile uint32_t list[1024] __attribute__((aligned(4096)));
static volatile uint32_t landing[LANDING_PAGES][1024] __attribute__((aligned(4096)));
static struct queue admin = {0, 0, 0, 1, admin_commands, admin_completions};
static struct queue disk = {1, 0, 0, 1, disk_commands, disk_completions};

static volatile uint32_t* at(uint32_t offset) { return (volatile uint32_t*)(base + offset); }

static void put(struct queue* queue, uint32_t opcode, uint32_t data, uint32_t pages, const uint32_t last[3]) {
    volatile uint32_t* const word = queue->commands[queue->tail].word;
    for (unsigned n = 0; n < 16; ++n) word[n] = 0;
    word[0] = opcode | queue->tail << 16;
    word[1] = queue->number == 0 && opcode != IDENTIFY ? 0 : 1;
    word[6] = data;
    word[8] = pages;
    for (unsigned n = 0; n < 3; ++n) word[10 + n] = last[n];
    queue->tail = (queue->tail + 1) % ENTRIES;
}

static void ring(const struct queue* queue) {
    barrier();
    *at(DOORBELLS + queue->number * 8) = queue->tail;
}

static struct queue* awaited;
static bool completed(void) { return (awaited->completions[awaited->head].word[3] >> 16 & 1u) == awaited->phase; }

/* The status of the oldest command, or -1 if there is none in time. */
static int wait_for(struct queue* queue) {
    awaited = queue;
    if (!wait_until(completed, 100)) return -1;
    const uint32_t status = queue->completions[queue->head].word[3] >> 17;
    queue->head = (queue->head + 1) % ENTRIES;
    if (queue->head == 0) queue->phase ^= 1u;
    *at(DOORBELLS + queue->number * 8 + 4) = queue->head;
    return (int)status;
}

static int command(struct queue* queue, uint32_t opcode, uint32_t data, uint32_t w10, uint32_t w11) {
    put(queue, opcode, data, 0, (const uint32_t[3]){w10, w11, 0});
    ring(queue);
    return wait_for(queue);
}

static bool ready(void) { return (*at(CSTS) & 1u) != 0; }
static bool stopped(void) { return (*at(CSTS) & 1u) == 0; }

/* Resets the controller, with administration queues at these addresses. */
static bool start(uint32_t commands, uint32_t completions) {
    *at(CC) = 0;
    if (!wait_until(stopped, 100)) return false;
    *at(AQA) = (ENTRIES - 1) << 16 | (ENTRIES - 1);
    *at(ASQ) = commands, *at(ASQ + 4) = 0;
    *at(ACQ) = completions, *at(ACQ + 4) = 0;
    for (unsigned n = 0; n < ENTRIES; ++n) admin_completions[n].word[3] = disk_completions[n].word[3] = 0;
    admin = (struct queue){0, 0, 0, 1, admin_commands, admin_completions};
    disk = (struct queue){1, 0, 0, 1, disk_commands, disk_completions};
    barrier();
    *at(CC) = 4u << 20 | 6u << 16 | 1u; /* completions of 16 bytes, commands of 64 */
    return wait_until(ready, 100);
}

static bool open_disk(uint32_t commands, uint32_t completions) {
    if (!start(address_of(admin_commands), address_of(admin_completions))) return false;
    const uint32_t size_and_number = (ENTRIES - 1) << 16 | 1u;
    return command(&admin, CREATE_CQ, completions, size_and_number, 1) == 0 &&
           command(&admin, CREATE_SQ, commands, size_and_number, 1u << 16 | 1u) == 0;
}

/* A page of the disk, from or to memory. */
static int transfer(uint32_t opcode, uint32_t memory, uint32_t block) {
    put(&disk, opcode, memory, 0, (const uint32_t[3]){block, 0, PAGE_SIZE / BLOCK - 1});
    ring(&disk);
    return wait_for(&disk);
}

static bool works(void) {
    pci_enable(function);
    if (!open_disk(address_of(disk_commands), address_of(disk_completions))) return false;
    for (uint32_t n = 0; n < 1024; ++n) page[n] = SECRET + n;
    if (transfer(WRITE, address_of(page), 0) != 0) return false;
    for (uint32_t n = 0; n < 1024; ++n) page[n] = 0;
    if (transfer(READ, address_of(page), 0) != 0) return false;
    for (uint32_t n = 0; n < 1024; ++n)
        if (page[n] != SECRET + n) return false;
    return true;
}

/* Nothing that the life before asked for arrives in this one, though the controller may be on the bus. */
static void wait_for_earlier_life(void) {
    expect((pci_read(function, 4) & 0x6u) == 0, "the disk is on the bus at once", pci_read(function, 4));
    pci_enable(function);
    awaited = &disk;
    (void)wait_until(completed, 20);
    for (unsigned n = 0; n < LANDING_PAGES * 1024; ++n) expect(landing[n / 1024][n % 1024] == 0, "something of an earlier life arrived", n);
}

static void leave_a_read_under_way(void) {
    for (uint32_t n = 0; n < 60; ++n) put(&disk, READ, address_of(landing[n]), 0, (const uint32_t[3]){0, 0, PAGE_SIZE / BLOCK - 1});
    ring(&disk);
}

#define WAYS 6u

static void reach(uint32_t way) {
    switch (way) {
        case 1: (void)transfer(READ, BEHIND_MEMORY, 0); return; /* the disk writes there */
        case 2: (void)transfer(WRITE, DISTRIBUTOR, 64); return; /* the disk reads there */
        case 3:                                                 /* a list of pages that is not its own */
            put(&disk, READ, address_of(page), SYSTEM_MMU, (const uint32_t[3]){0, 0, 4 * PAGE_SIZE / BLOCK - 1});
            ring(&disk);
            (void)wait_for(&disk);
            return;
        case 4: /* completions become message interrupts */
            (void)open_disk(address_of(disk_commands), MESSAGES);
            (void)transfer(READ, address_of(page), 0);
            return;
        case 5: /* commands from where there is nothing */
            (void)start(LAST_PAGE, address_of(admin_completions));
            (void)command(&admin, IDENTIFY, address_of(page), 1, 0);
            return;
        default: /* the list is its own, what it names is not; sixty times at once */
            for (uint32_t n = 0; n < 512; ++n) list[2 * n] = BEHIND_MEMORY + n * PAGE_SIZE, list[2 * n + 1] = 0;
            for (uint32_t n = 0; n < 60; ++n)
                put(&disk, n % 2 ? WRITE : READ, address_of(page), address_of(list), (const uint32_t[3]){0, 0, 64 * PAGE_SIZE / BLOCK - 1});
            ring(&disk);
            for (uint32_t n = 0; n < 4; ++n) (void)wait_for(&disk);
    }
}

int main(void) {
    const int found = pci_find(VENDOR, DEVICE);
    expect(found >= 0, "no disk", 0);
    if (found < 0) return told("nvme", 0);
    function = (uint32_t)found;
    base = pci_address(function, 0);
    const uint32_t life = life_number();
    wait_for_earlier_life();
    expect(works(), "the disk does not work in this life", life);
    const uint32_t way = (life + 1) / 2;
    if (failures != 0 || way > WAYS) return told("nvme", life);
    if (life % 2 == 0) {
        leave_a_read_under_way();
        restart();
    }
    console_printf("life %u: reaches out\n", (unsigned)life);
    reach(way);
    pause(1000); /* it is told, and cut off, on a CPU of its own time; and a partition's reports are limited by the second */
    expect(!works(), "the disk works after it was cut off", life);
    if (failures != 0) return told("nvme", life);
    restart();
}
