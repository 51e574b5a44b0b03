/* The system image: what the host tool writes and the hypervisor reads.
 *
 * One description (this header and its tables, position-independent offsets) lies behind the
 * hypervisor's own image in RAM. Everything in it is plain data: the hypervisor parses no file format.
 * All fields are little-endian. Addresses are physical (PA) or intermediate physical (IPA), in bytes.
 */
#ifndef PARTITA_SYSTEM_IMAGE_H
#define PARTITA_SYSTEM_IMAGE_H

#include <stdint.h>

#define PARTITA_IMAGE_MAGIC 0x41545450u /* "PTTA" */
#define PARTITA_IMAGE_VERSION 14u

/* Limits that the hypervisor's static storage imposes. The tool refuses what exceeds them. */
#define PARTITA_MAX_CPUS 8u
#define PARTITA_MAX_PARTITIONS 8u
#define PARTITA_MAX_VCPUS 32u
#define PARTITA_MAX_VCPUS_PER_PARTITION 8u
#define PARTITA_MAX_INTERRUPTS 288u /* SGIs, PPIs and 256 SPIs */
#define PARTITA_MAX_SCHEDULES 4u
#define PARTITA_MAX_WINDOWS 512u          /* of all schedules and CPUs, gaps included */
#define PARTITA_SHORTEST_WINDOW_US 20u    /* so that a CPU that was held up catches up in bounded time */
#define PARTITA_LONGEST_TIME_US 60000000u /* of a frame, a slice, a budget's period */
#define PARTITA_NAME_SIZE 32u
#define PARTITA_TRAP_SLOTS 32u
#define PARTITA_MAX_MASTERS 16u /* devices that read and write memory by themselves */
#define PARTITA_MAX_CHANNELS 32u
#define PARTITA_MAX_PORTS 48u  /* of all channels */
#define PARTITA_MAX_VIRTIO 32u /* devices of all partitions */
#define PARTITA_LONGEST_MESSAGE 4096u
#define PARTITA_DEEPEST_QUEUE 1024u
#define PARTITA_MESSAGE_HEADER 16u     /* bytes of the pool that a message takes beside its own, which are rounded up to 8 */
#define PARTITA_CHANNELS_SIZE 0x40000u /* bytes of the pool that all channels' messages may take */

/* What the hypervisor takes of its pool where the board has a System MMU (SMMUv3, IHI 0070): a table of one entry for each stream, which
 * comes first, two queues of 4 KiB, and a level-1 root for each partition. */
#define PARTITA_MAX_STREAMS 256u
#define PARTITA_STREAM_ENTRY_SIZE 64u
#define PARTITA_STREAM_QUEUE_SIZE 4096u
#define PARTITA_STREAM_ROOT_SIZE 32u

/* A table of `count` records that begins `offset` bytes behind the header's first byte. */
struct partita_table {
    uint32_t offset;
    uint32_t count;
};

/* The hardware that the hypervisor itself drives. */
struct partita_board {
    uint64_t gicd, gicc, gich, gicv; /* PA of each GICv2 frame */
    uint64_t uart;                   /* PA of the PL011 that carries the channels */
    uint64_t ram_base;               /* PA where firmware may have left its device tree */
    uint32_t uart_interrupt;         /* INTID */
    uint32_t uart_cpu;               /* index of the CPU that takes it */
    uint32_t pmu_interrupt;          /* INTID of the PPI of each CPU's performance counters; 0: none */
    uint32_t smmu_interrupt;         /* INTID of the System MMU's event queue, which the console's CPU takes */
    uint64_t smmu;                   /* PA of the first of the SMMUv3's two register pages; 0: no device's DMA is confined */
    uint64_t pci_io;                 /* PA and bytes of the host bridge's memory window; 0: no PCI. All base address registers lie there */
    uint64_t pci_io_size;
};

/* image flags */
#define PARTITA_IMAGE_FRAMED_CONSOLE 1u /* channels are framed for the host tool; otherwise lines carry a prefix */
#define PARTITA_IMAGE_OFF_WHEN_DONE 2u  /* power the board off once every partition is off */

