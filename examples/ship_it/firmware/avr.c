/* SPDX-License-Identifier: MIT
   An ATmega2560 under simavr. The inputs and the logits that they should give lie in flash (avr_samples.s); what is
   printed goes to the serial port; a timer counts cycles. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

#include "board.h"

extern const uint8_t inputs_begin, logits_begin, logits_end;

int board_read(enum source source, void *to, uint16_t count) {
  static uint32_t next[2]; /* of 24 bits: pointers have 16. 0: nothing is read yet */
  uint32_t from = next[source], end;
  uint8_t *bytes = (uint8_t *)to;
  if (source == board_inputs) {
    from = from == 0 ? pgm_get_far_address(inputs_begin) : from;
    end = pgm_get_far_address(logits_begin);
  } else {
    from = from == 0 ? pgm_get_far_address(logits_begin) : from;
    end = pgm_get_far_address(logits_end);
  }
  if (end - from < count) {
    return 0;
  }
  while (count-- > 0) {
    *bytes++ = pgm_read_byte_far(from++);
  }
  next[source] = from;
  return 1;
}

void board_put(char c) {
  UCSR0B = 1 << TXEN0;
  while (!(UCSR0A & (1 << UDRE0))) {
  }
  UDR0 = (uint8_t)c;
}

void board_start(void) {
  TCNT1 = 0;
  TCCR1B = 1 << CS12; /* one step every 256 cycles */
}

uint32_t board_stop(void) { return (uint32_t)TCNT1 * 256; }

/* Asleep without interrupts it cannot wake up, and simavr ends. */
void board_exit(int failed) {
  (void)failed;
  cli();
  sleep_mode();
}
