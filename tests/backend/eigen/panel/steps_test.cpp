// SPDX-License-Identifier: MIT
// Steps of whole models on panels against steps made of Eigen's operations, one after another.

#include "retort/backend/eigen/panel/steps.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"

namespace {

using namespace retort;

template <Model M, typename Scalar, typename L, typename O = Adam>
void check_steps(const test::StepSettings& settings, const L& loss, const O& optimizer = {}) {
  backend::LossSum sum;
  backend::LossSum expected_sum;
  const backend::Eigen cpu{settings.threads};
  const auto found =
      test::train_steps<M, Scalar, backend::panel::PanelSteps<M, Scalar>>(cpu, settings, loss, optimizer, sum);
  const auto expected = test::train_steps<M, Scalar, backend::GenericSteps<M, backend::Eigen, Scalar>>(
      cpu, settings, loss, optimizer, expected_sum);
  test::check_same_steps<Scalar>(found, sum, expected, expected_sum);
}

// Widths that are and are not multiples of a tile's rows, a vector's lanes and a block of random numbers.
using Student = Sequential<Linear<35, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Dropped = Sequential<Dropout<0.2>, Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33>, GELU, Dropout<0.1>,
                           Linear<33, 10>, Tanh>;
using Curved = Sequential<Sigmoid, Linear<35, 13, Bias::no>, SiLU, Linear<13, 1>, LeakyReLU<0.1>, Linear<1, 7>>;
using OneLayer = Sequential<Linear<35, 3>>;
using OnlyDropout =
    Sequential<Linear<35, 16>, Dropout<0.5>, Linear<16, 64>, Sigmoid, ReLU, Dropout<0.3>, Linear<64, 4>>;
/// Inputs in rows of whole vectors, which are read where the dataset has them, and rows of a weight that fill half a
/// page.
using Whole = Sequential<Linear<80, 512>, ReLU, Linear<512, 10>>;
/// For `Whole`, whose steps take longest. A brief run has them of one batch.
constexpr std::size_t some_samples = test::brief ? 12 : 150;

TEMPLATE_TEST_CASE("Steps on panels are the steps of Eigen's operations", "[panel]", float, double) {
  SECTION("Batches of every size") {
    for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{40}, std::size_t{64},
                                    std::size_t{100}, std::size_t{150}}) {
      CAPTURE(batch);
      check_steps<Student, TestType>({.samples = test::samples_for(batch), .batch = batch}, CrossEntropy{});
    }
  }
  SECTION("Batches that leave the cache") {
    constexpr std::size_t batch = backend::panel::detail::samples_together<TestType> + 40;
    check_steps<OneLayer, TestType>({.samples = batch, .batch = batch, .epochs = 1}, CrossEntropy{});
    if constexpr (!test::brief) {
      check_steps<Student, TestType>({.samples = batch, .batch = batch, .epochs = 1}, CrossEntropy{});
      check_steps<Dropped, TestType>({.samples = batch, .batch = batch, .epochs = 1}, CrossEntropy{});
    }
  }
  SECTION("Bytes in rows of whole vectors") {
    check_steps<Student, TestType>({.batch = 130, .threads = 3}, CrossEntropy{});
    if constexpr (test::takes_all<TestType>) {
      for (const std::size_t batch : test::thinned<std::size_t>({1, 64, 130, 20})) {
        CAPTURE(batch);
        check_steps<Whole, TestType>({.samples = std::min(test::samples_for(batch), some_samples), .batch = batch},
                                     CrossEntropy{});
      }
      check_steps<Whole, TestType>({.samples = some_samples, .batch = 130, .augmentation = {.shift = 2}, .threads = 3},
                                   CrossEntropy{});
      check_steps<Whole, TestType>({.samples = some_samples, .real_features = true}, CrossEntropy{});
    }
  }
  SECTION("Dropout before, between and behind") {
    check_steps<Dropped, TestType>({}, CrossEntropy{.label_smoothing = 0.1});
    check_steps<Dropped, TestType>({.batch = 30}, CrossEntropy{});
    if constexpr (test::takes_all<TestType>) {
      check_steps<OnlyDropout, TestType>({}, CrossEntropy{});
    }
  }
  // Each model is compiled anew with each pair of a loss and an optimizer.
  const Sgd nesterov{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true};
  if constexpr (test::takes_all<TestType>) {
    SECTION("Losses with a teacher, another optimizer") {
      check_steps<Student, TestType>({}, HintonLoss{.temperature = 2}, nesterov);
      check_steps<Student, TestType>({}, HintonLoss{.hard_weight = 0}, nesterov);
    }
    SECTION("Activations of all kinds, a layer of width 1, no bias; weight decay") {
      check_steps<Curved, TestType>({}, SoftmaxPassedToKlLoss{}, AdamW{.weight_decay = 0.1});
    }
  }
  SECTION("Shifted images, for which the teacher answers each batch") {
    if constexpr (test::takes_all<TestType>) {
      check_steps<Student, TestType>({.augmentation = {.shift = 2}}, HintonLoss{}, nesterov);
    }
    check_steps<Dropped, TestType>({.augmentation = {.shift = 1}}, CrossEntropy{});
  }
  SECTION("Distorted images, and noise") {
    const data::Augmentation everything{
        .shift = 1, .rotation = 20, .scale = 0.2, .shear = 10, .noise = 0.1, .elastic = 1, .mix = 1};
    if constexpr (test::takes_all<TestType>) {
      check_steps<Student, TestType>({.augmentation = everything}, HintonLoss{}, nesterov);
    }
    check_steps<Dropped, TestType>({.augmentation = {.rotation = 20}}, CrossEntropy{});
    check_steps<Dropped, TestType>({.augmentation = {.noise = 0.1}, .real_features = true}, CrossEntropy{});
  }
  SECTION("Real features") {
    check_steps<Student, TestType>({.real_features = true}, CrossEntropy{});
    check_steps<Dropped, TestType>({.real_features = true}, CrossEntropy{});
  }
  SECTION("Clipped gradients") {
    check_steps<Student, TestType>({.clipping = GradientClipping{.max_norm = 0.01}}, CrossEntropy{});
  }
}

