#include "partition/system_registers.h"

@ CP15 state of PL1 and PL0, in groups of up to eight registers.
    .syntax unified
    .arm
    .section .text, "ax"

#define SAVE_PAIR(first, second, name, opc1, crm, free) mrrc p15, opc1, r##first, r##second, c##crm ;
#define LOAD_PAIR(first, second, name, opc1, crm, free) mcrr p15, opc1, r##first, r##second, c##crm ;
#define SAVE(n, name, opc1, crn, crm, opc2, free) mrc p15, opc1, r##n, c##crn, c##crm, opc2 ;
#define LOAD(n, name, opc1, crn, crm, opc2, free) mcr p15, opc1, r##n, c##crn, c##crm, opc2 ;

@ void save_system(SystemRegisters*): all but ThumbEE's two
    .global save_system
    .type save_system, %function
save_system:
    push    {r4-r8}
    PARTITA_SYSTEM_PAIRS(SAVE_PAIR)
    stmia   r0!, {r1-r6}
    PARTITA_SYSTEM_WORDS_1(SAVE)
    stmia   r0!, {r1-r8}
    PARTITA_SYSTEM_WORDS_2(SAVE)
    stmia   r0!, {r1-r8}
    PARTITA_SYSTEM_WORDS_3(SAVE)
    stmia   r0!, {r1-r5}
    pop     {r4-r8}
    bx      lr

@ void load_system(const SystemRegisters*): all but ThumbEE's two
    .global load_system
    .type load_system, %function
load_system:
    push    {r4-r8}
    ldmia   r0!, {r1-r6}
    PARTITA_SYSTEM_PAIRS(LOAD_PAIR)
    ldmia   r0!, {r1-r8}
    PARTITA_SYSTEM_WORDS_1(LOAD)
    ldmia   r0!, {r1-r8}
    PARTITA_SYSTEM_WORDS_2(LOAD)
    ldmia   r0!, {r1-r5}
    PARTITA_SYSTEM_WORDS_3(LOAD)
    pop     {r4-r8}
    bx      lr

    .section .note.GNU-stack, "", %progbits
