/* Calls of the trusted service, resumed for as long as interrupts leave them. */
#include "partita/guest/trusted.h"

bool trusted_service(void) {
    const struct hypercall_result id = hypercall(PARTITA_TRUSTED_UID, 0, 0, 0);
    return id.r0 == PARTITA_TRUSTED_UID_0 && id.r1 == PARTITA_TRUSTED_UID_1 && id.r2 == PARTITA_TRUSTED_UID_2 &&
           id.r3 == PARTITA_TRUSTED_UID_3;
}

int32_t trusted_call(enum partita_trusted_function function, struct partita_trusted_page *page, uint32_t value, uint32_t *interruptions) {
    struct hypercall_result result = hypercall(PARTITA_TRUSTED_CALL + (uint32_t)function, (uint32_t)(uintptr_t)page, value, 0);
    while (result.r0 == PARTITA_TRUSTED_INTERRUPTED) {
        if (interruptions) ++*interruptions;
        result = hypercall(PARTITA_TRUSTED_RESUME, result.r1, 0, 0);
    }
    return (int32_t)result.r0;
}

void trusted_cancel(void) { (void)hypercall(PARTITA_TRUSTED_CANCEL, 0, 0, 0); }
