// SPDX-License-Identifier: MIT
#include <cstdio>
#include <retort/data/synthetic_digits.hpp>

#include "digits.hpp"

namespace rt = retort;

int main() {
  const auto [train, test] = rt::data::random_split(rt::data::synthetic_digits(1000, rt::Seed{0}), 0.8, rt::Seed{0});

  rt::Network<Teacher> teacher{rt::Seed{0}};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{}}.fit(train, {.epochs = 4});

  rt::Network<Student> student{rt::Seed{1}};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{}, rt::Adam{}}.fit(train, {.epochs = 4});

  rt::io::save_safetensors(student, "student.safetensors");
  rt::io::load_safetensors(student, "student.safetensors");
  std::printf("%zu errors on %zu digits\n", rt::evaluate(student, test).errors, test.size());
}
