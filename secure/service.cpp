#include "service.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "keys.hpp"
#include "storage.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr Results invalid{static_cast<uint32_t>(PARTITA_TRUSTED_INVALID)};
constexpr Results denied{static_cast<uint32_t>(PARTITA_TRUSTED_DENIED)};

// A call while it is carried out: its input is within bounds.
struct Request {
    const Call& call;
    partita_trusted_page& page;
    const Boot& boot;

    // The caller is partition identity - 1 of the description: its keys are its name's.
    [[nodiscard]] const partita_measurement& caller() const { return boot.measured.all[call.identity]; }
    [[nodiscard]] Bytes input() const { return {page.input, page.input_size}; }
    [[nodiscard]] KeyName name(const char* use) const {
        return {use, {reinterpret_cast<const std::uint8_t*>(caller().name), sizeof caller().name}, page.label};
    }
    [[nodiscard]] Hash key(const char* use) const { return derive(name(use)); }
    // The output's place, of this size.
    [[nodiscard]] std::span<std::uint8_t> output(std::size_t size) const {
        page.output_size = static_cast<uint32_t>(size);
        return {page.output, size};
    }
    [[nodiscard]] Results put(const Hash& value) const {
        std::copy(value.begin(), value.end(), output(value.size()).begin());
        return {};
    }
};

// The functions of PARTITA_TRUSTED_TABLE, by their names there.
namespace function {

Results random(const Request& request) {
    if (request.call.r2 == 0 || request.call.r2 > PARTITA_TRUSTED_OUTPUT) return invalid;
    Random{}.fill(request.output(request.call.r2));
    return {};
}

Results hash(const Request& request) { return request.put(secure::hash(request.input())); }
Results hmac(const Request& request) { return request.put(secure::hmac(request.key("hmac"), request.input())); }

Results seal(const Request& request) {
    secure::seal(request.key("seal"), request.input(), request.output(request.page.input_size + nonce_size + tag_size));
    return {};
}

Results open(const Request& request) {
    if (request.page.input_size < nonce_size + tag_size) return invalid;
    return secure::open(request.key("seal"), request.input(), request.output(request.page.input_size - nonce_size - tag_size)) ? Results{}
                                                                                                                               : denied;
}

Results sign(const Request& request) {
    secure::sign(request.key("sign"), secure::hash(request.input()), request.output(signature_size).first<signature_size>());
    return {};
}

Results public_key(const Request& request) {
    secure::public_key(request.key("sign"), request.output(public_key_size).first<public_key_size>());
    return {};
}

// The attestation key is the device's: no partition's name is empty.
[[nodiscard]] Hash attestation_seed() { return derive({"attestation", {}, {}}); }

Results quote(const Request& request) {
    auto& out = *reinterpret_cast<partita_quote*>(request.output(sizeof(partita_quote)).data());
    const Boot& boot = request.boot;
    out = {.magic = PARTITA_QUOTE_MAGIC,
           .flags = boot.verified ? PARTITA_QUOTE_VERIFIED : 0,
           .image_version = boot.version,
           .reserved = 0,
           .partition = {},
           .hash = {},
           .system = {},
           .nonce = {},
           .signature = {}};
    std::copy_n(request.caller().name, sizeof out.partition, out.partition);
    std::copy_n(request.caller().hash, sizeof out.hash, out.hash);
    std::copy(boot.measured.system.begin(), boot.measured.system.end(), out.system);
    const Hash nonce = secure::hash(request.input());
    std::copy(nonce.begin(), nonce.end(), out.nonce);
    const Hash all = secure::hash({reinterpret_cast<const std::uint8_t*>(&out), offsetof(partita_quote, signature)});
    secure::sign(attestation_seed(), all, out.signature);
    return {};
}

[[nodiscard]] Results result(int code) { return {static_cast<uint32_t>(code)}; }

[[nodiscard]] std::uint64_t value_of_counter(const Request& request) {
    std::uint64_t value = 0;
    std::array<std::uint8_t, sizeof value> bytes;
    if (recall(request.name("counter"), bytes)) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

Results counter(const Request& request) {
    if (!has_storage()) return result(PARTITA_TRUSTED_NO_STORAGE);
    const std::uint64_t value = value_of_counter(request);
    std::memcpy(request.output(sizeof value).data(), &value, sizeof value);
    return {};
}

Results increment(const Request& request) {
    const std::uint64_t value = value_of_counter(request) + 1;
    const auto bytes = request.output(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return result(keep(request.call.identity, request.name("counter"), bytes));
}

Results store(const Request& request) {
    if (request.page.input_size > PARTITA_TRUSTED_VALUE) return invalid;
    return result(keep(request.call.identity, request.name("value"), request.input()));
}

Results load(const Request& request) {
    if (!has_storage()) return result(PARTITA_TRUSTED_NO_STORAGE);
    (void)request.output(recall(request.name("value"), request.output(PARTITA_TRUSTED_VALUE)).value_or(0));
    return {};
}

Results attestation_key(const Request& request) {
    secure::public_key(attestation_seed(), request.output(public_key_size).first<public_key_size>());
    return {};
}

}  // namespace function

}  // namespace

Results perform(const Call& call, partita_trusted_page& page, const Boot& boot) {
    if (page.input_size > PARTITA_TRUSTED_INPUT || call.identity >= boot.measured.count) return invalid;
    page.output_size = 0;
    const Request request{call, page, boot};
    switch (call.function - PARTITA_TRUSTED_CALL) {
#define PARTITA_CASE(NAME, number, name, purpose) \
    case number: return function::name(request);
        PARTITA_TRUSTED_TABLE(PARTITA_CASE)
#undef PARTITA_CASE
        default: return {static_cast<uint32_t>(PARTITA_TRUSTED_NOT_SUPPORTED)};
    }
}

}  // namespace partita::secure
