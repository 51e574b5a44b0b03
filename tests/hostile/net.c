/* A partition drives its network card, and lets it reach for what is not its own in every way that the card has: packets, buffers for
 * packets, descriptors, both rings, and all of them at once. Each second life tries one way; the others end with
 * answers under way that must not reach the next. Rows 29 and 30 of docs/security.md. Virtio 1.2: 2.7 (split queues), 4.1.4 (virtio over
 * PCI), 5.1 (network). */
#include "foreign.h"

#define VENDOR 0x1af4u
#define DEVICE 0x1041u
#define ENTRIES 64u
#define HEADER 12u
#define FRAME 60u

enum common {
    FEATURE_SELECT = 0x08,
    FEATURES = 0x0c,
    STATUS = 0x14,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1c,
    NOTIFY_OFFSET = 0x1e,
    DESCRIPTORS = 0x20,
    AVAILABLE = 0x28,
    USED = 0x30
};
enum part { COMMON = 1, NOTIFY = 2, CONFIGURATION = 4 };
enum queue_number { RECEIVE = 0, TRANSMIT = 1 };
#define DEVICE_WRITES 2u

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
struct available {
    uint16_t flags, index, ring[ENTRIES];
};
struct used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[ENTRIES];
};
struct rings {
    struct descriptor descriptors[ENTRIES] __attribute__((aligned(4096)));
    struct available available __attribute__((aligned(4096)));
    struct used used __attribute__((aligned(4096)));
};
struct buffer {
    uint8_t byte[2048];
};

static uint32_t function, common, notify, configuration, notify_step;
static volatile struct rings rings[2];
static volatile struct buffer arrived[ENTRIES] __attribute__((aligned(4096)));
static volatile struct buffer packet __attribute__((aligned(4096)));

/* The address of a part of the device, by its capability; `word` is one more word of that. */
static uint32_t find(enum part part, uint32_t* word) {
    for (uint32_t where = pci_read(function, 0x34) & 0xfcu, n = 0; where != 0 && n < 48; ++n) {
        const uint32_t head = pci_read(function, where);
        if ((head & 0xffu) == 0x09 && head >> 24 == part) {
            *word = pci_read(function, where + 16);
            return pci_address(function, pci_read(function, where + 4) & 0xffu) + pci_read(function, where + 8);
        }
        where = head >> 8 & 0xfcu;
    }
    return 0;
}

static bool find_device(void) {
    const int found = pci_find(VENDOR, DEVICE);
    if (found < 0) return false;
    function = (uint32_t)found;
    uint32_t unused = 0;
    common = find(COMMON, &unused), notify = find(NOTIFY, &notify_step), configuration = find(CONFIGURATION, &unused);
    return common != 0 && notify != 0 && configuration != 0;
}

static void set_queue(enum queue_number number, uint32_t descriptors, uint32_t available, uint32_t used) {
    REG16(common + QUEUE_SELECT) = (uint16_t)number;
    REG16(common + QUEUE_SIZE) = ENTRIES;
    REG32(common + DESCRIPTORS) = descriptors, REG32(common + DESCRIPTORS + 4) = 0;
    REG32(common + AVAILABLE) = available, REG32(common + AVAILABLE + 4) = 0;
    REG32(common + USED) = used, REG32(common + USED + 4) = 0;
    REG16(common + QUEUE_ENABLE) = 1;
}

static bool reset_done(void) { return REG8(common + STATUS) == 0; }

static bool reset(void) {
    REG8(common + STATUS) = 0;
    if (!wait_until(reset_done, 100)) return false;
    REG8(common + STATUS) = 0x03; /* seen, and there is a driver */
    REG32(common + FEATURE_SELECT) = 0, REG32(common + FEATURES) = 1u << 5;
    REG32(common + FEATURE_SELECT) = 1, REG32(common + FEATURES) = 0x3; /* virtio 1, and addresses as the platform translates them */
    REG8(common + STATUS) = 0x0b;
    for (unsigned n = 0; n < 2; ++n) {
        rings[n].available.index = rings[n].used.index = 0;
        rings[n].available.flags = 1; /* no interrupts */
    }
    return REG8(common + STATUS) == 0x0b;
}

static void go(void) {
    barrier();
    REG8(common + STATUS) = 0x0f;
}

static void own_queue(enum queue_number number) {
    volatile struct rings* const own = &rings[number];
    set_queue(number, address_of(own->descriptors), address_of(&own->available), address_of(&own->used));
}

static bool open_card(void) {
    pci_enable(function);
    if (!reset()) return false;
    own_queue(RECEIVE), own_queue(TRANSMIT);
    go();
    return true;
}

