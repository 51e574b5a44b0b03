// Device registers as a map, so that a test can set what is read and see what was written; a test may put a device
// behind them.
#pragma once

#include <cstdint>
#include <map>

namespace partita {

// Behind some addresses: from its construction until its end. The one that was made last is asked first.
struct FakeDevice {
    FakeDevice() : next_(newest_) { newest_ = this; }
    FakeDevice(const FakeDevice&) = delete;
    FakeDevice& operator=(const FakeDevice&) = delete;
    virtual ~FakeDevice() {
        for (FakeDevice** link = &newest_; *link != nullptr; link = &(*link)->next_)
            if (*link == this) {
                *link = next_;
                return;
            }
    }
    virtual bool read(std::uintptr_t address, std::uint32_t& value) = 0;  // true: it answered
    virtual bool write(std::uintptr_t address, std::uint32_t value) = 0;  // true: it took the value
    virtual bool write_narrow(std::uintptr_t, unsigned, std::uint32_t) { return false; }

    template <typename Try>
    static bool any(Try&& attempt) {
        for (FakeDevice* device = newest_; device != nullptr; device = device->next_)
            if (attempt(*device)) return true;
        return false;
    }

private:
    static inline FakeDevice* newest_ = nullptr;
    FakeDevice* next_;
};

inline std::map<std::uintptr_t, std::uint32_t> fake_mmio;

[[nodiscard]] inline std::uint32_t read32(std::uintptr_t address) {
    std::uint32_t value = 0;
    if (FakeDevice::any([&](FakeDevice& device) { return device.read(address, value); })) return value;
    const auto at = fake_mmio.find(address);
    return at == fake_mmio.end() ? 0 : at->second;
}
inline void write32(std::uintptr_t address, std::uint32_t value) {
    if (FakeDevice::any([&](FakeDevice& device) { return device.write(address, value); })) return;
    fake_mmio[address] = value;
}
inline void write16(std::uintptr_t address, std::uint16_t value) {
    if (!FakeDevice::any([&](FakeDevice& device) { return device.write_narrow(address, 2, value); })) write32(address, value);
}
inline void write8(std::uintptr_t address, std::uint8_t value) {
    if (!FakeDevice::any([&](FakeDevice& device) { return device.write_narrow(address, 1, value); })) write32(address, value);
}

}  // namespace partita
