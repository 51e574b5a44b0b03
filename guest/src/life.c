/* What the device tree says of this life of the partition. */
#include "partita/guest/guest.h"

#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROPERTY 3u
#define FDT_END 9u

static uint32_t big_endian(const uint32_t *at) { return __builtin_bswap32(*at); }

static bool same(const char *a, const char *b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}

static uint32_t length(const char *text) {
    uint32_t n = 0;
    while (text[n] != 0) ++n;
    return n;
}

/* The first cell of the first property of that name, wherever it is; 0 if there is none. */
static uint32_t find_cell(const char *name) {
    const uint32_t *const tree = device_tree();
    const char *const names = (const char *)tree + big_endian(tree + 3);
    const uint32_t *at = tree + big_endian(tree + 2) / 4;
    for (;;) {
        switch (big_endian(at++)) {
            case FDT_BEGIN_NODE: at += (length((const char *)at) + 4) / 4; break;
            case FDT_PROPERTY: {
                const uint32_t size = big_endian(at);
                if (size >= 4 && same(names + big_endian(at + 1), name)) return big_endian(at + 2);
                at += 2 + (size + 3) / 4;
                break;
            }
            case FDT_END: return 0;
            default: break;
        }
    }
}

uint32_t life_number(void) { return find_cell("partita,starts"); }
uint32_t life_reason(void) { return find_cell("partita,reset-reason"); }
