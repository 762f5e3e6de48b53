// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/bf16.hpp"

#include <string>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Teacher = Sequential<Linear<784, 101>, Dropout<0.2>, ReLU, Linear<101, 10>>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 10>>;

TEST_CASE("describe() says how bf16 is multiplied", "[bf16]") {
  const std::string text = backend::EigenBf16{2}.describe();
  CHECK_THAT(text, Catch::Contains("2 threads, training on panels with bf16 products"));
  CHECK_THAT(text, Catch::Contains(simd::has_bfloat16_products ? "AVX512_BF16" : "emulated"));
}

/// Errors on 1000 digits, of the teacher and of the student that it is distilled into.
struct Errors {
  double teacher;
  double student;
};

template <typename Backend>
Errors errors_after_training() {
  const data::Dataset train = data::synthetic_digits(3000, Seed{1});
  const data::Dataset test = data::synthetic_digits(1000, Seed{2});
  Network<Teacher, Backend> teacher{Seed{0}};
  const History lecture = Trainer{teacher, CrossEntropy{}, Adam{}}.fit(train, test, {.epochs = 2});
  Network<Student, Backend> student{Seed{1}};
  const History lesson =
      DistillationTrainer{teacher, student, HintonLoss{}, Adam{.learning_rate = 3e-3}}.fit(train, test, {.epochs = 4});
  return {static_cast<double>(lecture.back().validation->errors),
          static_cast<double>(lesson.back().validation->errors)};
}

TEST_CASE("Training with bf16 products learns as training in float does", "[bf16]") {
  if (test::brief) {
    test::skip("digits take minutes to learn in a brief run");
    return;
  }
  const Errors errors = errors_after_training<backend::EigenBf16>();
  const Errors expected = errors_after_training<backend::Eigen>();
  CAPTURE(errors.teacher, errors.student, expected.teacher, expected.student);
  CHECK(errors.teacher < 300);
  CHECK_THAT(errors.teacher, WithinAbs(expected.teacher, 15.0));
  CHECK_THAT(errors.student, WithinAbs(expected.student, 25.0));
}

template <typename Backend>
Network<Student, Backend> trained_for_a_step() {
  Network<Student, Backend> network{Seed{3}};
  Trainer{network, CrossEntropy{}, Adam{}}.fit(data::synthetic_digits(64, Seed{1}), {.epochs = 1});
  return network;
}

TEST_CASE("A step with bf16 products is another computation than one in float", "[bf16]") {
  const auto network = trained_for_a_step<backend::EigenBf16>();
  const auto full = trained_for_a_step<backend::Eigen>();
  CHECK_FALSE(same_bits(network.parameter_arena(), full.parameter_arena()));
  // Adam's first step moves every weight by the learning rate, in the direction of its gradient.
  CHECK(test::largest_difference(network.parameter_arena(), full.parameter_arena()) < 2.1e-3);
}

TEST_CASE("Outside of training the bf16 backend is the Eigen backend", "[bf16]") {
  const Network<Student, backend::EigenBf16> network{Seed{3}};
  const Network<Student, backend::Eigen> full{Seed{3}};
  const auto images = test::random_values<float>(7 * 784, 1);
  std::vector<float> logits(7 * 10);
  std::vector<float> expected(7 * 10);
  network.predict(images, logits);
  full.predict(images, expected);
  CHECK(same_bits(logits, expected));
}

}  // namespace
