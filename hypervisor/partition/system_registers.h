/* CP15 state of PL1 and PL0 that moves when the vCPU on a CPU changes (ARM DDI 0406C B1.5, B3.17): the one table of which
 * SystemRegisters, save_system(), load_system() and the tests are made. C, C++ and assembly include it.
 *
 * PAIR(first, second, name, opc1, crm, free)
 * WORD(register, name, opc1, crn, crm, opc2, free)
 *
 * first, second, register: the general registers that carry it in an LDM or STM of a group.
 * free: bits of the (low) word that a guest can fill with anything while it runs on, for tests: its translation, its vectors and its
 * caches are as before. */
#ifndef PARTITA_SYSTEM_REGISTERS_H
#define PARTITA_SYSTEM_REGISTERS_H

/* clang-format off */
#define PARTITA_SYSTEM_PAIRS(PAIR) \
    PAIR(1, 2, ttbr0, 0, 2, 0) \
    PAIR(3, 4, ttbr1, 1, 2, 0) \
    PAIR(5, 6, par,   0, 7, 0xfffff000)

#define PARTITA_SYSTEM_WORDS_1(WORD) \
    WORD(1, sctlr, 0, 1, 0, 0, 0) \
    WORD(2, cpacr, 0, 1, 0, 2, 0) \
    WORD(3, ttbcr, 0, 2, 0, 2, 0) \
    WORD(4, dacr,  0, 3, 0, 0, 0xfffffffc) \
    WORD(5, dfsr,  0, 5, 0, 0, 0x0000040f) \
    WORD(6, ifsr,  0, 5, 0, 1, 0x0000040f) \
    WORD(7, adfsr, 0, 5, 1, 0, 0) \
    WORD(8, aifsr, 0, 5, 1, 1, 0)

#define PARTITA_SYSTEM_WORDS_2(WORD) \
    WORD(1, dfar,       0, 6,  0, 0, 0xffffffff) \
    WORD(2, ifar,       0, 6,  0, 2, 0xffffffff) \
    WORD(3, prrr,       0, 10, 2, 0, 0) \
    WORD(4, nmrr,       0, 10, 2, 1, 0) \
    WORD(5, amair0,     0, 10, 3, 0, 0) \
    WORD(6, amair1,     0, 10, 3, 1, 0) \
    WORD(7, vbar,       0, 12, 0, 0, 0) \
    WORD(8, contextidr, 0, 13, 0, 1, 0xffffffff)

#define PARTITA_SYSTEM_WORDS_3(WORD) \
    WORD(1, tpidrurw, 0, 13, 0, 2, 0xffffffff) \
    WORD(2, tpidruro, 0, 13, 0, 3, 0xffffffff) \
    WORD(3, tpidrprw, 0, 13, 0, 4, 0xffffffff) \
    WORD(4, csselr,   2, 0,  0, 0, 0x00000001) \
    WORD(5, cntkctl,  0, 14, 1, 0, 0x00000003)
/* clang-format on */

#define PARTITA_SYSTEM_WORDS(WORD) PARTITA_SYSTEM_WORDS_1(WORD) PARTITA_SYSTEM_WORDS_2(WORD) PARTITA_SYSTEM_WORDS_3(WORD)

#endif
