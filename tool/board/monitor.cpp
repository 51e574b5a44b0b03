#include "board/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "config/units.hpp"
#include "log.hpp"
#include "partita/flash.h"

namespace partita::tool {

namespace {

using Section = toml::node_view<const toml::node>;

struct KindOfPower {
    std::string_view name;
    partita_power power;
};
constexpr KindOfPower kinds_of_power[] = {{"none", PARTITA_POWER_NONE}, {"pl061", PARTITA_POWER_PL061}, {"sys_cfg", PARTITA_POWER_SYS_CFG}};

[[nodiscard]] std::uint64_t number(const Section& section, const char* key) {
    return static_cast<std::uint64_t>(section[key].value_or(std::int64_t{0}));
}

// A size, or why it is none.
[[nodiscard]] std::string read_size(const Section& section, const char* key, std::uint64_t& out) {
    const auto size = parse_size(section[key].value_or(std::string{}));
    if (!size) return fmt::format("monitor.{}: {}", key, size.error());
    out = *size;
    return {};
}

[[nodiscard]] std::string read_flash(const Section& monitor, MonitorPlace& place) {
    if (!monitor["flash"]) return {};
    place.flash.begin = number(monitor, "flash");
    place.system_flash.begin = number(monitor, "system_flash");
    for (const auto& [key, out] : {std::pair{"flash_size", &place.flash.size}, std::pair{"flash_block", &place.flash_block},
                                   std::pair{"system_flash_size", &place.system_flash.size}})
        if (std::string wrong = read_size(monitor, key, *out); !wrong.empty()) return wrong;
    constexpr std::uint64_t largest_block = 0x7'0000;  // two of them in the secure partition's window
    if (place.flash_block < secure::Log::smallest_area || place.flash_block > largest_block ||
        PARTITA_FLASH_STATE_AT % place.flash_block != 0)
        return fmt::format("monitor.flash_block must be a part of 1 MiB, from {} KiB to {} KiB", secure::Log::smallest_area >> 10,
                           largest_block >> 10);
    if (place.flash.size < PARTITA_FLASH_STATE_AT + 2 * place.flash_block)
        return "monitor.flash_size is less than what is kept there needs";
    return {};
}

}  // namespace

std::string read_monitor(const toml::table& table, Board& board) {
    if (table["monitor"].as_table() == nullptr) return {};
    const Section monitor = table["monitor"];
    constexpr std::uint64_t block = 0x20'0000, own_addresses = 0xc000'0000;  // monitor/start.S
    MonitorPlace& place = board.monitor.emplace();
    place.memory = number(monitor, "memory");
    place.uart = number(monitor, "uart");
    place.power_at = number(monitor, "power_at");
    const std::string power = monitor["power"].value_or(std::string{"none"});
    const auto kind = std::ranges::find(kinds_of_power, power, &KindOfPower::name);
    if (kind == std::end(kinds_of_power)) return fmt::format("monitor.power is \"{}\"; it can be none, pl061 or sys_cfg", power);
    place.power = kind->power;
    place.frequency = static_cast<std::uint32_t>(number(monitor, "frequency"));
    if (place.memory % block != 0 || place.memory >= own_addresses)
        return fmt::format("monitor.memory must be a multiple of 2 MiB below {:#x}, of the secure world's memory", own_addresses);
    if (place.uart == 0) return "monitor.uart must say where the secure world has a PL011";
    if (place.power != PARTITA_POWER_NONE && place.power_at == 0) return "monitor.power_at must say where that is";
    return read_flash(monitor, place);
}

}  // namespace partita::tool