struct partita_image_header {
    uint32_t magic;
    uint32_t version;
    uint32_t size;     /* bytes of header and tables */
    uint32_t checksum; /* makes the 32-bit sum of the `size / 4` words zero */
    uint32_t flags;
    uint32_t epoch;           /* seconds since 1970 when the board's counter is 0, as far as the tool knows */
    uint64_t hypervisor_base; /* PA of the hypervisor's first byte */
    uint64_t hypervisor_end;  /* PA behind hypervisor, description and table pool: no partition may own any of it */
    uint64_t pool_base;       /* PA of the pool from which partitions, virtual CPUs and stage-2 tables are taken, 16 KiB aligned */
    uint64_t pool_size;       /* bytes */
    uint64_t trace_base;      /* PA of the CPUs' trace rings (trace.h), aligned to trace_size; 0: none */
    uint64_t trace_size;      /* bytes of each, a power of two of at least 4 KiB */
    struct partita_board board;
    struct partita_table cpus;
    struct partita_table partitions;
    struct partita_table vcpus;
    struct partita_table regions;
    struct partita_table copies;
    struct partita_table patches;
    struct partita_table interrupts;
    struct partita_table masters;
    struct partita_table channels;
    struct partita_table ports;
    struct partita_table frames; /* a partita_slice of `windows` for each CPU of each schedule, schedule by schedule */
    struct partita_table virtio;
    struct partita_table windows; /* without end where a CPU has none: everything that is pinned to it may run */
};

/* A part of a CPU's major frame. The windows of a frame follow each other without a gap: what is nobody's is a window of no
 * partition. All frames of a schedule are equally long, and a CPU has windows in every schedule or in none. */
#define PARTITA_WINDOW_SIZE 16u /* bytes of the pool that the hypervisor keeps for each */
struct partita_window {
    uint32_t length_us;  /* microseconds */
    uint32_t partitions; /* bit n: partition n may run in it */
};

struct partita_cpu {
    uint32_t mpidr;         /* affinity bits [23:0] */
    uint32_t slice_us;      /* length of a slice in microseconds; 0: the CPU is not shared */
    uint32_t tick_us;       /* it takes a timer interrupt at least this often, in microseconds; 0: only when something is due */
    uint32_t activation_ns; /* what a virtual CPU with a budget pays each time it begins to run: the switches to it and back */
};

/* partition flags */
#define PARTITA_ON_FAULT_STOP 1u    /* a data or prefetch abort that the hypervisor would inject stops the partition */
#define PARTITA_ON_EXIT_RESTART 2u  /* power-off restarts the partition */
#define PARTITA_ON_FAULT_RESTART 4u /* ... or restarts it */
#define PARTITA_ON_RESET_STOP 8u    /* a reset that the guest asks for leaves it off */
#define PARTITA_PMU 0x10u           /* it has the performance counters of its CPUs, which run nothing else */
#define PARTITA_SLACK 0x20u         /* it may run whenever nobody else wants its CPU, outside its windows too */
#define PARTITA_BUDGET_EACH 0x40u   /* each of its virtual CPUs has the budget for itself; otherwise those of one CPU share it */
#define PARTITA_BUDGET_SOFT 0x80u   /* over its budget it runs when nobody else wants to; otherwise it waits */
#define PARTITA_RIGHT_MANAGE 0x100u
#define PARTITA_RIGHT_SERVE 0x200u
#define PARTITA_RIGHT_TRACE 0x400u
#define PARTITA_RIGHT_DEBUG 0x800u
#define PARTITA_ON_FAULT_HALT 0x4000u /* ... or ends all partitions, for good */
#define PARTITA_WATCHDOG_BOOT 0x2000u /* its watchdog runs from the start, and cannot be stopped */
#define PARTITA_OFF_AT_BOOT 0x8000u   /* its first life begins when the parent partition asks for it */
#define PARTITA_POOL 0x10000u         /* it has nothing to run until the parent partition gives it something (struct partita_guest) */
#define PARTITA_TIME_STOPS 0x1000u    /* its virtual counter stands still while it is off or being loaded */

