/* Function identifiers that a partition may call by HVC or SMC: Arm SMC Calling Convention 1.1 (DEN0028),
 * Power State Coordination Interface 1.1 (DEN0022), and the vendor-hypervisor range.
 */
#ifndef PARTITA_HYPERCALL_H
#define PARTITA_HYPERCALL_H

#include <stdint.h>

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

/* The vendor-hypervisor range, each function once: X(NAME, number, name, rights, arguments, results, what it is for). The dispatcher, the
 * SDK's stubs and docs/hypercalls.md are made of this table. A partition that lacks one of the rights (PARTITA_RIGHT_*) is told
 * PARTITA_NOT_SUPPORTED, as for a number that is not here. */
#define PARTITA_HYPERCALL_TABLE(X)                                                                                                         \
    X(FEATURES, 0x86000000u, features, 0, "r1: the number of a function", "r0: 0 if the caller may call it, otherwise NOT_SUPPORTED",      \
      "Asks what there is.")                                                                                                               \
    X(UID, 0x8600ff01u, uid, 0, "none", "r0 to r3: the hypervisor's 128-bit identity", "Tells that this hypervisor is Partita.")           \
    X(VERSION, 0x8600ff03u, version, 0, "none", "r0: major, r1: minor", "Tells which version.")                                            \
    X(SCHEDULE, 0x8600ff10u, schedule, 0, "r1: the schedule to change to, counted as described from 0; any larger number only asks",       \
      "r0: SUCCESS, or DENIED to a partition without the right `manage`; r1: the schedule that will be in force; r2: how many there are",  \
      "Changes the schedule of all CPUs at once, at the end of the frame that follows this one.")                                          \
    X(TIME, 0x8600ff11u, time, 0, "none",                                                                                                  \
      "r0, r1: what the calling virtual CPU had in this life; r2, r3: what it could have used while others ran (low word first)",          \
      "Tells processor time and stolen time, in ticks of the counter.")                                                                    \
    X(YIELD, 0x8600ff12u, yield, 0, "none", "r0: SUCCESS", "Gives the rest of the virtual CPU's turn to those of its priority.")           \
    X(WINDOW, 0x8600ff13u, window, 0, "none",                                                                                              \
      "r0, r1: when it began; r2, r3: when it ends (low word first); all ones where there are no windows",                                 \
      "Tells the window in which the call is made, in ticks of the partition's virtual counter.")                                          \
    X(MESSAGE_PAGE, 0x8600ff20u, message_page, 0,                                                                                          \
      "r1: IPA of 4 KiB of the partition's own memory, normal and cached; all ones: none any more", "r0: SUCCESS, or INVALID_ADDRESS",     \
      "Says where the calling virtual CPU's messages are put and taken from, until it is started anew.")                                   \
    X(SEND, 0x8600ff21u, send, 0,                                                                                                          \
      "r1: the port; r2: where the message is in the page, a multiple of 4; r3: its bytes. A doorbell, or an end of memory, rings: r2 "    \
      "and r3 are 0",                                                                                                                      \
      "r0: SUCCESS, FULL, BUSY, TOO_SOON, NO_MESSAGE_PAGE, DENIED or INVALID_PARAMETERS; queue: r1: messages that there is room for then", \
      "Sends a message whole, or not at all. BUSY: another virtual CPU of the partition is sending by this port.")                         \
    X(RECEIVE, 0x8600ff22u, receive, 0, "r1: the port; r2: where in the page there is room for the longest message, a multiple of 4",      \
      "r0: SUCCESS, EMPTY, BUSY, NO_MESSAGE_PAGE, DENIED or INVALID_PARAMETERS; r1: bytes; queue: r2: messages that are left; sampling "   \
      "port: "                                                                                                                             \
      "r2: the value's age in ticks of the counter (at most 0xffffffff), r3: 1 if it is valid, otherwise 0",                               \
      "Takes the oldest message of a queue, or reads the latest value of a sampling port.")                                                \
    X(PORT, 0x8600ff23u, port, 0, "r1: the port",                                                                                          \
      "r0: SUCCESS or INVALID_PARAMETERS; r1: bit 0: since the last call another end's life began or ended, bit 1: all other ends run; "   \
      "r2: the number of the other end's life (0 for a sampling port that sends); r3: messages that wait, or for a sender that there is "  \
      "room for; of a doorbell and of memory, rings since the last call",                                                                  \
      "Tells how a port and its other end are.")                                                                                           \
    X(PARTITION, 0x8600ff30u, partition, PARTITA_RIGHT_MANAGE, "r1: the partition; r2: where in the page its state is put",                \
      "r0: SUCCESS, NO_MESSAGE_PAGE or INVALID_PARAMETERS; r1: how many partitions there are",                                             \
      "Puts a `struct partita_partition_state` into the caller's message page.")                                                           \
    X(VCPU, 0x8600ff31u, vcpu, PARTITA_RIGHT_MANAGE, "r1: the partition; r2: its virtual CPU; r3: where in the page its state is put",     \
      "r0: SUCCESS, NO_MESSAGE_PAGE or INVALID_PARAMETERS", "Puts a `struct partita_vcpu_state` into the caller's message page.")          \
    X(CONTROL, 0x8600ff32u, control, PARTITA_RIGHT_MANAGE, "r1: the partition; r2: an enum partita_control",                               \
      "r0: SUCCESS, WRONG_STATE, BUSY, DENIED or INVALID_PARAMETERS",                                                                      \
      "Starts, stops, pauses, resumes or restarts a partition: SUCCESS says that it is on its way. BUSY: the last change is not yet "      \
      "done. "                                                                                                                             \
      "DENIED: a caller that would stop or pause itself; or a fault has ended all partitions.")                                            \
    X(LOG, 0x8600ff33u, log, PARTITA_RIGHT_MANAGE, "r1: where in the page there is room; r2: for so many bytes; r3: from which byte on",   \
      "r0: SUCCESS, NO_MESSAGE_PAGE, INVALID_PARAMETERS, or DENIED to all but the parent partition; r1: bytes; r2: which is the first",    \
      "Puts bytes of the hypervisor's log into the page, from that one on, or from the oldest that is still there. They are counted from " \
      "boot on, whatever becomes of the caller. No more than 128 at once.")                                                                \
    X(LOAD, 0x8600ff34u, load, PARTITA_RIGHT_MANAGE,                                                                                       \
      "r1: the partition; r2: IPA of a `struct partita_guest` and what its copies take, at a page of memory that the caller keeps "        \
      "through its lives; r3: bytes of all, or 0",                                                                                         \
      "r0: SUCCESS, WRONG_STATE, BUSY, DENIED, INVALID_ADDRESS or INVALID_PARAMETERS; r1: what is wrong with the record, or 0",            \
      "Gives a partition that is off what it runs from its next life on. The memory is to be written through a cache, and is read at "     \
      "each of its starts. 0 bytes: a partition "                                                                                          \
      "of the pool has nothing to run any more; DENIED for others.")                                                                       \
    X(TAKE, 0x8600ff40u, take, PARTITA_RIGHT_SERVE, "none",                                                                                \
      "r0: SUCCESS or EMPTY; r1: a handle, whose bits [7:0] are the virtio device's number; r2: bits [31:28]: an enum partita_ask, of an " \
      "access bits [19:16] its bytes and [11:0] where in the device's registers; bit 27: nothing else waits, and what comes brings the "   \
      "interrupt; r3: the value to be written, or a bit for each queue (bit n % 32 for queue n)",                                          \
      "Takes what a driver of one of the caller's devices wants. READ, WRITE and RELEASE wait for an ANSWER.")                             \
    X(ANSWER, 0x8600ff41u, answer, PARTITA_RIGHT_SERVE, "r1: the handle; r2: the value that was read",                                     \
      "r0: SUCCESS, DENIED, INVALID_PARAMETERS, or WRONG_STATE: nobody waits for it any more", "Answers what was taken.")                  \
    X(RAISE, 0x8600ff42u, raise, PARTITA_RIGHT_SERVE,                                                                                      \
      "r1: the device; r2: bits of its InterruptStatus: 1: buffers were used, 2: its "                                                     \
      "configuration changed",                                                                                                             \
      "r0: SUCCESS, DENIED or INVALID_PARAMETERS", "Sets bits, and interrupts the device's partition.")

