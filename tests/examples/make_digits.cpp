// SPDX-License-Identifier: MIT
/// make_digits FOLDER TRAINING_IMAGES TEST_IMAGES
/// Makes the folder and writes synthetic digits into it as the four files of MNIST, so that no test needs the real
/// ones.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "retort/core/philox.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/synthetic_digits.hpp"

int main(int argc, char** argv) {
  try {
    if (argc != 4) {
      std::fprintf(stderr, "usage: make_digits FOLDER TRAINING_IMAGES TEST_IMAGES\n");
      return 2;
    }
    std::filesystem::create_directories(argv[1]);
    retort::data::save_mnist(retort::data::synthetic_digits(std::stoul(argv[2]), retort::Seed{1}),
                             retort::data::synthetic_digits(std::stoul(argv[3]), retort::Seed{2}), argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_digits: %s\n", error.what());
    return 1;
  }
}