/* Ranges of a table that belong to one partition. */
struct partita_slice {
    uint32_t first;
    uint32_t count;
};

/* What the page of a trap slot stands for. */
enum partita_device {
    PARTITA_DEVICE_NONE = 0,
    PARTITA_DEVICE_GICD = 1,
    PARTITA_DEVICE_PL011 = 2,
    PARTITA_DEVICE_PL031 = 3,
    PARTITA_DEVICE_SP805 = 4,
    PARTITA_DEVICE_PL061 = 6,
    PARTITA_DEVICE_CONTROL = 7, /* a second PL011, whose wire is the control channel */
    PARTITA_DEVICE_VIRTIO = 8,  /* a page of PARTITA_VIRTIO: slots of virtio devices */
    PARTITA_DEVICE_PCI = 5      /* in no slot: the configuration space of all functions, at PARTITA_PCI_CONFIG */
};

/* IPA of a partition's PCI configuration space (ECAM): 4 KiB for each function of bus 0, at (device * 8 + function) * 4 KiB. What it
 * does not have reads as ones. */
#define PARTITA_PCI_CONFIG 0x3f000000u
#define PARTITA_PCI_CONFIG_SIZE 0x100000u

/* IPA of the first of a partition's virtio-mmio slots; each has PARTITA_VIRTIO_SIZE bytes. In a slot without a device DeviceID is 0. */
#define PARTITA_VIRTIO 0x0a000000u
#define PARTITA_VIRTIO_SIZE 0x200u
#define PARTITA_VIRTIO_SLOTS 32u

/* The longest bound of a watchdog, and period of a restart limit. */
#define PARTITA_LONGEST_HEALTH_MS 86400000u

#define PARTITA_NO_PAGE 0xffffffffu

/* An emulated page. The slot of page HPFAR[27:4] is (page * multiplier) >> 27, so no two pages share one. */
struct partita_trap_slot {
    uint32_t page;   /* IPA >> 12; PARTITA_NO_PAGE in an empty slot */
    uint32_t device; /* enum partita_device */
};

struct partita_partition {
    char name[PARTITA_NAME_SIZE]; /* NUL-terminated */
    uint32_t flags;
    uint32_t entry;             /* IPA; bit 0 selects Thumb */
    uint32_t r0, r1, r2;        /* registers at entry */
    uint32_t console_interrupt; /* INTID of the emulated PL011 */
    uint32_t clock_interrupt;   /* ... PL031; 0: it has none */
    uint32_t budget_us;         /* processor time in each period, in microseconds; 0: as much as there is */
    uint32_t period_us;
    uint32_t watchdog_interrupt; /* INTID of the emulated SP805; 0: it has none */
    uint32_t gpio_interrupt;     /* INTID of the emulated PL061, whose lines are doorbells; 0: it has none */
    uint32_t control_interrupt;  /* INTID of the PL011 of the control channel; 0: it is not the parent partition */
    uint32_t events_interrupt;   /* ... and of the log's news */
    uint32_t serve_interrupt;    /* ... that drivers of the devices that it serves want something; 0: it serves none */
    uint32_t watchdog_ms;        /* the longest time from one feeding to the reset, in milliseconds */
    uint32_t restart_limit;      /* so many restarts, */
    uint32_t restart_period_ms;  /* at most, in so many milliseconds: it is off then; a limit of 0: any number */
    uint32_t trusted;            /* bit n: it may call function n of the trusted service (trusted.h) */
    uint32_t interrupts;         /* INTIDs that its distributor has: a multiple of 32 */
    uint32_t trap_multiplier;
    struct partita_slice vcpus;
    struct partita_slice regions;
    struct partita_slice copies;
    struct partita_slice patches;
    struct partita_slice routes; /* in `interrupts` */
    struct partita_slice masters;
    struct partita_slice ports; /* port n of the partition is the n-th of these: its own ends, then those that it serves for others */
    struct partita_slice virtio;
    struct partita_trap_slot traps[PARTITA_TRAP_SLOTS];
};

