// The flight recorder: what it writes in Hyp, and what the tool makes of it.
#include "trace/trace.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "fake_system.hpp"
#include "plan_fixture.hpp"
#include "random.hpp"
#include "trace/page.hpp"
#include "trace/recorder.hpp"
#include "trap/vectors.hpp"

namespace partita {
namespace {

using tool::Bytes;
using tool::TraceEvent;

class Recorder : public testing::Test {
protected:
    static constexpr std::size_t records = 8;
    Recorder() {
        cpu.trace = cpu.trace_begin = ring.data();
        cpu.trace_end = ring.data() + records;
    }
    [[nodiscard]] Bytes bytes() const {
        Bytes out(sizeof ring);
        std::memcpy(out.data(), ring.data(), out.size());
        return out;
    }
    std::array<partita_trace_record, records> ring{};
    Cpu cpu;
};

TEST_F(Recorder, KeepsTheLastRecordsInTheirOrder) {
    for (std::uint32_t n = 0; n < 21; ++n) {
        CNTPCT::write(0xff'ffff'fff0 + n / 2);  // wraps in the middle, and some share a time
        trace::record(cpu, PARTITA_TRACE_INJECT, n, n + 100);
    }
    const auto events = tool::read_trace(bytes(), sizeof ring);
    ASSERT_EQ(events.size(), records);
    for (std::uint32_t n = 0; n < records; ++n) {
        EXPECT_EQ(events[n].a, 13 + n);
        EXPECT_EQ(events[n].b, 113 + n);
    }
}

TEST_F(Recorder, WithoutATraceNothingIsWritten) {
    cpu.trace = nullptr;
    trace::record(cpu, PARTITA_TRACE_FAULT, 1, 2);
    EXPECT_TRUE(tool::read_trace(bytes(), sizeof ring).empty());
}

TEST_F(Recorder, NoiseIsNoEvent) {
    Bytes noise(256);
    Random random{3};
    for (int n = 0; n < 1000; ++n) {
        for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
        for (const TraceEvent& event : tool::read_trace(noise, 128)) EXPECT_LE(event.kind, PARTITA_TRACE_WINDOW);
    }
    EXPECT_TRUE(tool::read_trace(Bytes(100), 128).empty()) << "shorter than a ring";
}

TEST(Vectors, FitTheCpu) {
    EXPECT_EQ(hardening(0x412f'c0f1), Hardening::icache);     // Cortex-A15
    EXPECT_EQ(hardening(0x410f'c0e1), Hardening::predictor);  // Cortex-A17
    EXPECT_EQ(hardening(0x410f'c075), Hardening::none);       // Cortex-A7
    EXPECT_EQ(hardening(0x510f'c0f0), Hardening::none);       // another maker's
}

class Picture : public tool::PlanFixture {};

TEST_F(Picture, SlicesFollowEachOtherAndMarksHaveWords) {
    ASSERT_EQ(complaints("[system]\nboard = \"virt\"\n[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0]\n"),
              "");
    const std::vector<TraceEvent> events{{100, 0, PARTITA_TRACE_RESUME, 0, 0x4000'0000},
                                         {150, 0, PARTITA_TRACE_TRAP, 0x12u << 26, 0x4000'0010},
                                         {160, 0, PARTITA_TRACE_FAULT, 0x1234, 0x50},
                                         {175, 0, PARTITA_TRACE_RESUME, 0x100, 0},
                                         {200, 1, PARTITA_TRACE_IDLE, 0, 0}};
    const std::string json = tool::trace_as_json(*plan, events, 50'000'000);
    EXPECT_NE(json.find(R"("cat":"guest","name":"one/vcpu0","ts":0.000,"dur":1.000,"args":{"pc":"0x40000000"})"), std::string::npos)
        << json;
    EXPECT_NE(json.find(R"("cat":"hypervisor","name":"hypercall","ts":1.000,"dur":0.500)"), std::string::npos) << json;
    EXPECT_NE(json.find(R"("name":"partition 1/vcpu0")"), std::string::npos) << "a number that the plan does not have";
    EXPECT_NE(json.find(R"("name":"fault at 0x1234, IPA 0x5000","ts":1.200)"), std::string::npos) << json;
    EXPECT_NE(json.find(R"("tid":1,"cat":"idle")"), std::string::npos) << json;
}

// The data of a page, as it reads them.
nlohmann::json data_of(const std::string& page) {
    const std::string begin = R"(<script type="application/json" id="data">)";
    const std::size_t at = page.find(begin) + begin.size();
    return nlohmann::json::parse(page.substr(at, page.find("</script>", at) - at));
}

TEST_F(Picture, APageHasSlicesWindowsAndArrows) {
    const char* const text =
        "[system]\nboard = \"virt\"\n[[cpu]]\nid = 0\nslice = \"1 ms\"\n[[schedule]]\nname = \"s\"\nframe = \"2 ms\"\n"
        "[[window]]\ncpus = [0]\nat = \"0 ms\"\nlength = \"1 ms\"\npartitions = [\"one\", \"two\"]\n"
        "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0, 1]\n"
        "[[partition]]\nname = \"two\"\nkernel = \"a.elf\"\nmemory = \"4 MiB\"\ncpus = [0, 2]\n";
    ASSERT_EQ(complaints(text), "");
    const auto sgi = [](std::uint32_t targets, std::uint32_t number) { return targets << 16 | number; };
    const std::vector<TraceEvent> events{
        {1000, 0, PARTITA_TRACE_WINDOW, 10, 0},
        {1010, 0, PARTITA_TRACE_RESUME, PARTITA_TRACE_VCPU(0, 0), 0x4000'0000},
        {1010, 1, PARTITA_TRACE_RESUME, PARTITA_TRACE_VCPU(0, 1), 0},
        {1010, 2, PARTITA_TRACE_RESUME, PARTITA_TRACE_VCPU(1, 1), 0},
        {1100, 0, PARTITA_TRACE_TRAP, 0x24u << 26 | 1u << 6, 0x4000'0010},
        {1110, 0, PARTITA_TRACE_SGI, sgi(0b10, 5), 0},
        {1120, 2, PARTITA_TRACE_INJECT, 5, 1},  // another partition's
        {1130, 1, PARTITA_TRACE_INJECT, 6, 1},  // another number
        {1140, 1, PARTITA_TRACE_INJECT, 5, 1},
        {1150, 1, PARTITA_TRACE_INJECT, 5, 1},  // it was for the one before
        {1160, 1, PARTITA_TRACE_SGI, 1u << 24 | 3, 1},
        {1170, 0, PARTITA_TRACE_INJECT, 3, 0},
        {1200, 9, PARTITA_TRACE_IDLE, 0, 0},  // there is no such CPU
    };
    const auto data = data_of(tool::trace_as_page(*plan, events, 100'000'000, "a </script> & \"b\""));
    EXPECT_EQ(data["title"], "a </script> & \"b\"");
    EXPECT_EQ(data["partitions"], nlohmann::json({"one", "two"}));
    ASSERT_EQ(data["cpus"].size(), 4u);
    const auto& cpu = data["cpus"][0];
    ASSERT_EQ(cpu.size(), 10u) << cpu;
    EXPECT_EQ(cpu[0], 100);
    EXPECT_EQ(cpu[1], 900);
    EXPECT_EQ(data["names"][cpu[3].get<std::size_t>()], "one/vcpu0");
    EXPECT_EQ(cpu[4], 0x4000'0000);
    EXPECT_EQ(cpu[5], 1000);
    EXPECT_EQ(data["names"][cpu[8].get<std::size_t>()], "device write");
    EXPECT_EQ(data["windows"], nlohmann::json({{0, -100, 999'900, 3}}));
    EXPECT_EQ(data["arrows"], nlohmann::json({{1100, 0, 1400, 1, "SGI 5"}, {1600, 1, 1700, 0, "SGI 3"}}));
    EXPECT_EQ(data["events"], 12);
    EXPECT_EQ(data_of(tool::trace_as_page(*plan, {}, 100'000'000, ""))["end"], 0) << "nothing was recorded";
}

}  // namespace
}  // namespace partita
