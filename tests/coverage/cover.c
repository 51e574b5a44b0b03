/* A plugin for QEMU that notes which instructions of the hypervisor were executed, and which way each conditional branch went.
 *
 * text=FILE  the bytes of the hypervisor's .text. Only a block that has the same words is its: boot code runs at the address where it
 *            was loaded, and another compiler's image may run at the same addresses.
 * out=FILE   three bytes for each word of .text: executed, branch taken, branch not taken. Shared by all that run at the same time, and
 *            kept whatever ends QEMU; made larger when it is too small.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../plugin/qemu_plugin.h"

int qemu_plugin_version = 4;

static uint32_t* text;
static size_t words;
static volatile uint8_t *seen, *taken, *passed;
PER_CPU size_t branch; /* 1 + the word of the conditional branch that was the last instruction; 0: none */

/* A32 with a condition, that may write PC: B, BL, BX, and LDM with PC. */
static bool branches(uint32_t insn) {
    if (insn >> 28 >= 0xe) return false;
    return (insn & 0x0e000000u) == 0x0a000000u || (insn & 0x0ffffff0u) == 0x012fff10u || (insn & 0x0e108000u) == 0x08108000u;
}

/* Whether a branch at one word can lead to another: known for B and BL. Another CPU may have had its turn in between. */
static bool leads(size_t from, size_t to) {
    const uint32_t insn = text[from];
    if ((insn & 0x0e000000u) != 0x0a000000u) return true;
    return from + 2 + (size_t)((int32_t)(insn << 8) >> 8) == to;
}

static void step(unsigned cpu, void* data) {
    (void)cpu;
    const size_t word = (uintptr_t)data >> 1;
    if (branch != 0 && word == branch)
        passed[branch - 1] = 1;
    else if (branch != 0 && leads(branch - 1, word))
        taken[branch - 1] = 1;
    branch = ((uintptr_t)data & 1u) != 0 ? word + 1 : 0;
    seen[word] = 1;
}

static size_t word_of(const struct qemu_plugin_insn* insn) { return (size_t)(qemu_plugin_insn_vaddr(insn) & (IMAGE_SIZE - 1)) / 4; }

static bool ours(const struct qemu_plugin_tb* tb) {
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        const struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        const size_t word = word_of(insn);
        uint32_t code = 0;
        if (qemu_plugin_insn_data(insn, &code, sizeof code) != sizeof code || word >= words || text[word] != code) return false;
    }
    return true;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    (void)id;
    if (!ours(tb)) return;
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); ++n) {
        struct qemu_plugin_insn* const insn = qemu_plugin_tb_get_insn(tb, n);
        const size_t word = word_of(insn);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, step, QEMU_PLUGIN_CB_NO_REGS, (void*)(word << 1 | branches(text[word])));
    }
}

static bool map_out(const char* path) {
    const int file = path ? open(path, O_RDWR | O_CREAT, 0666) : -1;
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) return false;
    if ((size_t)status.st_size < words * 3 && ftruncate(file, (off_t)words * 3) != 0) return false;
    void* const at = mmap(NULL, words * 3, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) return false;
    seen = at;
    taken = seen + words;
    passed = taken + words;
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
    (void)info;
    text = read_text(argument_of(argc, argv, "text"), &words);
    if (!text || !map_out(argument_of(argc, argv, "out"))) {
        fprintf(stderr, "cover: cannot read the file of text=, or write that of out=\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
