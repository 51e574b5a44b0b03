#include "run/facts.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace partita::tool {

namespace {

struct Named {
    std::string what;
    std::uint64_t begin, end;
};

// What the partition has in its address space.
std::vector<Named> things(const PlannedPartition& partition) {
    std::vector<Named> out;
    for (const PlannedRegion& region : partition.regions)
        if (region.what != "gicv") out.push_back({region.what, region.ipa, region.ipa + region.size});
    out.push_back({"gic", platform::gicd, platform::gicd + 0x1000});
    out.push_back({"gic cpu interface", platform::gicc, platform::gicc + platform::gicc_size});
    out.push_back({"uart", platform::pl011, platform::pl011 + 0x1000});
    if (partition.has_clock()) out.push_back({"clock", platform::pl031, platform::pl031 + 0x1000});
    if (partition.watchdog_ms != 0) out.push_back({"watchdog", platform::sp805, platform::sp805 + 0x1000});
    if (partition.is_parent()) out.push_back({"control channel", platform::control, platform::control + 0x1000});
    if (partition.has_gpio()) out.push_back({"gpio", platform::pl061, platform::pl061 + 0x1000});
    return out;
}

// "no memory, no device; nearest: uart at 0x9000000"
std::string whereabouts(const PlannedPartition& partition, std::uint64_t ipa) {
    if (partition.regions.empty()) return "not its own";  // all that is known of it is its name
    const Named* best = nullptr;
    std::uint64_t best_distance = ~std::uint64_t{0};
    const auto all = things(partition);
    for (const Named& thing : all) {
        if (ipa >= thing.begin && ipa < thing.end) return fmt::format("in {}, {:#x} to {:#x}", thing.what, thing.begin, thing.end);
        const std::uint64_t distance = ipa < thing.begin ? thing.begin - ipa : ipa - thing.end + 1;
        if (distance < best_distance) best = &thing, best_distance = distance;
    }
    return fmt::format("no memory, no device; nearest: {}, {:#x} to {:#x}", best->what, best->begin, best->end);
}

const char* mode_name(std::uint64_t cpsr) {
    switch (cpsr & 0x1f) {
        case 0x10: return "user";
        case 0x11: return "fiq";
        case 0x12: return "irq";
        case 0x13: return "svc";
        case 0x17: return "abort";
        case 0x1b: return "undefined";
        case 0x1f: return "system";
        default: return "unknown";
    }
}

// "write of 4 bytes to 0x1c0f0000"
std::string access(const Fact& fact, std::uint64_t address) {
    const std::string cause = fact.value("cause");
    const std::uint64_t size = fact.number("size");
    if (cause == "fetch") return fmt::format("instruction fetch from {:#x}", address);
    if (cause == "table-walk") return fmt::format("translation table walk at {:#x}", address);
    if (size == 0) return fmt::format("{} at {:#x}", cause, address);
    return fmt::format("{} of {} byte{} {} {:#x}", cause, size, size == 1 ? "" : "s", cause == "read" ? "from" : "to", address);
}

// What the partition's address space has there, and what was wrong with the access.
std::string explain(const Fact& fact, const PlannedPartition& partition) {
    const std::uint64_t ipa = fact.number("ipa"), address = fact.number("address");
    std::string why = whereabouts(partition, ipa);
    if (fact.value("reason") == "permission") why += "; not allowed there";
    if (fact.value("reason") == "no-syndrome")
        why += "; this kind of instruction is not emulated for devices: use loads and stores of registers";
    return address != ipa ? fmt::format("{}, virtual {:#x}", why, address) : why;
}

std::string tell_fault(const Fact& fact, const PlannedPartition& partition) {
    const std::uint64_t pc = fact.number("pc");
    const std::string action = fact.value("action"), who = fmt::format("{}/vcpu{}", partition.name, fact.value("vcpu"));
    const std::string result = action == "halt"      ? "ended all partitions"
                               : action == "stop"    ? "stopped the partition"
                               : action == "restart" ? "restarted the partition"
                                                     : "injected an abort";
    if (fact.value("cause") == "asynchronous-abort")
        return fmt::format("{}: an access of its own ended in an asynchronous external abort near pc {:#x}: {}", who, pc, result);
    // Of an external abort the hardware tells the virtual address alone.
    const bool external = fact.value("reason") == "external", walk = fact.value("reason") == "table-walk";
    const std::string what =
        walk       ? access(fact, fact.number("address")) + " (virtual; its translation tables lie where the partition has nothing)"
        : external ? access(fact, fact.number("address")) + " (virtual; the bus answered with an error)"
                   : fmt::format("{} ({})", access(fact, fact.number("ipa")), explain(fact, partition));
    return fmt::format("{}: {}: {} at pc {:#x}, {} mode", who, what, result, pc, mode_name(fact.number("cpsr")));
}

// "edu@1,0 (stream 0x8) of motion: DMA write to 0x8f000000 blocked: not motion's memory (…): …"
std::string tell_dma(const Fact& fact, const PlannedPartition& partition) {
    const std::uint64_t stream = fact.number("stream"), address = fact.number("address");
    std::string device = "a device";
    for (const PlannedMaster& master : partition.masters)
        if (master.device->stream == stream) device = master.device->path.substr(master.device->path.rfind('/') + 1);
    const std::string action = fact.value("action"), reason = fact.value("reason");
    const std::string why = reason == "unmapped"     ? fmt::format("not {}'s memory ({})", partition.name, whereabouts(partition, address))
                            : reason == "permission" ? fmt::format("not allowed there ({})", whereabouts(partition, address))
                                                     : fmt::format("the System MMU's fault {:#x}", fact.number("code"));
    const std::string result = action == "halt"      ? "ended all partitions"
                               : action == "stop"    ? "stopped the partition"
                               : action == "restart" ? "restarted the partition"
                                                     : "the device is cut off until the partition's next life";
    return fmt::format("{} (stream {:#x}) of {}: DMA {} {:#x} blocked: {}: {}", device, stream, partition.name,
                       fact.value("cause") == "write" ? "write to" : "read from", address, why, result);
}

// The report of a partition's end: where a vCPU was, or a line that belongs to it.
std::string tell_last_words(const Fact& fact, const PlannedPartition& partition) {
    const auto word = [&](const char* key) { return fmt::format("{:08x}", fact.number(key)); };
    if (fact.kind == "stopped")
        return fmt::format("{}/vcpu{}: was at pc {:#x}, {} mode, sp {:#x}, lr {:#x}", partition.name, fact.value("vcpu"), fact.number("pc"),
                           mode_name(fact.number("cpsr")), fact.number("sp"), fact.number("lr"));
    if (fact.kind == "aborts")
        return fmt::format("    MMU {}; its last aborts: DFSR {:#x} at {:#x}, IFSR {:#x} at {:#x}",
                           (fact.number("sctlr") & 1u) != 0 ? "on" : "off", fact.number("dfsr"), fact.number("dfar"), fact.number("ifsr"),
                           fact.number("ifar"));
    if (fact.kind == "registers") {
        const std::uint64_t from = fact.number("from");
        return fmt::format("    r{:<2} {}  r{:<2} {}  r{:<2} {}  r{:<2} {}", from, word("a"), from + 1, word("b"), from + 2, word("c"),
                           from + 3, word("d"));
    }
    if (fact.kind == "stack")
        return fmt::format("    stack {:08x}: {} {} {} {}", fact.number("from"), word("a"), word("b"), word("c"), word("d"));
    return fmt::format("    exits so far: {} interrupts, {} waits, {} calls, {} accesses to devices, {} coprocessor, {} others",
                       fact.value("interrupts"), fact.value("waits"), fact.value("calls"), fact.value("accesses"),
                       fact.value("coprocessor"), fact.value("others"));
}

std::string tell_state(const Fact& fact) {
    const std::string state = fact.value("is"), name = fact.value("name");
    static const std::map<std::string, std::string> reasons{{"guest", "it reset itself"},
                                                            {"exit", "it powered itself off"},
                                                            {"fault", "after a fault"},
                                                            {"watchdog", "by its watchdog"},
                                                            {"manager", "as was asked for"}};
    const auto reason = reasons.find(fact.value("reason"));
    const std::string why = reason == reasons.end() ? "" : ", " + reason->second;
    if (state == "off") return fmt::format("{}: off{}", name, reason != reasons.end() && reason->first == "exit" ? "" : why);
    if (state == "restarting") return fmt::format("{}: restarting{}", name, why);
    if (state == "loaded") return fmt::format("{}: given something else to run", name);
    if (state == "emptied") return fmt::format("{}: its place is free", name);
    if (state == "paused" || state == "resumed") return fmt::format("{}: {}", name, state);
    const std::uint64_t starts = fact.number("starts");
    return starts > 1 ? fmt::format("{}: running (start {})", name, starts) : fmt::format("{}: running", name);
}

}  // namespace

