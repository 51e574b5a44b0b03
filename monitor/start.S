@ From reset to Monitor mode, and from there to Hyp. All CPUs of the board begin here at the same time, in Secure SVC with MMU and caches off;
@ or the first one alone in Hyp, where firmware is there already: the monitor is not needed then.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .arm

#include "layout.h"

    .section .text.start, "ax"
    .global _start
_start:
    b       begin                       @ partita_monitor_header
    .word   0x4e4f4d50
    .word   __image_size
h_memory:
    .word   0
h_entry:
    .word   0
    .word   0, 0                        @ ram, ram_size
h_gicd:
    .word   0
h_gicc:
    .word   0
h_uart:
    .word   0
h_power_at:
    .word   0
h_console:
    .word   0
    .word   0                           @ power
h_frequency:
    .word   0
h_cpus:
    .word   0
h_secure_at:
    .word   0
h_mpidr:
    .fill   8, 4, 0
    .fill   5, 4, 0                     @ flash, and where the system is

begin:
    mov     r11, r2                     @ a device tree, where the boot protocol gives one
    mrs     r0, cpsr
    and     r0, r0, #0x1f
    cmp     r0, #0x1a
    beq     hypervisor                  @ firmware has done this
    cmp     r0, #0x13
    bne     refuse
    cpsid   aif
    adr     r0, refuse_vectors
    mcr     p15, 0, r0, c12, c0, 0      @ VBAR
    isb
    mrc     p15, 0, r0, c1, c1, 0       @ SCR: undefined in the non-secure world
    adr     r4, _start                  @ where this copy lies
    ldr     r5, h_memory                @ where secure memory begins
    mrc     p15, 0, r0, c0, c0, 5       @ MPIDR
    bfc     r0, #24, #8
    adr     r1, h_mpidr
    ldr     r2, h_cpus
    mov     r6, #0
1:  cmp     r6, r2
    bhs     sleep                       @ no CPU of the description
    ldr     r3, [r1], #4
    cmp     r3, r0
    addne   r6, r6, #1
    bne     1b
    cmp     r6, #0
    bne     wait_for_first

    @ The first one copies text and data to secure memory, and zeroes the rest
    ldr     r1, =__data_end - MONITOR_VA
    add     r1, r1, r4
    mov     r0, r4
    mov     r2, r5
2:  ldr     r3, [r0], #4
    str     r3, [r2], #4
    cmp     r0, r1
    blo     2b
    ldr     r0, =__bss_start - MONITOR_VA
    ldr     r1, =__bss_end - MONITOR_VA
    add     r0, r0, r5
    add     r1, r1, r5
    mov     r2, #0
3:  str     r2, [r0], #4
    cmp     r0, r1
    blo     3b

    @ And the secure partition
    ldr     r0, h_secure_at
    cmp     r0, #0
    beq     9f
    ldr     r1, [r0, #SECURE_FILE_SIZE]
    add     r1, r1, r0
    ldr     r7, [r0, #SECURE_MEMORY_SIZE]
    add     r2, r5, #SECURE_OFFSET
    add     r7, r7, r2
7:  ldr     r3, [r0], #4
    str     r3, [r2], #4
    cmp     r0, r1
    blo     7b
    mov     r3, #0
8:  cmp     r2, r7
    strlo   r3, [r2], #4
    blo     8b
9:  dsb
    adr     r0, first_in_secure_memory
    sub     r0, r0, r4
    add     r0, r0, r5
    bx      r0
first_in_secure_memory:
    bl      build_tables
    b       enable_mmu

@ The others wait for the first one's interrupt: memory tells nothing before it was written, and may tell of an earlier boot.
wait_for_first:
    ldr     r0, h_gicd
    mov     r1, #1 << WAKE_SGI
    str     r1, [r0, #0x100]            @ ISENABLER0
    ldr     r0, h_gicc
    mov     r1, #0xff
    str     r1, [r0, #4]                @ PMR
    mov     r1, #1
    str     r1, [r0]                    @ CTLR: group 0
4:  wfi
    ldr     r1, [r0, #0xc]              @ IAR
    ubfx    r2, r1, #0, #10
    cmp     r2, #WAKE_SGI
    bne     4b
    str     r1, [r0, #0x10]             @ EOIR
    ldr     r0, =enable_mmu - MONITOR_VA
    add     r0, r0, r5
    bx      r0

hypervisor:
    ldr     r0, h_entry
    bx      r0

@ In the non-secure world, and not in Hyp: nothing can be done here but say so.
refuse:
    ldr     r1, h_console
    adr     r2, refusal
5:  ldrb    r3, [r2], #1
    cmp     r3, #0
    beq     sleep
6:  ldr     r0, [r1, #0x18]
    tst     r0, #0x20
    bne     6b
    str     r3, [r1]
    b       5b
sleep:
    wfi
    b       sleep

refusal:
    .asciz  "partita: this CPU began in neither the secure world nor Hyp mode: start it at reset, or with firmware that enters Hyp.\r\n"
    .balign 32
refuse_vectors:
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    .ltorg

    .section .note.GNU-stack, "", %progbits
