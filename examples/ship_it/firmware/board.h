/* SPDX-License-Identifier: MIT
   What main.c asks of a board. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

enum source { board_inputs, board_logits };

/* Reads the next `count` bytes of the inputs, or of the logits that they should give; returns 0 if there are no more. */
int board_read(enum source source, void *to, uint16_t count);

void board_put(char c);

/* What runs between the two is counted. board_stop returns the processor's cycles, or 0 where the emulator counts
   instructions. */
void board_start(void);
uint32_t board_stop(void);

/* Ends the program. */
void board_exit(int failed);

#endif
