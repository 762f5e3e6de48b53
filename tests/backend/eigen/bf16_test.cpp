// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/bf16.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/trainer.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Teacher = Sequential<Linear<784, 101>, Dropout<0.2>, ReLU, Linear<101, 10>>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 10>>;

TEST_CASE("describe() says how bf16 is multiplied", "[bf16]") {
  const std::string text = backend::EigenBf16{2}.describe();
  CHECK_THAT(text, Catch::Contains("2 threads, panels with bf16 products"));
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

template <Model M, typename Backend = backend::EigenBf16>
std::vector<float> logits_of(const std::vector<float>& inputs, const Backend& on = Backend{1}) {
  const Network<M, Backend> network{Seed{3}, on};
  std::vector<float> logits(inputs.size() / M::input_size * M::output_size);
  network.predict(inputs, logits);
  return logits;
}

TEST_CASE("A few samples on the bf16 backend have the answers of the Eigen backend", "[bf16]") {
  const auto images = test::random_values<float>(7 * 784, 1);
  CHECK(same_bits(logits_of<Student>(images), logits_of<Student, backend::Eigen>(images)));
}

/// What a number is in a product.
double rounded(float value) { return double(internal::bfloat16_to_float(internal::to_bfloat16(value))); }

TEST_CASE("Batches on the bf16 backend are answered with rounded factors where the processor has them", "[bf16]") {
  using Odd = Sequential<Linear<61, 7>>;
  const auto inputs = test::random_values<float>(70 * 61, 1);  // a full panel and a part
  const auto logits = logits_of<Odd>(inputs);
  if (!simd::has_bfloat16_products) {
    CHECK(same_bits(logits, logits_of<Odd, backend::Eigen>(inputs)));
    return;
  }
  const Network<Odd> network{Seed{3}};
  const auto parameters = network.copy_parameters();
  std::vector<double> expected;
  for (std::size_t sample = 0; sample < 64; ++sample) {  // the few behind them are not rounded
    for (std::size_t row = 0; row < 7; ++row) {
      double sum = double(parameters[tensor_offset(Linear<61, 7>::parameters, 1) + row]);
      for (std::size_t i = 0; i < 61; ++i) {
        sum += rounded(parameters[row * 61 + i]) * rounded(inputs[sample * 61 + i]);
      }
      expected.push_back(sum);
    }
  }
  CHECK(test::largest_difference(std::span(logits).first(64 * 7), expected) < 1e-6);
}

TEST_CASE("Answers with bf16 products are near those in float, for every number of threads", "[bf16]") {
  using Wide = Sequential<LayerNorm<150>, Linear<150, 300>, GELU, Linear<300, 10>>;
  const auto inputs = test::random_values<float>(200 * 150, 1);
  const auto logits = logits_of<Wide>(inputs);
  CHECK(same_bits(logits, logits_of<Wide>(inputs, backend::EigenBf16{3})));
  CHECK(test::largest_difference(logits, logits_of<Wide, backend::Eigen>(inputs)) < 0.02);

  const data::Dataset images = data::synthetic_digits(200, Seed{2});
  const Network<Student, backend::EigenBf16> network{Seed{3}};
  const Network<Student> full{Seed{3}};
  const auto answers = predict_all(network, images);
  CHECK(test::largest_difference(answers, predict_all(full, images)) < 0.05);
  CHECK(same_bits(answers, predict_all(full, images)) != simd::has_bfloat16_products);
}

TEST_CASE("Files go from bf16 to float and back", "[backend]") {
  using M = Sequential<Linear<784, 40>, ReLU, Linear<40, 10>>;
  const test::TemporaryFolder folder;
  Network<M, backend::EigenBf16> rounded{Seed{1}};
  Network<M> precise{Seed{2}};
  io::save_safetensors(rounded, folder / "rounded");
  io::load_safetensors(precise, folder / "rounded");
  io::save_safetensors(precise, folder / "precise");
  CHECK_NOTHROW(io::load_safetensors(rounded, folder / "precise"));
}

}  // namespace
