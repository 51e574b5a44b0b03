#include "image/kernel.hpp"

#include "image/serves.hpp"

#include "plan_fixture.hpp"
#include "random.hpp"

namespace partita::tool {
namespace {

Bytes uimage() {
    Bytes out(64 + 100, 0x33);
    const auto put = [&](std::size_t at, std::uint32_t value) { put_word(out, at, __builtin_bswap32(value)); };
    put(0, 0x27051956), put(12, 100), put(16, 0x4000'8000), put(20, 0x4000'8040);
    out[28] = 5, out[29] = 2, out[30] = 2, out[31] = 0;
    std::memcpy(out.data() + 32, "test\0", 5);
    return out;
}

TEST(Kernel, IsRecognised) {
    EXPECT_EQ(recognise(elf_at(0)), "elf");
    EXPECT_EQ(recognise(zimage(1)), "zimage");
    EXPECT_EQ(recognise(uimage()), "uimage");
    EXPECT_EQ(recognise(Bytes{0x1f, 0x8b, 8}), "a gzip file");
    EXPECT_EQ(recognise(Bytes{}), "");
}

TEST(Kernel, ElfSegmentsAndPhysicalEntry) {
    const auto image = read_elf(elf_at(0x4001'0000));
    ASSERT_TRUE(image);
    EXPECT_EQ(image->entry, 0x4001'0008u);
    EXPECT_EQ(image->segments[0].bytes.size(), 64u);
    EXPECT_EQ(image->segments[0].memory_size, 128u);
}

TEST(Kernel, ElfMistakes) {
    auto other = elf_at(0);
    other[4] = 2;
    EXPECT_EQ(read_elf(other).error(), "it is an ELF file, but not for a 32-bit little-endian CPU");
    other = elf_at(0);
    other[0x12] = 3;
    EXPECT_EQ(read_elf(other).error(), "it is an ELF file, but not for Arm");
    other = elf_at(0);
    other.resize(100);
    EXPECT_EQ(read_elf(other).error(), "its segment 0 lies outside the file: it is damaged");
    other = elf_at(0);
    put_word(other, 0x18, 0x10);
    EXPECT_EQ(read_elf(other).error(), "its entry point lies in none of its segments");
}

TEST(Kernel, ZImageTellsItsUnpackedSize) {
    EXPECT_EQ(read_zimage(zimage(12345))->unpacked_size, 12345u + 0x1000);
    EXPECT_EQ(read_zimage(zimage(12345))->text_offset, 0x20'8000u);
    auto silent = zimage(1);
    put_word(silent, 0x34, 0);
    EXPECT_EQ(read_zimage(silent)->unpacked_size, 0u);
    auto cut = zimage(1);
    cut.resize(2000);
    EXPECT_EQ(read_zimage(cut).error(), "it is shorter than its header says: it was cut off");
}

TEST(Kernel, UImage) {
    const auto image = read_uimage(uimage());
    ASSERT_TRUE(image);
    EXPECT_EQ(image->load, 0x4000'8000u);
    EXPECT_EQ(image->entry, 0x4000'8040u);
    EXPECT_EQ(image->payload.size(), 100u);
    EXPECT_EQ(image->name, "test");
    auto other = uimage();
    other[31] = 1;
    EXPECT_EQ(read_uimage(other).error(), "it is compressed; unpack it first");
    other = uimage();
    other[29] = 22;
    EXPECT_EQ(read_uimage(other).error(), "its header says that it is not for 32-bit Arm");
}

TEST(Kernel, AProgramSaysWhatItCanServe) {
    EXPECT_EQ(read_serves(elf_that_serves("console=8 disk=16")), (Serves{{"console", 8}, {"disk", 16}}));
    EXPECT_EQ(read_serves(elf_that_serves("")), Serves{}) << "nothing";
    EXPECT_EQ(read_serves(elf_that_serves("disk=x console =1 rng=5")), (Serves{{"", 1}, {"rng", 5}})) << "words that are none say nothing";
    EXPECT_FALSE(read_serves(elf_at(0x4001'0000))) << "without sections";
    EXPECT_FALSE(read_serves(zimage(1)));
    Bytes cut = elf_that_serves("console=8");
    cut.resize(cut.size() - 1);
    EXPECT_FALSE(read_serves(cut));
    EXPECT_TRUE(read_elf(elf_that_serves("console=8"))) << "and is a program all the same";
}

TEST(Kernel, ReadersAreTotal) {
    Random random{11};
    for (int n = 0; n < 100'000; ++n)
        for (Bytes bytes : {elf_at(0x4000'0000), elf_that_serves("disk=1"), zimage(5), uimage()}) {
            for (unsigned times = random() % 4 + 1; times != 0; --times)
                bytes[random() % std::min<std::size_t>(bytes.size(), 200)] = static_cast<std::uint8_t>(random());
            // Its table of sections is at its end.
            if (random() % 2 == 0) bytes[bytes.size() - 1 - random() % 120] = static_cast<std::uint8_t>(random());
            if (random() % 4 == 0) bytes.resize(random() % bytes.size());
            (void)read_elf(bytes), (void)read_zimage(bytes), (void)read_uimage(bytes), (void)read_serves(bytes), (void)recognise(bytes);
        }
}

}  // namespace
}  // namespace partita::tool
