/* A plugin for QEMU that counts all instructions that were executed, and those of them that were the hypervisor's own.
 *
 * out=FILE  Words of 64 bits, little-endian, that are kept up to date while the machine runs: both counts, and both of each CPU. Whoever
 * maps the file reads them when the guest has said that its work begins, and that it has ended.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../plugin/qemu_plugin.h"

int qemu_plugin_version = 4;

#define CPUS 8u

static uint64_t* counts; /* all, the hypervisor's; the same of CPU 0, of CPU 1, … */

/* Each CPU has a thread of its own here, so that its number is right. */
static void executed_block(unsigned number, void* data) {
    const uintptr_t packed = (uintptr_t)data;
    uint64_t* const own = &counts[2 + number % CPUS * 2];
    __atomic_fetch_add(&counts[0], packed >> 1, __ATOMIC_RELAXED);
    own[0] += packed >> 1;
    if ((packed & 1u) == 0) return;
    __atomic_fetch_add(&counts[1], packed >> 1, __ATOMIC_RELAXED);
    own[1] += packed >> 1;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
    (void)id;
    const uint64_t address = qemu_plugin_tb_vaddr(block);
    const bool own = address >= IMAGE && address < IMAGE + IMAGE_SIZE;
    const uintptr_t packed = (uintptr_t)qemu_plugin_tb_n_insns(block) << 1 | (own ? 1u : 0u);
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed_block, QEMU_PLUGIN_CB_NO_REGS, (void*)packed);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
    (void)info;
    const char* const out = argument_of(argc, argv, "out");
    const int file = out ? open(out, O_RDWR | O_CREAT, 0600) : -1;
    const size_t size = (2 + 2 * CPUS) * sizeof *counts;
    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        fprintf(stderr, "share: cannot write the file of out=\n");
        return 1;
    }
    counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
