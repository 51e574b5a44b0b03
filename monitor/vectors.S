@ Between the worlds: into Hyp mode, and back by a call or an interrupt.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .arm

#include "layout.h"

    .equ    FRAME, 40                   @ what is on the stack when the other world has been left: behind it lies struct World

    .text
@ enter_hyp(entry, r0, r2, cpu): the non-secure world's registers as after a reset, then Hyp mode with all masked. Nothing of the monitor's is left
@ in registers, or on its stack.
    .global enter_hyp
enter_hyp:
    mov     r4, r0
    mov     r5, r1
    mov     r6, r3
    bl      set_stack
    mov     lr, r4
    mov     r0, r5
    ldr     r3, =SCR_NORMAL
    mcr     p15, 0, r3, c1, c1, 0
    isb
    mov     r3, #0
    mcr     p15, 4, r3, c1, c1, 0       @ HCR
    mcr     p15, 4, r3, c1, c1, 3       @ HSTR
    ldr     r4, =0x30c50818
    mcr     p15, 4, r4, c1, c0, 0       @ HSCTLR: MMU and caches off
    ldr     r4, =0x00c50078
    mcr     p15, 0, r4, c1, c0, 0       @ SCTLR of the non-secure world: likewise
    mcr     p15, 0, r3, c2, c0, 2       @ TTBCR
    mcr     p15, 0, r3, c12, c0, 0      @ VBAR
    mcr     p15, 0, r3, c7, c5, 0       @ ICIALLU
    dsb
    isb
    mov     r4, #0
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    mov     r8, #0
    mov     r9, #0
    mov     r10, #0
    mov     r11, #0
    mov     r12, #0
    mov     r1, #0
    tst     lr, #1
    mov     r3, #0x1da
    orrne   r3, r3, #0x20               @ T32
    bic     lr, lr, #1
    msr     spsr_cxsf, r3
    mov     r3, #0
    movs    pc, lr
    .ltorg

@ leave_stack(cpu, function): the CPU's stack anew, then `function(cpu)`, which does not return.
    .global leave_stack
leave_stack:
    mov     r6, r0
    mov     r7, r1
    bl      set_stack
    mov     r0, r6
    bx      r7

    .section .text.vectors, "ax"
    .balign 32
    .global monitor_vectors
monitor_vectors:
    b       .
    b       from_undefined
    b       from_smc
    b       from_prefetch
    b       from_data
    b       .
    b       from_interrupt
    b       from_fiq

@ SMCCC: r4 to r14 stay as they are, r0 to r3 have results. From the secure world it is the secure partition that gives the CPU back.
from_smc:
    push    {r0-r7, r12, lr}
    mrc     p15, 0, r12, c1, c1, 0
    tst     r12, #1
    beq     secure_partition_leaves
    mov     r0, sp
    bl      monitor_call
    pop     {r0-r7, r12, lr}
    movs    pc, lr

from_fiq:
    sub     lr, lr, #4
    push    {r0-r7, r12, lr}
    add     r0, sp, #FRAME
    ldr     r1, [r0, #4]                @ World::at; 0: no secure partition
    cmp     r1, #0
    beq     1f
    adr     r1, interrupt_pending
    bl      run_secure
    pop     {r0-r7, r12, lr}
    movs    pc, lr
1:  bl      monitor_fiq
    pop     {r0-r7, r12, lr}
    movs    pc, lr
interrupt_pending:                      @ a call of the secure partition: secure.h
    .word   0, 1, 0, 0, 0, 0, 0, 0

@ Faults of the monitor itself.
from_undefined:
    mov     r0, #1
    b       1f
from_prefetch:
    mov     r0, #3
    b       1f
from_data:
    mov     r0, #4
    b       1f
from_interrupt:
    mov     r0, #6
1:  mov     r1, lr
    mrs     r2, spsr
    ldr     sp, =monitor_panic_stack + 512
    b       monitor_fault

    .section .note.GNU-stack, "", %progbits