#define PARTITA_HYPERCALL_NUMBER(NAME, number, name, rights, arguments, results, purpose) \
    static const uint32_t PARTITA_HYPERCALL_##NAME = number;
PARTITA_HYPERCALL_TABLE(PARTITA_HYPERCALL_NUMBER)

/* What functions of the vendor-hypervisor range answer in r0, beside PSCI_SUCCESS, PSCI_INVALID_PARAMETERS, PSCI_DENIED and
 * PSCI_INVALID_ADDRESS. */
#define PARTITA_NOT_SUPPORTED (-1)
#define PARTITA_EMPTY (-16)           /* nothing was sent since the last message was taken; or no value yet */
#define PARTITA_FULL (-17)            /* the queue has no room: the port's interrupt comes when it has */
#define PARTITA_BUSY (-18)            /* another virtual CPU is at it: again */
#define PARTITA_TOO_SOON (-19)        /* the doorbell rang less than its shortest interval ago */
#define PARTITA_NO_MESSAGE_PAGE (-20) /* the virtual CPU has not said where its messages are */
#define PARTITA_WRONG_STATE (-21)     /* a partition that is off cannot be stopped, one that runs not started, … */

/* What CONTROL does. */
enum partita_control {
    PARTITA_CONTROL_START = 0,  /* one that is off; how often it was restarted counts anew */
    PARTITA_CONTROL_STOP = 1,   /* whatever its description says of its end, it stays off */
    PARTITA_CONTROL_PAUSE = 2,  /* none of its virtual CPUs runs; its devices go on, its watchdog stands still */
    PARTITA_CONTROL_RESUME = 3, /* ... and all go on */
    PARTITA_CONTROL_RESTART = 4 /* one that is not off, as often as one likes */
};

