/* The flight recorder: what each CPU did last, as records of 16 bytes in a ring of its own.
 *
 * A ring is `trace_size` bytes, a power of two, that begin as zeros; CPU n's begins n * trace_size bytes behind `trace_base` (see
 * system_image.h). There is no head: a record's time says where it belongs. A record whose kind is 0 was never written.
 */
#ifndef PARTITA_TRACE_H
#define PARTITA_TRACE_H

#include <stdint.h>

enum partita_trace_kind {
    PARTITA_TRACE_TRAP = 1,      /* a guest trapped to Hyp; a: HSR, b: its PC */
    PARTITA_TRACE_INTERRUPT = 2, /* an interrupt came while a guest ran; a: its INTID, b: the PC */
    PARTITA_TRACE_RESUME = 3,    /* a guest goes on; a: vCPU, b: its PC */
    PARTITA_TRACE_SWITCH = 4,    /* the CPU holds another vCPU now; a: vCPU */
    PARTITA_TRACE_IDLE = 5,      /* nothing to run, or the vCPU of this CPU sleeps: it waits for an interrupt */
    PARTITA_TRACE_WAKE = 6,      /* ... and one came */
    PARTITA_TRACE_INJECT = 7,    /* an interrupt was put into a list register; a: INTID, b: vCPU in its partition */
    PARTITA_TRACE_SGI = 8,       /* a guest sent an SGI; a: the value written to GICD_SGIR, b: vCPU in its partition */
    PARTITA_TRACE_FAULT = 9,     /* a guest touched what it does not have; a: virtual address, b: IPA >> 8 */
    PARTITA_TRACE_WINDOW = 10    /* a window of the major frame began; a: how many ticks late it was seen, b: PARTITA_TRACE_IN_FRAME */
};

struct partita_trace_record {
    uint32_t time; /* ticks of the counter, bits 31-0 */
    uint32_t what; /* bits 31-24: kind, bits 7-0: bits 39-32 of the time */
    uint32_t a, b;
};

/* A vCPU as records name it: bits 15-8 its partition, bits 7-0 its number in it. */
#define PARTITA_TRACE_VCPU(partition, index) ((partition) << 8 | (index))

/* A window as records name it: bits 31-24 its schedule, bits 23-0 its number among the CPU's windows in it. */
#define PARTITA_TRACE_IN_FRAME(schedule, window) ((schedule) << 24 | (window))

#endif