static void offer(enum queue_number number, uint32_t address, uint32_t bytes) {
    volatile struct rings* const own = &rings[number];
    const uint16_t n = own->available.index % ENTRIES;
    own->descriptors[n] = (struct descriptor){address, bytes, number == RECEIVE ? DEVICE_WRITES : 0, 0};
    own->available.ring[n] = n;
    barrier();
    ++own->available.index;
}

static void tell(enum queue_number number) {
    barrier();
    REG16(common + QUEUE_SELECT) = (uint16_t)number;
    const uint32_t offset = REG16(common + NOTIFY_OFFSET);
    REG16(notify + offset * notify_step) = (uint16_t)number;
}

/* "Who has 10.0.2.2? Tell 10.0.2.15": the host answers. */
static void make_question(void) {
    static const uint8_t fixed[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1};
    volatile uint8_t* const frame = packet.byte + HEADER;
    for (unsigned n = 0; n < HEADER + FRAME; ++n) packet.byte[n] = 0;
    for (unsigned n = 0; n < 6; ++n) {
        const uint8_t mac = REG8(configuration + n);
        frame[n] = 0xff, frame[6 + n] = mac, frame[22 + n] = mac;
    }
    for (unsigned n = 0; n < sizeof fixed; ++n) frame[12 + n] = fixed[n];
    frame[28] = 10, frame[30] = 2, frame[31] = 15;
    frame[38] = 10, frame[40] = 2, frame[41] = 2;
}

static bool answered(void) { return rings[RECEIVE].used.index != 0; }

static bool works(void) {
    if (!open_card()) return false;
    make_question();
    arrived[0].byte[HEADER + 12] = 0;
    offer(RECEIVE, address_of(&arrived[0]), sizeof arrived[0]);
    offer(TRANSMIT, address_of(&packet), HEADER + FRAME);
    tell(RECEIVE), tell(TRANSMIT);
    return wait_until(answered, 200) && arrived[0].byte[HEADER + 12] == 0x08 && arrived[0].byte[HEADER + 13] == 0x06;
}

static void wait_for_earlier_life(void) {
    expect((pci_read(function, 4) & 0x6u) == 0, "the card is on the bus at once", pci_read(function, 4));
    pci_enable(function);
    (void)wait_until(answered, 20);
    for (unsigned n = 0; n < ENTRIES; ++n)
        for (unsigned b = 0; b < sizeof arrived[n]; ++b) expect(arrived[n].byte[b] == 0, "something of an earlier life arrived", n);
}

static void leave_answers_under_way(void) {
    if (!open_card()) return;
    make_question();
    for (unsigned n = 0; n < ENTRIES; ++n) offer(RECEIVE, address_of(&arrived[n]), sizeof arrived[n]);
    for (unsigned n = 0; n < ENTRIES; ++n) offer(TRANSMIT, address_of(&packet), HEADER + FRAME);
    tell(RECEIVE), tell(TRANSMIT);
}

#define WAYS 6u

static void reach(uint32_t way) {
    if (!reset()) return;
    volatile struct rings* const out = &rings[TRANSMIT];
    own_queue(RECEIVE);
    switch (way) {
        case 3: set_queue(TRANSMIT, SYSTEM_MMU, address_of(&out->available), address_of(&out->used)); break;
        case 4: set_queue(TRANSMIT, address_of(out->descriptors), DISTRIBUTOR, address_of(&out->used)); break;
        case 5: set_queue(TRANSMIT, address_of(out->descriptors), address_of(&out->available), LAST_PAGE); break;
        default: own_queue(TRANSMIT);
    }
    go();
    const uint32_t many = way == 6 ? ENTRIES : 1;
    for (uint32_t n = 0; n < many; ++n) {
        offer(RECEIVE, way == 2 || way == 6 ? MESSAGES + n * PAGE_SIZE : address_of(&arrived[0]), sizeof arrived[0]);
        offer(TRANSMIT, way == 1 || (way == 6 && n > 0) ? BEHIND_MEMORY + n * PAGE_SIZE : address_of(&packet), HEADER + FRAME);
    }
    tell(RECEIVE), tell(TRANSMIT);
    (void)wait_until(answered, 100);
}

int main(void) {
    if (!find_device()) {
        expect(false, "no network card", 0);
        return told("net", 0);
    }
    const uint32_t life = life_number();
    wait_for_earlier_life();
    expect(works(), "the card does not work in this life", life);
    const uint32_t way = (life + 1) / 2;
    if (failures != 0 || way > WAYS) return told("net", life);
    if (life % 2 == 0) {
        leave_answers_under_way();
        restart();
    }
    console_printf("life %u: reaches out\n", (unsigned)life);
    reach(way);
    pause(1000); /* it is told, and cut off, on a CPU of its own time; and a partition's reports are limited by the second */
    expect(!works(), "the card works after it was cut off", life);
    if (failures != 0) return told("net", life);
    restart();
}
