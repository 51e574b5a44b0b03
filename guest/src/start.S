@ The first instructions of a partition, and its exception vectors.
    .syntax unified
    .fpu vfpv3
    .arm
    .section .text.start, "ax"
    .global _start
_start:
    cpsid   aif
    ldr     r4, =boot_tree
    mov     r5, r2
    ldr     r0, =__bss_start
    ldr     r1, =__bss_end
    mov     r2, #0
1:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     1b
    str     r5, [r4]

    cps     #0x12                   @ IRQ
    ldr     sp, =__irq_stack_end
    cps     #0x17                   @ abort
    ldr     sp, =__abort_stack_end
    cps     #0x1b                   @ undefined
    ldr     sp, =__abort_stack_end
    cps     #0x13                   @ SVC
    ldr     sp, =__stack_end
    ldr     r0, =guest_vectors
    mcr     p15, 0, r0, c12, c0, 0
    mov     r0, #(0xf << 20)        @ CPACR: VFP and NEON
    mcr     p15, 0, r0, c1, c0, 2
    isb
    mov     r0, #(1 << 30)
    vmsr    fpexc, r0
    bl      guest_mmu_on
    bl      main
    bl      power_off

    .balign 32
guest_vectors:
    b       unexpected_reset
    b       unexpected_undefined
    b       unexpected_svc
    b       unexpected_prefetch
    b       unexpected_data
    nop
    b       irq_entry
    b       unexpected_fiq

irq_entry:
    sub     lr, lr, #4
    push    {r0-r3, r12, lr}
    vpush   {d0-d7}
    vpush   {d16-d31}
    vmrs    r0, fpscr
    push    {r0, r1}
    bl      guest_irq
    pop     {r0, r1}
    vmsr    fpscr, r0
    vpop    {d16-d31}
    vpop    {d0-d7}
    pop     {r0-r3, r12, lr}
    movs    pc, lr

unexpected_reset:
    mov     r0, #0
    b       unexpected
unexpected_undefined:
    mov     r0, #1
    b       unexpected
unexpected_svc:
    mov     r0, #2
    b       unexpected
unexpected_prefetch:
    mov     r0, #3
    b       unexpected
unexpected_data:
    mov     r0, #4
    b       unexpected
unexpected_fiq:
    mov     r0, #5
unexpected:
    ldr     r2, =guest_try_stack    @ inside guest_try(): its call is given up
    ldr     r3, [r2]
    cmp     r3, #0
    bne     give_up
    mov     r1, lr
    bl      guest_unexpected
2:  b       2b

give_up:
    mov     r1, #0
    str     r1, [r2]
    cps     #0x13
    mov     sp, r3
    pop     {r4-r11, pc}

    .global guest_try
    .type guest_try, %function
guest_try:
    push    {r4-r11, lr}
    ldr     r4, =guest_try_stack
    str     sp, [r4]
    mov     r12, r0
    mov     r0, r1
    sub     sp, sp, #4              @ 8-byte alignment at the call
    blx     r12
    add     sp, sp, #4
    mov     r0, #0
    str     r0, [r4]
    pop     {r4-r11, pc}

    .bss
    .balign 4
guest_try_stack:
    .space 4
    .text
    .ltorg

@ hypercall_result hypercall(function, a, b, c): r0 is where the result goes, the arguments follow in r1-r3 and on the stack
    .arch_extension virt
    .text
    .global hypercall
    .type hypercall, %function
hypercall:
    push    {r4, lr}
    mov     r4, r0
    mov     r0, r1
    mov     r1, r2
    mov     r2, r3
    ldr     r3, [sp, #8]
    hvc     #0
    stmia   r4, {r0-r3}
    mov     r0, r4
    pop     {r4, pc}

    .section .note.GNU-stack, "", %progbits
