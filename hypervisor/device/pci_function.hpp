// A PCI function that a partition owns: its configuration space, as far as the partition may use it. Base address registers stay where
// the description has them; what would change who the function is on the bus, or whom it may interrupt, has no effect.
#pragma once

#include <atomic>
#include <cstdint>

#include "partita/system_image.h"

namespace partita {

class PciFunction {
public:
    // config: where Hyp has its configuration space mapped.
    void set_up(const partita_master& description, std::uintptr_t config) {
        description_ = &description;
        config_ = config;
    }
    [[nodiscard]] std::uint32_t number() const { return description_->function; }

    // The partition's accesses, naturally aligned, of 1, 2 or 4 bytes; any virtual CPU.
    [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size) const;
    void write(std::uint32_t offset, unsigned size, std::uint32_t value);

    // Whether the hardware is what the description says: `found` is what it has instead, `where` the register.
    [[nodiscard]] bool matches(std::uint32_t& where, std::uint32_t& found) const;
    // Off the bus; true where a reset was begun, which takes up to 100 ms (PCIe 4.0 §6.6.2).
    bool quiesce();
    // As at power-on, registers where the description has them: before the partition's first instruction.
    void program();
    // It may not master the bus again in this life.
    void cut_off();

private:
    struct Capability {
        std::uint32_t at = 0, id = 0, next = 0;
    };

    [[nodiscard]] std::uint32_t hardware(std::uint32_t offset) const;
    void set_hardware(std::uint32_t offset, unsigned size, std::uint32_t value) const;
    [[nodiscard]] Capability capability_at(std::uint32_t at) const;
    [[nodiscard]] std::uint32_t first_capability() const;
    [[nodiscard]] Capability capability_around(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t visible_from(std::uint32_t at) const;
    [[nodiscard]] bool hidden(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t read_word(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t read_capability(std::uint32_t offset) const;
    void write_bar(unsigned bar, unsigned size, std::uint32_t value);
    void write_command(std::uint32_t value);
    void write_capability(std::uint32_t offset, unsigned size, std::uint32_t value);
    void place() const;

    const partita_master* description_ = nullptr;
    std::uintptr_t config_ = 0;
    std::atomic<std::uint32_t> sizing_{0};  // base address registers that read as their mask
    std::atomic<bool> cut_off_{false};
};

}  // namespace partita
