@ The secure partition's begin on each CPU, its exceptions, and the way back to the other world.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .fpu neon
    .arm

#include "kernel.h"

    .section .text.header, "ax"
    .word   0x43455350                  @ partita_secure_header
    .word   __text_size
    .word   __rodata_offset
    .word   __data_offset
    .word   __memory_offset
    .word   secure_entry
    .word   0                           @ has_key
    .space  68

    .text
    .global secure_entry
secure_entry:
    mcr     p15, 0, r0, c13, c0, 4      @ TPIDRPRW: the CPU
    ldr     sp, =kernel_stacks
    add     r2, r0, #1
    add     sp, sp, r2, lsl #KERNEL_STACK_SHIFT
    ldr     r2, =secure_vectors
    mcr     p15, 0, r2, c12, c0, 0      @ VBAR
    mrc     p15, 0, r2, c1, c0, 0
    bic     r2, r2, #2                  @ SCTLR.A: the library is compiled for unaligned access
    mcr     p15, 0, r2, c1, c0, 0
    isb
    b       secure_begin

@ leave_world(results, call): to the other world with four words of results; back with the next call's eight.
    .global leave_world
leave_world:
    push    {r1, r4-r11, lr}
    ldm     r0, {r0-r3}
    mov     r12, #0
    smc     #0
    ldr     r12, [sp]
    stm     r12, {r0-r7}
    pop     {r1, r4-r11, pc}

@ The board is reset.
    .global give_up
give_up:
    mov     r12, #1
    smc     #0
    b       .

@ thread_enter(thread): runs it until it leaves. thread_leave(thread): back to who entered it.
    .global thread_enter, thread_leave
thread_enter:
    push    {r4-r11, lr}
    str     sp, [r0, #4]
    ldr     sp, [r0]
    pop     {r4-r11, pc}
thread_leave:
    push    {r4-r11, lr}
    str     sp, [r0]
    ldr     sp, [r0, #4]
    pop     {r4-r11, pc}

    .section .text.vectors, "ax"
    .balign 32
secure_vectors:
    b       .
    b       from_undefined
    b       from_supervisor_call
    b       from_prefetch
    b       from_data
    b       .
    b       from_irq
    b       from_fiq

@ The other world wants the CPU, and a thread has it: all of the thread lies on its stack then.
from_irq:
    sub     lr, lr, #4
    srsdb   sp!, #0x13
    cpsid   if, #0x13
    push    {r0-r12, lr}
    vpush   {d16-d31}
    vpush   {d0-d15}
    vmrs    r0, fpscr
    push    {r0, r1}
    mov     r4, sp
    bic     sp, sp, #7
    bl      thread_interrupted
    mov     sp, r4
    pop     {r0, r1}
    vmsr    fpscr, r0
    vpop    {d0-d15}
    vpop    {d16-d31}
    pop     {r0-r12, lr}
    rfeia   sp!

@ An interrupt of this world, in a thread. The kernel has no VFP instruction.
from_fiq:
    sub     lr, lr, #4
    srsdb   sp!, #0x13
    cpsid   if, #0x13
    push    {r0-r4, r12, lr}
    mov     r4, sp
    bic     sp, sp, #7
    bl      guest_irq
    mov     sp, r4
    pop     {r0-r4, r12, lr}
    rfeia   sp!

@ Faults of its own: nothing is known to be right any more.
from_undefined:
    mov     r0, #1
    b       1f
from_supervisor_call:
    mov     r0, #2
    b       1f
from_prefetch:
    mov     r0, #3
    b       1f
from_data:
    mov     r0, #4
1:  mov     r1, lr
    mrs     r2, spsr
    cpsid   aif, #0x13
    ldr     sp, =fault_stack + KERNEL_FAULT_STACK
    b       secure_fault

    .section .note.GNU-stack, "", %progbits
