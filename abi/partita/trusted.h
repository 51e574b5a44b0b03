/* The trusted service: what the secure partition does for partitions that may ask it (`trusted` in system.toml). Calls by SMC or HVC as the
 * Arm SMC Calling Convention has them for a trusted OS (DEN0028 6.2).
 *
 * A call's data lie in one page of the partition's memory, r1 is its address; the hypervisor looks it up, and the secure world sees this
 * page and no other. r2 and r3 are values, which not every function has. In r0 stands how it went; r1 has what else there is.
 *
 * These calls are yielding ones: an interrupt of this partition's CPU ends one with PARTITA_TRUSTED_INTERRUPTED and a ticket in r1, and it
 * goes on where it was with PARTITA_TRUSTED_RESUME and the ticket in r1. A partition has one call at a time. */
#ifndef PARTITA_TRUSTED_H
#define PARTITA_TRUSTED_H

#include <stdint.h>

/* Functions of a trusted OS: fast calls or yielding ones (bit 31), with 32-bit registers (bit 30), of owners 50 to 63. */
#define PARTITA_TRUSTED_IS_OURS(function) (((function) & 0x40000000u) == 0 && ((function) >> 24 & 0x3fu) >= 50)

/* Fast calls. */
#define PARTITA_TRUSTED_UID 0xbf00ff01u
#define PARTITA_TRUSTED_REVISION 0xbf00ff03u
#define PARTITA_TRUSTED_FORGET 0xb2000000u /* of the hypervisor: a partition's life ends, r1 is its identity */
#define PARTITA_TRUSTED_CANCEL 0xb2000001u /* gives up the partition's call that was interrupted: its ticket is lost, say */
/* What the UID call answers. */
#define PARTITA_TRUSTED_UID_0 0xcdbe4124u
#define PARTITA_TRUSTED_UID_1 0x964ab7e7u
#define PARTITA_TRUSTED_UID_2 0xab2100abu
#define PARTITA_TRUSTED_UID_3 0xd567d936u
#define PARTITA_TRUSTED_REVISION_MAJOR 1u
#define PARTITA_TRUSTED_REVISION_MINOR 0u

/* Yielding calls: PARTITA_TRUSTED_CALL + the number of a function. */
#define PARTITA_TRUSTED_CALL 0x32000000u
#define PARTITA_TRUSTED_RESUME PARTITA_TRUSTED_CALL

/* NAME, number (the bit of partita_partition::trusted, 1 to 31), name in system.toml, what it does. */
#define PARTITA_TRUSTED_TABLE(X)                                                                                                           \
    X(RANDOM, 1, random, "r2 bytes of random numbers")                                                                                     \
    X(HASH, 2, hash, "SHA-256 of the input")                                                                                               \
    X(HMAC, 3, hmac, "HMAC-SHA-256 of the input, with the partition's key of this label")                                                  \
    X(SEAL, 4, seal,                                                                                                                       \
      "the input encrypted and authenticated (AES-256-GCM) with the partition's key of this label: 12 bytes of nonce, the text, 16 bytes " \
      "of tag")                                                                                                                            \
    X(OPEN, 5, open, "what `seal` made the input of; DENIED where it is another partition's, another label's, or was changed")             \
    X(SIGN, 6, sign, "an ECDSA signature (P-256, r and s, 64 bytes) of the SHA-256 of the input, with the partition's key of this label")  \
    X(PUBLIC_KEY, 7, public_key, "the public key that belongs to `sign` and this label: 65 bytes, uncompressed")                           \
    X(QUOTE, 8, quote,                                                                                                                     \
      "what runs on this board, and who asks, signed with the device's attestation key (struct partita_quote); the input makes it fresh")  \
    X(ATTESTATION_KEY, 9, attestation_key, "the public key that belongs to `quote`: 65 bytes, uncompressed")                               \
    X(COUNTER, 10, counter, "the partition's counter of this label: 8 bytes, little-endian; 0 before the first `increment`")               \
    X(INCREMENT, 11, increment, "one more, and its value: it survives whatever happens, and nobody can take it back")                      \
    X(STORE, 12, store, "keeps the input, at most 1024 bytes, by this label; no input: nothing any more")                                  \
    X(LOAD, 13, load, "what `store` has kept by this label; no output: nothing")

enum partita_trusted_function {
#define PARTITA_TRUSTED_NUMBER(NAME, number, name, purpose) PARTITA_TRUSTED_##NAME = (number),
    PARTITA_TRUSTED_TABLE(PARTITA_TRUSTED_NUMBER)
#undef PARTITA_TRUSTED_NUMBER
};

#define PARTITA_TRUSTED_BIT(NAME, number, name, purpose) | 1u << (number)
#define PARTITA_TRUSTED_ALL (0u PARTITA_TRUSTED_TABLE(PARTITA_TRUSTED_BIT)) /* bits of all functions */

/* r0 of a yielding call. */
#define PARTITA_TRUSTED_OK 0
#define PARTITA_TRUSTED_INTERRUPTED 1      /* RESUME with the ticket in r1 */
#define PARTITA_TRUSTED_NOT_SUPPORTED (-1) /* no such function, none for this partition, or no secure world */
#define PARTITA_TRUSTED_INVALID (-2)       /* the page is not its memory, a size is out of range, or no such ticket */
#define PARTITA_TRUSTED_DENIED (-3)        /* the input is not authentic */
#define PARTITA_TRUSTED_BUSY (-4)          /* another call of this partition is not done yet, or too many partitions' are */
#define PARTITA_TRUSTED_NO_STORAGE (-5)    /* this board keeps nothing over a reset, or its flash is broken */
#define PARTITA_TRUSTED_FULL (-6)          /* the partition keeps as many counters and values as it may, 8; or all that ever were do, 64 */
#define PARTITA_TRUSTED_TOO_OFTEN (-7)     /* the flash is to live long: once a second, and 64 times at once */

#define PARTITA_TRUSTED_LABEL 24u
#define PARTITA_TRUSTED_INPUT 1984u
#define PARTITA_TRUSTED_OUTPUT 2080u
#define PARTITA_TRUSTED_VALUE 1024u /* bytes of a value that is kept, at most */

struct partita_trusted_page {
    uint32_t input_size;                  /* bytes of input, at most PARTITA_TRUSTED_INPUT */
    uint32_t output_size;                 /* written with the output: bytes of it */
    uint8_t label[PARTITA_TRUSTED_LABEL]; /* which key: any bytes */
    uint8_t input[PARTITA_TRUSTED_INPUT];
    uint8_t output[PARTITA_TRUSTED_OUTPUT];
};

#endif
