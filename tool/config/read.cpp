// From TOML to a description, guided by the schema.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/description.hpp"
#include "config/schema.hpp"
#include "config/section_reader.hpp"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

[[nodiscard]] Placed<std::filesystem::path> resolve(const Placed<std::string>& text, const std::filesystem::path& folder) {
    return {text.value.empty() ? std::filesystem::path{} : (folder / text.value).lexically_normal(), text.place};
}

CpuDescription read_cpu(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("cpu"), table, diagnostics};
    return {reader.number("id").value_or(Placed<std::uint64_t>{0, reader.place()}),
            reader.quantity("slice").value_or(Placed<std::uint64_t>{0, reader.place()})};
}

ScheduleDescription read_schedule(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("schedule"), table, diagnostics};
    return {reader.place(), reader.text("name"), reader.quantity("frame").value_or(Placed<std::uint64_t>{0, reader.place("frame")})};
}

WindowDescription read_window(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("window"), table, diagnostics};
    WindowDescription out;
    out.place = reader.place();
    out.schedule = reader.text("schedule");
    out.cpus = reader.numbers("cpus");
    out.at = reader.quantity("at").value_or(Placed<std::uint64_t>{0, reader.place("at")});
    out.length = reader.quantity("length").value_or(Placed<std::uint64_t>{0, reader.place("length")});
    out.partitions = reader.texts("partitions");
    return out;
}

ChannelDescription read_channel(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("channel"), table, diagnostics};
    ChannelDescription out;
    out.place = reader.place();
    out.name = reader.text("name");
    out.kind = reader.choice("kind");
    out.from = reader.text("from");
    out.to = reader.texts("to");
    out.to_place = reader.place("to");
    out.message = reader.quantity("message");
    out.depth = reader.number("depth");
    out.refresh = reader.quantity("refresh");
    out.interval = reader.quantity("interval");
    out.told = reader.flag("told");
    out.size = reader.quantity("size");
    out.back = reader.quantity("back");
    out.common = reader.quantity("common");
    out.attributes = reader.choice("attributes");
    return out;
}

// The tables of a repeated section; a single [name] where [[name]] is meant is an error with its remedy.
std::vector<const toml::table*> tables_of(const toml::table& root, const Section& section, Diagnostics& diagnostics) {
    std::vector<const toml::table*> out;
    const toml::node* const node = root.get(section.name.substr(section.name.rfind('.') + 1));
    if (node == nullptr) {
        if (section.required)
            diagnostics.error({}, fmt::format("no {0}{1}{2} section; add one", section.repeated ? "[[" : "[", section.name,
                                              section.repeated ? "]]" : "]"));
        return out;
    }
    const toml::array* const list = node->as_array();
    if (!section.repeated && node->is_table()) {
        out.push_back(node->as_table());
    } else if (section.repeated && list != nullptr) {
        for (const toml::node& element : *list)
            if (element.is_table())
                out.push_back(element.as_table());
            else
                diagnostics.error(place_of(element.source()), fmt::format("{0} must be sections [[{0}]]", section.name));
        if (list->empty()) diagnostics.error(place_of(node->source()), fmt::format("no [[{}]] section; add one", section.name));
    } else {
        diagnostics.error(place_of(node->source()),
                          fmt::format("write {0}{1}{2} here", section.repeated ? "[[" : "[", section.name, section.repeated ? "]]" : "]"));
    }
    return out;
}

PoolDescription read_pool(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("pool"), table, diagnostics};
    PoolDescription out;
    out.place = reader.place();
    out.store = reader.quantity("store").value_or(Placed<std::uint64_t>{0, reader.place()});
    out.partitions = reader.number("partitions").value_or(Placed<std::uint64_t>{0, reader.place()});
    out.memory = reader.quantity("memory");
    out.cpus = reader.numbers("cpus");
    out.cpus_place = reader.place("cpus");
    out.priority = reader.number("priority");
    out.budget = reader.quantity("budget");
    out.budget_period = reader.quantity("budget_period");
    if (out.partitions.value == 0) return out;
    if (!table.contains("memory"))
        diagnostics.error(out.partitions.place,
                          "this [pool] has places for partitions, and no \"memory\"; add a line like: memory = \"16 MiB\"");
    if (!table.contains("cpus"))
        diagnostics.error(out.partitions.place, "this [pool] has places for partitions, and no \"cpus\"; add a line like: cpus = [2]");
    return out;
}

