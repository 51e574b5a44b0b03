/* Function identifiers that a partition may call by HVC or SMC: Arm SMC Calling Convention 1.1 (DEN0028),
 * Power State Coordination Interface 1.1 (DEN0022), and the vendor-hypervisor range.
 */
#ifndef PARTITA_HYPERCALL_H
#define PARTITA_HYPERCALL_H

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INVALID_ADDRESS (-9)

#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_NOT_SUPPORTED (-1)

#define PARTITA_HYPERCALL_UID 0x8600ff01u     /* r0-r3: the 128-bit identity below */
#define PARTITA_HYPERCALL_VERSION 0x8600ff03u /* r0: major, r1: minor */

/* r1: the schedule to change to, counted as described from 0; any larger number only asks. It takes effect on all CPUs at once, at
 * the end of the frame that follows this one. r0: PSCI_SUCCESS, or PSCI_DENIED to a partition without the right to manage.
 * r1: the schedule that will be in force then, r2: how many there are (0: none is described). */
#define PARTITA_HYPERCALL_SCHEDULE 0x8600ff10u
/* The calling virtual CPU's processor time in this life, in ticks of the counter: r0, r1 what it had (low word first), r2, r3 what it
 * could have used while others ran: stolen time. */
#define PARTITA_HYPERCALL_TIME 0x8600ff11u
/* Gives the rest of the virtual CPU's turn to those of its priority. */
#define PARTITA_HYPERCALL_YIELD 0x8600ff12u
/* The window in which the call is made, in ticks of the partition's virtual counter: r0, r1 when it began, r2, r3 when it ends; all
 * ones where there are no windows. */
#define PARTITA_HYPERCALL_WINDOW 0x8600ff13u

/* Why a partition's life began: `partita,reset-reason` of /hypervisor in its device tree. */
enum partita_reset_reason {
    PARTITA_RESET_POWER_ON = 0, /* the first */
    PARTITA_RESET_GUEST = 1,    /* it reset itself (PSCI SYSTEM_RESET), */
    PARTITA_RESET_EXIT = 2,     /* or powered itself off, and is restarted then */
    PARTITA_RESET_FAULT = 3,    /* it touched what it has not */
    PARTITA_RESET_WATCHDOG = 4  /* it did not feed its watchdog in time */
};

#define PARTITA_UID_0 0x8c7a3b52u
#define PARTITA_UID_1 0x6e4f91d0u
#define PARTITA_UID_2 0xa5c2178eu
#define PARTITA_UID_3 0x3f90d64bu
#define PARTITA_VERSION_MAJOR 0u
#define PARTITA_VERSION_MINOR 1u

#endif
