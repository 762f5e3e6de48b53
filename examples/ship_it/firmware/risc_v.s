/* SPDX-License-Identifier: MIT
   How a program for qemu-riscv32 starts, with a stack and with its data in place, and how it calls the debugger. */
.section .text.start, "ax"
.globl _start
_start:
.option push
.option norelax /* or gp would be set from gp */
la gp, __global_pointer$
.option pop
call main

/* uintptr_t semihosting_call(uintptr_t operation, const void *arguments): these three instructions, in their long form,
   on one page. */
.section .text.semihosting_call, "ax"
.balign 16
.globl semihosting_call
semihosting_call:
.option norvc
slli zero, zero, 31
ebreak
srai zero, zero, 7
ret