// A place of the pool is a partition that has nothing to run yet.
PartitionDescription place_of_pool(const PoolDescription& pool, std::uint64_t number) {
    PartitionDescription out;
    out.is_place = true;
    out.place = pool.place;
    out.name = {fmt::format("pool-{}", number), pool.place};
    out.memory = *pool.memory;
    out.cpus = pool.cpus;
    out.cpus_place = pool.cpus_place;
    out.priority = pool.priority.value_or(Placed<std::uint64_t>{0, pool.place});
    out.budget = pool.budget, out.budget_period = pool.budget_period;
    out.start = {false, pool.place};
    for (const auto& [value, key] : {std::pair{&out.format, "format"},
                                     {&out.budget_for, "budget_for"},
                                     {&out.over_budget, "over_budget"},
                                     {&out.time, "time"},
                                     {&out.msi, "msi"},
                                     {&out.dma, "dma"},
                                     {&out.pmu, "pmu"},
                                     {&out.on_exit, "on_exit"},
                                     {&out.on_reset, "on_reset"},
                                     {&out.on_fault, "on_fault"}})
        *value = {default_of(*find_key(*find_section("partition"), key)), pool.place};
    return out;
}

// What the pool says for all its partitions, and what it has none of, cannot be said for one of them.
void check_pooled(const toml::table& table, Diagnostics& diagnostics) {
    static const std::set<std::string_view> known{"name", "pool", "kernel", "format",  "initrd",   "bootargs", "memory",
                                                  "cpus", "load", "entry",  "on_exit", "on_reset", "on_fault"};
    for (const auto& [key, node] : table)
        if (const Section& partition = *find_section("partition");
            !known.contains(key.str()) && (find_key(partition, key.str()) != nullptr || find_section(partition, key.str()) != nullptr))
            diagnostics.error(
                place_of(key.source()),
                fmt::format("a partition of the pool has no \"{}\" of its own; take it out, or take pool = true out", key.str()));
}

DiskDescription read_disk(const toml::table& table, const std::filesystem::path& folder, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("partition.disk"), table, diagnostics};
    DiskDescription out;
    out.place = reader.place();
    out.name = reader.text("name");
    out.size = reader.quantity("size");
    if (table.contains("image")) out.image = resolve(reader.text("image"), folder);
    out.changes = reader.quantity("changes");
    if (table.contains("on")) out.on = reader.text("on");
    if (table.contains("gpt")) out.gpt = reader.text("gpt");
    out.at = reader.quantity("at");
    out.read_only = reader.flag("read_only");
    return out;
}

PortDescription read_port(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("partition.network"), table, diagnostics};
    PortDescription out;
    out.place = reader.place();
    out.name = reader.text("name");
    if (table.contains("mac")) out.mac = reader.text("mac");
    if (table.contains("group")) out.group = reader.text("group");
    out.any_mac = reader.flag("any_mac");
    out.rate = reader.quantity("rate");
    return out;
}

NetworkDescription read_network(const toml::table& table, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("network"), table, diagnostics};
    NetworkDescription out;
    out.place = reader.place();
    out.name = reader.text("name");
    if (table.contains("uplink")) out.uplink = reader.text("uplink");
    return out;
}

