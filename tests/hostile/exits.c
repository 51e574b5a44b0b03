/* A plugin for QEMU that finds the longest stretch that a CPU spends in Hyp mode once its guests run: in instructions, from the exit to
 * the return. A look at what the GIC has pending begins a new one, since what waits is taken then (trap/run.cpp: a partition is loaded
 * in the time that is its own), and so does sleep.
 *
 * Where CPUs take turns in one thread (-icount), HTPIDR tells which one runs: the hypervisor's Cpu.
 *
 * text=FILE  the bytes of the hypervisor's .text: only instructions with the same bytes are its.
 * out=FILE   written whenever a longer one was found:
 *   worst INSTRUCTIONS
 *   at ADDRESS COUNT        for each address of it
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../plugin/qemu_plugin.h"

int qemu_plugin_version = 4;

#define WFI 0xe320f003u
#define WFI_T32 0xbf30u
#define ERET 0xe160006eu
#define GICC_HPPIR 0xf0202018u /* machine/layout.hpp: gicc */
#define MOST 1000000u
#define CPUS 8u /* PARTITA_MAX_CPUS */

enum kind { plain, sleep, end };
struct cpu {
    uint64_t name;        /* what its HTPIDR holds; 0: none yet */
    bool started, inside; /* has returned to a guest; is in Hyp */
    uint32_t count;
    uint32_t path[MOST];
};
static struct cpu cpus[CPUS];
PER_CPU struct cpu* here; /* whose turn it is in this thread */
PER_CPU glib_array* value;
static struct qemu_plugin_register* htpidr;
static const char* out;
static uint8_t* text;
static size_t size;
static uint32_t worst;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void write_worst(const struct cpu* cpu) {
    uint32_t* const counts = calloc(size / 2, sizeof *counts);
    FILE* const file = fopen(out, "w");
    if (counts && file) {
        for (uint32_t n = 0; n < cpu->count && n < MOST; ++n) ++counts[cpu->path[n]];
        fprintf(file, "worst %u\n", cpu->count);
        for (size_t n = 0; n < size / 2; ++n)
            if (counts[n] != 0) fprintf(file, "at %zx %u\n", IMAGE + n * 2, counts[n]);
    }
    if (file) fclose(file);
    free(counts);
}

static void finish_stretch(struct cpu* cpu) {
    if (cpu->started && cpu->count > worst) {
        pthread_mutex_lock(&lock);
        if (cpu->count > worst) {
            worst = cpu->count;
            write_worst(cpu);
        }
        pthread_mutex_unlock(&lock);
    }
    cpu->count = 0;
}

static void step(unsigned number, void* data) {
    (void)number;
    struct cpu* const cpu = here;
    if (!cpu) return; /* at boot, before HTPIDR is set */
    const uintptr_t packed = (uintptr_t)data;
    if (!cpu->inside) cpu->count = 0;
    cpu->inside = true;
    if (cpu->count < MOST) cpu->path[cpu->count] = (uint32_t)(packed >> 2);
    ++cpu->count;
    if ((packed & 3u) == plain) return;
    finish_stretch(cpu);
    if ((packed & 3u) == end) cpu->inside = false, cpu->started = true;
}

/* Of the CPU that runs a block of the hypervisor's. */
static void find_cpu(unsigned number, void* data) {
    (void)number, (void)data;
    uint64_t name = 0;
    if (!value) value = g_byte_array_new();
    g_byte_array_set_size(value, 0);
    if (!htpidr || qemu_plugin_read_register(htpidr, value) < 4) abort();
    memcpy(&name, value->data, value->length < sizeof name ? value->length : sizeof name);
    if (name == 0 || (here && here->name == name)) return;
    pthread_mutex_lock(&lock);
    for (here = cpus; here->name != 0 && here->name != name;) {
        if (++here == cpus + CPUS) abort();
    }
    here->name = name;
    pthread_mutex_unlock(&lock);
}

static void find_register(qemu_plugin_id_t id, unsigned number) {
    (void)id, (void)number;
    const glib_array* const all = qemu_plugin_get_registers();
    for (unsigned n = 0; n < all->length; ++n) {
        const register_description* const each = (const register_description*)all->data + n;
        if (strcmp(each->name, "TPIDR_EL2") == 0 || strcmp(each->name, "HTPIDR") == 0) htpidr = each->handle;
    }
}

static void touch(unsigned number, qemu_plugin_meminfo_t info, uint64_t address, void* data) {
    (void)number, (void)info, (void)data;
    if (here && address == GICC_HPPIR) finish_stretch(here);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    (void)id;
    const uint64_t block = qemu_plugin_tb_vaddr(tb);
    if (block >= IMAGE && block < IMAGE + size) qemu_plugin_register_vcpu_tb_exec_cb(tb, find_cpu, QEMU_PLUGIN_CB_R_REGS, NULL);
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        const size_t at = (size_t)(address - IMAGE);
        uint32_t code = 0;
        const size_t bytes = code_of(insn, &code);
        if (address < IMAGE || at + bytes > size || memcmp(text + at, &code, bytes) != 0) continue;
        const enum kind kind = code == WFI || (bytes == 2 && code == WFI_T32) ? sleep : code == ERET ? end : plain;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, step, QEMU_PLUGIN_CB_NO_REGS, (void*)(at / 2 << 2 | kind));
        qemu_plugin_register_vcpu_mem_cb(insn, touch, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
    (void)info;
    text = read_bytes(argument_of(argc, argv, "text"), &size);
    out = argument_of(argc, argv, "out");
    if (out) out = strdup(out);
    if (!text || !out) {
        fprintf(stderr, "exits: cannot read the file of text=, or out= is missing\n");
        return 1;
    }
    qemu_plugin_register_vcpu_init_cb(id, find_register);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
