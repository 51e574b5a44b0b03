/* What the device tree says of this life of the partition. */
#include "partita/guest/guest.h"
#include "partita/guest/tree.h"

static uint32_t find_cell(const char *name) {
    uint32_t bytes = 0;
    const uint32_t *const at = tree_property(name, &bytes);
    return at != NULL && bytes >= 4 ? tree_cell(at) : 0;
}

uint32_t life_number(void) { return find_cell("partita,starts"); }
uint32_t life_reason(void) { return find_cell("partita,reset-reason"); }
