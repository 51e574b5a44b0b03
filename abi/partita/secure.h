/* The secure partition's image, as the monitor starts it. */
#ifndef PARTITA_SECURE_H
#define PARTITA_SECURE_H

#include <stdint.h>

#define PARTITA_SECURE_MAGIC 0x43455350u /* "PSEC" */
#define PARTITA_SECURE_LARGEST 0x100000u /* bytes of secure memory, at most */

/* An interrupt of the hypervisor's own that means nothing but that it looks: pending for long, it does not. */
#define PARTITA_SECURE_PING_SGI 7u

/* The begin of its image. Offsets are multiples of 4 KiB. It begins on each CPU, in SVC mode with all masked, at `entry`: r0 is the CPU, r1
 * where the 256 descriptors of its window are. It has no stack yet. SMC in it gives the CPU back: for the first time once it is ready, with
 * 0 in r0; anything else: what it found in memory must not begin. From then on it goes on behind the SMC whenever it has something to do:
 * r0 is 0 where an interrupt is pending (r1: 1 where it came to the other world, 0 where the CPU is off there), or else the function that
 * is called, with arguments in r1 to r6 and the caller's identity in r7; at the next SMC r0 to r3 are its results,
 * and r12 is 0. An SMC with another r12 resets the board.
 *
 * In the secure world it is in SVC mode alone. Of the modes' registers it may use those of SVC, and LR and SPSR of IRQ and FIQ, as they are
 * after an exception. Interrupts of the secure world are FIQs there, those of the other world IRQs. */
struct partita_secure_header {
    uint32_t magic;
    uint32_t text_end;    /* up to here: code */
    uint32_t rodata_end;  /* up to here: read-only */
    uint32_t file_size;   /* up to here the image is copied, multiple of 4 */
    uint32_t memory_size; /* up to here: zero */
    uint32_t entry;
    /* Written by the tool, where the system image must be signed: the public key of who signs, uncompressed, and 1 before it. */
    uint32_t has_key;
    uint8_t key[68];
};

#endif