std::string Fact::value(const std::string& key) const {
    const auto at = values.find(key);
    return at == values.end() ? "" : at->second;
}

std::uint64_t Fact::number(const std::string& key) const { return std::strtoull(value(key).c_str(), nullptr, 0); }

Fact parse_fact(const std::string& line) {
    Fact fact;
    std::size_t at = line.find(' ');
    fact.kind = line.substr(0, at);
    while (at != std::string::npos) {
        const std::size_t begin = at + 1, equals = line.find('=', begin);
        if (equals == std::string::npos) break;
        const std::string key = line.substr(begin, equals - begin);
        at = key == "what" ? std::string::npos : line.find(' ', equals);  // `what` is the rest of the line
        fact.values[key] = line.substr(equals + 1, at == std::string::npos ? at : at - equals - 1);
    }
    return fact;
}

std::string fact_as_json(const Fact& fact) {
    nlohmann::ordered_json out{{"event", fact.kind}};
    for (const auto& [key, value] : fact.values) out[key] = value;
    return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string tell(const Fact& fact, const Plan& plan) {
    const std::uint64_t number = fact.number("partition");
    const bool known = fact.values.contains("partition") && number < plan.partitions.size();
    if (fact.kind == "fault" && known) return tell_fault(fact, plan.partitions[number]);
    if (fact.kind == "dma" && known) return tell_dma(fact, plan.partitions[number]);
    if (fact.kind == "dma-lost") return "devices did more that was blocked than the System MMU could keep: some of it is not told";
    if (fact.kind == "pci" && known)
        return fmt::format("{}'s PCI function {:02x}.{}: its register {:#x} holds {:#x}, which is not what the board's device tree says",
                           plan.partitions[number].name, fact.number("function") >> 3, fact.number("function") & 7, fact.number("register"),
                           fact.number("found"));
    if (fact.kind == "state") return tell_state(fact);
    static const std::set<std::string> last_words{"stopped", "aborts", "registers", "stack", "exits"};
    if (last_words.contains(fact.kind) && known) return tell_last_words(fact, plan.partitions[number]);
    if (fact.kind == "suppressed" && known)
        return fmt::format("{}: {} more reports in the last second were left out", plan.partitions[number].name, fact.value("reports"));
    if (fact.kind == "watchdog" && known)
        return fmt::format("{}: its watchdog was not fed in time; the longest is {} ms", plan.partitions[number].name, fact.value("ms"));
    if (fact.kind == "unserved" && known) {
        const std::uint64_t server = fact.number("server");
        const std::string name = server < plan.partitions.size() ? plan.partitions[server].name : fact.value("server");
        return fmt::format("{}: an access to its virtio device was not served: {} {}; it reads as 0", plan.partitions[number].name, name,
                           fact.value("is") == "late" ? fmt::format("did not answer within {} ms", fact.value("ms")) : "does not run");
    }
    if (fact.kind == "restart-limit" && known)
        return fmt::format("{}: more than {} restarts in {} ms: it stays off", plan.partitions[number].name, fact.value("restarts"),
                           fact.value("ms"));
    if (fact.kind == "erratum")
        return fmt::format("CPU {} has erratum {}, which is worked around", fact.value("cpu"), fact.value("number"));
    if (fact.kind == "boot")
        return fmt::format("Partita {}.{}: {} CPU{}, {} partition{}, {} list registers", fact.value("major"), fact.value("minor"),
                           fact.value("cpus"), fact.number("cpus") == 1 ? "" : "s", fact.value("partitions"),
                           fact.number("partitions") == 1 ? "" : "s", fact.value("list-registers"));
    if (fact.kind == "lost")
        return fmt::format("{} lines of this log were lost: more was to be told than the board's console can carry", fact.value("lines"));
    if (fact.kind == "done") return "all partitions are off";
    if (fact.kind == "entropy") return "firmware left no entropy: guests get no rng-seed";
    if (fact.kind == "panic") {
        std::string out = fmt::format("PANIC in the hypervisor on CPU {}: {}", fact.number("cpu"), fact.value("what"));
        if (fact.values.contains("pc"))
            out += fmt::format(" at pc {}, HSR {}, HDFAR {}, lr {}, sp {}", fact.value("pc"), fact.value("hsr"), fact.value("hdfar"),
                               fact.value("lr"), fact.value("sp"));
        if (fact.values.contains("detail")) out += fmt::format(" (detail {})", fact.value("detail"));
        return out;
    }
    std::string out = fact.kind;
    for (const auto& [key, value] : fact.values) out += fmt::format(" {}={}", key, value);
    return out;
}

}  // namespace partita::tool