/// Normalizations before, between and behind all other layers, and next to one another.
using Normalised = Sequential<Linear<35, 33, Bias::no>, LayerNorm<33>, GELU, Dropout<0.1>, Linear<33, 20>, ReLU,
                              BatchNorm<20>, Dropout<0.3>, Linear<20, 10>>;
using NormalisedEnds = Sequential<BatchNorm<35>, Dropout<0.2>, Tanh, Linear<35, 16>, LayerNorm<16>, BatchNorm<16>, ReLU,
                                  Linear<16, 7>, BatchNorm<7>, Tanh>;
using NormalisedInputs = Sequential<Dropout<0.1>, LayerNorm<35>, Linear<35, 7>, LayerNorm<7>>;
/// So wide that threads share samples and rows.
using WideNormalised =
    Sequential<Linear<35, 523>, LayerNorm<523>, ReLU, Linear<523, 260>, BatchNorm<260>, SiLU, Linear<260, 10>>;

TEMPLATE_TEST_CASE("Steps on panels normalise as Eigen's operations do", "[panel]", float, double) {
  // What stands before a BatchNorm has biases without gradients, of which Adam would follow the rounding.
  const Sgd sgd{.learning_rate = 0.01, .momentum = 0.9};
  for (const std::size_t batch : test::thinned<std::size_t>({16, 64, 150, 37})) {
    CAPTURE(batch);
    const test::StepSettings settings{.samples = test::samples_for(batch), .batch = batch};
    check_steps<Normalised, TestType>(settings, CrossEntropy{}, sgd);
    if constexpr (test::takes_all<TestType>) {
      check_steps<NormalisedEnds, TestType>(settings, CrossEntropy{}, sgd);
      check_steps<NormalisedInputs, TestType>(settings, CrossEntropy{}, sgd);
    }
  }
  check_steps<Normalised, TestType>({.real_features = true}, CrossEntropy{}, sgd);
  if constexpr (test::takes_all<TestType>) {
    check_steps<NormalisedEnds, TestType>({.augmentation = {.shift = 1}}, CrossEntropy{}, sgd);
  }
  check_steps<Normalised, TestType>({.clipping = GradientClipping{.max_norm = 0.01}}, CrossEntropy{}, sgd);
}

