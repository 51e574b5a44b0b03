@ Registers that only MRS/MSR (banked) and VFP loads and stores reach. The orders are those of vcpu_state.hpp.
    .syntax unified
    .fpu neon
    .arm
    .section .text, "ax"

@ void save_banked(BankedRegisters*)
    .global save_banked
    .type save_banked, %function
save_banked:
    mrs     r1, sp_usr
    mrs     r2, sp_svc
    mrs     r3, lr_svc
    mrs     r12, spsr_svc
    stmia   r0!, {r1-r3, r12}
    mrs     r1, sp_abt
    mrs     r2, lr_abt
    mrs     r3, spsr_abt
    stmia   r0!, {r1-r3}
    mrs     r1, sp_und
    mrs     r2, lr_und
    mrs     r3, spsr_und
    stmia   r0!, {r1-r3}
    mrs     r1, sp_irq
    mrs     r2, lr_irq
    mrs     r3, spsr_irq
    stmia   r0!, {r1-r3}
    mrs     r1, r8_fiq
    mrs     r2, r9_fiq
    mrs     r3, r10_fiq
    mrs     r12, r11_fiq
    stmia   r0!, {r1-r3, r12}
    mrs     r1, r12_fiq
    mrs     r2, sp_fiq
    mrs     r3, lr_fiq
    mrs     r12, spsr_fiq
    stmia   r0!, {r1-r3, r12}
    bx      lr

@ void load_banked(const BankedRegisters*)
    .global load_banked
    .type load_banked, %function
load_banked:
    ldmia   r0!, {r1-r3, r12}
    msr     sp_usr, r1
    msr     sp_svc, r2
    msr     lr_svc, r3
    msr     spsr_svc, r12
    ldmia   r0!, {r1-r3}
    msr     sp_abt, r1
    msr     lr_abt, r2
    msr     spsr_abt, r3
    ldmia   r0!, {r1-r3}
    msr     sp_und, r1
    msr     lr_und, r2
    msr     spsr_und, r3
    ldmia   r0!, {r1-r3}
    msr     sp_irq, r1
    msr     lr_irq, r2
    msr     spsr_irq, r3
    ldmia   r0!, {r1-r3, r12}
    msr     r8_fiq, r1
    msr     r9_fiq, r2
    msr     r10_fiq, r3
    msr     r11_fiq, r12
    ldmia   r0!, {r1-r3, r12}
    msr     r12_fiq, r1
    msr     sp_fiq, r2
    msr     lr_fiq, r3
    msr     spsr_fiq, r12
    bx      lr

@ void save_vfp(VfpRegisters*): with FPEXC.EN set, so that FPSCR and the registers can be read; fpexc itself is the caller's
    .global save_vfp
    .type save_vfp, %function
save_vfp:
    vstmia  r0!, {d0-d15}
    vstmia  r0!, {d16-d31}
    vmrs    r1, fpscr
    str     r1, [r0]
    bx      lr

    .global load_vfp
    .type load_vfp, %function
load_vfp:
    vldmia  r0!, {d0-d15}
    vldmia  r0!, {d16-d31}
    ldr     r1, [r0]
    vmsr    fpscr, r1
    bx      lr

    .global read_fpexc
    .type read_fpexc, %function
read_fpexc:
    vmrs    r0, fpexc
    bx      lr

    .global write_fpexc
    .type write_fpexc, %function
write_fpexc:
    vmsr    fpexc, r0
    bx      lr

    .section .note.GNU-stack, "", %progbits
