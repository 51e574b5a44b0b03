/* What the stages of the pipeline tell each other. */
#ifndef PARTITA_EXAMPLE_PIPELINE_H
#define PARTITA_EXAMPLE_PIPELINE_H

#include <stdint.h>

struct measurement { /* channel "measurements" */
    uint32_t number;
    int32_t value;
    uint64_t taken; /* the counter */
};

struct command { /* channel "commands" */
    uint32_t number;
    int32_t value;
    uint64_t taken; /* of the measurement that it answers */
};

struct gain { /* channel "gain" */
    int32_t numerator, denominator;
};

#endif
