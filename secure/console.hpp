// The secure world's console. Text waits in memory until the UART has room: nobody waits for a line of 115200 baud.
#pragma once

namespace partita::secure {

// Gives the UART what it has room for.
void drain_console();
// From now on this CPU's text goes to the UART at once, and no other's any more: what comes is the last. Where another CPU was first, it
// does not return.
void write_at_once();

}  // namespace partita::secure
