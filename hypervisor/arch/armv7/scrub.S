@ Zeroes memory and cleans it to the point of coherency, three instructions for each cache line.
    .syntax unified
    .arm
    .section .text, "ax"

@ void zero_lines(end, size): the `size` bytes before `end`, both multiples of 256, where a data cache line has 64 bytes. From the end
@ down, so that the address of a line that was just written is at hand for its cleaning (DCCIMVAC, DDI 0406C B4.2.1).
    .global zero_lines
    .type zero_lines, %function
zero_lines:
    push    {r4-r9, lr}
    mov     r2, #0
    mov     r3, #0
    mov     r4, #0
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    mov     r8, #0
    mov     r9, #0
1:
    .rept   4
    stmdb   r0!, {r2-r9}
    stmdb   r0!, {r2-r9}
    mcr     p15, 0, r0, c7, c14, 1
    .endr
    subs    r1, r1, #256
    bne     1b
    dsb
    pop     {r4-r9, pc}

    .section .note.GNU-stack, "", %progbits