/* What a driver asks a server for. */
enum partita_ask {
    PARTITA_ASK_READ = 0, /* of a register, or of the device's configuration */
    PARTITA_ASK_WRITE = 1,
    PARTITA_ASK_NOTIFY = 2, /* there may be buffers in queues: nobody waits */
    PARTITA_ASK_RELEASE =
        3 /* a life of its partition begins: the device is as at reset, and its memory is left alone, once this is answered */
};

/* Beside it: the server has taken all that there was. */
#define PARTITA_ASK_LAST (1u << 27)

/* How a partition is. */
enum partita_phase {
    PARTITA_PHASE_OFF = 0,
    PARTITA_PHASE_LOADING = 1, /* a life begins */
    PARTITA_PHASE_RUNNING = 2,
    PARTITA_PHASE_PAUSED = 3,
    PARTITA_PHASE_STOPPING = 4,
    PARTITA_PHASE_PAUSING = 5 /* not all of its virtual CPUs have been stopped yet */
};

struct partita_partition_state {
    char name[32];   /* NUL-terminated */
    uint32_t phase;  /* enum partita_phase */
    uint32_t reason; /* enum partita_reset_reason: of this life, or of the end of the last */
    uint32_t starts; /* lives until now */
    uint32_t vcpus;
    uint32_t vcpus_on;       /* a bit for each that is on */
    uint32_t cpus;           /* ... for each CPU that they are pinned to */
    uint32_t memory;         /* in KiB, devices not counted */
    uint32_t itself;         /* 1: it is the caller */
    uint32_t sent, received; /* messages and rings, since boot */
    uint32_t is;             /* PARTITA_IS_* */
};

#define PARTITA_IS_OF_POOL 1u /* what it runs is given to it at run time, */
#define PARTITA_IS_EMPTY 2u   /* ... and nothing was, or it was taken from it */
#define PARTITA_IS_LOADED 4u  /* it runs what was given to it at run time */

struct partita_vcpu_state {
    uint64_t ran;       /* ticks of the counter that it had in this life, */
    uint64_t stolen;    /* ... and could have used while others ran; each up to the CPU's last decision */
    uint32_t frequency; /* ticks in a second */
    uint32_t cpu;
    uint32_t priority;
    uint32_t on;        /* 1: it is on */
    uint32_t exits[64]; /* since boot, by the syndrome's exception class (HSR.EC); class 0: interrupts */
};

/* PORT, r1. */
#define PARTITA_PORT_CHANGED 1u
#define PARTITA_PORT_PEERS_RUN 2u

/* Why a partition's life began: `partita,reset-reason` of /hypervisor in its device tree. */
enum partita_reset_reason {
    PARTITA_RESET_POWER_ON = 0, /* the first */
    PARTITA_RESET_GUEST = 1,    /* it reset itself (PSCI SYSTEM_RESET), */
    PARTITA_RESET_EXIT = 2,     /* or powered itself off, and is restarted then */
    PARTITA_RESET_FAULT = 3,    /* it touched what it has not */
    PARTITA_RESET_WATCHDOG = 4, /* it did not feed its watchdog in time */
    PARTITA_RESET_MANAGER = 5   /* a partition with the right `manage` asked for it */
};

#define PARTITA_UID_0 0x8c7a3b52u
#define PARTITA_UID_1 0x6e4f91d0u
#define PARTITA_UID_2 0xa5c2178eu
#define PARTITA_UID_3 0x3f90d64bu
#define PARTITA_VERSION_MAJOR 0u
#define PARTITA_VERSION_MINOR 1u

#endif
