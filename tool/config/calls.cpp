#include "config/calls.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string_view>

#include "partita/hypercall.h"
#include "partita/system_image.h"

namespace partita::tool {

namespace {

struct Call {
    std::string_view name, stub;
    std::uint32_t number, rights;
    std::string_view arguments, results, purpose;
};

constexpr Call calls[] = {
#define PARTITA_CALL(NAME, number, name, rights, arguments, results, purpose) {#NAME, #name, number, rights, arguments, results, purpose},
    PARTITA_HYPERCALL_TABLE(PARTITA_CALL)
#undef PARTITA_CALL
};

struct Answer {
    std::string_view name;
    std::int32_t value;
    std::string_view meaning;
};

constexpr Answer answers[] = {
    {"SUCCESS", PSCI_SUCCESS, "it was done"},
    {"NOT_SUPPORTED", PARTITA_NOT_SUPPORTED, "there is no such function, or not for this partition; nothing was done"},
    {"INVALID_PARAMETERS", PSCI_INVALID_PARAMETERS, "an argument cannot be; nothing was done, as with all that follow"},
    {"DENIED", PSCI_DENIED, "the partition may not, or the port is for the other direction"},
    {"INVALID_ADDRESS", PSCI_INVALID_ADDRESS, "not memory of the partition"},
    {"EMPTY", PARTITA_EMPTY, "nothing was sent since the last message was taken, or no value yet"},
    {"FULL", PARTITA_FULL, "the queue has no room; the port's interrupt comes when it has"},
    {"BUSY", PARTITA_BUSY, "another virtual CPU, or the sender, is at it at this moment: again"},
    {"TOO_SOON", PARTITA_TOO_SOON, "the doorbell rang less than its shortest interval ago"},
    {"NO_MESSAGE_PAGE", PARTITA_NO_MESSAGE_PAGE, "the virtual CPU has not said where its messages are"},
};

std::string rights_of(std::uint32_t rights) {
    if ((rights & PARTITA_RIGHT_MANAGE) != 0) return "; needs the right `manage`";
    return (rights & PARTITA_RIGHT_SERVE) != 0 ? "; needs the right `serve`" : "";
}

}  // namespace

std::string hypercalls_as_markdown() {
    std::string out =
        "# Hypercalls\n\n"
        "This page is made by `partita schema --hypercalls` from the table that the dispatcher and the SDK's stubs are made of "
        "([`abi/partita/hypercall.h`](../abi/partita/hypercall.h)).\n\n"
        "A partition calls by `HVC #0` or `SMC #0` with the function's number in r0 and its arguments from r1 on (SMC Calling Convention "
        "1.1, Arm DEN0028). Results come in r0 to r3; a register that is no result keeps its value. PSCI 1.1 (Arm DEN0022) is at its usual "
        "numbers; what follows is the range of vendor-specific hypervisor services. A number that is not known answers NOT_SUPPORTED, and "
        "is no fault. No address is ever translated for a caller: arguments are numbers, or intermediate physical addresses.\n\n"
        "In C, each function has a stub: `partita_call_version(0, 0, 0)`, in "
        "[`partita/guest/calls.h`](../guest/include/partita/guest/calls.h).\n";
    for (const Call& call : calls)
        out += fmt::format("\n## {} (0x{:08x})\n\n{}\n\n* arguments: {}\n* results: {}\n* stub: `partita_call_{}`{}\n", call.name,
                           call.number, call.purpose, call.arguments, call.results, call.stub, rights_of(call.rights));
    out += "\n## What r0 answers\n\n| answer | value | meaning |\n|---|---|---|\n";
    for (const Answer& answer : answers) out += fmt::format("| {} | {} | {} |\n", answer.name, answer.value, answer.meaning);
    return out;
}

}  // namespace partita::tool
