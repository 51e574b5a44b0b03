#include "command/verify.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>

#include "command/load.hpp"
#include "keys.hpp"
#include "partita/measurement.h"

namespace partita::tool {

namespace {

[[nodiscard]] int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

Bytes from_hex(const std::string& what, const std::string& text, std::size_t size) {
    Bytes out;
    for (std::size_t n = 0; n + 1 < text.size(); n += 2) {
        const int high = digit(text[n]), low = digit(text[n + 1]);
        if (high < 0 || low < 0) break;
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    if (out.size() * 2 != text.size() || (size != 0 && out.size() != size))
        throw Failure{fmt::format("{} must be {}hexadecimal digits, in lower case", what,
                                  size != 0 ? fmt::format("{} ", size * 2) : "an even number of ")};
    return out;
}

std::string to_hex(std::span<const std::uint8_t> bytes) { return fmt::format("{:02x}", fmt::join(bytes, "")); }

// What `partita build --measurements` wrote: name to hash.
std::map<std::string, std::string> read_measurements(const std::string& file) {
    std::ifstream in{file};
    std::map<std::string, std::string> out;
    std::string hash, name;
    while (in >> hash >> name) out[name] = hash;
    if (!out.contains("system"))
        throw Failure{fmt::format("{} holds no measurements; write them with `partita build --measurements {}`", file, file)};
    return out;
}

void compare(const std::map<std::string, std::string>& expected, const std::string& name, std::span<const std::uint8_t> seen) {
    const auto at = expected.find(name);
    if (at == expected.end()) throw Failure{fmt::format("the quote was asked for by \"{}\", which the measurements do not have", name)};
    if (at->second != to_hex(seen))
        throw Failure{fmt::format("\"{}\" is another one than it should be: it measures {}, not {}", name, to_hex(seen), at->second)};
}

}  // namespace

CLI::App* VerifyArguments::add_to(CLI::App& app) {
    auto* const command = app.add_subcommand("verify", "Check a quote: whether a board runs what it should");
    command->add_option("QUOTE", quote, "The quote, as hexadecimal digits")->required();
    command->add_option("--key", key, "The board's attestation key, as you know it from when you set it up")->required();
    command->add_option("--nonce", nonce, "What you had it asked with, so that nobody shows you an old one")->required();
    command->add_option("--measurements", measurements, "What should run: as `partita build --measurements` wrote it");
    return command;
}

int command_verify(const VerifyArguments& arguments) {
    const Bytes key = from_hex("--key", arguments.key, PARTITA_PUBLIC_KEY_SIZE), nonce = from_hex("--nonce", arguments.nonce, 0);
    const Bytes bytes = from_hex("the quote", arguments.quote, sizeof(partita_quote));
    partita_quote quote;
    std::memcpy(&quote, bytes.data(), sizeof quote);
    quote.partition[PARTITA_NAME_SIZE - 1] = 0;
    const secure::Hash all = secure::hash(std::span{bytes}.first(offsetof(partita_quote, signature)));
    if (quote.magic != PARTITA_QUOTE_MAGIC ||
        !secure::is_signed(std::span<const std::uint8_t, secure::public_key_size>{key}, all, quote.signature))
        throw Failure{"the quote is not this board's, or was changed: its signature does not fit the key"};
    if (!std::ranges::equal(secure::hash(nonce), quote.nonce)) throw Failure{"the quote is not fresh: it was asked for with another nonce"};
    if (!arguments.measurements.empty()) {
        const auto expected = read_measurements(arguments.measurements);
        compare(expected, quote.partition, quote.hash);
        compare(expected, "system", quote.system);
    }
    fmt::print("system {}{}\nasked by {}, which is {}\n", to_hex(quote.system),
               (quote.flags & PARTITA_QUOTE_VERIFIED) != 0 ? fmt::format(", signed, version {}", quote.image_version) : ", not signed",
               quote.partition, to_hex(quote.hash));
    fmt::print("{}\n", arguments.measurements.empty()
                           ? "the quote is this board's, and fresh; --measurements says whether it is what should run"
                           : "the quote is this board's, fresh, and of what should run");
    return 0;
}

}  // namespace partita::tool
