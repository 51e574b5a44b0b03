// The trusted service, and what it knows of the system: the same code as in the secure world.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

#include "random.hpp"
#include "secure_fixture.hpp"

namespace partita::tool {
namespace {

TEST_F(SecureWorld, ToolAndSecurePartitionMeasureTheSame) {
    const SystemImage built = image();
    const auto told = measure(built, plan->hypervisor_base);
    ASSERT_TRUE(told) << told.error();
    Loaded loaded = load(built);
    Boot boot;
    EXPECT_EQ(complaint(loaded, nullptr, boot), "");
    EXPECT_FALSE(boot.verified);
    ASSERT_EQ(boot.measured.count, 3u);
    EXPECT_EQ(boot.measured.system, told->system);
    EXPECT_STREQ(boot.measured.all[0].name, "hypervisor");
    EXPECT_STREQ(boot.measured.all[1].name, "one");
    EXPECT_STREQ(boot.measured.all[2].name, "two");
    for (unsigned n = 0; n < 3; ++n) EXPECT_EQ(0, std::memcmp(boot.measured.all[n].hash, told->all[n].hash, PARTITA_HASH_SIZE));
}

TEST_F(SecureWorld, AChangedImageIsRefused) {
    const std::string file = key();
    const SystemImage built = image({.signing_key = file, .image_version = 7});
    const auto signer = SigningKey::read(file);
    ASSERT_TRUE(signer) << signer.error();
    const SigningKey::PublicKey mine = signer->public_key();
    Loaded loaded = load(built);
    Boot boot;
    EXPECT_EQ(complaint(loaded, &mine, boot), "");
    EXPECT_TRUE(boot.verified);
    EXPECT_EQ(boot.version, 7u);
    // Of each part one byte, and the signature with its version itself.
    std::vector<std::uint64_t> places{boot.measured.signature_at + 4, boot.measured.signature_at + 8, boot.measured.signature_at + 71,
                                      plan->hypervisor_base + 30};
    for (const auto& partition : plan->partitions)
        for (const auto& copy : partition.copies) places.insert(places.end(), {copy.source, copy.source + copy.bytes.size() - 1});
    for (const std::uint64_t at : places) {
        Loaded changed = loaded;
        changed.bytes[at - changed.base] ^= 1;
        Boot other;
        EXPECT_NE(complaint(changed, &mine, other), "") << std::hex << at;
        EXPECT_FALSE(other.verified);
    }
    Boot unchecked;
    EXPECT_EQ(complaint(loaded, nullptr, unchecked), "");
    EXPECT_EQ(unchecked.version, 0u) << "that it says so itself is worth nothing";
    EXPECT_FALSE(unchecked.verified);
    const SigningKey::PublicKey others = SigningKey::read(key())->public_key();
    Boot other;
    EXPECT_NE(complaint(loaded, &others, other).find("somebody else signed it"), std::string::npos);
    Loaded unsigned_one = load(image());
    EXPECT_EQ(complaint(unsigned_one, &mine, other), "the image is not signed");
    Loaded cut = loaded;
    cut.bytes.resize(cut.bytes.size() - 1);
    EXPECT_NE(complaint(cut, &mine, other), "");
}

// Nothing of the description is trusted: damage of any kind is a sentence, or another measurement, and never more.
TEST_F(SecureWorld, ADamagedDescriptionIsBorne) {
    const SystemImage built = image();
    Loaded loaded = load(built);
    Boot good;
    ASSERT_EQ(complaint(loaded, nullptr, good), "");
    const std::uint64_t tables = plan->hypervisor_base + 0x1'8000 - loaded.base;
    Random random{5};
    unsigned told = 0;
    for (unsigned n = 0; n < 1000; ++n) {
        Loaded changed = loaded;
        for (unsigned k = random.below(4) + 1; k != 0; --k) {
            const std::uint64_t at =
                random.below(8) == 0 ? plan->hypervisor_base - loaded.base + random.below(7) * 4 : tables + random.below(2000) / 4 * 4;
            const std::uint32_t value = random.below(2) != 0 ? random() : random.below(64);
            std::memcpy(changed.bytes.data() + at, &value, 4);
        }
        Boot boot;
        told += complaint(changed, nullptr, boot).empty() ? 0u : 1u;
    }
    EXPECT_GT(told, 50u);
}

TEST_F(SecureWorld, AQuoteSaysWhoAsksAndWhatRuns) {
    const std::string file = key();
    Loaded loaded = load(image({.signing_key = file, .image_version = 3}));
    const SigningKey::PublicKey mine = SigningKey::read(file)->public_key();
    Boot boot;
    ASSERT_EQ(complaint(loaded, &mine, boot), "");
    partita_trusted_page page{};
    const Call ask{PARTITA_TRUSTED_CALL + std::uint32_t{PARTITA_TRUSTED_QUOTE}, 0, 0, 0, 0, 0, 0, 2};
    page.input_size = 3;
    std::memcpy(page.input, "abc", 3);
    ASSERT_EQ(secure::perform(ask, page, boot).r0, 0u);
    ASSERT_EQ(page.output_size, sizeof(partita_quote));
    partita_quote quote;
    std::memcpy(&quote, page.output, sizeof quote);
    EXPECT_EQ(quote.magic, PARTITA_QUOTE_MAGIC);
    EXPECT_EQ(quote.flags, PARTITA_QUOTE_VERIFIED);
    EXPECT_EQ(quote.image_version, 3u);
    EXPECT_STREQ(quote.partition, "two");
    EXPECT_EQ(0, std::memcmp(quote.hash, boot.measured.all[2].hash, PARTITA_HASH_SIZE));
    EXPECT_EQ(0, std::memcmp(quote.system, boot.measured.system.data(), PARTITA_HASH_SIZE));
    const secure::Hash nonce = secure::hash({reinterpret_cast<const std::uint8_t*>("abc"), 3});
    EXPECT_EQ(0, std::memcmp(quote.nonce, nonce.data(), nonce.size()));
    const Call key_call{PARTITA_TRUSTED_CALL + std::uint32_t{PARTITA_TRUSTED_ATTESTATION_KEY}, 0, 0, 0, 0, 0, 0, 1};
    ASSERT_EQ(secure::perform(key_call, page, boot).r0, 0u);
    ASSERT_EQ(page.output_size, PARTITA_PUBLIC_KEY_SIZE);
    const std::span<const std::uint8_t, PARTITA_PUBLIC_KEY_SIZE> device{page.output, PARTITA_PUBLIC_KEY_SIZE};
    const auto hash_of = [](const partita_quote& one) {
        return secure::hash({reinterpret_cast<const std::uint8_t*>(&one), offsetof(partita_quote, signature)});
    };
    EXPECT_TRUE(secure::is_signed(device, hash_of(quote), quote.signature));
    quote.system[0] ^= 1;
    EXPECT_FALSE(secure::is_signed(device, hash_of(quote), quote.signature));
}

TEST_F(Service, KeysAreTheirOwnersAndTheirLabels) {
    put({1, 2, 3});
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    const Bytes first = output();
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC, 2), 0);
    EXPECT_NE(output(), first) << "another partition";
    page.label[3] = 1;
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    EXPECT_NE(output(), first) << "another label";
    page.label[3] = 0;
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC), 0);
    EXPECT_EQ(output(), first);
    std::strcpy(boot.measured.all[2].name, "one");
    ASSERT_EQ(call(PARTITA_TRUSTED_HMAC, 2), 0);
    EXPECT_EQ(output(), first) << "a name is who it is, wherever in the description";
}

