/* The partition's device tree (Devicetree Specification §5). */
#include "partita/guest/tree.h"

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

static bool is_called(const char *node, const char *name) {
    while (*node != 0 && *node == *name) ++node, ++name;
    return *name == 0 && (*node == 0 || *node == '@');
}

/* Where the walk is; depth 0: not in such a node. */
struct place {
    const char *parent, *child; /* NULL, NULL: every node is meant */
    uint32_t depth, in_parent, in_child;
};

static void enter(struct place *place, const char *node) {
    ++place->depth;
    if (place->parent == NULL) return;
    if (place->in_parent == 0 && is_called(node, place->parent))
        place->in_parent = place->depth;
    else if (place->in_parent != 0 && place->depth == place->in_parent + 1 && is_called(node, place->child))
        place->in_child = place->depth;
}

static void leave(struct place *place) {
    if (place->in_child == place->depth) place->in_child = 0;
    if (place->in_parent == place->depth) place->in_parent = 0;
    --place->depth;
}

static const uint32_t *find(struct place place, const char *name, uint32_t *bytes) {
    const uint32_t *const tree = device_tree();
    const char *const names = (const char *)tree + tree_cell(tree + 3);
    const uint32_t *at = tree + tree_cell(tree + 2) / 4;
    for (;;) {
        switch (tree_cell(at++)) {
            case FDT_BEGIN_NODE:
                enter(&place, (const char *)at);
                at += (length((const char *)at) + 4) / 4;
                break;
            case FDT_END_NODE: leave(&place); break;
            case FDT_PROPERTY: {
                const uint32_t size = tree_cell(at);
                const bool here = place.parent == NULL || (place.in_child != 0 && place.in_child == place.depth);
                if (here && same(names + tree_cell(at + 1), name)) {
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

const uint32_t *tree_property(const char *name, uint32_t *bytes) { return find((struct place){NULL, NULL, 0, 0, 0}, name, bytes); }

const uint32_t *tree_child_property(const char *parent, const char *child, const char *name, uint32_t *bytes) {
    return find((struct place){parent, child, 0, 0, 0}, name, bytes);
}
