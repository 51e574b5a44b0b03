// What a trap handler decided: one word, applied by one epilogue.
#pragma once

#include <cstdint>

namespace partita {

enum class Outcome : std::uint32_t {
    resume,          // go on where the PC is
    advance,         // step over the instruction
    undefined,       // the guest takes an Undefined Instruction exception
    data_abort,      // ... a Data Abort at HDFAR
    prefetch_abort,  // ... a Prefetch Abort at HIFAR
};

}  // namespace partita
