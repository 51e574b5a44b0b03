/* The control channel: requests of the host, and answers of the parent partition (PARTITA_CONSOLE_CONTROL of console.h).
 *
 * Either side sends frames. A frame is bytes without a zero (consistent overhead byte stuffing: Cheshire and Baker, IEEE/ACM Transactions
 * on Networking 7(2), 1999), and a zero byte ends it: so whoever joins late, or lost something, finds the next. Inside is a
 * partita_control_header, what belongs to its kind, and CRC-32 (IEEE 802.3) of both, little-endian as everything here. A frame that is not
 * whole is dropped: who waits for an answer in vain asks again, with the same sequence number, and gets the same answer.
 */
#ifndef PARTITA_CONTROL_H
#define PARTITA_CONTROL_H

#include <stdint.h>

#include "partita/hypercall.h"

#define PARTITA_CONTROL_VERSION 2u
#define PARTITA_CONTROL_LONGEST 1152u /* bytes of a frame before it is stuffed, the checksum included */
#define PARTITA_CONTROL_PUT 1024u     /* bytes of a PUT, at most */
#define PARTITA_CONTROL_ANSWER 0x80u  /* added to the kind of the request */

enum partita_request {
    PARTITA_REQUEST_HELLO = 1,     /* nothing; partita_hello */
    PARTITA_REQUEST_PARTITION = 2, /* the partition; partita_partition_state */
    PARTITA_REQUEST_VCPU = 3,      /* the partition, its virtual CPU; partita_vcpu_state */
    PARTITA_REQUEST_CONTROL = 4,   /* the partition, an enum partita_control; nothing */
    PARTITA_REQUEST_SCHEDULE = 5,  /* the schedule, or all ones to ask; the one that will be in force, how many there are */
    PARTITA_REQUEST_LOG = 6,       /* from which byte of the log on; partita_log_part and so many bytes */
    PARTITA_REQUEST_RESERVE = 7,   /* the partition, bytes; partita_reserved. With 0 bytes nothing is reserved */
    PARTITA_REQUEST_PUT = 8,       /* where in the store, and then bytes, at most PARTITA_CONTROL_PUT; nothing */
    PARTITA_REQUEST_GIVE = 9,      /* the partition, where a partita_guest that has arrived begins; what is wrong with it, or 0 */
    PARTITA_REQUEST_TAKE = 10,     /* the partition, which is of the pool; nothing */
    PARTITA_REQUEST_HISTORY = 11,  /* the partition; partita_history */
    PARTITA_NEWS = 0x40            /* of no request, sequence 0, and without a result: the log has something new */
};

struct partita_control_header {
    uint8_t version;
    uint8_t kind;      /* an enum partita_request, or that of an answer */
    uint16_t sequence; /* of the request */
};

/* Of a request: the words that belong to it. An answer begins with what came of it: PSCI_SUCCESS, or what a hypercall would say. */
struct partita_control_words {
    uint32_t word[2];
};

struct partita_hello {
    uint32_t partitions;
    uint32_t refused; /* frames that were not whole */
    uint32_t lives;   /* of the parent partition */
};

struct partita_reserved {
    uint32_t offset; /* where in the store; 0: there is no room */
    uint32_t room;   /* the longest that there would be room for */
};

/* How a life of a partition ended, as far as the parent partition saw it. */
struct partita_end {
    uint64_t at;     /* when, by the parent's counter */
    uint64_t lasted; /* ticks of it */
    uint32_t life;   /* the first is 1 */
    uint32_t reason; /* enum partita_reset_reason: what a next life is told of why it began */
};

#define PARTITA_HISTORY 8u /* ends of a partition that are kept */

struct partita_history {
    uint32_t ends;                           /* of its lives, since boot */
    uint32_t frequency;                      /* ticks in a second */
    uint64_t now;                            /* the parent's counter */
    uint64_t due;                            /* when the parent starts it again; 0: it does not */
    struct partita_end end[PARTITA_HISTORY]; /* the last comes first; of life 0: there is none */
};

struct partita_log_part {
    uint32_t first; /* the first byte that follows, counted from boot */
    uint32_t bytes;
};

#endif
