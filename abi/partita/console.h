/* Channels on the board's one UART.
 *
 * In either direction, PARTITA_CONSOLE_ESCAPE followed by PARTITA_CONSOLE_CHANNEL + n selects channel n for the bytes
 * that follow; an escape that is data is sent twice. Channel 0 is the hypervisor's log, channel 1 + p the console of
 * partition p, and PARTITA_CONSOLE_CONTROL is the parent partition's control channel (control.h). The sender selects the channel again at
 * least every PARTITA_CONSOLE_RESYNC bytes, so that a listener that joins late, or lost a byte, finds its place.
 */
#ifndef PARTITA_CONSOLE_H
#define PARTITA_CONSOLE_H

#define PARTITA_CONSOLE_ESCAPE 0x10u
#define PARTITA_CONSOLE_CHANNEL 0x40u
#define PARTITA_CONSOLE_RESYNC 256u
#define PARTITA_CONSOLE_LOG 0u
#define PARTITA_CONSOLE_FIRST_PARTITION 1u
#define PARTITA_CONSOLE_CONTROL 31u

#endif
