// The parent partition's program behind bytes that anybody may have sent: it answers whole frames with whole frames, asks the hypervisor
// for nothing outside its page and its store, and finds the next request whatever came before.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../unit/fake_parent.hpp"

namespace {

using namespace partita;

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

constexpr std::uint32_t store_ipa = 0x4020'0000, store_size = 8 * parent::page_size;
alignas(parent::page_size) std::uint8_t kept[parent::page_size];
alignas(parent::page_size) std::uint8_t guarded[store_size + 2 * parent::page_size];  // the store, and a page on each side

// The hypervisor's part: any result, in the page and nowhere else.
hypercall_result answer(std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    if (function == PARTITA_HYPERCALL_LOG) {
        require(a <= 512 && b <= 512 - a, "the room for the log");
        return {c % 5 == 0 ? ~0u : 0u, std::min(b, c % 129), c % 7 == 0 ? c + 1 : c, 0};
    }
    if (function == PARTITA_HYPERCALL_PARTITION) require(b == 0, "the place of a partition's state");
    if (function == PARTITA_HYPERCALL_VCPU) require(c == 0, "the place of a virtual CPU's state");
    if (function == PARTITA_HYPERCALL_LOAD) {
        require(c == 0 ? b == 0 : b > store_ipa && b % parent::page_size == 0, "where a record is");
        require(c <= store_size && (c == 0 || b - store_ipa <= store_size - c), "a record behind the store");
        return {a % 3 == 0 ? static_cast<std::uint32_t>(PSCI_INVALID_PARAMETERS) : 0u, a, 0, 0};
    }
    return {(a ^ b) % 3 == 0 ? 0u : a, 2, a, b};
}

void require_frames(const std::string& sent) {
    control::Reader reader;
    for (const char byte : sent)
        if (const auto frame = reader.feed(static_cast<std::uint8_t>(byte)))
            require((*frame)[0] == PARTITA_CONTROL_VERSION && ((*frame)[1] & PARTITA_CONTROL_ANSWER) != 0, "an answer");
    require(reader.refused() == 0, "an answer that is not whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FakeParent fake{.answer = answer};
    fake_parent = &fake;
    parent::Uart uart;
    parent::Store store;
    std::memset(guarded, 0, sizeof guarded);
    store.open(std::span{guarded}.subspan(parent::page_size, store_size), store_ipa);
    parent::History history{1000};
    history.open(kept);  // as other inputs left it
    history.restart_after(1, 5);
    parent::Manager manager{uart, store, history};
    // As bytes of the wire, and as the insides of frames that are whole.
    for (std::size_t n = 0; n < size; ++n) manager.receive(data[n]);
    for (std::size_t begin = 0; begin < size;) {
        const std::size_t length = std::min<std::size_t>(data[begin] % 24, size - begin);
        control::Writer writer;
        writer.header(static_cast<std::uint8_t>(1 + data[begin] % 12), data[begin]).put({data + begin, length});
        (void)writer.finish([&](std::uint8_t byte) { manager.receive(byte); });
        (void)history.look(fake.now += data[begin]);
        begin += length + 1;
    }
    for (std::uint32_t n = 0; n < parent::page_size; ++n)
        require(guarded[n] == 0 && guarded[parent::page_size + store_size + n] == 0, "it wrote beside its store");
    require_frames(fake.sent);
    fake.sent.clear();
    control::Writer hello;
    hello.header(PARTITA_REQUEST_HELLO, 0x7777);
    manager.receive(0);
    (void)hello.finish([&](std::uint8_t byte) { manager.receive(byte); });
    require(!fake.sent.empty(), "it answers no more");
    return 0;
}