PartitionDescription read_partition(const toml::table& table, const std::filesystem::path& folder, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("partition"), table, diagnostics};
    PartitionDescription out;
    out.place = reader.place();
    out.name = reader.text("name");
    out.kernel = resolve(reader.text("kernel"), folder);
    out.format = reader.choice("format");
    for (const Placed<std::string>& part : reader.texts("initrd")) out.initrd.push_back(resolve(part, folder));
    out.bootargs = reader.text("bootargs");
    out.memory = reader.quantity("memory").value_or(Placed<std::uint64_t>{0, reader.place()});
    out.memory_at = reader.number("memory_at");
    out.cpus = reader.numbers("cpus");
    out.cpus_place = reader.place("cpus");
    out.priority = reader.number("priority").value_or(Placed<std::uint64_t>{0, reader.place()});
    out.budget = reader.quantity("budget");
    out.budget_period = reader.quantity("budget_period");
    out.budget_for = reader.choice("budget_for");
    out.over_budget = reader.choice("over_budget");
    out.slack = reader.flag("slack");
    out.period = reader.quantity("period");
    out.deadline = reader.quantity("deadline");
    out.wcet = reader.quantity("wcet");
    out.time = reader.choice("time");
    out.boot_memory = reader.quantity("boot_memory");
    out.load = reader.number("load");
    out.entry = reader.number("entry");
    out.devices = reader.texts("devices");
    out.msi = reader.choice("msi");
    out.dma = reader.choice("dma");
    out.pmu = reader.choice("pmu");
    out.on_exit = reader.choice("on_exit");
    out.on_reset = reader.choice("on_reset");
    out.on_fault = reader.choice("on_fault");
    out.restart_limit = reader.number("restart_limit").value_or(Placed<std::uint64_t>{0, reader.place()});
    out.restart_period = reader.quantity("restart_period");
    out.restart_after = reader.quantity("restart_after");
    out.watchdog = reader.quantity("watchdog");
    out.watchdog_boot = reader.flag("watchdog_boot");
    out.gpio = reader.flag("gpio");
    out.control = reader.flag("control");
    out.rng = reader.flag("rng");
    out.virtio_ports = reader.flag("virtio_ports");
    out.rpmsg = reader.flag("rpmsg");
    for (const toml::table* const disk : tables_of(table, *find_section("partition.disk"), diagnostics))
        out.disks.push_back(read_disk(*disk, folder, diagnostics));
    for (const toml::table* const port : tables_of(table, *find_section("partition.network"), diagnostics))
        out.networks.push_back(read_port(*port, diagnostics));
    out.virtio_legacy = reader.flag("virtio_legacy");
    out.server = reader.text("server");
    out.server_timeout = reader.quantity("server_timeout");
    out.share = reader.choice("share");
    out.share_size = reader.quantity("share_size");
    out.start = reader.flag("start", true);
    if (reader.flag("pool").value) check_pooled(table, diagnostics);
    out.rights = reader.texts("rights");
    out.trusted = reader.texts("trusted");
    return out;
}

SecureDescription read_secure(const toml::table& table, const std::filesystem::path& folder, Diagnostics& diagnostics) {
    SectionReader reader{*find_section("secure"), table, diagnostics};
    SecureDescription out;
    out.place = reader.place();
    if (table.contains("program")) out.program = resolve(reader.text("program"), folder);
    return out;
}

}  // namespace

SystemDescription read_description(const std::string& text, const std::filesystem::path& folder, Diagnostics& diagnostics) {
    SystemDescription out;
    const auto parsed = parse_toml(text, diagnostics.file());
    if (!parsed) {
        diagnostics.error({parsed.error().line, parsed.error().column}, fmt::format("not TOML: {}", parsed.error().description));
        return out;
    }
    const toml::table& root = *parsed;
    std::vector<std::string> known;
    for (const Section& section : schema()) known.emplace_back(section.name);
    for (const auto& [key, node] : root)
        if (find_section(key.str()) == nullptr)
            diagnostics.error(place_of(key.source()),
                              fmt::format("unknown section or key \"{}\"; {}", key.str(), suggest(std::string{key.str()}, known)));
    for (const toml::table* const table : tables_of(root, *find_section("system"), diagnostics))
        out.board = SectionReader{*find_section("system"), *table, diagnostics}.text("board");
    for (const toml::table* const table : tables_of(root, *find_section("cpu"), diagnostics))
        out.cpus.push_back(read_cpu(*table, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("schedule"), diagnostics))
        out.schedules.push_back(read_schedule(*table, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("window"), diagnostics))
        out.windows.push_back(read_window(*table, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("partition"), diagnostics))
        (table->at_path("pool").value_or(false) ? out.pooled : out.partitions).push_back(read_partition(*table, folder, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("pool"), diagnostics)) out.pool = read_pool(*table, diagnostics);
    if (out.pool && out.pool->memory)
        for (std::uint64_t n = 0; n < std::min<std::uint64_t>(out.pool->partitions.value, PARTITA_MAX_PARTITIONS); ++n)
            out.partitions.push_back(place_of_pool(*out.pool, n));
    for (const toml::table* const table : tables_of(root, *find_section("channel"), diagnostics))
        out.channels.push_back(read_channel(*table, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("network"), diagnostics))
        out.networks.push_back(read_network(*table, diagnostics));
    for (const toml::table* const table : tables_of(root, *find_section("secure"), diagnostics))
        out.secure = read_secure(*table, folder, diagnostics);
    return out;
}

}  // namespace partita::tool
