/* What is in a board's flash where the secure world begins in it: two images, as the tool makes them. */
#ifndef PARTITA_FLASH_H
#define PARTITA_FLASH_H

#include <stdint.h>

/* The secure world's: the monitor at its begin, where the CPUs are after reset; then the secure partition, and from here on two erase
 * blocks with what outlives a reset (secure/log.hpp). */
#define PARTITA_FLASH_SECURE_AT 0x20000u
#define PARTITA_FLASH_STATE_AT 0x100000u

/* The system's, which the other world may have written. The secure partition copies it to RAM, and checks it there. */
#define PARTITA_FLASH_SYSTEM_MAGIC 0x53595350u /* "PSYS" */
#define PARTITA_FLASH_SEGMENTS 128u            /* at most */
struct partita_flash_segment {
    uint32_t address; /* in RAM of the other world, multiple of 4 */
    uint32_t offset;  /* in this flash, multiple of 4 */
    uint32_t size;    /* multiple of 4 */
};
/* At its begin, with the segments behind it. */
struct partita_flash_system {
    uint32_t magic;
    uint32_t segments;
};

#endif
