// The parent partition's program behind bytes that anybody may have sent: it answers whole frames with whole frames, asks the hypervisor
// for nothing outside its page, and finds the next request whatever came before.
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

// The hypervisor's part: any result, in the page and nowhere else.
hypercall_result answer(std::uint32_t function, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    if (function == PARTITA_HYPERCALL_LOG) {
        require(a <= 512 && b <= 512 - a, "the room for the log");
        return {c % 5 == 0 ? ~0u : 0u, std::min(b, c % 129), c % 7 == 0 ? c + 1 : c, 0};
    }
    if (function == PARTITA_HYPERCALL_PARTITION) require(b == 0, "the place of a partition's state");
    if (function == PARTITA_HYPERCALL_VCPU) require(c == 0, "the place of a virtual CPU's state");
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
    parent::Manager manager{uart};
    // As bytes of the wire, and as the insides of frames that are whole.
    for (std::size_t n = 0; n < size; ++n) manager.receive(data[n]);
    for (std::size_t begin = 0; begin < size;) {
        const std::size_t length = std::min<std::size_t>(data[begin] % 24, size - begin);
        control::Writer writer;
        writer.header(static_cast<std::uint8_t>(1 + data[begin] % 7), data[begin]).put({data + begin, length});
        (void)writer.finish([&](std::uint8_t byte) { manager.receive(byte); });
        begin += length + 1;
    }
    require_frames(fake.sent);
    fake.sent.clear();
    control::Writer hello;
    hello.header(PARTITA_REQUEST_HELLO, 0x7777);
    manager.receive(0);
    (void)hello.finish([&](std::uint8_t byte) { manager.receive(byte); });
    require(!fake.sent.empty(), "it answers no more");
    return 0;
}
