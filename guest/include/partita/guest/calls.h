/* A stub for each function of the vendor-hypervisor range: partita_call_uid(r1, r2, r3) and so on (docs/hypercalls.md). */
#ifndef PARTITA_GUEST_CALLS_H
#define PARTITA_GUEST_CALLS_H

#include "partita/guest/guest.h"

#define PARTITA_STUB(NAME, number, name, rights, arguments, results, purpose)                          \
    static inline struct hypercall_result partita_call_##name(uint32_t r1, uint32_t r2, uint32_t r3) { \
        return hypercall(number, r1, r2, r3);                                                          \
    }
PARTITA_HYPERCALL_TABLE(PARTITA_STUB)
#undef PARTITA_STUB

#endif
