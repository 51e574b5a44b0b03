@ From firmware to C++: checks the mode, builds the first tables and turns the MMU on. Until then everything runs at its
@ physical address, wherever the image was put; all addresses are computed from the PC.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .arm

    .equ    PAGE_RX,    0x7c7           @ normal write-back, inner shareable, read-only
    .equ    PAGE_RW,    0x747
    .equ    PAGE_R,     0x7c7
    .equ    BLOCK_RX,   0x7c5
    .equ    XN_HIGH,    1 << 22         @ bit 54
    .equ    TABLE,      3
    .equ    UART_OFFSET, 104            @ of board.uart in partita_image_header; image_check.cpp asserts it
    .equ    HYP_VA,     0xf0000000      @ layout::image

    .section .text.start, "ax"
    .global _start
_start:
    b       primary                     @ partita_hypervisor_header
    .word   0x41545450
    .word   0                           @ description_offset: the tool writes it
    .word   0                           @ description_size: likewise
    .word   __image_size
    .word   partition_bytes             @ start.cpp
    .word   vcpu_bytes

primary:
    mov     r11, r2                     @ the firmware's device tree, where the boot protocol gives one
    cpsid   aif
    adr     r4, _start                  @ physical base
    bl      require_hyp

    @ What the loader wrote goes to memory, so that no dirty line lands on what is written with the caches off
    ldr     r0, =__data_start - HYP_VA
    ldr     r1, =__image_end - HYP_VA
    add     r0, r0, r4
    add     r1, r1, r4
1:  mcr     p15, 0, r0, c7, c14, 1      @ DCCIMVAC
    add     r0, r0, #32
    cmp     r0, r1
    blo     1b
    dsb

    ldr     r0, =__bss_start - HYP_VA
    ldr     r1, =__bss_end - HYP_VA
    add     r0, r0, r4
    add     r1, r1, r4
    mov     r2, #0
    mov     r3, #0
2:  strd    r2, r3, [r0], #8
    cmp     r0, r1
    blo     2b

    bl      build_tables
    mov     r5, #0                      @ CPU 0
    ldr     r6, =boot_primary
    mov     r0, r4
    mov     r1, r11
    b       enable_mmu

    .ltorg

@ A CPU that PSCI started: r0 is its index.
    .global secondary_start
secondary_start:
    cpsid   aif
    adr     r4, _start
    mov     r5, r0
    bl      require_hyp
    ldr     r6, =boot_secondary
    b       enable_mmu

