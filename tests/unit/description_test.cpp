// Every mistake that a description can have: where it is, what it is, how to mend it.
#include "plan_fixture.hpp"

namespace partita::tool {
namespace {

struct Mistake {
    const char* name;
    std::string text;
    std::string complaint;  // must be in what is said
};

const std::string head = "[system]\nboard = \"virt\"\n";
const std::string good = head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0]\n";
const std::string second = "[[partition]]\nname = \"two\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\n";

const std::string schedule = "[[schedule]]\nname = \"normal\"\nframe = \"10 ms\"\n";
const std::string where = "cpus = [0]\nat = \"0 ms\"\npartitions = [\"one\"]\n";

std::string many(int count) {
    std::string out;
    for (int n = 0; n < count; ++n)
        out += "[[partition]]\nname = \"p" + std::to_string(n) + "\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [1]\n";
    return out;
}

class Description : public PlanFixture {};

TEST_F(Description, AGoodOneIsAccepted) {
    EXPECT_EQ(complaints(good), "");
    EXPECT_EQ(complaints(good + second + "cpus = [1, 2]\n"), "");
}

TEST_F(Description, EachMistakeIsFound) {
    const Mistake mistakes[] = {
        {"not TOML", "[system\n", "s.toml:1:8: error: not TOML"},
        {"key twice", good + "cpus = [1]\n", "s.toml:8:8: error: not TOML"},
        {"unknown key", good + "memmory = \"4 MiB\"\n",
         "s.toml:8:1: error: unknown key \"memmory\" in [partition]; did you mean \"memory\"?"},
        {"unknown section", good + "[[partitoin]]\n", "unknown section or key \"partitoin\"; did you mean \"partition\"?"},
        {"single bracket", head + "[partition]\nname = \"x\"\n", "s.toml:3:1: error: write [[partition]] here"},
        {"no partition", head, "s.toml:1:1: error: no [[partition]] section; add one"},
        {"missing key", head + "[[partition]]\nname = \"one\"\nmemory = \"4 MiB\"\ncpus = [0]\n",
         "s.toml:3:1: error: this [partition] has no \"kernel\"; add a line like: kernel = "},
        {"no unit", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4\"\ncpus = [0]\n",
         "s.toml:6:10: error: memory: \"4\" has no unit; write it like \"256 MiB\""},
        {"bare number", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = 4\ncpus = [0]\n",
         "s.toml:6:10: error: memory must be a size with its unit in quotes, like \"256 MiB\", but this is a whole number"},
        {"wrong unit", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MB\"\ncpus = [0]\n",
         "unknown unit \"MB\" (units: B, KiB, MiB, GiB)"},
        {"odd memory", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"3 MiB\"\ncpus = [0]\n",
         "memory of \"one\" is 3 MiB; it must be a multiple of 2 MiB, like 4 MiB"},
        {"not a list", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = 0\n",
         "cpus must be a list of whole numbers, like [0, 1], but this is a whole number"},
        {"no CPU", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = []\n",
         "s.toml:7:8: error: cpus is empty; name at least one physical CPU, like [0]"},
        {"CPU that the board lacks", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0, 7]\n",
         "s.toml:7:12: error: virtual CPU 1 of \"one\" is on CPU 7, which board \"virt\" lacks; it has CPUs 0 to 3"},
        {"negative CPU", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [-1]\n",
         "cpus must not be negative"},
        {"CPU claimed twice", good + second + "cpus = [0]\n",
         "s.toml:12:9: error: CPU 0 is claimed twice: by \"two\" here and by \"one\" at line 7; use another CPU, share it: [[cpu]] id = "
         "0, slice = \"5 ms\", or give each its windows: [[schedule]] and [[window]]"},
        {"CPU described twice", head + "[[cpu]]\nid = 0\nslice = \"5 ms\"\n[[cpu]]\nid = 0\nslice = \"5 ms\"\n" + good.substr(head.size()),
         "CPU 0 is described twice: here and at line 4"},
        {"counters of a shared CPU",
         head + "[[cpu]]\nid = 0\nslice = \"5 ms\"\n" + good.substr(head.size()) + "pmu = \"given\"\n" + second + "cpus = [0]\n",
         "s.toml:11:7: error: \"one\" cannot be given the performance counters of CPU 0: it runs 2 virtual CPUs, and counters are one "
         "virtual CPU's; use a CPU of its own, or leave pmu out"},
        {"slice too short", head + "[[cpu]]\nid = 0\nslice = \"1 us\"\n" + good.substr(head.size()),
         "s.toml:5:9: error: a slice must be between 100 us and 1 s"},
        {"window without schedule", good + "[[window]]\ncpus = [0]\nat = \"0 ms\"\nlength = \"1 ms\"\npartitions = [\"one\"]\n",
         "s.toml:8:1: error: a window needs a schedule; add [[schedule]]"},
        {"window of no schedule", good + schedule + "[[window]]\nschedule = \"nornal\"\n" + where + "length = \"1 ms\"\n",
         "s.toml:12:12: error: no schedule \"nornal\"; did you mean \"normal\"?"},
        {"window of nobody", good + schedule + "[[window]]\ncpus = [0]\nat = \"0 ms\"\nlength = \"1 ms\"\npartitions = [\"won\"]\n",
         "s.toml:15:15: error: no partition \"won\"; did you mean \"one\"?"},
        {"window behind the frame", good + schedule + "[[window]]\n" + where + "length = \"11 ms\"\n",
         "the window ends at 0 ns + 11 ms = 11 ms, but the frame of \"normal\" is over at 10 ms; make it 1 ms shorter"},
        {"windows that overlap",
         good + schedule + "[[window]]\n" + where +
             "length = \"5 ms\"\n[[window]]\ncpus = [0]\nat = \"3 ms\"\nlength = \"1 ms\"\npartitions = [\"one\"]\n",
         "s.toml:16:1: error: this window begins at 3 ms on CPU 0, but the one at line 11 ends at 0 ns + 5 ms = 5 ms: they overlap by 1 "
         "ms"},
        {"window where it has no CPU",
         good + schedule + "[[window]]\ncpus = [1]\nat = \"0 ms\"\nlength = \"1 ms\"\npartitions = [\"one\"]\n",
         "\"one\" has a window on CPU 1, but no virtual CPU there"},
        {"one that would never run", good + second + "cpus = [0]\n" + schedule + "[[window]]\n" + where + "length = \"1 ms\"\n",
         "s.toml:12:9: error: virtual CPU 0 of \"two\" would never run: schedule \"normal\" has windows on CPU 0, but none for it"},
        {"turns without length",
         good + second + "cpus = [0]\n" + schedule +
             "[[window]]\ncpus = [0]\nat = \"0 ms\"\nlength = \"1 ms\"\npartitions = [\"one\", \"two\"]\n",
         "may run on CPU 0 at the same time with the same priority, and nothing says how long a turn is"},
        {"fraction of a microsecond", good + schedule + "[[window]]\n" + where + "length = \"1500500 ns\"\n",
         "the length of the window is 1500.5 us; it must be a whole number of microseconds"},
        {"short frame", good + "[[schedule]]\nname = \"normal\"\nframe = \"5 us\"\n",
         "s.toml:10:9: error: the frame is 5 us; it must be between 1 ms and 60 s"},
        {"more partitions than bits", good + schedule + "[[window]]\n" + where + "length = \"1 ms\"\n" + many(40),
         "more than 8 partitions"},
        {"budget without period", good + "budget = \"1 ms\"\n",
         "s.toml:8:10: error: a budget needs its period; add a line like: budget_period"},
        {"period without budget", good + "budget_period = \"1 ms\"\n", "budget_period alone means nothing"},
        {"too much budget", good + "budget = \"2 ms\"\nbudget_period = \"1 ms\"\n", "a budget of 2 ms in each 1 ms is more than there is"},
        {"wcet without period", good + "wcet = \"1 ms\"\n", "what \"one\" has to do in time needs both period and wcet; add the other"},
        {"deadline behind the period", good + "period = \"1 ms\"\nwcet = \"100 us\"\ndeadline = \"2 ms\"\n",
         "the deadline of 2 ms is behind the end"},
        {"watchdog in parts of milliseconds", good + "watchdog = \"1500 us\"\n",
         "s.toml:8:12: error: watchdog of \"one\" is 1.5 ms; it can be whole milliseconds, from 1 ms to 86400 s"},
        {"watchdog_boot without one", good + "watchdog_boot = true\n",
         "s.toml:8:17: error: \"one\" has watchdog_boot, but no watchdog; add watchdog = \"30 s\""},
        {"restart_period without limit", good + "restart_period = \"10 s\"\n",
         "s.toml:8:18: error: \"one\" has a restart_period, but no restart_limit; add restart_limit = 5"},
        {"restart_after, and nobody to do it", good + "on_fault = \"stop\"\nrestart_after = \"5 s\"\n",
         "s.toml:9:17: error: nobody could start \"one\" again; add a parent partition (control = true), or take this out"},
        {"restart_after where it never is off",
         good + "restart_after = \"5 s\"\n" + second + "cpus = [1]\ncontrol = true\nrights = [\"manage\"]\n",
         "s.toml:8:17: error: \"one\" is never off because it failed; add on_fault = \"stop\" or restart_limit = 5, or take this out"},
        {"restart_after of the parent", good + "restart_after = \"5 s\"\ncontrol = true\nrights = [\"manage\"]\n",
         "s.toml:8:17: error: \"one\" is the parent partition, and cannot start itself; take on_fault = \"restart\""},
        {"restart_after in parts of milliseconds", good + "restart_after = \"1500 us\"\n", "restart_after of \"one\" is 1.5 ms"},
        {"control without the right", good + "control = true\n",
         "\"one\" has the control channel, but not the right to do what it is asked for there; add rights = [\"manage\"]"},
        {"nobody to start it", good + "start = false\n",
         "s.toml:8:9: error: \"one\" does not start at boot, and nobody could start it later; add a parent partition (control = true)"},
        {"a parent that does not start", good + "start = false\ncontrol = true\nrights = [\"manage\"]\n",
         "\"one\" is the parent partition, and nobody could start it; take this out"},
        {"two parents", good + "control = true\nrights = [\"manage\"]\n" + second + "cpus = [1]\ncontrol = true\nrights = [\"manage\"]\n",
         "the control channel is one partition's, and \"one\" has it; take it out here or there"},
        {"restart_limit beyond all", good + "restart_limit = 2000000\n", "restart_limit of \"one\" is 2000000; it can be 0 to 1000000"},
        {"policy of an earlier version", good + "on_fault = \"abort\"\n", "on_fault cannot be \"abort\""},
        {"no flag", good + "slack = \"yes\"\n", "slack must be true or false, without quotes, but this is a text"},
        {"what cannot be in time",
         head + "[[cpu]]\nid = 0\nslice = \"5 ms\"\n" + good.substr(head.size()) + "period = \"4 ms\"\nwcet = \"1 ms\"\n" + second +
             "cpus = [0]\n",
         "s.toml:11:10: error: one/vcpu0: 1 ms in each 4 ms: done after at most 6.0"},
        {"CPU section of no CPU", head + "[[cpu]]\nid = 9\nslice = \"5 ms\"\n" + good.substr(head.size()),
         "board \"virt\" has no CPU 9; it has CPUs 0 to 3"},
        {"name twice", good + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [1]\n",
         "s.toml:9:8: error: two partitions are called \"one\": this one and the one at line 4; rename one"},
        {"bad name", head + "[[partition]]\nname = \"a b\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0]\n",
         "\"a b\" cannot be a partition's name; use letters, digits, - and _"},
        {"missing image", head + "[[partition]]\nname = \"one\"\nkernel = \"b.elf\"\nmemory = \"4 MiB\"\ncpus = [0]\n",
         "s.toml:5:10: error: the kernel \""},
        {"image is a folder", head + "[[partition]]\nname = \"one\"\nkernel = \".\"\nmemory = \"4 MiB\"\ncpus = [0]\n", "cannot be read"},
        {"image of no known format", head + "[[partition]]\nname = \"one\"\nkernel = \"initrd\"\nmemory = \"4 MiB\"\ncpus = [0]\n",
         "is of no known format; a kernel is a zImage, an ELF file or a uImage. For a raw image write format = \"raw\""},
        {"not what it says", good + "format = \"zimage\"\n", "is not what format = \"zimage\" says: it is \"elf\"; correct one of the two"},
        {"unknown format", good + "format = \"zimag\"\n", "s.toml:8:10: error: format cannot be \"zimag\"; did you mean \"zimage\"?"},
        {"load for an ELF file", good + "load = 0x4000_0000\n",
         "s.toml:8:8: error: load is for format = \"raw\" alone; leave it out, since this image (\"elf\") says itself where it goes"},
        {"missing initrd", good + "initrd = \"nothing\"\n", "s.toml:8:10: error: the initrd \""},
        {"kernel that does not fit", head + "[[partition]]\nname = \"one\"\nkernel = \"zImage\"\nmemory = \"2 MiB\"\ncpus = [0]\n",
         "2 MiB of memory are too little for \"one\": kernel and device tree need 8 MiB; give it at least that"},
        {"more memory than the board has", head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"2 GiB\"\ncpus = [0]\n",
         "s.toml:6:10: error: memory of \"one\", 2 GiB, exceeds what is left of the board's 1 GiB"},
        {"memory beyond the board", good + "memory_at = 0x8000_0000\n",
         "memory of \"one\", 0x80000000 to 0x80400000, exceeds the board's, which is 0x40000000 to 0x80000000"},
        {"memory on the hypervisor", good + "memory_at = 0x4020_0000\n", "overlaps that of the hypervisor"},
        {"overlapping memory", good + "memory_at = 0x5000_0000\n" + second + "cpus = [1]\nmemory_at = 0x5020_0000\n",
         "s.toml:14:13: error: memory of \"two\", 0x50200000 to 0x50600000, overlaps that of \"one\" at line 8, 0x50000000 to 0x50400000; "
         "move one, or leave memory_at out"},
        {"odd place", good + "memory_at = 0x5000_1000\n", "memory_at of \"one\" must be a multiple of 2 MiB"},
        {"boot memory", good + "boot_memory = \"1 B\"\n", "boot_memory of \"one\" must be a multiple of 4 KiB, at most 64 MiB"},
        {"unknown device", good + "devices = [\"/pl031@901000\"]\n",
         "board \"virt\" has no device \"/pl031@901000\"; did you mean \"/pl031@9010000\"?"},
        {"the hypervisor's device", good + "devices = [\"serial0\"]\n",
         "\"one\" cannot be given /pl011@9000000: it is the board's console, which carries those of all partitions"},
        {"device with DMA", good + "devices = [\"/fw-cfg@9020000\"]\n", "it reads and writes memory by itself"},
        {"device owned twice", good + "devices = [\"rtc0\"]\n" + second + "cpus = [1]\ndevices = [\"/pl031@9010000\"]\n",
         "s.toml:14:12: error: /pl031@9010000 is owned twice: by \"two\" here and by \"one\" at line 8; take it from one of them"},
        {"unknown right", good + "rights = [\"mange\"]\n", "rights cannot be \"mange\"; did you mean \"manage\"?"},
        {"unknown policy", good + "on_fault = \"ignore\"\n", "on_fault cannot be \"ignore\""},
    };
    for (const Mistake& mistake : mistakes) {
        const std::string said = complaints(mistake.text);
        EXPECT_NE(said.find(mistake.complaint), std::string::npos)
            << mistake.name << ": expected\n  " << mistake.complaint << "\nbut it said\n"
            << said;
    }
}

TEST_F(Description, AllMistakesAreTold) {
    const std::string said =
        complaints(head + "[[partition]]\nname = \"one\"\nkernel = \"nothing\"\nmemory = \"4\"\ncpus = [9]\ncolour = \"red\"\n");
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 4) << said;
    EXPECT_LT(said.find("s.toml:5:"), said.find("s.toml:6:"));
    EXPECT_LT(said.find("s.toml:7:"), said.find("s.toml:8:"));
}

TEST_F(Description, OneWrongValueIsOneError) {
    const std::string said = complaints(head + "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4\"\ncpus = [0]\n");
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

}  // namespace
}  // namespace partita::tool
