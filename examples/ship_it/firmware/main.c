/* SPDX-License-Identifier: MIT
   The program of every board: runs the model's self-test and all inputs that the board has, and prints how many of them
   gave other logits than they should.

   MODEL_FILE is the file that io::export_c has written. With WITHOUT_MODEL the same program does not use it: the
   difference of the two sizes is what the model costs. TOLERANCE is that of logits in floats, relative to the largest;
   without it they are integers. */
#include "board.h"

#include MODEL_FILE

#ifdef TOLERANCE
typedef float logit_type;
#else
typedef int8_t logit_type;
#endif

#ifdef WITHOUT_MODEL
#define digit_classify(inputs) ((inputs)[0] > 0)
#define digit_logits(inputs, logits) ((logits)[0] = (logit_type)(inputs)[0])
#define digit_selftest() 0
#endif

/* Not inlined, so that they can be told apart from the rest of the program. */
#define APART __attribute__((noinline))
APART int classify(const digit_input *inputs);
APART void compute(const digit_input *inputs, logit_type *logits);
APART int test_itself(void);

int classify(const digit_input *inputs) { return digit_classify(inputs); }
void compute(const digit_input *inputs, logit_type *logits) { digit_logits(inputs, logits); }
int test_itself(void) { return digit_selftest(); }

static int class_of(const logit_type *logits) {
  int best = 0, i;
  for (i = 1; i < DIGIT_OUTPUTS; ++i) {
    best = logits[i] > logits[best] ? i : best;
  }
  return best;
}

#ifdef TOLERANCE
static float absolute(float x) { return x < 0 ? -x : x; }
#endif

static int agree(const logit_type *logits, const logit_type *expected) {
  int i;
#ifdef TOLERANCE
  float tolerance = 1.0f;
  for (i = 0; i < DIGIT_OUTPUTS; ++i) {
    tolerance = absolute(expected[i]) > tolerance ? absolute(expected[i]) : tolerance;
  }
  tolerance *= TOLERANCE;
  for (i = 0; i < DIGIT_OUTPUTS; ++i) {
    if (!(absolute(logits[i] - expected[i]) <= tolerance)) {
      return 0;
    }
  }
#else
  for (i = 0; i < DIGIT_OUTPUTS; ++i) {
    if (logits[i] != expected[i]) {
      return 0;
    }
  }
#endif
  return 1;
}

static void print(const char *name, uint32_t value) {
  char digits[11];
  int i = 10;
  digits[i] = 0;
  do {
    digits[--i] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (*name) {
    board_put(*name++);
  }
  while (digits[i]) {
    board_put(digits[i++]);
  }
}

static digit_input inputs[DIGIT_INPUTS];

int main(void) {
  logit_type logits[DIGIT_OUTPUTS], expected[DIGIT_OUTPUTS];
  uint16_t samples = 0, wrong = 0;
  uint32_t cycles = 0;
  int failed;
  while (board_read(board_inputs, inputs, sizeof inputs) && board_read(board_logits, expected, sizeof expected)) {
    if (samples == 0) {
      int found;
      board_start();
      found = classify(inputs);
      cycles = board_stop();
      wrong = found != class_of(expected);
    }
    compute(inputs, logits);
    wrong = (uint16_t)(wrong + !agree(logits, expected));
    ++samples;
  }
  failed = test_itself();
  print("samples ", samples);
  print(" wrong ", wrong);
  print(" self-test ", (uint32_t)failed);
  print(" cycles ", cycles);
  board_put('\n');
  board_exit(samples == 0 || wrong > 0 || failed != 0);
  return 0;
}
