/* SPDX-License-Identifier: MIT
   Included before a model: its constants lie in a section of their own with every bit turned over, so that only those
   are right which are read by the model's macros. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Byte by byte, and volatile: the compiler knows what the bytes were. */
#define READER(type, name)                                                             \
  static inline type name(const void *from) {                                          \
    const volatile unsigned char *const bytes = (const volatile unsigned char *)from;  \
    type value;                                                                        \
    unsigned i;                                                                        \
    for (i = 0; i < sizeof value; ++i) {                                               \
      ((unsigned char *)&value)[i] = (unsigned char)~bytes[i];                         \
    }                                                                                  \
    return value;                                                                      \
  }
READER(uint8_t, read_8)
READER(uint16_t, read_16)
READER(int32_t, read_32)
READER(float, read_float)

#define DIGIT_MEMORY __attribute__((section("digit_constants")))
#define DIGIT_READ_8(address) read_8(address)
#define DIGIT_READ_16(address) read_16(address)
#define DIGIT_READ_32(address) read_32(address)
#define DIGIT_READ_FLOAT(address) read_float(address)

/* Where the linker has put the section. */
extern unsigned char __start_digit_constants[], __stop_digit_constants[];

static __attribute__((constructor)) void turn_over(void) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = (uintptr_t)__start_digit_constants / page * page;
  unsigned char *byte;
  if (mprotect((void *)begin, (uintptr_t)__stop_digit_constants - begin, PROT_READ | PROT_WRITE) != 0) {
    abort();
  }
  for (byte = __start_digit_constants; byte != __stop_digit_constants; ++byte) {
    *byte = (unsigned char)~*byte;
  }
}
