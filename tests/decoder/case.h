/* One load or store to be carried out: the state before and after it. Both sides of the comparison have it at the same addresses. */
#ifndef PARTITA_DECODER_CASE_H
#define PARTITA_DECODER_CASE_H

#include <stdint.h>

#define AREA 0x40100000u
#define AREA_SIZE 0x400u
#define ENTRY (AREA + 0x1e0u) /* A32: leads to the instruction */
#define CODE (AREA + 0x200u)  /* where the instruction lies; behind it one that is UNDEFINED */

struct state {
    uint32_t r[16]; /* r[15]: where it goes on */
    uint32_t cpsr;
    uint32_t unused;
    uint64_t d[32];
    uint8_t memory[AREA_SIZE];
};

#endif
