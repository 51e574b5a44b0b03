/* Where things lie in the secure world's addresses, and what the security configuration register says in each world: for C++ and assembler.
 */
#ifndef PARTITA_MONITOR_LAYOUT_H
#define PARTITA_MONITOR_LAYOUT_H

#define MONITOR_VA 0xe0000000      /* monitor.ld */
#define MONITOR_DEVICES 0xe0100000 /* pages: GICD, GICC (two), UART, power */
#define SECURE_VA 0xe0200000       /* secure/secure.ld: the secure partition, 1 MiB at most */
#define SECURE_WINDOW 0xe0300000   /* and 256 pages that it maps itself */
#define SECURE_OFFSET 0x200000     /* of the secure partition in secure memory */

/* Each CPU's stack, with what it knows of its secure partition (struct World) at the upper end. */
#define MONITOR_STACK_SHIFT 10
#define WORLD_SIZE 16

/* SCR (ARM DDI 0406C B4.1.129). No secure instruction from non-secure memory (SIF), HVC in both. */
#define SCR_SECURE 0x300 /* interrupts of both kinds go to the secure partition */
#define SCR_NORMAL 0x325 /* NS, AW; FIQ: they are the monitor's, and since FW is 0 nobody else masks them */

/* Offsets in partita_monitor_header. */
#define HEADER_MEMORY 12
#define HEADER_GICD 28
#define HEADER_GICC 32
#define HEADER_UART 36
#define HEADER_POWER_AT 40
#define HEADER_FREQUENCY 52
#define HEADER_SECURE_AT 60
/* Offsets in partita_secure_header. */
#define SECURE_TEXT_END 4
#define SECURE_RODATA_END 8
#define SECURE_FILE_SIZE 12
#define SECURE_MEMORY_SIZE 16

/* The SGI that a CPU which is off waits for. */
#define WAKE_SGI 15

#endif
