// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How long a C file takes on this machine.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <limits>

#include "retort/data/dataset.hpp"

namespace pareto {

/// A new folder for what nobody keeps, removed with everything in it.
class ScratchFolder {
 public:
  /// Throws retort::FileError.
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Compiles C files with the machine's own compiler, `cc`, and runs them on up to 1,000 images.
class CodeTimer {
 public:
  static constexpr const char* flags = "cc -std=c99 -O3 -march=native";

  /// `images` have bytes as features. Throws retort::FileError.
  explicit CodeTimer(const retort::data::Dataset& images);

  /// Whether there is a compiler that takes the flags.
  bool works() const { return works_; }

  /// Microseconds of processor time for a sample, in the fastest of many passes. `file` is one of io::export_c with the
  /// prefix "digit". Precondition: works(). Throws retort::Error where the file does not compile, or where its program
  /// fails, its self-test too.
  double microseconds(const std::filesystem::path& file) const;

 private:
  ScratchFolder folder_{};
  std::size_t images_;
  bool works_ = false;
};

/// Microseconds of answer(i) for a sample, in the fastest of ten passes over samples 0 ... count - 1.
template <typename Answer>
double library_microseconds(std::size_t count, const Answer& answer) {
  double least = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < 10; ++pass) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      answer(i);
    }
    const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - begin;
    least = passed.count() < least ? passed.count() : least;
  }
  return least / static_cast<double>(count);
}

}  // namespace pareto
