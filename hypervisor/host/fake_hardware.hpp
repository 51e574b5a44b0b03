#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "machine/firmware.hpp"
#include "partition/vcpu_state.hpp"

namespace partita {

struct SystemOff {};  // thrown where the board would power off
struct Panic {        // thrown where the hypervisor would stop for ever
    std::string what;
};

struct FakeHardware {
    std::map<std::uint64_t, std::vector<std::byte>> blocks;  // of 2 MiB, by number; they begin as noise
    std::vector<std::pair<const std::byte*, std::size_t>> cleaned;
    std::vector<std::byte> guarded;  // behind_guards()
    BankedRegisters banked{};
    VfpRegisters vfp{};
    std::function<void(firmware::Registers&, std::uint32_t)> secure_calls = [](firmware::Registers& registers, std::uint32_t) {
        registers.r0 = ~0u;  // a firmware that has no trusted service
    };
    bool abort_pending = false;  // an asynchronous abort that a guest caused

    [[nodiscard]] std::byte* memory(std::uint64_t pa);
};
extern FakeHardware fake_hardware;

}  // namespace partita
