// What only assembly reaches (arch/armv7/world_switch.S, trap/vectors.S); the host's are fakes.
#pragma once

#include <cstdint>

#include "partition/vcpu_state.hpp"

extern "C" {
void save_banked(partita::BankedRegisters*);
void load_banked(const partita::BankedRegisters*);
void save_system(partita::SystemRegisters*);
void load_system(const partita::SystemRegisters*);
void save_vfp(partita::VfpRegisters*);
void load_vfp(const partita::VfpRegisters*);
bool drain_aborts();
std::uint32_t read_fpexc();
void write_fpexc(std::uint32_t);
}
