// The entropy device, as a driver sees it.
#include "partita/guest/virtio/rng.hpp"

#include <gtest/gtest.h>

#include "fake_driver.hpp"

namespace partita::virtio {
namespace {

class Source final : public RandomSource {
public:
    [[nodiscard]] bool available() const override { return there; }
    void fill(std::span<std::uint8_t> bytes) override {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(++made);
    }
    void interrupt(std::uint32_t bits) override { interrupts.push_back(bits); }
    void broken(std::uint32_t, Broken why) override { stopped.push_back(why); }
    bool there = true;
    std::uint32_t made = 0;
    std::vector<std::uint32_t> interrupts;
    std::vector<Broken> stopped;
};

class RngTest : public testing::Test {
protected:
    RngTest() { begin(); }
    void begin() {
        rng.emplace(state, driver.client, 2, source);
        driver.begin(*rng, feature_version_1 | feature_event_index | feature_indirect);
        driver.make_queue(*rng, 0);
        rng->write(0x070, 4, 15);
    }
    FakeDriver::Ring& ring() { return driver.rings[0]; }

    FakeDriver driver;
    Source source;
    RngState state{};
    std::optional<Rng> rng;
};

TEST_F(RngTest, FillsWhatTheDriverGives) {
    EXPECT_EQ(rng->read(0x008, 4), 4u);
    const std::uint64_t one = driver.take(64), two = driver.take(100);
    driver.offer(ring(), {{one, 60, true}});
    driver.offer(ring(), {{driver.text("no"), 2, false}, {two, 30, true}, {two + 50, 10, true}});
    rng->notified();
    EXPECT_EQ(driver.finished(ring())->written, 60u);
    EXPECT_EQ(driver.finished(ring())->written, 40u);
    for (std::uint8_t n = 0; n < 60; ++n) EXPECT_EQ(driver.get<std::uint8_t>(one + n), n + 1);
    EXPECT_EQ(driver.get<std::uint8_t>(one + 60), 0u);
    EXPECT_EQ(driver.get<std::uint8_t>(two + 29), 90u);
    EXPECT_EQ(driver.get<std::uint8_t>(two + 30), 0u);
    EXPECT_EQ(driver.get<std::uint8_t>(two + 59), 100u);
    EXPECT_EQ(source.interrupts, std::vector<std::uint32_t>{1});
}

TEST_F(RngTest, NobodyTakesAllOfItsTime) {
    const std::uint64_t at = driver.take(20'000);
    for (int n = 0; n < 5; ++n) driver.offer(ring(), {{at, 20'000, true}});
    rng->notified();
    EXPECT_TRUE(rng->is_busy());
    EXPECT_EQ(source.made, 4 * 4096u) << "it gets more when it asks again";
    rng->notified();
    EXPECT_FALSE(rng->is_busy());
    EXPECT_EQ(driver.finished(ring())->written, 4096u);
}

TEST_F(RngTest, WithoutEntropyThereIsNoDevice) {
    source.there = false;
    EXPECT_EQ(rng->read(0x008, 4), 0u);
}

TEST_F(RngTest, ABrokenQueueIsTold) {
    driver.offer(ring(), {{FakeDriver::base - 4, 8, true}});
    rng->notified();
    EXPECT_EQ(source.stopped, std::vector<Broken>{Broken::outside});
    EXPECT_EQ(source.interrupts, std::vector<std::uint32_t>{2});
}

TEST_F(RngTest, AnotherServerGoesOn) {
    driver.offer(ring(), {{driver.take(8), 8, true}});
    rng.emplace(state, driver.client, 2, source);
    rng->resume();
    EXPECT_EQ(driver.finished(ring())->written, 8u);
}

}  // namespace
}  // namespace partita::virtio