struct partita_vcpu {
    uint32_t partition;
    uint32_t cpu;      /* index in `cpus` */
    uint32_t index;    /* in its partition: Aff0 of the guest's MPIDR */
    uint32_t priority; /* on its CPU: a higher one runs first */
};

/* region rights and kinds */
#define PARTITA_REGION_READ 1u
#define PARTITA_REGION_WRITE 2u
#define PARTITA_REGION_EXECUTE 4u
#define PARTITA_REGION_DEVICE 8u  /* device memory: neither scrubbed nor cached */
#define PARTITA_REGION_SHARED 16u /* the GIC's virtual CPU interface: banked by CPU, so every partition may map it */
/* Memory of a channel: the region of the other end with the same PA is the same memory. It is zeroed at boot and by nobody later. */
#define PARTITA_REGION_CHANNEL 32u
#define PARTITA_REGION_UNCACHED 64u /* of a channel: cached by neither end */
/* The memory of a partition whose virtio devices this one serves: the same region as there. It is scrubbed in its owner's lives. */
#define PARTITA_REGION_SERVED 128u
#define PARTITA_REGION_KEPT 256u /* zeroed at boot, and kept through its partition's lives */

struct partita_region {
    uint64_t ipa;
    uint64_t pa;
    uint64_t size; /* bytes, a multiple of 4 KiB */
    uint32_t flags;
    uint32_t channel; /* in `channels`, where PARTITA_REGION_CHANNEL is set; otherwise 0 */
};

/* A part of an image, copied at every start of its partition. */
struct partita_copy {
    uint64_t source; /* PA, which differs from the IPA by a multiple of 8 */
    uint64_t ipa;
    uint64_t size; /* bytes */
};

/* A field that differs from life to life, at an IPA inside the guest's device tree. */
enum partita_patch_kind {
    PARTITA_PATCH_RANDOM = 1,       /* random bytes; where no entropy is known the enclosing property becomes FDT_NOPs */
    PARTITA_PATCH_RESET_REASON = 2, /* 4 bytes, big-endian: enum partita_reset_reason */
    PARTITA_PATCH_STARTS = 3        /* 4 bytes, big-endian: the number of this life, from 1 on */
};

#define PARTITA_LONGEST_PATCH 64u    /* bytes of a value, so that it is filled in bounded time, */
#define PARTITA_LONGEST_PATCHED 128u /* ... and of its property */

struct partita_patch {
    uint64_t ipa;        /* of the value */
    uint32_t size;       /* bytes of the value */
    uint32_t kind;       /* enum partita_patch_kind */
    uint32_t nop_before; /* bytes of property header before `ipa`, and */
    uint32_t nop_size;   /* bytes in all, that FDT_NOP words replace when there is no entropy */
};

/* route flags */
#define PARTITA_ROUTE_EDGE 1u

/* A physical SPI that a partition owns. It appears in the guest under the same INTID. */
struct partita_route {
    uint32_t intid;
    uint32_t flags;
};

/* master flags */
#define PARTITA_MASTER_INTX 1u /* its interrupt line is its partition's; otherwise it is kept from raising it */
#define PARTITA_MASTER_MSI 2u  /* it may send interrupts as messages; otherwise it has no such capability */
#define PARTITA_MASTER_PCI 4u  /* a PCI function; otherwise a device of the board, which has a stream alone */

/* A device of a partition that reads and writes memory by itself: what it may reach is the partition's memory. */
struct partita_master {
    uint64_t config;   /* PA of a PCI function's configuration space, 4 KiB */
    uint32_t function; /* device * 8 + function, on bus 0 */
    uint32_t id;       /* device and vendor, as the first word reads */
    uint32_t stream;   /* what the System MMU knows it by */
    uint32_t flags;
    uint32_t bars[6];      /* its base address registers as they read, */
    uint32_t bar_masks[6]; /* and as they read after all ones were written; 0: no such register */
};