TEST_CASE("Normalised steps on panels are shared among threads, with the same bits", "[panel]") {
  const Sgd sgd{.learning_rate = 0.01, .momentum = 0.9};
  check_steps<WideNormalised, float>({.samples = some_samples, .batch = 70, .threads = 3}, CrossEntropy{}, sgd);
  const auto train_with = [&](unsigned threads) {
    backend::LossSum sum;
    return test::train_steps<WideNormalised, float, backend::panel::PanelSteps<WideNormalised, float>>(
        backend::Eigen{threads}, {.samples = some_samples, .batch = 70}, CrossEntropy{}, sgd, sum);
  };
  CHECK(train_with(3) == train_with(1));
}

/// Squares of four pixels in one channel and of nine in two, with a Linear layer or a chain behind them.
using Pooled = Sequential<AvgPool2d<Shape<1, 6, 10>, 2>, Linear<15, 20>, Dropout<0.3>, ReLU, Linear<20, 10>>;
using PooledColours =
    Sequential<AvgPool2d<Shape<2, 6, 9>, 3>, SiLU, Dropout<0.1>, Linear<12, 17, Bias::no>, ReLU, Linear<17, 5>>;

TEMPLATE_TEST_CASE("Steps on panels pool a model's inputs as they are gathered", "[panel]", float, double) {
  const data::Augmentation everything{.shift = 1, .rotation = 20, .scale = 0.2, .shear = 10, .noise = 0.1};
  for (const data::Augmentation& augmentation :
       {data::Augmentation{}, data::Augmentation{.shift = 2}, data::Augmentation{.rotation = 20}, everything}) {
    CAPTURE(describe_settings(augmentation));
    if constexpr (test::takes_all<TestType>) {
      check_steps<Pooled, TestType>({.augmentation = augmentation, .image = {6, 10}}, CrossEntropy{});
    }
    check_steps<PooledColours, TestType>({.batch = 40, .augmentation = augmentation, .image = {6, 9, 2}},
                                         CrossEntropy{});
  }
  if constexpr (test::takes_all<TestType>) {
    check_steps<Pooled, TestType>({.real_features = true}, CrossEntropy{});
  }
  check_steps<PooledColours, TestType>({.augmentation = {.noise = 0.1}, .real_features = true}, CrossEntropy{});
}

/// A loss that knows scalars only: half the squared distance to the teacher's logits.
struct ScalarLoss {
  static constexpr std::string_view name = "ScalarLoss";
  static constexpr bool needs_teacher = true;
  void validate() const {}
  std::string describe() const { return "ScalarLoss"; }

  template <std::size_t Classes, std::floating_point Scalar>
  Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, std::uint32_t label, Scalar gradient_scale,
             Scalar* gradient) const {
    Scalar sum = 0;
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar difference = student.values[k] - teacher.values[k] - (k == label ? Scalar{1} : Scalar{0});
      sum += difference * difference / 2;
      gradient[k] = gradient_scale * difference;
    }
    return sum;
  }
};

TEMPLATE_TEST_CASE("A loss that knows scalars only is evaluated sample by sample", "[panel]", float, double) {
  static_assert(!takes_vectors<ScalarLoss> && takes_vectors<HintonLoss>);
  check_steps<OneLayer, TestType>({.batch = 50}, ScalarLoss{});
}

}  // namespace
