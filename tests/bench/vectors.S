@ The benchmark's first instruction and its IRQ vector, which reads the counter before anything else.
    .syntax unified
    .arm
    .section .text, "ax"
    .global bench_entry
bench_entry:
    mrrc    p15, 0, r6, r7, c14     @ CNTPCT
    ldr     r0, =first_instruction
    strd    r6, r7, [r0]
    b       _start

    .balign 32
    .global bench_vectors
bench_vectors:
    b       .
    b       .
    b       .
    b       .
    b       .
    b       .
    b       1f
    b       .
1:  sub     lr, lr, #4
    push    {r0-r3, r12, lr}
    mrrc    p15, 1, r0, r1, c14     @ CNTVCT
    bl      bench_isr
    pop     {r0-r3, r12, lr}
    movs    pc, lr

@ A second CPU: its stacks, the MMU, and secondary_main()
    .global bench_secondary
bench_secondary:
    cps     #0x12
    ldr     sp, =irq_stack_end
    cps     #0x13
    ldr     sp, =stack_end
    bl      guest_mmu_on
    bl      secondary_main
    b       .

    .data
    .balign 8
    .global first_instruction
first_instruction:
    .quad   0

    .bss
    .balign 8
    .space  2048
irq_stack_end:
    .space  4096
stack_end:
    .section .note.GNU-stack, "", %progbits
