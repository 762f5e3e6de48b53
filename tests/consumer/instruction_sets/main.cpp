// SPDX-License-Identifier: MIT
// main baseline|wide: trains with one of two copies of the library, and catches the exception of that copy.

#include <cstdio>
#include <cstring>

#include "retort/core/error.hpp"

int train_baseline(double learning_rate);
int train_wide(double learning_rate);

int main(int argc, char** argv) {
  const auto train = argc == 2 && std::strcmp(argv[1], "wide") == 0 ? train_wide : train_baseline;
  try {
    train(-1.0);
    std::puts("a negative learning rate is accepted");
    return 1;
  } catch (const retort::OptionError&) {
  }
  const int errors = train(1e-2);
  std::printf("%d of 200 wrong\n", errors);
  return errors < 100 ? 0 : 1;
}