TEST_F(Service, WhatIsSealedOpensForItsOwnerAlone) {
    Random random{3};
    for (const std::uint32_t size : {0u, 1u, 16u, 31u, PARTITA_TRUSTED_INPUT - 28}) {
        Bytes text(size);
        for (std::uint8_t& byte : text) byte = static_cast<std::uint8_t>(random());
        put(text);
        ASSERT_EQ(call(PARTITA_TRUSTED_SEAL), 0);
        const Bytes sealed = output();
        ASSERT_EQ(sealed.size(), size + 28);
        ASSERT_EQ(call(PARTITA_TRUSTED_SEAL), 0);
        EXPECT_NE(output(), sealed) << "another nonce each time";
        put(sealed);
        ASSERT_EQ(call(PARTITA_TRUSTED_OPEN), 0);
        EXPECT_EQ(output(), text);
        EXPECT_EQ(call(PARTITA_TRUSTED_OPEN, 2), PARTITA_TRUSTED_DENIED);
        for (unsigned n = 0; n < 40; ++n) {
            Bytes changed = sealed;
            changed[random.below(static_cast<std::uint32_t>(sealed.size()))] ^= static_cast<std::uint8_t>(1u << random.below(8));
            put(changed);
            EXPECT_EQ(call(PARTITA_TRUSTED_OPEN), PARTITA_TRUSTED_DENIED);
        }
    }
}

TEST_F(Service, ASignatureIsOfThePublicKeyThatIsTold) {
    put({4, 5, 6});
    ASSERT_EQ(call(PARTITA_TRUSTED_SIGN), 0);
    const Bytes signature = output();
    ASSERT_EQ(call(PARTITA_TRUSTED_PUBLIC_KEY), 0);
    const Bytes mine = output();
    ASSERT_EQ(call(PARTITA_TRUSTED_PUBLIC_KEY, 2), 0);
    const Bytes others = output();
    const secure::Hash what = secure::hash({page.input, page.input_size});
    const auto fits = [&](const Bytes& key) {
        return secure::is_signed(std::span<const std::uint8_t, 65>{key.data(), 65}, what, signature);
    };
    EXPECT_TRUE(fits(mine));
    EXPECT_FALSE(fits(others));
}

