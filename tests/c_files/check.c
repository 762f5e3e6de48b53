/* SPDX-License-Identifier: MIT
   check INPUTS LOGITS [TOLERANCE]: 0 if the included file (MODEL_FILE) gives these logits for these inputs, and its test
   passes. A file in floats (FLOATS) may miss them by TOLERANCE, in parts of a sample's largest. */
#include <stdio.h>
#include <stdlib.h>

#include MODEL_FILE

#ifdef FLOATS
enum { ARGUMENTS = 5 };
typedef float logit_type;
#else
enum { ARGUMENTS = 4 };
typedef int8_t logit_type;
#endif

static digit_input inputs[DIGIT_INPUTS];

/* Whether a sample's logits are those expected: the same, or within a part of the largest. */
static int agree(const logit_type *logits, const logit_type *expected, float tolerance) {
  int i;
#ifdef FLOATS
  float largest = 1.0f, worst = 0.0f;
  for (i = 0; i < DIGIT_OUTPUTS; ++i) {
    const float size = expected[i] < 0 ? -expected[i] : expected[i];
    const float difference = logits[i] < expected[i] ? expected[i] - logits[i] : logits[i] - expected[i];
    largest = size > largest ? size : largest;
    worst = difference > worst || difference != difference ? difference : worst;
  }
  return worst <= tolerance * largest;
#else
  (void)tolerance;
  for (i = 0; i < DIGIT_OUTPUTS; ++i) {
    if (logits[i] != expected[i]) {
      return 0;
    }
  }
  return 1;
#endif
}

int main(int argc, char **argv) {
  FILE *from = argc == ARGUMENTS ? fopen(argv[2], "rb") : NULL, *answers = argc == ARGUMENTS ? fopen(argv[3], "rb") : NULL;
  logit_type logits[DIGIT_OUTPUTS], expected[DIGIT_OUTPUTS];
  int samples = 0, wrong = 0, classes = 0;
  const long at_most = argc == ARGUMENTS ? strtol(argv[1], NULL, 10) : 0;
  const float tolerance = ARGUMENTS == 5 && argc == 5 ? (float)strtod(argv[4], NULL) : 0.0f;
  const int failed = digit_selftest();
  if (from == NULL || answers == NULL) {
    fprintf(stderr, "usage: check SAMPLES INPUTS LOGITS [TOLERANCE]\n");
    return 2;
  }
  while (samples < at_most && fread(inputs, sizeof inputs, 1, from) == 1 && fread(expected, sizeof expected, 1, answers) == 1) {
    int i, largest = 0;
    digit_logits(inputs, logits);
    for (i = 1; i < DIGIT_OUTPUTS; ++i) {
      largest = logits[i] > logits[largest] ? i : largest;
    }
    wrong += !agree(logits, expected, tolerance);
    classes += digit_classify(inputs) != largest;
    ++samples;
  }
  fclose(from);
  fclose(answers);
  printf("%d samples, %d with other logits, %d with another class, self-test %d\n", samples, wrong, classes, failed);
  return samples == 0 || wrong != 0 || classes != 0 || failed != 0;
}
