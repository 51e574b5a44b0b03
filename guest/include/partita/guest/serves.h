/* What a program can serve, for the tool: a description that wants more of it is refused before anything boots. */
#ifndef PARTITA_GUEST_SERVES_H
#define PARTITA_GUEST_SERVES_H

/* Once in a program, outside of functions: the kinds of virtio devices (console, rpmsg, disk, network, rng), each with how many of them
 * there can be, as in PARTITA_SERVES("console=8 disk=16"). It takes no memory of the partition. A program without it is believed to serve
 * all. */
#define PARTITA_SERVES_TEXT(count) #count
/* " disk=16", of a count that is a macro. */
#define PARTITA_SERVES_KIND(kind, count) " " kind "=" PARTITA_SERVES_TEXT(count)
#define PARTITA_SERVES(kinds) __asm__(".pushsection .partita.serves,\"\",%progbits\n.asciz \"" kinds "\"\n.popsection")

#endif
