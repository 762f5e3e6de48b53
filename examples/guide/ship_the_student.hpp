// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A student as a C file: the guide's page 9.

#include <cstdio>
#include <filesystem>
#include <retort/io/export_c.hpp>
#include <retort/quantization/quantize.hpp>
#include <retort/retort.hpp>

#include "digits.hpp"

namespace guide {

inline void ship_the_student(const Digits& digits, const rt::backend::Eigen& cpu, const std::filesystem::path& file) {
  rt::require_writable(file);  // before the work
  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  teach(teacher, digits.train);
  rt::Network<Student> student{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{.temperature = 4, .hard_weight = 0.3}, adam}.fit(digits.few,
                                                                                                            recipe());
  report("student", student, digits);

  report("8 bits, calibrated", rt::quantize<rt::Int8>(student, digits.few), digits);
  auto small = rt::quantize<rt::Int4>(student, digits.few);
  report("4 bits, calibrated", small, digits);

  rt::FitOptions options = recipe();
  options.augmentation = {.shift = 1};
  options.views = {.count = 16};
  rt::DistillationTrainer{teacher, small, rt::HintonLoss{.temperature = 1, .hard_weight = 0.3},
                          rt::Adam{.learning_rate = 2e-3}}
      .fit(digits.few, options);
  report("4 bits, trained", small, digits);

  const auto facts = rt::io::export_c(small, file, {.prefix = "digit", .evaluation = &digits.held_out});
  std::printf("%s: %zu of %zu right, %zu bytes of constants, %zu of the stack\n", file.string().c_str(), facts.right,
              facts.samples, facts.constant_bytes, facts.scratch_bytes);
}

}  // namespace guide
