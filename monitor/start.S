@ From reset to Monitor mode, and from there to Hyp. All CPUs of the board begin here at the same time, in Secure SVC with MMU and caches off;
@ or the first one alone in Hyp, where firmware is there already: the monitor is not needed then.
    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .arm

    .equ    VA,         0xe0000000      @ monitor.ld
    .equ    DEVICE_VA,  0xe0100000      @ machine.hpp: GICD, GICC (two pages), UART, power
    .equ    STACK_SHIFT, 9              @ machine.hpp
    @ Long-descriptor pages of the secure world: bits of B3.6.2
    .equ    PAGE_RX,    0x787           @ attribute 1, inner shareable, read-only
    .equ    PAGE_RW,    0x707
    .equ    PAGE_DEVICE, 0x403          @ attribute 0
    .equ    BLOCK_RX,   0x785
    .equ    TABLE,      3
    .equ    XN_HIGH,    1 << 22         @ bit 54
    .equ    WAKE_SGI,   15
    .equ    SCR_SECURE, 0x300           @ SIF; HCE

    .section .text.start, "ax"
    .global _start
_start:
    b       begin                       @ partita_monitor_header
    .word   0x4e4f4d50
    .word   __image_size
h_memory:
    .word   0
h_entry:
    .word   0
    .word   0, 0                        @ ram, ram_size
h_gicd:
    .word   0
h_gicc:
    .word   0
h_uart:
    .word   0
h_power_at:
    .word   0
h_console:
    .word   0
    .word   0                           @ power
h_frequency:
    .word   0
h_cpus:
    .word   0
h_mpidr:
    .fill   8, 4, 0

begin:
    mov     r11, r2                     @ a device tree, where the boot protocol gives one
    mrs     r0, cpsr
    and     r0, r0, #0x1f
    cmp     r0, #0x1a
    beq     hypervisor                  @ firmware has done this
    cmp     r0, #0x13
    bne     refuse
    cpsid   aif
    adr     r0, refuse_vectors
    mcr     p15, 0, r0, c12, c0, 0      @ VBAR
    isb
    mrc     p15, 0, r0, c1, c1, 0       @ SCR: undefined in the non-secure world
    adr     r4, _start                  @ where this copy lies
    ldr     r5, h_memory                @ where secure memory begins
    mrc     p15, 0, r0, c0, c0, 5       @ MPIDR
    bfc     r0, #24, #8
    adr     r1, h_mpidr
    ldr     r2, h_cpus
    mov     r6, #0
1:  cmp     r6, r2
    bhs     sleep                       @ no CPU of the description
    ldr     r3, [r1], #4
    cmp     r3, r0
    addne   r6, r6, #1
    bne     1b
    cmp     r6, #0
    bne     wait_for_first

    @ The first one copies text and data to secure memory, and zeroes the rest
    ldr     r1, =__data_end - VA
    add     r1, r1, r4
    mov     r0, r4
    mov     r2, r5
2:  ldr     r3, [r0], #4
    str     r3, [r2], #4
    cmp     r0, r1
    blo     2b
    ldr     r0, =__bss_start - VA
    ldr     r1, =__bss_end - VA
    add     r0, r0, r5
    add     r1, r1, r5
    mov     r2, #0
3:  str     r2, [r0], #4
    cmp     r0, r1
    blo     3b
    dsb
    adr     r0, first_in_secure_memory
    sub     r0, r0, r4
    add     r0, r0, r5
    bx      r0
first_in_secure_memory:
    bl      build_tables
    b       enable_mmu

@ The others wait for the first one's interrupt: memory tells nothing before it was written, and may tell of an earlier boot.
wait_for_first:
    ldr     r0, h_gicd
    mov     r1, #1 << WAKE_SGI
    str     r1, [r0, #0x100]            @ ISENABLER0
    ldr     r0, h_gicc
    mov     r1, #0xff
    str     r1, [r0, #4]                @ PMR
    mov     r1, #1
    str     r1, [r0]                    @ CTLR: group 0
4:  wfi
    ldr     r1, [r0, #0xc]              @ IAR
    ubfx    r2, r1, #0, #10
    cmp     r2, #WAKE_SGI
    bne     4b
    str     r1, [r0, #0x10]             @ EOIR
    adr     r0, enable_mmu
    sub     r0, r0, r4
    add     r0, r0, r5
    bx      r0

hypervisor:
    ldr     r0, h_entry
    bx      r0

@ In the non-secure world, and not in Hyp: nothing can be done here but say so.
refuse:
    ldr     r1, h_console
    adr     r2, refusal
5:  ldrb    r3, [r2], #1
    cmp     r3, #0
    beq     sleep
6:  ldr     r0, [r1, #0x18]
    tst     r0, #0x20
    bne     6b
    str     r3, [r1]
    b       5b
sleep:
    wfi
    b       sleep

refusal:
    .asciz  "partita: this CPU began in neither the secure world nor Hyp mode: start it at reset, or with firmware that enters Hyp.\r\n"
    .balign 32
refuse_vectors:
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    b       refuse
    .ltorg

@ r5: secure memory. Pages of the image, each with no more rights than it needs; devices behind it; and for a moment the code below, where it
@ lies. Clobbers r0-r3, r7-r10.
build_tables:
    mov     r10, lr
    ldr     r7, =table_l3 - VA
    add     r7, r7, r5
    mov     r0, #0
    ldr     r1, =__rodata_start - VA
    ldr     r2, =PAGE_RX
    mov     r3, #0
    bl      map_pages
    ldr     r1, =__data_start - VA
    ldr     r2, =PAGE_RX
    ldr     r3, =XN_HIGH
    bl      map_pages
    ldr     r1, =__image_end - VA
    ldr     r2, =PAGE_RW
    bl      map_pages
    add     r7, r7, #(DEVICE_VA - VA) >> 9
    ldr     r0, h_gicd
    bl      map_device
    ldr     r0, h_gicc
    bl      map_device
    ldr     r0, h_gicc
    add     r0, r0, #0x1000
    bl      map_device
    ldr     r0, h_uart
    bl      map_device
    ldr     r0, h_power_at
    bl      map_device

    ldr     r7, =table_l3 - VA
    add     r7, r7, r5
    ldr     r8, =table_l2 - VA
    add     r8, r8, r5
    mov     r3, #0
    orr     r0, r7, #TABLE
    add     r1, r8, #((VA >> 21) & 511) * 8
    str     r0, [r1]
    str     r3, [r1, #4]
    orr     r0, r8, #TABLE
    ldr     r9, =table_l1 - VA
    add     r9, r9, r5
    str     r0, [r9, #24]
    str     r3, [r9, #28]
    ldr     r9, =table_boot - VA
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
    ldr     r0, =table_boot - VA
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
    ldr     r0, =table_l1 - VA
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
    ldr     r1, [r0, #h_frequency - _start]
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
    add     sp, sp, r0, lsl #STACK_SHIFT
    bx      lr

    .ltorg

    .section .bss.tables, "aw", %nobits
    .balign 4096
table_l3:
    .space  4096
table_l2:
    .space  4096
table_l1:
    .space  32
table_boot:
    .space  32

    .section .note.GNU-stack, "", %progbits
