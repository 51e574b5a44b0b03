// Whether the hypervisor still answers: an interrupt of its own is made pending on each of its CPUs, and must not stay so.
#pragma once

#include <cstdint>

namespace partita::secure {

// This CPU is watched from now on.
void begin_watch();

// At each tick of the first CPU's timer.
void tick_watch();

// What this CPU did when the secure world's interrupt came: whether it was in the other world, and not off, or here.
void note_interrupted(bool in_other_world);

}  // namespace partita::secure
