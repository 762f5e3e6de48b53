// SPDX-License-Identifier: MIT
/// Trains small models and prints, for each, the fingerprint of its weights: compilers that agree print the same lines.

#include <cstdio>

#include "every_backend/models.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/retort.hpp"

namespace {

namespace rt = retort;

template <rt::Model M>
void print_weights(const char* model, const rt::Network<M>& network) {
  rt::Fingerprint print;
  print.add(network.parameter_arena()).add(network.buffer_arena());
  std::printf("%s: %016llx\n", model, static_cast<unsigned long long>(print.value()));
}

}  // namespace

int main() {
  const rt::data::Dataset digits = rt::data::synthetic_digits(275, rt::Seed{5});
  const rt::FitOptions options{
      .epochs = 2, .batch_size = 50, .augmentation = {.shift = 1}, .clipping = rt::GradientClipping{}};
  const rt::backend::Eigen cpu{1};

  rt::Network<rt::test::NarrowTeacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::CrossEntropy{.label_smoothing = 0.1}, rt::AdamW{}}.fit(digits, options);
  print_weights("teacher", teacher);

  rt::Network<rt::test::Student> student{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{}, rt::Adam{}}.fit(digits, options);
  print_weights("student", student);

  rt::Network<rt::test::Everything> everything{rt::Seed{2}, cpu};
  rt::Trainer{everything, rt::CrossEntropy{}, rt::Sgd{.momentum = 0.9, .nesterov = true}}.fit(digits, options);
  print_weights("every layer", everything);
}
