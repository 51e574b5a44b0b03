@ The world switch: the secure partition runs until it gives the CPU back.
@
@ What is not banked between the worlds, and what the secure partition may change of it (secure.h), is saved: the registers that all modes
@ share, SP, LR and SPSR of SVC, LR and SPSR of IRQ and FIQ, which its exceptions write, and VFP with its access. The translation tables,
@ vectors, PAR, fault registers, thread registers and the physical timer are banked by hardware (B3.15.3); nothing of Hyp mode is reached.
@ The secure partition's own registers lie on its stack when it gives the CPU back.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .fpu neon
    .arm

#include "layout.h"

    .text
@ r0: struct World; r0 to r7 of the secure partition are at [r1]. Its r0 to r3 are the result. In Monitor mode; returns with the other world's SCR.
    .global run_secure
run_secure:
    mrs     r12, spsr
    push    {r4-r12, lr}
    mrc     p15, 0, r2, c1, c0, 2       @ CPACR
    mov     r3, #0xf << 20
    mcr     p15, 0, r3, c1, c0, 2
    ldr     r3, =SCR_SECURE
    mcr     p15, 0, r3, c1, c1, 0
    isb
    vmrs    r3, fpexc
    mov     r4, #1 << 30
    vmsr    fpexc, r4
    vmrs    r4, fpscr
    vpush   {d16-d31}
    vpush   {d0-d15}
    mrs     r5, sp_svc
    mrs     r6, lr_svc
    mrs     r7, spsr_svc
    mrs     r8, lr_irq
    mrs     r9, spsr_irq
    mrs     r10, lr_fiq
    mrs     r11, spsr_fiq
    push    {r0, r2-r11}
    ldm     r0, {r2, r3, r4}
    msr     sp_svc, r2
    mov     lr, r3
    msr     spsr_cxsf, r4
    ldm     r1, {r0-r7}
    movs    pc, lr

@ The secure partition's SMC, with {r0-r7, r12, lr} pushed: on the stack below them is what run_secure left.
    .global secure_partition_leaves
secure_partition_leaves:
    pop     {r0-r7, r12, lr}
    cmp     r12, #0
    bne     secure_partition_gives_up
    pop     {r4}
    mrs     r5, sp_svc
    mrs     r6, spsr
    stm     r4, {r5, lr}
    str     r6, [r4, #8]
    pop     {r4-r12, lr}
    msr     sp_svc, r7
    msr     lr_svc, r8
    msr     spsr_svc, r9
    msr     lr_irq, r10
    msr     spsr_irq, r11
    msr     lr_fiq, r12
    msr     spsr_fiq, lr
    vpop    {d0-d15}
    vpop    {d16-d31}
    vmsr    fpscr, r6
    vmsr    fpexc, r5
    mcr     p15, 0, r4, c1, c0, 2
    ldr     r4, =SCR_NORMAL
    mcr     p15, 0, r4, c1, c1, 0
    isb
    clrex                               @ a reservation of the one world is none in the other
    pop     {r4-r12, lr}
    msr     spsr_cxsf, r12
    bx      lr
    .ltorg

@ call_secure(world, in, out): the same for C++.
    .global call_secure
call_secure:
    push    {r2, lr}
    bl      run_secure
    pop     {r12, lr}
    stm     r12, {r0-r3}
    bx      lr

    .section .note.GNU-stack, "", %progbits
