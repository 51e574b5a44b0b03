#include "manager.hpp"

#include "page.hpp"
#include "partita/guest/calls.h"

namespace partita::parent {

namespace {

[[nodiscard]] std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t n) {
    std::uint32_t out = 0;
    for (std::size_t byte = 0; byte < 4; ++byte) out |= std::uint32_t{bytes[n * 4 + byte]} << 8 * byte;
    return out;
}

// How many words belong to a request; all ones: there is no such request.
[[nodiscard]] std::size_t words_of(std::uint8_t kind) {
    switch (kind) {
        case PARTITA_REQUEST_HELLO: return 0;
        case PARTITA_REQUEST_PARTITION:
        case PARTITA_REQUEST_SCHEDULE:
        case PARTITA_REQUEST_TAKE:
        case PARTITA_REQUEST_HISTORY:
        case PARTITA_REQUEST_LOG: return 1;
        case PARTITA_REQUEST_VCPU:
        case PARTITA_REQUEST_RESERVE:
        case PARTITA_REQUEST_GIVE:
        case PARTITA_REQUEST_CONTROL: return 2;
        default: return ~std::size_t{0};
    }
}

[[nodiscard]] std::uint32_t partitions() { return partita_call_partition(0, 0, 0).r1; }

template <typename State>
void put_state(control::Writer& out, const hypercall_result& result) {
    out.word(result.r0);
    if (result.r0 == PSCI_SUCCESS) out.put({message_page(), sizeof(State)});
}

}  // namespace

void Manager::receive(std::uint8_t byte) {
    if (const auto frame = reader_.feed(byte)) answer(*frame);
}

// A request that comes again, because its answer was lost, is not carried out again.
void Manager::answer(std::span<const std::uint8_t> request) {
    const partita_control_header header{request[0], request[1], static_cast<std::uint16_t>(request[2] | request[3] << 8)};
    if ((header.kind & PARTITA_CONTROL_ANSWER) != 0) return;  // its own, come back
    const std::uint32_t name = std::uint32_t{header.sequence} << 8 | header.kind, sum = control::crc32(request);
    if (name != last_ || sum != last_sum_) {
        writer_ = {};
        writer_.header(static_cast<std::uint8_t>(header.kind | PARTITA_CONTROL_ANSWER), header.sequence);
        carry_out(header, request.subspan(sizeof header));
    }
    last_ = name;
    last_sum_ = sum;
    send(writer_);
}

void Manager::carry_out(const partita_control_header& header, std::span<const std::uint8_t> arguments) {
    if (header.version == PARTITA_CONTROL_VERSION && header.kind == PARTITA_REQUEST_PUT) return put(arguments);
    const std::size_t words = words_of(header.kind);
    if (header.version != PARTITA_CONTROL_VERSION || words == ~std::size_t{0}) {
        writer_.word(static_cast<std::uint32_t>(PARTITA_NOT_SUPPORTED));
        return;
    }
    if (arguments.size() != words * 4) {
        writer_.word(static_cast<std::uint32_t>(PSCI_INVALID_PARAMETERS));
        return;
    }
    const std::uint32_t first = words > 0 ? word_at(arguments, 0) : 0, second = words > 1 ? word_at(arguments, 1) : 0;
    switch (header.kind) {
        case PARTITA_REQUEST_HELLO: return tell_hello();
        case PARTITA_REQUEST_PARTITION: return put_state<partita_partition_state>(writer_, partita_call_partition(first, 0, 0));
        case PARTITA_REQUEST_VCPU: return put_state<partita_vcpu_state>(writer_, partita_call_vcpu(first, second, 0));
        case PARTITA_REQUEST_CONTROL: return control(first, second);
        case PARTITA_REQUEST_LOG: return tell_log(first);
        case PARTITA_REQUEST_RESERVE: return reserve(first, second);
        case PARTITA_REQUEST_GIVE: {
            const hypercall_result result = store_.give(first, second);
            writer_.word(result.r0).word(result.r1);
            return;
        }
        case PARTITA_REQUEST_HISTORY: return history_.tell(writer_, first, timer_now());
        case PARTITA_REQUEST_TAKE: writer_.word(store_.take(first)); return;
        default: break;
    }
    const hypercall_result result = partita_call_schedule(first, 0, 0);
    writer_.word(result.r0).word(result.r1).word(result.r2);
}

void Manager::reserve(std::uint32_t partition, std::uint32_t bytes) {
    const bool known = partita_call_partition(partition, 0, 0).r0 == PSCI_SUCCESS;
    if (!known) {
        writer_.word(static_cast<std::uint32_t>(PSCI_INVALID_PARAMETERS));
        return;
    }
    const std::uint32_t offset = bytes != 0 ? store_.reserve(partition, bytes) : 0;
    writer_.word(PSCI_SUCCESS).word(offset).word(store_.room());
}

void Manager::put(std::span<const std::uint8_t> arguments) {
    const bool good = arguments.size() >= 4 && store_.put(word_at(arguments, 0), arguments.subspan(4));
    writer_.word(static_cast<std::uint32_t>(good ? PSCI_SUCCESS : PSCI_INVALID_ADDRESS));
}

void Manager::tell_hello() { writer_.word(PSCI_SUCCESS).word(partitions()).word(reader_.refused()).word(life_number()); }

void Manager::tell_log(std::uint32_t from) {
    constexpr std::uint32_t most = 512;
    const hypercall_result first = partita_call_log(0, most, from);
    if (first.r0 != PSCI_SUCCESS) {
        writer_.word(first.r0);
        return;
    }
    // The hypervisor gives less at once. What follows lies behind it, unless so much was written meanwhile that it is gone.
    std::uint32_t bytes = first.r1;
    for (std::uint32_t more = bytes; more != 0 && bytes < most; bytes += more) {
        const hypercall_result next = partita_call_log(bytes, most - bytes, first.r2 + bytes);
        more = next.r0 == PSCI_SUCCESS && next.r2 == first.r2 + bytes ? next.r1 : 0;
    }
    writer_.word(PSCI_SUCCESS).word(first.r2).word(bytes).put({message_page(), bytes});
}

// Nobody would be left to answer after its own restart.
void Manager::control(std::uint32_t partition, std::uint32_t action) {
    const auto& state = *reinterpret_cast<const partita_partition_state*>(message_page());
    if (action == PARTITA_CONTROL_RESTART && partita_call_partition(partition, 0, 0).r0 == PSCI_SUCCESS && state.itself != 0) {
        writer_.word(PSCI_SUCCESS);
        send(writer_);
    }
    const hypercall_result result = partita_call_control(partition, action, 0);
    // One that is off has nothing to stop but what is to come.
    const bool waited = action == PARTITA_CONTROL_STOP && history_.stay_off(partition);
    writer_.word(waited ? PSCI_SUCCESS : result.r0);
}

void Manager::tell_news() {
    control::Writer frame;
    send(frame.header(PARTITA_NEWS, 0));
}

// A copy: what is sent is made of the answer, and the answer may be wanted again.
void Manager::send(control::Writer frame) {
    (void)frame.finish([this](std::uint8_t byte) { uart_.put(byte); });
}

}  // namespace partita::parent
