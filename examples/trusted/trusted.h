/* What the Linux and the agent tell each other. */
#ifndef PARTITA_EXAMPLE_TRUSTED_H
#define PARTITA_EXAMPLE_TRUSTED_H

#include "partita/measurement.h"

#define NONCE_SIZE 32u

struct question { /* channel "ask" */
    uint8_t nonce[NONCE_SIZE];
};

struct answer {     /* channel "answer" */
    int32_t status; /* of the trusted service; 0: the rest is there */
    uint8_t key[PARTITA_PUBLIC_KEY_SIZE + 3];
    struct partita_quote quote;
};

#endif
