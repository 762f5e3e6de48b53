/* SPDX-License-Identifier: MIT
   A board whose debugger, here the emulator, opens files and prints for it, as Arm's "Semihosting for AArch32 and
   AArch64" says, and the same for RISC-V. Reads the files `inputs` and `logits`. The emulator prints each instruction
   that is executed, and the lines between board_start and board_stop are counted. */
#include "board.h"

enum operation { operation_open = 1, operation_putc = 3, operation_read = 6, operation_exit = 24 };

uintptr_t semihosting_call(uintptr_t operation, const void *arguments); /* cortex_m.c, risc_v.s */

static uintptr_t open_file(const char *name, uintptr_t length) {
  const uintptr_t arguments[3] = {(uintptr_t)name, 1 /* rb */, length};
  return semihosting_call(operation_open, arguments);
}

int board_read(enum source source, void *to, uint16_t count) {
  static uintptr_t files[2]; /* 0: not opened */
  uintptr_t arguments[3];
  if (files[source] == 0) {
    files[source] = source == board_inputs ? open_file("inputs", 6) : open_file("logits", 6);
  }
  arguments[0] = files[source];
  arguments[1] = (uintptr_t)to;
  arguments[2] = count;
  return semihosting_call(operation_read, arguments) == 0; /* it returns the bytes that are missing */
}

void board_put(char c) { semihosting_call(operation_putc, &c); }

__attribute__((noinline)) void board_start(void) { __asm__ volatile(""); }
__attribute__((noinline)) uint32_t board_stop(void) {
  __asm__ volatile("");
  return 0;
}

void board_exit(int failed) { semihosting_call(operation_exit, (const void *)(uintptr_t)(failed ? 0x20023 : 0x20026)); }

/* The compiler may call these two, and there is no C library. */
void *memcpy(void *to, const void *from, __SIZE_TYPE__ count);
void *memset(void *to, int value, __SIZE_TYPE__ count);

void *memcpy(void *to, const void *from, __SIZE_TYPE__ count) {
  volatile char *t = (volatile char *)to;
  const char *f = (const char *)from;
  while (count-- > 0) {
    *t++ = *f++;
  }
  return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ count) {
  volatile char *t = (volatile char *)to;
  while (count-- > 0) {
    *t++ = (char)value;
  }
  return to;
}
