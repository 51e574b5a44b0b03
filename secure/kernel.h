/* For C++ and assembler. */
#ifndef PARTITA_SECURE_KERNEL_H
#define PARTITA_SECURE_KERNEL_H

#define KERNEL_STACK_SHIFT 13
#define KERNEL_FAULT_STACK 1024

#endif
