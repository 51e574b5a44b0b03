/* The partition's device tree (Devicetree Specification §5). */
#include "tree.h"

#include "partita/guest/guest.h"

#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROPERTY 3u
#define FDT_END 9u

uint32_t tree_cell(const uint32_t *at) { return __builtin_bswap32(*at); }

static bool same(const char *a, const char *b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}

static uint32_t length(const char *text) {
    uint32_t n = 0;
    while (text[n] != 0) ++n;
    return n;
}

const uint32_t *tree_property(const char *name, uint32_t *bytes) {
    const uint32_t *const tree = device_tree();
    const char *const names = (const char *)tree + tree_cell(tree + 3);
    const uint32_t *at = tree + tree_cell(tree + 2) / 4;
    for (;;) {
        switch (tree_cell(at++)) {
            case FDT_BEGIN_NODE: at += (length((const char *)at) + 4) / 4; break;
            case FDT_PROPERTY: {
                const uint32_t size = tree_cell(at);
                if (same(names + tree_cell(at + 1), name)) {
                    *bytes = size;
                    return at + 2;
                }
                at += 2 + (size + 3) / 4;
                break;
            }
            case FDT_END: return NULL;
            default: break;
        }
    }
}
