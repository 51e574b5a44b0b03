#include "config/schema.hpp"

#include <fmt/format.h>

#include "partita/trusted.h"

namespace partita::tool {

namespace {

#define PARTITA_TRUSTED_NAME(NAME, number, name, purpose) " " #name
constexpr std::string_view trusted_functions = std::string_view{PARTITA_TRUSTED_TABLE(PARTITA_TRUSTED_NAME)}.substr(1);
#undef PARTITA_TRUSTED_NAME

constexpr Key system_keys[] = {
    {"board", Type::text, true, "", "", "The board that the system is for: a folder of `boards/`. `partita boards` lists them.",
     "\"virt\""},
};

constexpr Key cpu_keys[] = {
    {"id", Type::address, true, "", "", "The physical CPU, counted as in the board's device tree, from 0.", "2"},
    {"slice", Type::duration, true, "", "",
     "Several partitions may use this CPU; virtual CPUs of the same priority take turns of this long. Without a `[[cpu]]` section, and "
     "without windows, a CPU belongs to one partition.",
     "\"5 ms\""},
};

constexpr Key schedule_keys[] = {
    {"name", Type::text, true, "", "", "What windows and reports call it.", "\"normal\""},
    {"frame", Type::duration, true, "", "",
     "The length of the major frame: all CPUs repeat their windows after it, and begin it together. 1 ms to 60 s, in whole microseconds.",
     "\"20 ms\""},
};

constexpr Key window_keys[] = {
    {"schedule", Type::text, false, "the first schedule", "", "The schedule that this window is in.", "\"normal\""},
    {"cpus", Type::integer_list, true, "", "",
     "The physical CPUs that have this window, all at the same time: so the virtual CPUs of one partition run together.", "[0, 1]"},
    {"at", Type::duration, true, "", "", "When it begins, from the begin of the frame.", "\"0 ms\""},
    {"length", Type::duration, true, "", "", "How long it is: at least 20 us.", "\"5 ms\""},
    {"partitions", Type::text_list, true, "", "",
     "Who may run in it: one partition, or several among which priorities decide. A partition may have several windows.", "[\"linux\"]"},
};

constexpr Key partition_keys[] = {
    {"name", Type::text, true, "", "",
     "What the partition is called everywhere: consoles, reports, pictures. Letters, digits, `-` and `_`, at most 31.", "\"linux\""},
    {"kernel", Type::path, true, "", "", "The image to start.", "\"vmlinuz\""},
    {"format", Type::choice, false, "\"auto\"", "auto zimage elf raw uimage",
     "What the image is. `auto` finds out; anything else is checked against the image. A raw image cannot be told from noise, so it must "
     "be named.",
     "\"zimage\""},
    {"initrd", Type::text_list, false, "[]", "",
     "The path of an initial RAM disk, named to the guest in `/chosen` of its device tree; or several, which a Linux reads one after the "
     "other: a distribution's, and one with your programs.",
     "[\"initrd.img\", \"program.cpio\"]"},
    {"bootargs", Type::text, false, "\"\"", "", "The kernel's command line.", "\"console=ttyAMA0\""},
    {"memory", Type::size, true, "", "", "RAM at 0x4000_0000 of the guest's address space: a multiple of 2 MiB.", "\"256 MiB\""},
    {"memory_at", Type::address, false, "", "",
     "Where this RAM lies on the board: a physical address, a multiple of 2 MiB. Without it the tool chooses.", "0x6000_0000"},
    {"cpus", Type::integer_list, true, "", "", "Virtual CPU n runs on physical CPU `cpus[n]`.", "[0, 1]"},
    {"priority", Type::address, false, "0", "",
     "Where partitions share a CPU: one of a higher priority (up to 255) runs as soon as it has something to do; those of the same take "
     "turns of the CPU's slice.",
     "1"},
    {"budget", Type::duration, false, "", "",
     "Processor time that it may use in each `budget_period`, on each of its CPUs: what keeps one of a high priority from starving the "
     "others.",
     "\"2 ms\""},
    {"budget_period", Type::duration, false, "", "", "See `budget`. A period begins with the first use after the last one has ended.",
     "\"10 ms\""},
    {"budget_for", Type::choice, false, "\"partition\"", "partition vcpu",
     "Who has the budget: the partition's virtual CPUs on one CPU together, or each of them.", "\"vcpu\""},
    {"over_budget", Type::choice, false, "\"wait\"", "wait idle",
     "What happens when the budget is used up: the partition waits for its next period, or (`idle`) runs on while nobody else wants to.",
     "\"idle\""},
    {"slack", Type::flag, false, "false", "", "Whether it may also run whenever nobody else wants its CPU: in the windows of others, too.",
     "true"},
    {"period", Type::duration, false, "", "",
     "What the partition has to do in time: it wakes at most once in this time on each of its virtual CPUs, and needs at most `wcet` then. "
     "`partita check` proves that it is done within `deadline`, or says by how much it is not.",
     "\"10 ms\""},
    {"deadline", Type::duration, false, "the period", "", "See `period`; not longer than it.", "\"5 ms\""},
    {"wcet", Type::duration, false, "", "", "See `period`: the worst-case execution time when it is alone.", "\"800 us\""},
    {"time", Type::choice, false, "\"real\"", "real stops",
     "What its virtual counter shows: the board's time, or (`stops`) the time of its lives alone, from 0 on: it stands still while the "
     "partition is off or being loaded.",
     "\"stops\""},
    {"boot_memory", Type::size, false, "", "",
     "RAM at address 0 of the guest's address space, for images that are linked there, like U-Boot: a multiple of 4 KiB. With it come "
     "256 KiB at 0x0400_0000 that can be read only, and are zero: the flash in which such an image looks for its variables.",
     "\"8 MiB\""},
    {"load", Type::address, false, "0x4001_0000", "", "Where a raw image is put in the guest's address space.", "0x4001_0000"},
    {"entry", Type::address, false, "the load address", "", "Where a raw image starts.", "0x4001_0000"},
    {"devices", Type::text_list, false, "[]", "",
     "Devices of the board that belong to this partition alone: paths or aliases of the board's device tree. Their registers are mapped at "
     "their physical address, their interrupts keep their numbers, and the guest's device tree gets their nodes. One that reads and writes "
     "memory by itself is confined to the partition's memory by the System MMU; where there is none, see `dma`. `\"rest\"` stands for all "
     "that a partition can have and nobody else does.",
     "[\"/pl031@9010000\", \"nvme0\"]"},
    {"msi", Type::choice, false, "\"none\"", "none given",
     "Interrupts as messages, for the PCI functions of one partition of the system: the interrupt's number is data in the message, so that "
     "whoever can send one can send all. Otherwise functions have their interrupt lines.",
     "\"given\""},
    {"dma", Type::choice, false, "\"confined\"", "confined trusted",
     "`trusted`: the partition may have devices whose accesses to memory nothing confines. Its RAM then is where it is on the board "
     "(`memory_at`), in its own address space too, and it can reach all memory, the hypervisor's included: it is trusted as that is.",
     "\"trusted\""},
    {"pmu", Type::choice, false, "\"none\"", "none given",
     "The CPUs' performance counters. `given`: the partition has them, with their interrupt; each of its CPUs must run this one "
     "virtual CPU alone. Otherwise they read as zero.",
     "\"given\""},
    {"on_exit", Type::choice, false, "\"stop\"", "stop restart", "What happens when the guest powers itself off (PSCI SYSTEM_OFF).",
     "\"restart\""},
    {"on_reset", Type::choice, false, "\"restart\"", "restart stop", "What happens when the guest resets itself (PSCI SYSTEM_RESET).",
     "\"stop\""},
    {"on_fault", Type::choice, false, "\"inject\"", "inject stop restart halt-system",
     "What happens when the guest touches what it does not have. `inject`: it takes an external abort, as on a real board; `stop` and "
     "`restart` end the partition; `halt-system` ends all partitions, for good. Reported in words in any case.",
     "\"stop\""},
    {"restart_limit", Type::address, false, "0", "",
     "At most so many restarts, for whatever reason, in each `restart_period`: the partition stays off then. 0: any number.", "5"},
    {"restart_period", Type::duration, false, "\"60 s\"", "", "See `restart_limit`: whole milliseconds, at most a day.", "\"10 s\""},
    {"restart_after", Type::duration, false, "", "",
     "When the partition is off because it failed (a fault, its watchdog, a reset of its own) and is restarted by nothing else, the parent "
     "partition starts it again after this time: twice as long each time that it fails within the last wait, up to 64 times as long, a day "
     "at most. Whole milliseconds.",
     "\"5 s\""},
    {"watchdog", Type::duration, false, "", "",
     "Gives the partition an SP805 watchdog, and says the longest time that may pass from one feeding to the reset, whatever the guest "
     "programs: whole milliseconds, at most a day. A partition that is reset by it begins another life.",
     "\"30 s\""},
    {"watchdog_boot", Type::flag, false, "false", "",
     "Whether the watchdog runs from the partition's start on, with the longest time, and cannot be stopped.", "true"},
    {"start", Type::flag, false, "true", "",
     "Whether its first life begins at boot. Otherwise it is off until `partita start` begins it, which needs a parent partition.",
     "false"},
    {"pool", Type::flag, false, "false", "",
     "Whether it is no partition of the system at boot, but one that `partita create` makes at run time, in a place of `[pool]`: that has "
     "its `cpus` and its priority, at least as much `memory`, and no devices or channels. Nothing but its image, `memory`, `cpus`, and "
     "what "
     "happens at its end may be said of it.",
     "true"},
    {"rng", Type::flag, false, "false", "",
     "Whether the partition has a virtio entropy device, which the partition that serves its virtio devices fills with random bytes "
     "([devices](devices.md)).",
     "true"},
    {"virtio_ports", Type::flag, false, "false", "",
     "Whether its ends of queuing and sampling channels are ports of a virtio console, by the channels' names: a Linux has them as "
     "`/dev/virtio-ports/NAME`. A server partition carries the messages ([channels](channels.md)).",
     "true"},
    {"rpmsg", Type::flag, false, "false", "",
     "Whether its ends of queuing channels are endpoints of an RPMsg device, instead of ports of a console: a Linux makes `/dev/rpmsgN` of "
     "them. Messages of at most 496 bytes; `serve.elf` carries them ([channels](channels.md)).",
     "true"},
    {"virtio_legacy", Type::flag, false, "false", "",
     "Whether its virtio devices speak version 1 of the transport, for software that knows no other.", "true"},
    {"server", Type::text, false, "the parent partition", "",
     "The partition that serves its virtio devices, with the right `serve`. `share` says what it sees of this partition's memory.",
     "\"parent\""},
    {"share", Type::choice, false, "\"all\"", "all pool",
     "What the server sees of this partition's memory. `pool`: its last `share_size` bytes (the last of its first 512 MiB, where it has "
     "more), and nothing else; drivers put there what is "
     "to be read and written. The device tree says so (`restricted-dma-pool`): a Linux needs CONFIG_DMA_RESTRICTED_POOL for it, which "
     "Debian's kernels lack.",
     "\"pool\""},
    {"share_size", Type::size, false, "\"4 MiB\"", "", "Of `share = \"pool\"`: a multiple of 4 KiB, less than `memory`.", "\"1 MiB\""},
    {"server_timeout", Type::duration, false, "\"100 ms\"", "",
     "How long a driver of its virtio devices waits for the server, in whole microseconds: it reads 0 then, and a report says so.",
     "\"20 ms\""},
    {"control", Type::flag, false, "false", "",
     "Whether it is the parent partition: it has the control channel, by which `partita ps`, `stop`, `restart` and others reach it, and "
     "reads "
     "what the hypervisor logs. Needs the right `manage`; one partition at most ([the parent partition](parent.md)).",
     "true"},
    {"gpio", Type::flag, false, "false", "",
     "Whether the partition has a PL061 whose lines are its doorbells, and those of memory: for programs of a Linux that know interrupts "
     "as events of `/dev/gpiochip0` only ([channels](channels.md)).",
     "true"},
    {"rights", Type::choice_list, false, "[]", "manage serve trace debug",
     "What the partition may ask of the hypervisor beside its own business. Recorded in the image and shown; hypercalls that need them "
     "come with later versions.",
     "[\"manage\"]"},
    {"trusted", Type::choice_list, false, "[]", trusted_functions,
     "What the partition may ask of the secure world's trusted service, by SMC or HVC; all else is answered with \"not supported\". Needs "
     "`[secure]` ([the two worlds](worlds.md)).",
     "[\"random\", \"seal\", \"open\"]"},
};

constexpr Key pool_keys[] = {
    {"store", Type::size, true, "", "",
     "Memory in which the parent partition keeps the images that arrive at run time: a multiple of 4 KiB. A partition is filled from there "
     "at each of its starts; while another image arrives for it, both lie there.",
     "\"16 MiB\""},
    {"partitions", Type::address, false, "0", "",
     "How many partitions there can be, at the same time, that are made at run time. They count as partitions of the system, of which "
     "there "
     "are 8 at most. Until one is made, `partita ps` shows its place as `pool-0`, `pool-1`, …",
     "2"},
    {"memory", Type::size, false, "", "", "RAM of each: a multiple of 2 MiB. Needed where there are `partitions`.", "\"16 MiB\""},
    {"cpus", Type::integer_list, false, "[]", "",
     "Virtual CPU n of each runs on physical CPU `cpus[n]`. Needed where there are `partitions`.", "[2, 3]"},
    {"priority", Type::address, false, "0", "", "Of each, as of any partition.", "1"},
    {"budget", Type::duration, false, "", "", "Of each, as of any partition.", "\"2 ms\""},
    {"budget_period", Type::duration, false, "", "", "Of each, as of any partition.", "\"10 ms\""},
};

constexpr Key channel_keys[] = {
    {"name", Type::text, true, "", "",
     "What the channel is called, in both ends' device trees too. Letters, digits, `-` and `_`, at most 31.", "\"setpoints\""},
    {"kind", Type::choice, true, "", "doorbell sampling queuing memory",
     "`doorbell`: an interrupt, and nothing else. `sampling`: the latest value, for one or more readers, with its age. `queuing`: every "
     "message, in order, for one receiver. `memory`: memory that both see, and a doorbell each way.",
     "\"queuing\""},
    {"from", Type::text, true, "", "", "The partition that sends.", "\"control\""},
    {"to", Type::text_list, true, "", "", "The partition that receives; of a sampling channel, several.", "[\"linux\"]"},
    {"message", Type::size, false, "", "", "The longest message, at most 4 KiB. Not for a doorbell.", "\"64 B\""},
    {"depth", Type::address, false, "", "", "How many messages a queuing channel holds: 1 to 1024. A sender that finds it full is told so.",
     "16"},
    {"refresh", Type::duration, false, "", "", "How long a sampling channel's value is valid: whole microseconds. Without it, for ever.",
     "\"20 ms\""},
    {"interval", Type::duration, false, "", "",
     "The shortest time between two rings of a doorbell, or of an end of memory: whole microseconds. A ring that comes too soon is "
     "refused.",
     "\"1 ms\""},
    {"told", Type::flag, false, "false", "", "Whether an interrupt tells a sampling channel's readers of each new value.", "true"},
    {"size", Type::size, false, "", "",
     "Memory that `from` writes and `to` can only read: a multiple of 4 KiB, at most 64 MiB. Zeroed at boot; nobody can execute it.",
     "\"64 KiB\""},
    {"back", Type::size, false, "", "", "Memory that `to` writes and `from` can only read.", "\"4 KiB\""},
    {"common", Type::size, false, "", "", "Memory that both write. Each can spoil what the other wrote.", "\"4 KiB\""},
    {"attributes", Type::choice, false, "\"cached\"", "cached uncached",
     "How the memory's ends see it: both alike, since one end's cache would hide what the other writes. `uncached` where one is a Linux "
     "program that maps `/dev/mem`.",
     "\"uncached\""},
};

constexpr Key disk_keys[] = {
    {"name", Type::text, true, "", "",
     "What the disk is called: its serial, which a Linux has below `/dev/disk/by-id` and in `/sys/block/vda/serial`. Letters, digits, `-` "
     "and `_`, at most 20.",
     "\"data\""},
    {"size", Type::size, false, "the image's, rounded up", "",
     "How large it is: a multiple of 4 KiB. Needed where there is no image; of a disk that lies on another (`on`), beside `at`.",
     "\"16 MiB\""},
    {"image", Type::path, false, "zeros", "", "A file with what is on it when the board starts. It is part of the system image.",
     "\"root.ext4\""},
    {"changes", Type::size, false, "all of it", "",
     "Copy-on-write: room for so much that is changed, in blocks of 4 KiB; the image itself is not copied, and disks of a server with the "
     "same image have it together. What goes beyond fails as on a disk that is broken there, and the server says so; a discard gives "
     "room back.",
     "\"4 MiB\""},
    {"on", Type::text, false, "memory of the server", "",
     "A virtio disk of the board, by its path in the board's device tree or an alias, which is one of the server's `devices`: this disk "
     "lies there, in a range (`at` and `size`) or in a partition of it (`gpt`); without both it is all of it. What is written outlives the "
     "board's power.",
     "\"disk0\""},
    {"at", Type::size, false, "", "", "Where on that disk it begins: a multiple of 4 KiB.", "\"64 MiB\""},
    {"gpt", Type::text, false, "", "",
     "The name of a partition in that disk's GUID partition table, which the server reads when it starts. ASCII, at most 36 characters.",
     "\"root-a\""},
    {"read_only", Type::flag, false, "false", "", "Whether it can be read only.", "true"},
};

constexpr Key port_keys[] = {
    {"name", Type::text, true, "", "", "The network, as its `[[network]]` calls it.", "\"lan\""},
    {"mac", Type::text, false, "from the partition's name and the network's", "",
     "Its address. Nobody else on the network can send from it, and the partition from no other.", "\"02:00:00:00:00:01\""},
    {"any_mac", Type::flag, false, "false", "",
     "Whether the partition may send from other addresses, too, for a bridge that it has: not from those of other partitions. What is "
     "behind it is learned, and can be moved by whoever else may have any address, and from outside.",
     "true"},
    {"group", Type::text, false, "", "",
     "Ports of different groups do not reach each other; those without one are a group, too. The uplink reaches all, and is reached by "
     "all.",
     "\"guests\""},
    {"rate", Type::size, false, "", "",
     "Bytes in a second that the partition may send, in the mean; 128 KiB at once. What is beyond that waits in the partition's queue.",
     "\"10 MiB\""},
};

constexpr Key network_keys[] = {
    {"name", Type::text, true, "", "", "What the network is called. Letters, digits, `-` and `_`, at most 31.", "\"lan\""},
    {"uplink", Type::text, false, "", "",
     "A virtio network card of the board, by its path in the board's device tree or an alias, which is one of the server's `devices`: the "
     "network outside is behind it.",
     "\"net0\""},
};

constexpr Key secure_keys[] = {
    {"program", Type::path, false, "Partita's own", "",
     "The program of the secure partition, an ELF file whose image begins as `abi/partita/secure.h` says.", "\"secure.elf\""},
};

constexpr Section sections[] = {
    {"system", false, true, "The system as a whole.", system_keys},
    {"cpu", true, false, "A physical CPU that partitions share.", cpu_keys},
    {"schedule", true, false,
     "A schedule: a major frame that its windows cut up. The system starts with the first; a partition with the right to manage changes "
     "it. On a CPU without windows everybody may run all the time.",
     schedule_keys},
    {"window", true, false, "A part of a schedule's frame, on one or more CPUs. What no window covers is idle.", window_keys},
    {"partition", true, true, "A partition: one operating system or program, in its own memory, on its own virtual CPUs.", partition_keys},
    {"partition.disk", true, false,
     "A virtio disk of the partition above it, in memory of the partition that serves its virtio devices (`server`, with the program "
     "`build/arm-gcc/parent/serve.elf`), or on a disk of the board that is that partition's: what is written stays through the lives of "
     "both; in memory, until the board is started anew ([devices](devices.md)).",
     disk_keys},
    {"partition.network", true, false,
     "A virtio network device of the partition above it, on a network that the partition serves which its virtio devices are served by "
     "(`server`, with the program `build/arm-gcc/parent/serve.elf`; [devices](devices.md)).",
     port_keys},
    {"network", true, false,
     "A network between partitions: a switch in the partition that serves the virtio devices of all that are on it.", network_keys},
    {"pool", false, false,
     "What is set aside for run time: room for images that arrive (`partita load`), and for partitions that are made and unmade "
     "(`partita create`, `partita destroy`). Needs a parent partition ([the parent partition](parent.md)).",
     pool_keys},
    {"channel", true, false,
     "A way for messages from one partition to others, copied by the hypervisor; or memory that two of them share "
     "([channels](channels.md)).",
     channel_keys},
    {"secure", false, false,
     "A partition of the secure world, on a board with a monitor: a control loop off the secure timer, which no partition delays, and the "
     "trusted service ([the two worlds](worlds.md)).",
     secure_keys},
};

}  // namespace

std::span<const Section> schema() { return sections; }

const Section* find_section(std::string_view name) {
    for (const Section& section : sections)
        if (section.name == name) return &section;
    return nullptr;
}

const Section* find_section(const Section& outer, std::string_view name) { return find_section(fmt::format("{}.{}", outer.name, name)); }

const Key* find_key(const Section& section, std::string_view name) {
    for (const Key& key : section.keys)
        if (key.name == name) return &key;
    return nullptr;
}

std::vector<std::string> choices_of(const Key& key) {
    std::vector<std::string> out;
    std::string_view rest = key.choices;
    while (!rest.empty()) {
        const std::size_t end = rest.find(' ');
        out.emplace_back(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return out;
}

}  // namespace partita::tool
