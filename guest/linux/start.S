@ Where the kernel begins a program.
    .syntax unified
    .text
    .arm
    .global _start
_start:
    mov     r0, sp
    bl      run
    udf     #0
