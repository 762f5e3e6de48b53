// SPDX-License-Identifier: MIT
/// Reads a digit with a saved student and nothing of the library but <retort/predict.hpp>: no trainer, no data reader,
/// no Eigen. IMAGE.pgm is a binary PGM of 28 x 28 pixels, white on black as MNIST's are.
///
///     read_digit out/student_distilled.safetensors image.pgm

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <retort/predict.hpp>

namespace rt = retort;

using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU,  //
                               rt::Linear<20, 20>, rt::ReLU,   //
                               rt::Linear<20, 10>>;

namespace {

bool read_image(const char* path, std::array<std::uint8_t, 784>& pixels) {
  std::FILE* const file = std::fopen(path, "rb");
  int columns = 0;
  int rows = 0;
  int white = 0;
  const bool read = file != nullptr && std::fscanf(file, "P5 %d %d %d", &columns, &rows, &white) == 3 &&
                    columns == 28 && rows == 28 && white == 255 && std::fgetc(file) != EOF &&
                    std::fread(pixels.data(), 1, pixels.size(), file) == pixels.size();
  if (file != nullptr) {
    static_cast<void>(std::fclose(file));
  }
  return read;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: read_digit STUDENT.safetensors IMAGE.pgm\n", stderr);
    return 2;
  }
  std::array<std::uint8_t, 784> pixels{};
  if (!read_image(argv[2], pixels)) {
    std::fprintf(stderr,
                 "read_digit: %s: cannot be read, expected a binary PGM of 28 x 28 pixels with the largest value 255 "
                 "and no comment\n",
                 argv[2]);
    return 1;
  }
  // Pixels are normalised as the file says that the training images were.
  const auto student = rt::FilePredictor<Student, std::uint8_t>::read(argv[1]);
  if (!student) {
    std::fprintf(stderr, "read_digit: %s\n", student.error());
    return 1;
  }
  const std::size_t digit = student->classify(pixels);
  std::printf("%zu (%.1f %%)\n", digit, 100.0 * double{student->probabilities(pixels)[digit]});
  if (std::fflush(stdout) != 0) {
    std::perror("read_digit: standard output");
    return 1;
  }
  return 0;
}
