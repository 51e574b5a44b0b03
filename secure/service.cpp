#include "service.hpp"

#include <algorithm>

#include "keys.hpp"

namespace partita::secure {

using std::uint32_t;

namespace {

constexpr Results invalid{static_cast<uint32_t>(PARTITA_TRUSTED_INVALID)};
constexpr Results denied{static_cast<uint32_t>(PARTITA_TRUSTED_DENIED)};

// A call while it is carried out: its input is within bounds.
struct Request {
    const Call& call;
    partita_trusted_page& page;

    [[nodiscard]] Bytes input() const { return {page.input, page.input_size}; }
    [[nodiscard]] Hash key(const char* use) const {
        return derive({use, {reinterpret_cast<const std::uint8_t*>(&call.identity), sizeof call.identity}, page.label});
    }
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

}  // namespace function

}  // namespace

Results perform(const Call& call, partita_trusted_page& page) {
    if (page.input_size > PARTITA_TRUSTED_INPUT) return invalid;
    page.output_size = 0;
    const Request request{call, page};
    switch (call.function - PARTITA_TRUSTED_CALL) {
#define PARTITA_CASE(NAME, number, name, purpose) \
    case number: return function::name(request);
        PARTITA_TRUSTED_TABLE(PARTITA_CASE)
#undef PARTITA_CASE
        default: return {static_cast<uint32_t>(PARTITA_TRUSTED_NOT_SUPPORTED)};
    }
}

}  // namespace partita::secure
