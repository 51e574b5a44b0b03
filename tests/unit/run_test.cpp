// Facts become sentences, and lines become verdicts.
#include "run/facts.hpp"
#include "run/session.hpp"

#include "plan_fixture.hpp"

namespace partita::tool {
namespace {

class Run : public PlanFixture {
protected:
    Run() {
        EXPECT_EQ(
            complaints("[system]\nboard = \"virt\"\n[[partition]]\nname = \"linux\"\nkernel = \"zImage\"\nmemory = \"64 MiB\"\ncpus = [0]\n"
                       "[[partition]]\nname = \"control\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [1]\n"),
            "");
    }
    std::string told(const std::string& line) { return tell(parse_fact(line), *plan); }
    static bool say(Session& session, std::uint32_t channel, const std::string& text) {
        bool over = false;
        for (const char c : text) over = session.receive(channel, c) || over;
        return over;
    }
};

TEST_F(Run, AFaultIsASentence) {
    EXPECT_EQ(told("fault partition=1 vcpu=0 cause=write reason=unmapped size=4 address=0x1c0f0000 ipa=0x1c0f0000 pc=0x40010334 "
                   "cpsr=0x60000153 action=stop"),
              "control/vcpu0: write of 4 bytes to 0x1c0f0000 (no memory, no device; nearest: clock, 0x9010000 to 0x9011000): stopped the "
              "partition at pc 0x40010334, svc mode");
    EXPECT_EQ(told("fault partition=1 vcpu=0 cause=read reason=unmapped size=1 address=0xd0200000 ipa=0x40200000 pc=0x80000000 cpsr=0x10 "
                   "action=abort"),
              "control/vcpu0: read of 1 byte from 0x40200000 (no memory, no device; nearest: memory, 0x40000000 to 0x40200000, virtual "
              "0xd0200000): injected an abort at pc 0x80000000, user mode");
    EXPECT_NE(
        told("fault partition=0 vcpu=1 cause=read reason=no-syndrome size=0 address=0x9000000 ipa=0x9000000 pc=0x1 cpsr=0x13 action=abort")
            .find("use loads and stores of registers"),
        std::string::npos);
}

TEST_F(Run, AnAsynchronousAbortIsASentence) {
    EXPECT_EQ(
        told("fault partition=1 vcpu=0 cause=asynchronous-abort reason=external size=0 address=0x0 ipa=0x0 pc=0x80 cpsr=0x13 action=stop"),
        "control/vcpu0: an access of its own ended in an asynchronous external abort near pc 0x80: stopped the partition");
}

TEST_F(Run, AnExternalAbortTellsWhatIsKnown) {
    EXPECT_EQ(
        told("fault partition=1 vcpu=0 cause=write reason=external size=2 address=0xd0200000 ipa=0x0 pc=0x80 cpsr=0x13 action=abort"),
        "control/vcpu0: write of 2 bytes to 0xd0200000 (virtual; the bus answered with an error): injected an abort at pc 0x80, svc mode");
}

TEST_F(Run, StatesAndPanicsAreSentences) {
    EXPECT_EQ(told("state partition=0 name=linux is=running starts=1"), "linux: running");
    EXPECT_EQ(told("state partition=0 name=linux is=running starts=3"), "linux: running (start 3)");
    EXPECT_EQ(told("panic cpu=0x00000001 detail=0x00000002 what=the pool is too small"),
              "PANIC in the hypervisor on CPU 1: the pool is too small (detail 0x00000002)");
    EXPECT_EQ(told("fault partition=77 nonsense"), "fault partition=77");
    EXPECT_EQ(told(""), "");
}

TEST_F(Run, EndsWhenEveryPatternWasSeen) {
    Session session{*plan, {"linux\\].*# ", "example: ok"}};
    session.print_lines(false);
    EXPECT_FALSE(say(session, 2, "login\nlinux# x\n"));
    EXPECT_FALSE(say(session, 2, "example: ok\n"));
    EXPECT_EQ(session.missing(), "'linux\\].*# '") << "the name must be that of the partition";
    EXPECT_TRUE(say(session, 1, "/ # ")) << "a prompt has no end of line";
    EXPECT_TRUE(session.satisfied());
}

TEST_F(Run, WithoutPatternsItGoesOn) {
    Session session{*plan, {}};
    session.print_lines(false);
    EXPECT_FALSE(say(session, 1, "x\n"));
    EXPECT_FALSE(session.satisfied());
    EXPECT_FALSE(say(session, 0, "done\n"));
    EXPECT_TRUE(session.done());
}

TEST_F(Run, ALineWithoutEndIsCut) {
    Session session{*plan, {"the end"}};
    session.print_lines(false);
    EXPECT_FALSE(say(session, 1, std::string(1'000'000, 'x')));
    EXPECT_LE(session.consoles()[1].partial.size(), 4096u);
    EXPECT_TRUE(say(session, 1, "the end\n"));
}

TEST_F(Run, APanicEndsIt) {
    Session session{*plan, {"never"}};
    session.print_lines(false);
    EXPECT_TRUE(say(session, 0, "panic cpu=0x0 what=x\n"));
    EXPECT_TRUE(session.panicked());
}

TEST_F(Run, ChannelsThatDoNotExistAreIgnored) {
    Session session{*plan, {"x"}};
    EXPECT_FALSE(say(session, 60, "x\n"));
}

}  // namespace
}  // namespace partita::tool
