// A control loop of 1 kHz in the secure world.
#pragma once

namespace partita::secure {

// On this CPU, from now on: in the secure timer's interrupt.
void begin_loop();

}  // namespace partita::secure
