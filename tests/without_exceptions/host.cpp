// SPDX-License-Identifier: MIT
// host STUDENT IMAGES LOGITS: a program without exceptions and run-time type information that predicts, from a file and
// from memory. It ends with 1 and a sentence if it cannot.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <retort/predict.hpp>
#include <span>

#ifdef __cpp_exceptions
#error "to be compiled with -fno-exceptions"
#endif

namespace rt = retort;
using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 20>, rt::ReLU, rt::Linear<20, 10>>;

alignas(64) static std::array<std::byte, 100000> memory;

int main(int argc, char** argv) {
  if (argc != 4) {
    return 2;
  }
  const auto student = rt::FilePredictor<Student, std::uint8_t>::read(argv[1]);
  std::FILE* const file = std::fopen(argv[1], "rb");
  const std::size_t size = file == nullptr ? 0 : std::fread(memory.data(), 1, memory.size(), file);
  const auto in_memory = rt::Predictor<Student, std::uint8_t>::in(std::span(memory).first(size));
  if (!student || !in_memory) {
    std::puts(student.error());
    std::puts(in_memory.error());
    return 1;
  }
  std::FILE* const images = std::fopen(argv[2], "rb");
  std::FILE* const answers = std::fopen(argv[3], "wb");
  std::array<std::uint8_t, 784> pixels{};
  while (std::fread(pixels.data(), 1, pixels.size(), images) == pixels.size()) {
    const auto logits = student->logits(pixels);
    if (logits != in_memory->logits(pixels)) {
      return 3;
    }
    std::fwrite(logits.data(), sizeof(float), logits.size(), answers);
  }
  return std::fclose(answers) == 0 ? 0 : 1;
}
