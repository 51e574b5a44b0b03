/* A program of an unmodified Linux that sends back what it receives through memory that its partition shares: /dev/mem for the memory, the
 * GPIO character device for the doorbells. usage: echo NODE, the channel's directory below /proc/device-tree/hypervisor/channels */
#include "kernel.h"
#include "partita/guest/ring.h"

#define LONGEST 256u

static uint32_t events;

static uint32_t length(const char* text) {
    uint32_t n = 0;
    while (text[n] != 0) ++n;
    return n;
}

static void say(const char* text) { (void)kernel(SYS_WRITE, 1, (long)text, (long)length(text), 0, 0, 0); }

static void say_number(uint32_t value) {
    char digits[11];
    char* at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    say(at);
}

static void fail(const char* what) {
    say("linux-echo: FAILED: ");
    say(what);
    say("\n");
    (void)kernel(SYS_EXIT, 1, 0, 0, 0, 0, 0);
}

static void join(char* out, uint32_t room, const char* a, const char* b) {
    for (; *a != 0 && room > 1; --room) *out++ = *a++;
    for (; *b != 0 && room > 1; --room) *out++ = *b++;
    *out = 0;
}

/* Address and size of a part, as the device tree has them: two big-endian words. */
static void* map_part(const char* node, const char* property, uint32_t* size) {
    char path[256];
    uint32_t cells[2] = {0};
    join(path, sizeof path, node, property);
    const long file = kernel(SYS_OPEN, (long)path, 0, 0, 0, 0, 0);
    if (file < 0 || kernel(SYS_READ, file, (long)cells, sizeof cells, 0, 0, 0) != sizeof cells) fail(path);
    const long memory = kernel(SYS_OPEN, (long)"/dev/mem", O_RDWR | O_SYNC, 0, 0, 0, 0);
    *size = __builtin_bswap32(cells[1]);
    const long at =
        kernel(SYS_MMAP2, 0, (long)*size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (long)(__builtin_bswap32(cells[0]) >> 12));
    if (memory < 0 || (at < 0 && at > -4096)) fail("/dev/mem");
    return (void*)at;
}

static int same(const char* a, const char* b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}

/* A file descriptor of the line of this name. */
static long line(const char* name, uint64_t flags) {
    const long chip = kernel(SYS_OPEN, (long)"/dev/gpiochip0", O_RDWR, 0, 0, 0, 0);
    if (chip < 0) fail("/dev/gpiochip0");
    for (uint32_t n = 0; n < 8; ++n) {
        struct gpio_line_info info = {.offset = n};
        struct gpio_line_request request = {.offsets = {n}, .consumer = "echo", .flags = flags, .lines = 1};
        if (kernel(SYS_IOCTL, chip, (long)GPIO_GET_LINE_INFO, (long)&info, 0, 0, 0) != 0 || !same(info.name, name)) continue;
        if (kernel(SYS_IOCTL, chip, (long)GPIO_GET_LINES, (long)&request, 0, 0, 0) != 0) break;
        return request.fd;
    }
    fail(name);
    return -1;
}

static void ring_bell(long bell) {
    for (uint64_t high = 2; high-- != 0;) {
        struct gpio_line_values values = {high, 1};
        if (kernel(SYS_IOCTL, bell, (long)GPIO_SET_VALUES, (long)&values, 0, 0, 0) != 0) fail("to ring");
    }
}

static uint32_t echo(struct ring* ring, long told, long bell) {
    uint32_t count = 0, message[LONGEST / 4], size = 0;
    for (;;) {
        int result = ring_receive(ring, message, sizeof message, &size);
        if (result == RING_EMPTY) {
            struct gpio_line_event event;
            if (kernel(SYS_READ, told, (long)&event, sizeof event, 0, 0, 0) != sizeof event) fail("to be told");
            ++events;
            continue;
        }
        if (result < 0) fail("to receive");
        if (size == 1) return count; /* the last */
        ++count;
        result = ring_send(ring, message, size);
        if (result < 0) fail("to send");
        if (result == RING_TELL) ring_bell(bell);
    }
}

__attribute__((noreturn)) void run(const long* stack);
void run(const long* stack) {
    struct ring ring;
    uint32_t own_size = 0, other_size = 0;
    if (stack[0] != 2) fail("usage: echo NODE");
    const char* const node = (const char*)stack[2];
    void* const own = map_part(node, "/partita,send-memory", &own_size);
    const void* const other = map_part(node, "/partita,receive-memory", &other_size);
    const long told = line("frames", GPIO_INPUT | GPIO_RISING), bell = line("frames-ring", GPIO_OUTPUT);
    ring_open(&ring, own, own_size, other, other_size);
    ring_bell(bell); /* somebody listens now */
    const uint32_t count = echo(&ring, told, bell);
    say("linux-echo: ");
    say_number(count);
    say(" echoed, told ");
    say_number(events);
    say(" times\n");
    (void)kernel(SYS_EXIT, 0, 0, 0, 0, 0, 0);
    __builtin_unreachable();
}
