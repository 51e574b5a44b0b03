@ The secure world's translation tables: the monitor's own image, the secure partition's, devices; and the MMU.
    .syntax unified
    .arch_extension sec
    .arm

#include "layout.h"
    @ Long-descriptor pages of the secure world: bits of B3.6.2
    .equ    PAGE_RX,    0x787           @ attribute 1, inner shareable, read-only
    .equ    PAGE_RW,    0x707
    .equ    PAGE_DEVICE, 0x403          @ attribute 0
    .equ    BLOCK_RX,   0x785
    .equ    TABLE,      3
    .equ    XN_HIGH,    1 << 22         @ bit 54

    .section .text.start, "ax"
    .global build_tables, enable_mmu
@ r5: secure memory. Pages of the image, each with no more rights than it needs; devices behind it; and for a moment the code below, where it
@ lies. Clobbers r0-r3, r7-r10, r12.
build_tables:
    mov     r10, lr
    ldr     r7, =table_l3 - MONITOR_VA
    add     r7, r7, r5
    mov     r0, #0
    ldr     r1, =__rodata_start - MONITOR_VA
    ldr     r2, =PAGE_RX
    mov     r3, #0
    bl      map_pages
    ldr     r1, =__data_start - MONITOR_VA
    ldr     r2, =PAGE_RX
    ldr     r3, =XN_HIGH
    bl      map_pages
    ldr     r1, =__image_end - MONITOR_VA
    ldr     r2, =PAGE_RW
    bl      map_pages
    add     r7, r7, #(MONITOR_DEVICES - MONITOR_VA) >> 9
    ldr     r0, [r5, #HEADER_GICD]
    bl      map_device
    ldr     r0, [r5, #HEADER_GICC]
    bl      map_device
    ldr     r0, [r5, #HEADER_GICC]
    add     r0, r0, #0x1000
    bl      map_device
    ldr     r0, [r5, #HEADER_UART]
    bl      map_device
    ldr     r0, [r5, #HEADER_POWER_AT]
    bl      map_device
    ldr     r7, =table_l3 - MONITOR_VA
    add     r7, r7, r5
    ldr     r0, [r5, #HEADER_SECURE_AT]
    cmp     r0, #0
    beq     1f
    add     r12, r5, #SECURE_OFFSET     @ its table follows the monitor's, as its memory does
    mov     r0, #SECURE_OFFSET
    ldr     r1, [r12, #SECURE_TEXT_END]
    add     r1, r1, #SECURE_OFFSET
    ldr     r2, =PAGE_RX
    mov     r3, #0
    bl      map_pages
    ldr     r1, [r12, #SECURE_RODATA_END]
    add     r1, r1, #SECURE_OFFSET
    ldr     r2, =PAGE_RX
    ldr     r3, =XN_HIGH
    bl      map_pages
    ldr     r1, [r12, #SECURE_MEMORY_SIZE]
    add     r1, r1, #SECURE_OFFSET
    ldr     r2, =PAGE_RW
    bl      map_pages
1:
    ldr     r8, =table_l2 - MONITOR_VA
    add     r8, r8, r5
    mov     r3, #0
    orr     r0, r7, #TABLE
    add     r1, r8, #((MONITOR_VA >> 21) & 511) * 8
    str     r0, [r1]
    str     r3, [r1, #4]
    add     r0, r0, #0x1000             @ the next table: the secure partition, and its window
    str     r0, [r1, #8]
    str     r3, [r1, #12]
    orr     r0, r8, #TABLE
    ldr     r9, =table_l1 - MONITOR_VA
    add     r9, r9, r5
    str     r0, [r9, #24]
    str     r3, [r9, #28]
    ldr     r9, =table_boot - MONITOR_VA
    add     r9, r9, r5
    str     r0, [r9, #24]
    str     r3, [r9, #28]
    lsr     r1, r5, #30
    lsl     r0, r1, #30
    ldr     r2, =BLOCK_RX
    orr     r0, r0, r2
    add     r9, r9, r1, lsl #3
    str     r0, [r9]
    str     r3, [r9, #4]
    dsb
    bx      r10

@ From offset r0 up to r1, with attributes r2 and r3. r7: the table.
map_pages:
    cmp     r0, r1
    bxhs    lr
    add     r8, r0, r5
    orr     r8, r8, r2
    add     r9, r7, r0, lsr #9
    str     r8, [r9]
    str     r3, [r9, #4]
    add     r0, r0, #0x1000
    b       map_pages

@ The page at r0, as the next one from r7 on; none: nothing there.
map_device:
    cmp     r0, #0
    ldrne   r1, =PAGE_DEVICE
    orrne   r0, r0, r1
    ldr     r1, =XN_HIGH
    strd    r0, r1, [r7], #8
    bx      lr

@ r5: secure memory, r6: the CPU, r11: the device tree.
enable_mmu:
    mrc     p15, 0, r0, c1, c0, 1       @ ACTLR.SMP
    orr     r0, r0, #0x40
    mcr     p15, 0, r0, c1, c0, 1
    ldr     r0, =0x0000ff04             @ MAIR0: 0 device, 1 normal write-back
    mcr     p15, 0, r0, c10, c2, 0
    ldr     r0, =0x80803500             @ TTBCR: long descriptors, TTBR0 alone, walks inner shareable write-back
    mcr     p15, 0, r0, c2, c0, 2
    isb
    ldr     r0, =table_boot - MONITOR_VA
    add     r0, r0, r5
    mov     r1, #0
    mcrr    p15, 0, r0, r1, c2          @ TTBR0
    mcr     p15, 0, r1, c8, c7, 0       @ TLBIALL
    mcr     p15, 0, r1, c7, c5, 0       @ ICIALLU
    mcr     p15, 0, r1, c7, c5, 6       @ BPIALL
    dsb
    isb
    mrc     p15, 0, r0, c1, c0, 0
    ldr     r2, =0x00081807             @ SCTLR: WXN, I, Z, C, A, M; vectors where VBAR says
    orr     r0, r0, r2
    bic     r0, r0, #0x2000
    ldr     r3, =at_own_addresses
    mcr     p15, 0, r0, c1, c0, 0
    isb
    bx      r3
at_own_addresses:
    ldr     r0, =table_l1 - MONITOR_VA
    add     r0, r0, r5
    mcrr    p15, 0, r0, r1, c2          @ without the code's other place
    isb
    mcr     p15, 0, r1, c8, c7, 0
    dsb
    isb
    ldr     r0, =monitor_vectors
    mcr     p15, 0, r0, c12, c0, 0      @ VBAR: what goes wrong in the monitor comes there, too
    mcr     p15, 0, r0, c12, c0, 1      @ MVBAR
    cps     #0x16
    ldr     r0, =SCR_SECURE
    mcr     p15, 0, r0, c1, c1, 0
    isb
    ldr     r0, =0x00040c00             @ NSACR: VFP, and ACTLR.SMP of each world for itself
    mcr     p15, 0, r0, c1, c1, 2
    ldr     r0, =_start
    ldr     r1, [r0, #HEADER_FREQUENCY]
    cmp     r1, #0
    mcrne   p15, 0, r1, c14, c0, 0      @ CNTFRQ
    bl      set_stack
    mov     r0, r6
    mov     r1, r11
    b       monitor_begin

@ r6: the CPU. Clobbers r0.
    .global set_stack
set_stack:
    ldr     sp, =monitor_stacks
    add     r0, r6, #1
    add     sp, sp, r0, lsl #MONITOR_STACK_SHIFT
    sub     sp, sp, #WORLD_SIZE
    bx      lr

    .ltorg

    .section .bss.tables, "aw", %nobits
    .balign 4096
table_l3:
    .space  4096
table_secure:
    .space  2048
    .global secure_window
secure_window:
    .space  2048
table_l2:
    .space  4096
table_l1:
    .space  32
table_boot:
    .space  32

    .section .note.GNU-stack, "", %progbits
