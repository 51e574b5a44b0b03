@ In Hyp mode, MMU off. A stack of 4 KiB for each CPU, and vectors that tell the program what came.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .arm
    .section .text.start, "ax"
    .global _start
_start:
    b       first                       @ partita_hypervisor_header
    .word   0x41545450
    .word   0
    .word   0
    .word   __size
    .word   4096
    .word   4096

first:
    ldr     r1, =hyp_vectors
    mcr     p15, 4, r1, c12, c0, 0
    ldr     sp, =__stacks_end
    bl      probe_main
1:  wfi
    b       1b

@ Where CPU_ON sends CPU 1: r0 is the context. The CPU's state is told as it is.
    .global second
second:
    ldr     r1, =hyp_vectors
    mcr     p15, 4, r1, c12, c0, 0
    ldr     sp, =__stacks_end - 0x1000
    mrs     r1, cpsr
    mrc     p15, 4, r2, c1, c0, 0       @ HSCTLR
    mrc     p15, 0, r3, c1, c0, 0       @ SCTLR
    bl      probe_second
1:  wfi
    b       1b

@ smc_keeps(numbers): calls with numbers[0..3], results there; how many of r4 to r12 have changed.
    .global smc_keeps
smc_keeps:
    push    {r4-r11, lr}
    push    {r0}
    ldr     r12, [r0, #12]
    mov     r3, r12
    ldr     r2, [r0, #8]
    ldr     r1, [r0, #4]
    ldr     r0, [r0]
    ldr     r4, =0x11110004
    ldr     r5, =0x11110005
    ldr     r6, =0x11110006
    ldr     r7, =0x11110007
    ldr     r8, =0x11110008
    ldr     r9, =0x11110009
    ldr     r10, =0x1111000a
    ldr     r11, =0x1111000b
    ldr     lr, =0x1111000e
    smc     #0
    pop     {r12}
    str     r0, [r12]
    str     r1, [r12, #4]
    str     r2, [r12, #8]
    str     r3, [r12, #12]
    ldr     r1, =0x11110000
    mov     r0, #0
    add     r2, r1, #4
    cmp     r4, r2
    addne   r0, r0, #1
    add     r2, r1, #5
    cmp     r5, r2
    addne   r0, r0, #1
    add     r2, r1, #6
    cmp     r6, r2
    addne   r0, r0, #1
    add     r2, r1, #7
    cmp     r7, r2
    addne   r0, r0, #1
    add     r2, r1, #8
    cmp     r8, r2
    addne   r0, r0, #1
    add     r2, r1, #9
    cmp     r9, r2
    addne   r0, r0, #1
    add     r2, r1, #10
    cmp     r10, r2
    addne   r0, r0, #1
    add     r2, r1, #11
    cmp     r11, r2
    addne   r0, r0, #1
    add     r2, r1, #14
    cmp     lr, r2
    addne   r0, r0, #1
    pop     {r4-r11, pc}

@ try_read(address), try_write(address), try_frequency(): 1 when an abort, or an undefined instruction, came of it.
    .global try_read
try_read:
    mov     r12, #0
    ldr     r1, [r0]
    dsb
    mov     r0, r12
    bx      lr
    .global try_write
try_write:
    mov     r12, #0
    ldr     r1, =0xbadbad00
    str     r1, [r0]
    dsb
    mov     r0, r12
    bx      lr
    .global try_frequency
try_frequency:
    mov     r12, #0
    mov     r0, #1
    mcr     p15, 0, r0, c14, c0, 0      @ CNTFRQ: of the secure world alone
    mov     r0, r12
    bx      lr

@ smc_ticks(function), no_ticks(): of CNTPCT. SMCCC keeps r4 to r11.
    .global smc_ticks, no_ticks
smc_ticks:
    push    {r4, r5}
    mrrc    p15, 0, r4, r5, c14
    smc     #0
    mrrc    p15, 0, r0, r1, c14
    sub     r0, r0, r4
    pop     {r4, r5}
    bx      lr
no_ticks:
    push    {r4, r5}
    mrrc    p15, 0, r4, r5, c14
    mrrc    p15, 0, r0, r1, c14
    sub     r0, r0, r4
    pop     {r4, r5}
    bx      lr

@ The instruction behind is gone on with.
    .balign 32
hyp_vectors:
    b       .
    b       skip
    b       .
    b       skip
    b       skip
    b       .
    b       .
    b       .
skip:
    push    {r0}
    mrs     r0, elr_hyp
    add     r0, r0, #4
    msr     elr_hyp, r0
    pop     {r0}
    mov     r12, #1
    eret

    .section .note.GNU-stack, "", %progbits
