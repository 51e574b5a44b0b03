@ CP15 state of PL1 and PL0 in groups of eight registers, in the order of SystemRegisters (vcpu_state.hpp).
    .syntax unified
    .arm
    .section .text, "ax"

@ void save_system(SystemRegisters*): all but ThumbEE's two
    .global save_system
    .type save_system, %function
save_system:
    push    {r4-r8}
    mrrc    p15, 0, r1, r2, c2          @ TTBR0
    mrrc    p15, 1, r3, r4, c2          @ TTBR1
    mrrc    p15, 0, r5, r6, c7          @ PAR
    stmia   r0!, {r1-r6}
    mrc     p15, 0, r1, c1, c0, 0       @ SCTLR
    mrc     p15, 0, r2, c1, c0, 2       @ CPACR
    mrc     p15, 0, r3, c2, c0, 2       @ TTBCR
    mrc     p15, 0, r4, c3, c0, 0       @ DACR
    mrc     p15, 0, r5, c5, c0, 0       @ DFSR
    mrc     p15, 0, r6, c5, c0, 1       @ IFSR
    mrc     p15, 0, r7, c5, c1, 0       @ ADFSR
    mrc     p15, 0, r8, c5, c1, 1       @ AIFSR
    stmia   r0!, {r1-r8}
    mrc     p15, 0, r1, c6, c0, 0       @ DFAR
    mrc     p15, 0, r2, c6, c0, 2       @ IFAR
    mrc     p15, 0, r3, c10, c2, 0      @ PRRR
    mrc     p15, 0, r4, c10, c2, 1      @ NMRR
    mrc     p15, 0, r5, c10, c3, 0      @ AMAIR0
    mrc     p15, 0, r6, c10, c3, 1      @ AMAIR1
    mrc     p15, 0, r7, c12, c0, 0      @ VBAR
    mrc     p15, 0, r8, c13, c0, 1      @ CONTEXTIDR
    stmia   r0!, {r1-r8}
    mrc     p15, 0, r1, c13, c0, 2      @ TPIDRURW
    mrc     p15, 0, r2, c13, c0, 3      @ TPIDRURO
    mrc     p15, 0, r3, c13, c0, 4      @ TPIDRPRW
    mrc     p15, 2, r4, c0, c0, 0       @ CSSELR
    mrc     p15, 0, r5, c14, c1, 0      @ CNTKCTL
    stmia   r0!, {r1-r5}
    pop     {r4-r8}
    bx      lr

@ void load_system(const SystemRegisters*): all but ThumbEE's two
    .global load_system
    .type load_system, %function
load_system:
    push    {r4-r8}
    ldmia   r0!, {r1-r6}
    mcrr    p15, 0, r1, r2, c2          @ TTBR0
    mcrr    p15, 1, r3, r4, c2          @ TTBR1
    mcrr    p15, 0, r5, r6, c7          @ PAR
    ldmia   r0!, {r1-r8}
    mcr     p15, 0, r1, c1, c0, 0       @ SCTLR
    mcr     p15, 0, r2, c1, c0, 2       @ CPACR
    mcr     p15, 0, r3, c2, c0, 2       @ TTBCR
    mcr     p15, 0, r4, c3, c0, 0       @ DACR
    mcr     p15, 0, r5, c5, c0, 0       @ DFSR
    mcr     p15, 0, r6, c5, c0, 1       @ IFSR
    mcr     p15, 0, r7, c5, c1, 0       @ ADFSR
    mcr     p15, 0, r8, c5, c1, 1       @ AIFSR
    ldmia   r0!, {r1-r8}
    mcr     p15, 0, r1, c6, c0, 0       @ DFAR
    mcr     p15, 0, r2, c6, c0, 2       @ IFAR
    mcr     p15, 0, r3, c10, c2, 0      @ PRRR
    mcr     p15, 0, r4, c10, c2, 1      @ NMRR
    mcr     p15, 0, r5, c10, c3, 0      @ AMAIR0
    mcr     p15, 0, r6, c10, c3, 1      @ AMAIR1
    mcr     p15, 0, r7, c12, c0, 0      @ VBAR
    mcr     p15, 0, r8, c13, c0, 1      @ CONTEXTIDR
    ldmia   r0!, {r1-r5}
    mcr     p15, 0, r1, c13, c0, 2      @ TPIDRURW
    mcr     p15, 0, r2, c13, c0, 3      @ TPIDRURO
    mcr     p15, 0, r3, c13, c0, 4      @ TPIDRPRW
    mcr     p15, 2, r4, c0, c0, 0       @ CSSELR
    mcr     p15, 0, r5, c14, c1, 0      @ CNTKCTL
    pop     {r4-r8}
    bx      lr

    .section .note.GNU-stack, "", %progbits
