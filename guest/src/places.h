/* Where the virtual platform's devices are. A program with a platform of its own says otherwise. */
#ifndef PARTITA_GUEST_PLACES_H
#define PARTITA_GUEST_PLACES_H

#ifndef PARTITA_GUEST_UART
#define PARTITA_GUEST_UART 0x09000000u
#define PARTITA_GUEST_GICD 0x08000000u
#define PARTITA_GUEST_GICC 0x08010000u
#endif

#endif
