/* What the secure partition measures before the hypervisor's first instruction, and what it signs. */
#ifndef PARTITA_MEASUREMENT_H
#define PARTITA_MEASUREMENT_H

#include <stdint.h>

#include "partita/system_image.h"

#define PARTITA_HASH_SIZE 32u       /* SHA-256 */
#define PARTITA_SIGNATURE_SIZE 64u  /* ECDSA on P-256: r and s, big-endian */
#define PARTITA_PUBLIC_KEY_SIZE 65u /* uncompressed */

/* The first one is "hypervisor": its code, data and description, as they lie in memory. The others are the partitions', in the order of the
 * description: SHA-256 of what each is filled from, one copy behind the other. */
#define PARTITA_MEASUREMENTS (1u + PARTITA_MAX_PARTITIONS)
struct partita_measurement {
    char name[PARTITA_NAME_SIZE];
    uint8_t hash[PARTITA_HASH_SIZE];
};

/* Directly behind the description, where the image is signed: of SHA-256 of the first two words and the SHA-256 of all measurements. */
#define PARTITA_IMAGE_SIGNATURE_MAGIC 0x47495350u /* "PSIG" */
struct partita_image_signature {
    uint32_t magic;
    uint32_t version; /* of the image: an older one than was started before is refused where the board remembers */
    uint8_t signature[PARTITA_SIGNATURE_SIZE];
};

/* What a partition shows to somebody outside: `signature` is of SHA-256 of all before it, with the device's attestation key. */
#define PARTITA_QUOTE_MAGIC 0x4f555150u /* "PQUO" */
#define PARTITA_QUOTE_VERIFIED 1u       /* the image's signature was checked before it began */
struct partita_quote {
    uint32_t magic;
    uint32_t flags;
    uint32_t image_version;
    uint32_t reserved;
    char partition[PARTITA_NAME_SIZE]; /* who asked */
    uint8_t hash[PARTITA_HASH_SIZE];   /* what it was filled from */
    uint8_t system[PARTITA_HASH_SIZE]; /* SHA-256 of all measurements */
    uint8_t nonce[PARTITA_HASH_SIZE];  /* SHA-256 of the input: that of who wants to know makes it fresh */
    uint8_t signature[PARTITA_SIGNATURE_SIZE];
};

#endif
