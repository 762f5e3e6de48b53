/* SPDX-License-Identifier: MIT
   Included before the model: on AVR its constants stay in flash. */
#include <avr/pgmspace.h>

#define DIGIT_MEMORY PROGMEM
#define DIGIT_READ_8(address) pgm_read_byte(address)
#define DIGIT_READ_16(address) pgm_read_word(address) /* of weights in bfloat16 */
#define DIGIT_READ_32(address) pgm_read_dword(address)
#define DIGIT_READ_FLOAT(address) pgm_read_float(address) /* of floats, also those that real inputs are scaled by */
