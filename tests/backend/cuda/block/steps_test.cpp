// SPDX-License-Identifier: MIT
// Models trained by one block, run on the host, against steps made of single operations.

#include "retort/backend/cuda/block/steps.hpp"

#include <cstddef>
#include <vector>

#include "backend/cuda/block/chosen_system.hpp"
#include "backend/generic/serial_system.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"

namespace {

using namespace retort;
using Serial = backend::CudaOn<system::Serial>;
using System = chosen::System<backend::block::ProductUnits::scalar>;
using backend::block::ThreadOrder;

template <Model M, typename Scalar, typename L, typename O = Adam>
void check_steps(const test::StepSettings& settings, const L& loss, const O& optimizer = {}) {
  backend::LossSum sum;
  backend::LossSum shuffled_sum;
  backend::LossSum expected_sum;
  const auto by_block = [&](ThreadOrder order, backend::LossSum& sum_of_order) {
    return test::train_steps<M, Scalar, backend::block::BlockSteps<M, Scalar, System>>(
        backend::CudaOn<System>(order), settings, loss, optimizer, sum_of_order);
  };
  const auto found = by_block(ThreadOrder::ascending, sum);
  const auto in_other_order = by_block(ThreadOrder::shuffled, shuffled_sum);  // another one in each phase
  const auto expected = test::train_steps<M, Scalar, backend::GenericSteps<M, Serial, Scalar>>(Serial(), settings, loss,
                                                                                               optimizer, expected_sum);
  // No thread reads what another one writes in the same phase.
  CHECK(found == in_other_order);
  CHECK(sum.loss == shuffled_sum.loss);
  test::check_same_steps<Scalar>(found, sum, expected, expected_sum);
}

using Student = Sequential<Linear<40, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
// Widths that are no multiples of a quad, of a tile or of a warp's lanes.
using Odd = Sequential<Linear<35, 13, Bias::no>, Dropout<0.5>, GELU, Linear<13, 1>, LeakyReLU<0.1>, Linear<1, 7>,
                       Sigmoid, Dropout<0.1>, Linear<7, 33>, Linear<33, 3>, Tanh>;
using Plain = Sequential<Linear<35, 3>>;
// More tiles of weights than threads; more biases than threads.
using Wide = Sequential<Linear<30, 200>, SiLU, Linear<200, 75>, ReLU, Linear<75, 5>>;
using ManyBiases = Sequential<Linear<5, 200>, Linear<200, 3>>;
static_assert(backend::block::Layout<Wide, float, backend::block::InputKind::bytes>::slots == 2);
// No room to fetch a chunk ahead.
static_assert(backend::block::Layout<Wide, float, backend::block::InputKind::bytes>::input_buffers == 1);
static_assert(backend::block::Layout<ManyBiases, float, backend::block::InputKind::bytes>::bias_slots == 2);

TEMPLATE_TEST_CASE("A block's steps are the steps of single operations", "[block]", float, double) {
  SECTION("Batches of every size, of one chunk and of several") {
    for (const std::size_t batch : test::thinned<std::size_t>({1, 7, 32, 64, 65, 100, 150})) {
      CAPTURE(batch);
      check_steps<Student, TestType>({.samples = test::samples_for(batch), .batch = batch}, CrossEntropy{});
    }
  }
  SECTION("Bytes without an offset") {
    check_steps<Student, TestType>({.batch = 50, .normalization = {}}, CrossEntropy{});
    check_steps<Plain, TestType>({.batch = 50, .normalization = {}}, CrossEntropy{});
  }
  SECTION("Dropout, activations of all kinds, a layer of width 1, none behind a layer, no bias") {
    check_steps<Odd, TestType>({}, CrossEntropy{.label_smoothing = 0.1});
    check_steps<Odd, TestType>({.batch = 70}, CrossEntropy{});
  }
  SECTION("One layer") { check_steps<Plain, TestType>({}, CrossEntropy{}); }
  SECTION("Several tiles to a thread, and moments outside of its registers") {
    check_steps<Wide, float>({.samples = 100, .batch = 40}, CrossEntropy{});
    check_steps<ManyBiases, float>({.samples = 100, .batch = 40}, CrossEntropy{});
  }
  // Together, as each pair of a loss and an optimizer is compiled anew.
  const Sgd nesterov{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true};
  SECTION("Losses with a teacher, other optimizers") {
    check_steps<Student, TestType>({}, HintonLoss{.temperature = 2}, nesterov);
    check_steps<Student, TestType>({.batch = 100}, HintonLoss{.hard_weight = 0}, nesterov);
    check_steps<Wide, float>({.samples = 100, .batch = 40}, HintonLoss{.hard_weight = 0}, nesterov);
    check_steps<Student, float>({}, SoftmaxPassedToKlLoss{}, WeightAverage{AdamW{.weight_decay = 0.1}, 0.9});
    check_steps<Odd, TestType>({.clipping = GradientClipping{.max_norm = 0.01}}, CrossEntropy{}, Sgd{});
  }
  SECTION("Shifted images, for which the teacher answers each batch") {
    check_steps<Student, TestType>({.augmentation = {.shift = 2}}, HintonLoss{}, nesterov);
    check_steps<Odd, TestType>({.augmentation = {.shift = 1}}, CrossEntropy{});
  }
  SECTION("Distorted images, and noise") {
    check_steps<Student, TestType>({.augmentation = {.rotation = 20, .scale = 0.2, .noise = 0.1}}, HintonLoss{},
                                   nesterov);
    check_steps<Odd, TestType>({.augmentation = {.noise = 0.1}, .real_features = true}, CrossEntropy{});
  }
  SECTION("Real features") {
    check_steps<Student, TestType>({.real_features = true}, CrossEntropy{});
    check_steps<Odd, TestType>({.batch = 70, .real_features = true}, CrossEntropy{});
  }
  SECTION("Clipped gradients") {
    check_steps<Student, TestType>({.clipping = GradientClipping{.max_norm = 0.01}}, HintonLoss{}, nesterov);
    check_steps<Wide, float>({.batch = 100, .clipping = GradientClipping{.max_norm = 0.01}, .epochs = 1},
                             CrossEntropy{});
  }
}

}  // namespace
