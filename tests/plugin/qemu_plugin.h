/* QEMU's plugin interface, as far as the plugins here use it. No package has its header, so that the few declarations stand here
 * (QEMU: include/qemu/qemu-plugin.h, interface version 4), with what the plugins share. */
#ifndef PARTITA_QEMU_PLUGIN_H
#define PARTITA_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };
typedef void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb*);
typedef void (*executed)(unsigned, void*);
typedef void (*accessed)(unsigned, qemu_plugin_meminfo_t, uint64_t, void*);
typedef void (*ended)(qemu_plugin_id_t, void*);
typedef void (*appeared)(qemu_plugin_id_t, unsigned);
struct qemu_plugin_register;
typedef struct { /* qemu_plugin_reg_descriptor */
    struct qemu_plugin_register* handle;
    const char *name, *feature;
} register_description;
typedef struct { /* glib's GArray and GByteArray, as far as they are public */
    void* data;
    unsigned length;
} glib_array;
glib_array* g_byte_array_new(void);
glib_array* g_byte_array_set_size(glib_array*, unsigned);
glib_array* qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register*, glib_array*);
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t, appeared);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn*, void*, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn*);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb*, executed, enum qemu_plugin_cb_flags, void*);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn*, executed, enum qemu_plugin_cb_flags, void*);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn*, accessed, enum qemu_plugin_cb_flags, enum qemu_plugin_mem_rw, void*);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, ended, void*);
int qemu_plugin_install(qemu_plugin_id_t, const void*, int, char**);

/* The hypervisor's own addresses: hypervisor/machine/layout.hpp. */
#define IMAGE 0xf0000000u
#define IMAGE_SIZE 0x00200000u

/* The CPU that a callback is given is not to be relied on: where CPUs take turns in one thread (-icount), QEMU 10 gives the one that
 * translated the block. What belongs to a CPU is kept for each thread instead, and turns end where a CPU sleeps, or changes its timer:
 * who must know it then reads a register, which is of the CPU that runs. */
#define PER_CPU static __thread

/* The value of the argument `name=`, or NULL. */
static inline const char* argument_of(int argc, char** argv, const char* name) {
    const size_t length = strlen(name);
    for (int n = 0; n < argc; ++n)
        if (strncmp(argv[n], name, length) == 0 && argv[n][length] == '=') return argv[n] + length + 1;
    return NULL;
}

/* The bytes of a file, at most as many as the image has, and how many; NULL when it cannot be read. Those of .text are A32 and T32 code: an
 * instruction is named by where its first halfword is. */
static inline uint8_t* read_bytes(const char* path, size_t* size) {
    FILE* const file = path ? fopen(path, "rb") : NULL;
    uint8_t* const bytes = calloc(IMAGE_SIZE, 1);
    *size = file && bytes ? fread(bytes, 1, IMAGE_SIZE, file) : 0;
    if (file) fclose(file);
    return *size != 0 ? bytes : NULL;
}

/* Its code, and its size: 4 or 2 bytes. */
static inline size_t code_of(const struct qemu_plugin_insn* insn, uint32_t* code) {
    *code = 0;
    return qemu_plugin_insn_data(insn, code, sizeof *code);
}

#endif