enum partita_channel_kind {
    PARTITA_CHANNEL_DOORBELL = 1, /* an interrupt */
    PARTITA_CHANNEL_SAMPLING = 2, /* the latest value, for several readers */
    PARTITA_CHANNEL_QUEUING = 3,  /* every message, in order */
    PARTITA_CHANNEL_MEMORY = 4    /* memory that both ends see, and a doorbell each way */
};

/* A way for messages from one partition to others. It has one port that sends, and at least one that receives; only a sampling channel
 * has several. Of memory, each part is a region of both ends; at least one of them may write it. */
struct partita_channel {
    uint32_t kind;         /* enum partita_channel_kind */
    uint32_t message_size; /* bytes of the longest message; 0 for a doorbell and for memory */
    uint32_t depth;        /* messages that a queue holds; otherwise 0 */
    uint32_t time_us;      /* a value is valid for so long, or a doorbell rings not more often; 0: for ever, any time */
};

/* port flags */
#define PARTITA_PORT_SENDS 1u
#define PARTITA_PORT_TOLD 2u /* an interrupt tells of each new value of a sampling channel */

/* Where a partition has a PL061, its ends of doorbells and memory have lines there, in the order of the ports: one that it is told by,
 * where it can be rung, and then one that rings, where it can. */
#define PARTITA_GPIO_LINES 8u

/* An end of a channel. Ports are in the order of the partitions that use them. */
struct partita_port {
    uint32_t channel;   /* in `channels` */
    uint32_t flags;     /* PARTITA_PORT_* */
    uint32_t interrupt; /* INTID in the partition that uses it, which nothing else there has */
    uint32_t owner;     /* whose end it is: the partition that uses it, or one whose virtio device that one serves */
};

/* A virtio device (Virtual I/O Device 1.2 §4.2) of a partition, which another partition serves. */
struct partita_virtio {
    uint32_t slot;       /* at PARTITA_VIRTIO + slot * PARTITA_VIRTIO_SIZE */
    uint32_t interrupt;  /* INTID in its partition, edge-triggered */
    uint32_t server;     /* the partition that answers its driver */
    uint32_t version;    /* of the transport: 2, or 1 (legacy) */
    uint32_t timeout_us; /* how long an access of its driver waits for the server's answer */
    uint32_t reserved;
};

/* What a partition runs and how it is called, given to it at run time: the tool compiles it, the parent partition receives and keeps it,
 * and the hypervisor checks it as it does an image, and copies it. What its copies take lies behind it, where the parent partition has it.
 */
#define PARTITA_GUEST_MAGIC 0x53454755u /* "UGES" */
#define PARTITA_GUEST_COPIES 12u
#define PARTITA_GUEST_PATCHES 8u
/* What may differ from the partition's description: how it ends. */
#define PARTITA_GUEST_FLAGS (PARTITA_ON_FAULT_STOP | PARTITA_ON_EXIT_RESTART | PARTITA_ON_FAULT_RESTART | PARTITA_ON_RESET_STOP)

struct partita_guest {
    uint32_t magic;
    uint32_t checksum; /* makes the 32-bit sum of the record's words zero */
    uint32_t flags;    /* of PARTITA_GUEST_FLAGS */
    uint32_t copies, patches;
    uint32_t entry, r0, r1, r2; /* as in struct partita_partition */
    uint32_t reserved;
    char name[PARTITA_NAME_SIZE];                   /* NUL-terminated */
    struct partita_copy copy[PARTITA_GUEST_COPIES]; /* source: bytes from the record's first */
    struct partita_patch patch[PARTITA_GUEST_PATCHES];
};

/* What the tool writes into the hypervisor's own first words (boot.S keeps them). */
struct partita_hypervisor_header {
    uint32_t branch;
    uint32_t magic;
    uint32_t description_offset; /* from the hypervisor's first byte, 4 KiB aligned */
    uint32_t description_size;   /* bytes */
    uint32_t image_size;         /* bytes of text, rodata, data and bss, 4 KiB aligned; written by the linker */
    uint32_t partition_size;     /* bytes of the pool that the hypervisor keeps for each partition, */
    uint32_t vcpu_size;          /* a multiple of 16; and for each virtual CPU, whole pages */
};

#endif
