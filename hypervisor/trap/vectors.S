@ Entry from the guest and return to it. While a guest runs, SP_hyp points behind the frame in its vCPU, so that one push
@ makes SP_hyp the vCPU pointer: no look-up, no copy (docs/architecture.md, "A trap takes two hops").
    .syntax unified
    .arch_extension virt
    .arm

    .section .text.vectors, "ax"

@ A set of vectors. harden: what keeps a guest from training the branch predictor for Hyp (Spectre variant 2; Arm, "Cache Speculation
@ Side-channels"): none on Cortex-A7, which does not predict so far ahead, ICIALLU on Cortex-A15, where firmware has set ACTLR.IBE for
@ it, BPIALL on A12 and A17. trap, interrupt: the C++ functions.
    .macro harden_none
    .endm
    .macro harden_icache
    mcr     p15, 0, r0, c7, c5, 0       @ ICIALLU
    isb
    .endm
    .macro harden_predictor
    mcr     p15, 0, r0, c7, c5, 6       @ BPIALL
    isb
    .endm

    .macro vectors name, harden, trap, interrupt
    .balign 32
    .global \name
\name:
    b       hang                    @ reset: cannot come
    b       hyp_undefined
    b       hyp_call                @ an HVC from Hyp
    b       hyp_prefetch_abort
    b       hyp_data_abort
    b       \name\()_trap            @ everything a guest traps with, and HVC
    b       \name\()_interrupt       @ Hyp runs with interrupts masked: they come from a guest
    b       \name\()_interrupt       @ FIQ: none is configured; acknowledged like an IRQ

\name\()_trap:
    push    {r0-r12, lr}
    \harden
    mov     r0, sp
    bl      \trap
    @ r0: the vCPU to resume
    mov     sp, r0
    pop     {r0-r12, lr}
    eret
    dsb                             @ no straight-line speculation past the return
    isb

\name\()_interrupt:
    push    {r0-r12, lr}
    \harden
    mov     r0, sp
    bl      \interrupt
    mov     sp, r0
    pop     {r0-r12, lr}
    eret
    dsb
    isb
    .endm

    vectors hyp_vectors, harden_none, on_trap, on_interrupt
    vectors hyp_vectors_icache, harden_icache, on_trap, on_interrupt
    vectors hyp_vectors_predictor, harden_predictor, on_trap, on_interrupt
    vectors hyp_vectors_traced, harden_none, on_traced_trap, on_traced_interrupt
    vectors hyp_vectors_icache_traced, harden_icache, on_traced_trap, on_traced_interrupt
    vectors hyp_vectors_predictor_traced, harden_predictor, on_traced_trap, on_traced_interrupt

    .global resume_guest
    .type resume_guest, %function
resume_guest:
    mov     sp, r0
    pop     {r0-r12, lr}
    eret
    dsb
    isb

@ From an exception in Hyp mode, whose stack may be used up: r0-r12 and LR on this CPU's panic stack, and above them what SP was. VPIDR
@ carries r0 for the moment: its own value is known.
    .macro to_panic_stack
    mcr     p15, 4, r0, c0, c0, 0       @ VPIDR
    mov     r0, sp
    mrc     p15, 4, sp, c13, c0, 2      @ HTPIDR: Cpu
    ldr     sp, [sp]                    @ Cpu::panic_stack
    push    {r0, lr}
    mrc     p15, 4, r0, c0, c0, 0
    push    {r0-r12, lr}
    mrc     p15, 0, r0, c0, c0, 0       @ MIDR
    mcr     p15, 4, r0, c0, c0, 0
    .endm
    .macro from_panic_stack
    pop     {r0-r12, lr}
    ldr     sp, [sp]
    .endm

hyp_undefined:
    to_panic_stack
    mov     r1, #0
    b       1f
hyp_call:
    to_panic_stack
    mov     r1, #1
    b       1f
hyp_prefetch_abort:
    to_panic_stack
    mov     r1, #2
    b       1f
@ A guest's asynchronous abort comes here, too (HCR.AMO; DDI 0406C B1.9.8): it is the guest's, not a bug of ours.
hyp_data_abort:
    to_panic_stack
    mrs     r0, spsr
    and     r0, r0, #0x1f
    cmp     r0, #0x1a
    beq     abort_in_hyp
    from_panic_stack
    push    {r0-r12, lr}
    mov     r0, sp
    bl      on_asynchronous_abort
    b       resume_guest
abort_in_hyp:
    mrs     r0, elr_hyp
    adr     r2, abort_window
    sub     r0, r0, r2
    cmp     r0, #abort_window_end - abort_window
    mov     r1, #3
    bhi     1f                      @ not where one is asked for: a bug
    mrs     r0, spsr
    orr     r0, r0, #0x100          @ A: masked again
    msr     spsr_cxsf, r0
    adr     r0, abort_window_end
    msr     elr_hyp, r0
    mov     r0, #1
    str     r0, [sp]                @ r0 of the interrupted: drain_aborts() returns true
    from_panic_stack
    eret
    dsb
    isb
1:  mov     r0, sp
    bl      on_hyp_exception        @ does not return
hang:
    wfi
    b       hang

@ bool drain_aborts(): whether an asynchronous abort was pending; it is taken here. In Hyp mode they are masked otherwise, so
@ what is pending when a vCPU leaves is its own. Changes ELR_hyp and SPSR_hyp when there is one.
    .global drain_aborts
    .type drain_aborts, %function
drain_aborts:
    mov     r0, #0
    dsb                             @ what the guest's accesses are to cause, they have caused
abort_window:
    cpsie   a
    isb
abort_window_end:
    cpsid   a
    bx      lr

    .section .note.GNU-stack, "", %progbits
