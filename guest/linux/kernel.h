/* What a program needs of Linux without a C library: calls of the kernel (EABI), and its GPIO character device (include/uapi/linux/gpio.h).
 */
#ifndef PARTITA_LINUX_KERNEL_H
#define PARTITA_LINUX_KERNEL_H

#include <stdint.h>

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5, SYS_CLOSE = 6, SYS_IOCTL = 54, SYS_NANOSLEEP = 162, SYS_MMAP2 = 192 };
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_NONBLOCK = 04000, O_SYNC = 04010000, PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1 };

static inline long kernel(long number, long a, long b, long c, long d, long e, long f) {
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    register long r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    register long r3 __asm__("r3") = d;
    register long r4 __asm__("r4") = e;
    register long r5 __asm__("r5") = f;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5) : "memory");
    return r0;
}

#define GPIO_INPUT (1u << 2)
#define GPIO_OUTPUT (1u << 3)
#define GPIO_RISING (1u << 4)

struct gpio_line_info {
    char name[32], consumer[32];
    uint32_t offset, attributes;
    uint64_t flags;
    uint64_t attribute[10][2];
    uint32_t padding[4];
};

struct gpio_line_request {
    uint32_t offsets[64];
    char consumer[32];
    uint64_t flags;
    uint32_t attributes, padding[5];
    uint64_t attribute[10][3];
    uint32_t lines, event_buffer_size, more_padding[5];
    int32_t fd;
};

struct gpio_line_values {
    uint64_t bits, mask;
};

struct gpio_line_event {
    uint64_t time;
    uint32_t id, offset, number, number_of_line, padding[6];
};

#define IOWR(number, type) (3u << 30 | (uint32_t)sizeof(type) << 16 | 0xb4u << 8 | (number))
#define GPIO_GET_LINE_INFO IOWR(0x05u, struct gpio_line_info)
#define GPIO_GET_LINES IOWR(0x07u, struct gpio_line_request)
#define GPIO_SET_VALUES IOWR(0x0fu, struct gpio_line_values)

#endif
