/* A plugin for QEMU that notes which instructions of the hypervisor were executed, and which way each conditional branch went.
 *
 * text=FILE      the bytes of the hypervisor's .text. Only a block that has the same bytes is its: boot code runs at the address where it
 *                was loaded, and another compiler's image may run at the same addresses.
 * branches=FILE  for each halfword of .text a word: 0, or where the conditional branch that begins there leads: 1 + the halfword; all ones
 *                where that is not in the instruction.
 * out=FILE       three bytes for each halfword of .text: executed, branch taken, branch not taken. Shared by all that run at the same time,
 *                and kept whatever ends QEMU; made larger when it is too small.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../plugin/qemu_plugin.h"

int qemu_plugin_version = 4;

#define UNKNOWN 0xffffffffu

static uint8_t* text;
static const uint32_t* leads_to;
static size_t size, halves;
static volatile uint8_t *seen, *taken, *passed;
PER_CPU size_t branch, behind; /* 1 + the place of the conditional branch that was the last instruction, and the one behind it; 0: none */

/* Another CPU may have had its turn in between: it is known where most branches lead. */
static bool leads(size_t from, size_t to) { return leads_to[from] == UNKNOWN || leads_to[from] == to + 1; }

static void step(unsigned cpu, void* data) {
    (void)cpu;
    const size_t at = (uintptr_t)data >> 1, bytes = ((uintptr_t)data & 1u) != 0 ? 4 : 2;
    if (branch != 0 && at == behind)
        passed[branch - 1] = 1;
    else if (branch != 0 && leads(branch - 1, at))
        taken[branch - 1] = 1;
    branch = leads_to[at] != 0 ? at + 1 : 0;
    behind = at + bytes / 2;
    seen[at] = 1;
}

static size_t place_of(const struct qemu_plugin_insn* insn) { return (size_t)(qemu_plugin_insn_vaddr(insn) & (IMAGE_SIZE - 1)); }

static bool ours(const struct qemu_plugin_tb* tb) {
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        const struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        const size_t at = place_of(insn);
        uint32_t code = 0;
        const size_t bytes = code_of(insn, &code);
        if (at + bytes > size || memcmp(text + at, &code, bytes) != 0) return false;
    }
    return true;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    (void)id;
    if (!ours(tb)) return;
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        uint32_t code = 0;
        const size_t wide = code_of(insn, &code) == 4 ? 1 : 0;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, step, QEMU_PLUGIN_CB_NO_REGS, (void*)(place_of(insn) / 2 << 1 | wide));
    }
}

static bool map_out(const char* path) {
    const int file = path ? open(path, O_RDWR | O_CREAT, 0666) : -1;
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) return false;
    if ((size_t)status.st_size < halves * 3 && ftruncate(file, (off_t)halves * 3) != 0) return false;
    void* const at = mmap(NULL, halves * 3, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) return false;
    seen = at;
    taken = seen + halves;
    passed = taken + halves;
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
    (void)info;
    size_t told = 0;
    text = read_bytes(argument_of(argc, argv, "text"), &size);
    halves = size / 2;
    leads_to = (const uint32_t*)(const void*)read_bytes(argument_of(argc, argv, "branches"), &told);
    if (!text || !leads_to || told < halves * 4 || !map_out(argument_of(argc, argv, "out"))) {
        fprintf(stderr, "cover: cannot read the files of text= and branches=, or write that of out=\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
