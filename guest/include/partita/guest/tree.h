/* Properties of the partition's device tree. */
#ifndef PARTITA_GUEST_TREE_H
#define PARTITA_GUEST_TREE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first property of that name, wherever it is, and its size; NULL if there is none. */
const uint32_t *tree_property(const char *name, uint32_t *bytes);
/* A property of the node `child`, or `child@…`, right below a node called `parent`, and its size; NULL if there is none. */
const uint32_t *tree_child_property(const char *parent, const char *child, const char *name, uint32_t *bytes);
uint32_t tree_cell(const uint32_t *at);

#ifdef __cplusplus
}
#endif

#endif