@ Fills the page table of the image and what leads to it. r4: physical base. Clobbers r0-r3, r7-r10, r12.
build_tables:
    mov     r12, lr
    ldr     r8, =hyp_l3_image - HYP_VA
    add     r8, r8, r4
    ldr     r0, =__text_start - HYP_VA
    ldr     r1, =__text_end - HYP_VA
    ldr     r2, =PAGE_RX
    mov     r3, #0
    bl      map_pages
    ldr     r0, =__rodata_start - HYP_VA
    ldr     r1, =__rodata_end - HYP_VA
    ldr     r2, =PAGE_R
    ldr     r3, =XN_HIGH
    bl      map_pages
    ldr     r0, =__data_start - HYP_VA
    ldr     r1, =__image_end - HYP_VA
    ldr     r2, =PAGE_RW
    ldr     r3, =XN_HIGH
    bl      map_pages

    ldr     r7, =hyp_l2_top - HYP_VA    @ level 2 of the last GiB
    add     r7, r7, r4
    add     r0, r7, #((HYP_VA >> 21) & 511) * 8
    orr     r2, r8, #TABLE
    mov     r3, #0
    strd    r2, r3, [r0]
    @ Level 2 that maps this code at its physical address until all CPUs are up: that of the last GiB, where RAM is there
    ldr     r8, =hyp_l2_boot - HYP_VA
    add     r8, r8, r4
    lsr     r0, r4, #30
    cmp     r0, #3
    moveq   r8, r7
    ubfx    r0, r4, #21, #9
    add     r0, r8, r0, lsl #3
    mov     r2, r4
    bfc     r2, #0, #21
    ldr     r1, =BLOCK_RX
    orr     r2, r2, r1
    strd    r2, r3, [r0]
    ldr     r9, =hyp_l1 - HYP_VA
    add     r9, r9, r4
    lsr     r0, r4, #30
    add     r0, r9, r0, lsl #3
    orr     r2, r8, #TABLE
    strd    r2, r3, [r0]
    orr     r2, r7, #TABLE
    strd    r2, r3, [r9, #24]
    dsb
    bx      r12

@ Maps image offsets [r0, r1) with attributes r2 (low) and r3 (high) in the table at r8.
map_pages:
    cmp     r0, r1
    bxhs    lr
    lsr     r9, r0, #12
    add     r9, r8, r9, lsl #3
    add     r10, r0, r4
    orr     r10, r10, r2
    str     r10, [r9]
    str     r3, [r9, #4]
    add     r0, r0, #0x1000
    b       map_pages

@ r4: physical base, r5: CPU index, r6: where to go, r0 and r1: its arguments.
enable_mmu:
    mrc     p15, 0, r2, c1, c0, 1       @ ACTLR.SMP: coherency, before the caches are on
    tst     r2, #0x40
    orreq   r2, r2, #0x40
    mcreq   p15, 0, r2, c1, c0, 1
    ldr     r2, =0x0000ff04             @ HMAIR0: 0 device, 1 normal write-back
    mcr     p15, 4, r2, c10, c2, 0
    ldr     r2, =0x80803500             @ HTCR: 4 GiB, walks inner shareable write-back
    mcr     p15, 4, r2, c2, c0, 2
    ldr     r2, =hyp_l1 - HYP_VA
    add     r2, r2, r4
    mov     r3, #0
    mcrr    p15, 4, r2, r3, c2          @ HTTBR
    ldr     r2, =hyp_vectors
    mcr     p15, 4, r2, c12, c0, 0      @ HVBAR
    ldr     r2, =early_cpu
    mcr     p15, 4, r2, c13, c0, 2      @ HTPIDR: until there is a Cpu
    mcr     p15, 4, r2, c8, c7, 0       @ TLBIALLH
    mcr     p15, 0, r2, c7, c5, 0       @ ICIALLU
    mcr     p15, 0, r2, c7, c5, 6       @ BPIALL
    dsb
    isb
    ldr     r2, =0x30cd181f             @ HSCTLR: M, A, C, I, WXN
    mcr     p15, 4, r2, c1, c0, 0
    isb
    ldr     sp, =boot_stacks
    add     r2, r5, #1
    add     sp, sp, r2, lsl #11
    cmp     r5, #0
    movne   r0, r5
    bx      r6

early_cpu:
    .word   panic_stacks + 512          @ Cpu::panic_stack

require_hyp:
    mrs     r0, cpsr
    and     r0, r0, #0x1f
    cmp     r0, #0x1a
    bxeq    lr
    @ Not in Hyp: say so on the board's UART, whose address the description begins with
    ldr     r0, [r4, #8]
    add     r0, r0, r4
    ldr     r1, [r0, #UART_OFFSET]
    adr     r2, board_message
3:  ldrb    r3, [r2], #1
    cmp     r3, #0
    beq     5f
4:  ldr     r0, [r1, #0x18]
    tst     r0, #0x20
    bne     4b
    str     r3, [r1]
    b       3b
5:  wfi
    b       5b

board_message:
    .asciz  "partita: this CPU did not start in Hyp mode. Start it with firmware that enters Hyp (on QEMU: -M virt,virtualization=on).\r\n"
    .balign 4
    .ltorg

    .section .note.GNU-stack, "", %progbits
