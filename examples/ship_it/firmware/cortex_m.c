/* SPDX-License-Identifier: MIT
   How a Cortex-M starts, by the first two words of its flash, and calls its debugger. */
#include <stdint.h>

extern uint32_t data_from[], data_begin[], data_end[], bss_end[], stack_top[]; /* cortex_m.ld */

int main(void);
void start(void);
uintptr_t semihosting_call(uintptr_t operation, const void *arguments);

void start(void) {
  const uint32_t *from = data_from;
  uint32_t *to = data_begin;
#ifdef __ARM_FP
  *(volatile uint32_t *)0xE000ED88u |= 0xF00000u; /* CPACR: switches the floating-point unit on */
#endif
  while (to < data_end) {
    *to++ = *from++;
  }
  while (to < bss_end) {
    *to++ = 0;
  }
  main();
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*reset)(void);
} vectors = {stack_top, start};

__attribute__((naked)) uintptr_t semihosting_call(uintptr_t operation, const void *arguments) {
  (void)operation;
  (void)arguments;
  __asm__("bkpt 0xAB\nbx lr");
}