// Keys are derived, so no vector of RFC 4231 can be asked for: this one is of another implementation (Python's), with 32 bytes of 0x0b.
TEST_F(Service, HmacIsThatOfTheStandard) {
    secure::Hash key{};
    key.fill(0x0b);
    const Bytes there{'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
    const secure::Hash expected{0x19, 0x8a, 0x60, 0x7e, 0xb4, 0x4b, 0xfb, 0xc6, 0x99, 0x03, 0xa0, 0xf1, 0xcf, 0x2b, 0xbd, 0xc5,
                                0xba, 0x0a, 0xa3, 0xf3, 0xd9, 0xae, 0x3c, 0x1c, 0x7a, 0x3b, 0x16, 0x96, 0xa0, 0xb6, 0x8c, 0xf7};
    EXPECT_EQ(secure::hmac(key, there), expected);
}

TEST_F(Service, SizesAreWithinThePage) {
    page.input_size = PARTITA_TRUSTED_INPUT + 1;
    for (unsigned number = 1; number < 32; ++number) EXPECT_EQ(call(number), PARTITA_TRUSTED_INVALID) << number;
    page.input_size = 0;
    EXPECT_EQ(call(PARTITA_TRUSTED_OPEN), PARTITA_TRUSTED_INVALID);
    EXPECT_EQ(call(PARTITA_TRUSTED_HASH, 3), PARTITA_TRUSTED_INVALID) << "nobody that is known";
    EXPECT_EQ(call(31), PARTITA_TRUSTED_NOT_SUPPORTED);
    EXPECT_EQ(call(PARTITA_TRUSTED_RANDOM, 1, PARTITA_TRUSTED_OUTPUT), 0);
    EXPECT_EQ(page.output_size, PARTITA_TRUSTED_OUTPUT);
    EXPECT_EQ(call(PARTITA_TRUSTED_RANDOM, 1, PARTITA_TRUSTED_OUTPUT + 1), PARTITA_TRUSTED_INVALID);
    Random random{9};
    for (unsigned n = 0; n < 300; ++n) {
        page.input_size = random.below(PARTITA_TRUSTED_INPUT + 10);
        (void)call(random.below(6), random.below(5), random.below(3000));
        EXPECT_LE(page.output_size, PARTITA_TRUSTED_OUTPUT);
    }
}

TEST_F(SecureWorld, WhatIsWrongIsSaid) {
    const std::string partition = "[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [0]\n";
    const std::string head = "[system]\nboard = \"virt-secure\"\n";
    EXPECT_NE(complaints(head + partition + "trusted = [\"hash\"]\n").find("add a [secure] section"), std::string::npos);
    EXPECT_NE(complaints(head + "[secure]\n" + partition + "trusted = [\"hush\"]\n").find("hash"), std::string::npos) << "what was meant";
    EXPECT_NE(complaints(head + "[secure]\nprogram = \"none.elf\"\n" + partition).find("none.elf cannot be read"), std::string::npos);
    EXPECT_NE(complaints(head + "[secure]\nprogram = \"a.elf\"\n" + partition).find("abi/partita/secure.h"), std::string::npos);
    std::string named = partition;
    named.replace(named.find("one"), 3, "secure");
    EXPECT_NE(complaints(head + named).find("rename this partition"), std::string::npos);
    board = *load_board("virt", fs::path{PARTITA_SOURCE_DIR} / "boards", PARTITA_BOARD_TREES);
    EXPECT_NE(complaints("[system]\nboard = \"virt\"\n[secure]\n" + partition).find("has no secure world"), std::string::npos);
}

TEST_F(SecureWorld, AKeyIsOneOrWhyNotIsSaid) {
    EXPECT_NE(SigningKey::read(folder / "no.pem").error().find("cannot be read"), std::string::npos);
    const std::string file = (folder / "bad.pem").string();
    const std::string good = *SigningKey::make();
    for (const std::string& text : {std::string{}, std::string{"hello\n"}, good.substr(0, 100),
                                    std::string{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}}) {
        std::ofstream{file} << text;
        const auto read = SigningKey::read(file);
        ASSERT_FALSE(read);
        EXPECT_NE(read.error().find("no private key on the curve P-256"), std::string::npos);
    }
    std::ofstream{file} << good.substr(0, good.size() - 1);
    EXPECT_TRUE(SigningKey::read(file)) << "an editor may leave the last end of line out";
    EXPECT_EQ(complaints(
                  "[system]\nboard = \"virt-secure\"\n[[partition]]\nname = \"one\"\nkernel = \"a.elf\"\nmemory = \"2 MiB\"\ncpus = [0]\n"),
              "");
    EXPECT_NE(pack(*plan, {}, {.signing_key = file}).error().find("nothing would check"), std::string::npos);
}

}  // namespace
}  // namespace partita::tool
