/* A plugin for QEMU that counts what the hypervisor does between the benchmark's marks (bench.h): instructions by address, accesses
 * to the GIC, barriers, TLB and cache maintenance.
 *
 * Writes to the file named by the argument `out`, for each window between two marks:
 *   window INSTRUCTIONS GIC BARRIERS TLB CACHE
 *   at ADDRESS COUNT        for each address that was executed
 */
#include <stdbool.h>

#include "../plugin/qemu_plugin.h"

int qemu_plugin_version = 4;

#define GIC 0xf0200000u
#define GIC_SIZE 0x4000u
#define MARK_BEGIN 0xe1a0b00bu
#define MARK_END 0xe1a0c00cu

enum kind { plain, barrier, tlb, cache };
static FILE* out;
static bool open_window;
static uint64_t instructions, gic, kinds[4];
static uint32_t counts[IMAGE_SIZE / 2];

static enum kind kind_of(uint32_t insn) {
    /* A32, or T32 with its halves put in order: there both have the same fields. */
    if ((insn & 0xff00ffffu) == 0x8f00f3bfu) {
        const uint32_t which = insn >> 20 & 0xfu;
        return which >= 4 && which <= 6 ? barrier : plain;
    }
    if ((insn & 0x0f10ff10u) == 0x0f10ee00u) insn = insn << 16 | insn >> 16;
    if ((insn & 0xffffff00u) == 0xf57ff000u) {
        const uint32_t which = insn >> 4 & 0xfu;
        return which >= 4 && which <= 6 ? barrier : plain;
    }
    if ((insn & 0x0f100f10u) != 0x0e000f10u) return plain;
    const uint32_t crn = insn >> 16 & 0xfu;
    return crn == 8 ? tlb : crn == 7 ? cache : plain;
}

static void begin(unsigned cpu, void* data) {
    (void)cpu, (void)data;
    open_window = true;
    instructions = gic = 0;
    memset(kinds, 0, sizeof kinds);
    memset(counts, 0, sizeof counts);
}

static void end(unsigned cpu, void* data) {
    (void)cpu, (void)data;
    open_window = false;
    fprintf(out, "window %llu %llu %llu %llu %llu\n", (unsigned long long)instructions, (unsigned long long)gic,
            (unsigned long long)kinds[barrier], (unsigned long long)kinds[tlb], (unsigned long long)kinds[cache]);
    for (uint32_t n = 0; n < IMAGE_SIZE / 2; ++n)
        if (counts[n] != 0) fprintf(out, "at %x %u\n", IMAGE + n * 2, counts[n]);
    fflush(out); /* QEMU may be stopped by a signal */
}

static void step(unsigned cpu, void* data) {
    (void)cpu;
    if (!open_window) return;
    const uintptr_t packed = (uintptr_t)data;
    ++instructions;
    ++kinds[packed & 3u];
    ++counts[packed >> 2];
}

static void touch(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void* data) {
    (void)cpu, (void)info, (void)data;
    if (open_window && address >= GIC && address < GIC + GIC_SIZE) ++gic;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    (void)id;
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        uint32_t code = 0;
        (void)code_of(insn, &code);
        if (address >= IMAGE && address < IMAGE + IMAGE_SIZE) {
            const uintptr_t packed = (uintptr_t)(address - IMAGE) / 2 << 2 | kind_of(code);
            qemu_plugin_register_vcpu_insn_exec_cb(insn, step, QEMU_PLUGIN_CB_NO_REGS, (void*)packed);
            qemu_plugin_register_vcpu_mem_cb(insn, touch, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
        } else if (code == MARK_BEGIN) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
        } else if (code == MARK_END) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
    }
}

static void finish(qemu_plugin_id_t id, void* data) {
    (void)id, (void)data;
    fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
    (void)info;
    const char* const path = argument_of(argc, argv, "out");
    if (path) out = fopen(path, "w");
    if (!out) {
        fprintf(stderr, "count: cannot write the file of out=\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
