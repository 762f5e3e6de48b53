/* SPDX-License-Identifier: MIT
   read_digit IMAGE.pgm: prints the digit of a 28 x 28 image, white on black as MNIST's are.

       cc -O2 -include digit_int8.h read_digit.c -o read_digit */
#include <stdio.h>

int main(int argc, char **argv) {
  FILE *const file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  uint8_t pixels[DIGIT_INPUTS];
  int width = 0, height = 0, most = 0, found;
  if (argc != 2) {
    fprintf(stderr, "usage: read_digit IMAGE.pgm\n");
    return 2;
  }
  if (file == NULL) {
    perror(argv[1]);
    return 1;
  }
  found = fscanf(file, "P5 %d %d %d", &width, &height, &most) == 3 && fgetc(file) != EOF && width == 28 &&
          height == 28 && most == 255 && fread(pixels, sizeof pixels, 1, file) == 1;
  fclose(file);
  if (!found) {
    fprintf(stderr, "%s: expected a binary PGM of 28 x 28 pixels with the largest value 255 and no comment\n",
            argv[1]);
    return 1;
  }
  printf("%d\n", digit_classify(pixels));
  if (fflush(stdout) != 0) {
    perror("standard output");
    return 1;
  }
  return 0;
}
