/* QEMU's `edu` device: it computes factorials, and copies between its own 4 KiB and memory. */
#ifndef PARTITA_EXAMPLE_EDU_H
#define PARTITA_EXAMPLE_EDU_H

#include "partita/guest/guest.h"

#define EDU_VENDOR 0x1234u
#define EDU_DEVICE 0x11e8u
#define EDU_BUFFER 0x40000u /* its own memory, as it sees it */
#define EDU_BUFFER_SIZE 4096u

enum edu_register {
    EDU_ID = 0x00,
    EDU_LIVENESS = 0x04,
    EDU_FACTORIAL = 0x08,
    EDU_STATUS = 0x20,
    EDU_IRQ_STATUS = 0x24,
    EDU_IRQ_RAISE = 0x60,
    EDU_IRQ_ACKNOWLEDGE = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98
};
#define EDU_STATUS_COMPUTING 0x01u
#define EDU_STATUS_INTERRUPT 0x80u
#define EDU_DMA_START 1u
#define EDU_DMA_TO_MEMORY 2u
#define EDU_DMA_INTERRUPT 4u

static inline volatile uint32_t* edu_at(uint32_t base, enum edu_register reg) { return (volatile uint32_t*)(base + reg); }

static inline void edu_start_dma(uint32_t base, uint32_t memory, uint32_t bytes, bool to_memory, bool interrupt) {
    *edu_at(base, EDU_DMA_SOURCE) = to_memory ? EDU_BUFFER : memory;
    *edu_at(base, EDU_DMA_TARGET) = to_memory ? memory : EDU_BUFFER;
    *edu_at(base, EDU_DMA_COUNT) = bytes;
    __asm__ volatile("dsb" ::: "memory");
    *edu_at(base, EDU_DMA_COMMAND) = EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0) | (interrupt ? EDU_DMA_INTERRUPT : 0);
}

static inline bool edu_busy(uint32_t base) { return (*edu_at(base, EDU_DMA_COMMAND) & EDU_DMA_START) != 0; }

#endif
