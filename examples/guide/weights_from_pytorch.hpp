// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A teacher from PyTorch: the guide's page 3.

#include <filesystem>
#include <retort/retort.hpp>

#include "digits.hpp"

namespace guide {

inline void weights_from_pytorch(const Digits& digits, const rt::backend::Eigen& cpu,
                                 const std::filesystem::path& file) {
  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::io::load_safetensors(teacher, file);
  report("teacher, as PyTorch trained it", teacher, digits);

  rt::Network<Student> student{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{.temperature = 4, .hard_weight = 0.3}, adam}.fit(digits.few,
                                                                                                            recipe());
  report("student", student, digits);
}

}  // namespace guide
