/* The trusted service, for partitions that may ask it (`trusted` in system.toml; partita/trusted.h). */
#ifndef PARTITA_GUEST_TRUSTED_H
#define PARTITA_GUEST_TRUSTED_H

#include "partita/guest/guest.h"
#include "partita/trusted.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether there is one that this partition may ask. */
bool trusted_service(void);

/* Carries out `function` with `value` and what stands in `page`, 4 KiB aligned, to its end, and returns its status (PARTITA_TRUSTED_OK, or
 * below 0). Interrupts that come meanwhile are served, where they are on. `interruptions`, where not null, counts how often the call went
 * on. */
int32_t trusted_call(enum partita_trusted_function function, struct partita_trusted_page *page, uint32_t value, uint32_t *interruptions);

/* Gives up a call that nobody goes on with. */
void trusted_cancel(void);

#ifdef __cplusplus
}
#endif

#endif
