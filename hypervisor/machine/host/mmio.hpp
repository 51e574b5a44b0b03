// Device registers as a map, so that a test can set what is read and see what was written; a test may put a device
// behind them.
#pragma once

#include <cstdint>
#include <map>

namespace partita {

struct FakeDevice {
    virtual ~FakeDevice() = default;
    virtual bool read(std::uintptr_t address, std::uint32_t& value) = 0;  // true: it answered
    virtual bool write(std::uintptr_t address, std::uint32_t value) = 0;  // true: it took the value
    virtual bool write_narrow(std::uintptr_t, unsigned, std::uint32_t) { return false; }
};

inline std::map<std::uintptr_t, std::uint32_t> fake_mmio;
inline FakeDevice* fake_device = nullptr;

[[nodiscard]] inline std::uint32_t read32(std::uintptr_t address) {
    std::uint32_t value = 0;
    if (fake_device != nullptr && fake_device->read(address, value)) return value;
    const auto at = fake_mmio.find(address);
    return at == fake_mmio.end() ? 0 : at->second;
}
inline void write32(std::uintptr_t address, std::uint32_t value) {
    if (fake_device != nullptr && fake_device->write(address, value)) return;
    fake_mmio[address] = value;
}
inline void write16(std::uintptr_t address, std::uint16_t value) {
    if (fake_device == nullptr || !fake_device->write_narrow(address, 2, value)) write32(address, value);
}
inline void write8(std::uintptr_t address, std::uint8_t value) {
    if (fake_device == nullptr || !fake_device->write_narrow(address, 1, value)) write32(address, value);
}

}  // namespace partita
