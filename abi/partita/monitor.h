/* What the tool tells the monitor: the begin of its image, which is where the board's CPUs start. */
#ifndef PARTITA_MONITOR_H
#define PARTITA_MONITOR_H

#include <stdint.h>

#define PARTITA_MONITOR_MAGIC 0x4e4f4d50u /* "PMON" */
#define PARTITA_MONITOR_CPUS 8u
#define PARTITA_MONITOR_LARGEST 0x100000u /* bytes of secure memory, at most */

/* How the board is powered off and reset. */
enum partita_power {
    PARTITA_POWER_NONE = 0,   /* not at all: the CPUs stop */
    PARTITA_POWER_PL061 = 1,  /* a GPIO block of the secure world: line 0 powers off, line 1 resets */
    PARTITA_POWER_SYS_CFG = 2 /* the system registers of a Versatile Express motherboard */
};

struct partita_monitor_header {
    uint32_t branch; /* the first instruction */
    uint32_t magic;
    uint32_t image_size; /* of secure memory, from its begin on */
    /* From here on the tool writes. */
    uint32_t memory;        /* secure memory: it copies itself there; 2 MiB aligned */
    uint32_t entry;         /* the hypervisor's first instruction */
    uint32_t ram, ram_size; /* where the non-secure world may have CPUs begin */
    uint32_t gicd, gicc, uart, power_at;
    uint32_t console;   /* a PL011 of the non-secure world: on it stands why the monitor cannot be */
    uint32_t power;     /* enum partita_power */
    uint32_t frequency; /* of the counter, in Hz; 0: CNTFRQ is set already */
    uint32_t cpus;
    uint32_t secure_at;                   /* where the secure partition's image is loaded (secure.h); 0: there is none */
    uint32_t mpidr[PARTITA_MONITOR_CPUS]; /* affinity bits; the first one begins */
    /* For the secure partition. NOR flash of the secure world (flash.h), and two erase blocks in it that keep what outlives a reset; 0
     * bytes: there is none. */
    uint32_t flash, flash_state, flash_block;
    /* Flash that the system is started from (flash.h); 0 bytes: it is in RAM. */
    uint32_t system_at, system_size;
};

#endif
