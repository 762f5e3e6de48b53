// SPDX-License-Identifier: MIT
// Models whose first stage is on tensor cores, emulated on the host, against steps made of single operations, as
// steps_test.cpp has them on scalar units.

#include <cstddef>

#include "backend/cuda/block/chosen_system.hpp"
#include "backend/generic/serial_system.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/block/steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"

namespace {

using namespace retort;
using backend::block::InputKind;
using backend::block::ProductUnits;
using backend::block::ThreadOrder;

template <typename M>
using TensorLayout = backend::block::Layout<M, float, InputKind::bytes, ProductUnits::tensor>;

using System = chosen::System<ProductUnits::tensor>;

template <Model M, typename L, typename O>
auto steps_on(ThreadOrder order, const test::StepSettings& settings, const L& loss, const O& optimizer,
              backend::LossSum& sum) {
  return test::train_steps<M, float, backend::block::BlockSteps<M, float, System>>(backend::CudaOn<System>(order),
                                                                                   settings, loss, optimizer, sum);
}

/// Parameters after the steps are within `tolerance` of those by single operations.
template <Model M, typename L, typename O>
void check_steps(const test::StepSettings& settings, const L& loss, const O& optimizer, double tolerance) {
  using Serial = backend::CudaOn<system::Serial>;
  backend::LossSum sums[3];
  const auto found = steps_on<M>(ThreadOrder::ascending, settings, loss, optimizer, sums[0]);
  const auto in_other_order = steps_on<M>(ThreadOrder::shuffled, settings, loss, optimizer, sums[1]);
  const auto by_operations = test::train_steps<M, float, backend::GenericSteps<M, Serial, float>>(
      Serial(), settings, loss, optimizer, sums[2]);
  // No thread reads what another one writes in the same phase.
  CHECK(found == in_other_order);
  CHECK(sums[0].loss == sums[1].loss);

  test::check_same_steps<float>(found, sums[0], by_operations, sums[2], tolerance);
}

// Parameters are of the size of 1. Two fp32 steps of plain gradient descent differ by the roundings of their sums; Adam
// divides by the gradient's size, so a gradient that is all rounding may move its weight either way.
template <Model M, typename L>
void check_descent(const test::StepSettings& settings, const L& loss) {
  check_steps<M>(settings, loss, Sgd{.learning_rate = 0.1}, 1e-6);
}
template <Model M, typename L>
void check_adam(const test::StepSettings& settings, const L& loss) {
  check_steps<M>(settings, loss, Adam{}, 1e-3);
}

// Smooth activations: of a sum that is nearly 0 an fp32 rounding decides whether ReLU lets a sample's gradient pass.
using Student = Sequential<Linear<40, 20>, Tanh, Linear<20, 20>, Tanh, Linear<20, 10>>;
// No multiples of a quad, of a fragment's rows or columns, or of two.
using Odd = Sequential<Linear<35, 13, Bias::no>, Dropout<0.5>, GELU, Linear<13, 1>, LeakyReLU<0.1>, Linear<1, 7>,
                       Sigmoid, Dropout<0.1>, Linear<7, 33>, Linear<33, 3>, Tanh>;
using Rectified = Sequential<Linear<40, 20>, ReLU, Linear<20, 10>>;
using Plain = Sequential<Linear<35, 3>>;
// More tiles of outputs than are computed at once, and more of features than warps.
using Wide = Sequential<Linear<150, 45>, Tanh, Linear<45, 70>, Tanh, Linear<70, 5>>;
// Several tiles to a thread.
using Deep = Sequential<Linear<30, 20>, Tanh, Linear<20, 250>, Linear<250, 4>>;
// Room for chunks of 32 samples, and not for a slice of each warp; moments outside of the registers.
using Large = Sequential<Linear<30, 300>, Tanh, Linear<300, 4>>;
// An odd number of tiles to a warp, not all of which are there.
using Long = Sequential<Linear<300, 12>, Tanh, Linear<12, 4>>;
// Whole tiles of outputs, and not as many as are computed at once.
using Tiles = Sequential<Linear<150, 32>, Tanh, Linear<32, 4>>;
// Whole tiles of features and of outputs, and a few features.
using Whole = Sequential<Linear<80, 8>>;
using Thin = Sequential<Linear<10, 1>, Linear<1, 2>>;

static_assert(TensorLayout<Student>::moments_in_registers<2> && TensorLayout<Student>::samples == 64);
static_assert(TensorLayout<Wide>::fragment_slots == 2);
static_assert(TensorLayout<Deep>::moments_in_memory<2> && TensorLayout<Deep>::slots > 1);
static_assert(TensorLayout<Large>::samples == 32 && TensorLayout<Large>::forward_slices<0> == 1);
static_assert(!TensorLayout<Large>::moments_in_registers<2>);
static_assert(TensorLayout<Long>::fragment_slots == 3);

TEST_CASE("Tensor cores are chosen for many inputs of bytes in fp32", "[block]") {
  using backend::block::Layout;
  using Mnist = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
  using M = Layout<Mnist, float, InputKind::bytes>;
  STATIC_REQUIRE(M::on_tensor_cores);
  // 7 x 7 tiles of features: none is left over.
  STATIC_REQUIRE(M::fragment_warps == 7 && M::fragment_slots == 7 && M::slots == 1);
  STATIC_REQUIRE(M::keeps_moments<2> && M::samples == 64 && M::input_buffers == 2);
  STATIC_REQUIRE_FALSE(Layout<Mnist, float, InputKind::reals>::on_tensor_cores);
  STATIC_REQUIRE_FALSE(Layout<Student, float, InputKind::bytes>::on_tensor_cores);
  STATIC_REQUIRE_FALSE(Layout<Student, double, InputKind::bytes>::on_tensor_cores);
  STATIC_REQUIRE_FALSE(backend::block::fits_block_with<Student, double, InputKind::bytes, ProductUnits::tensor>);
  STATIC_REQUIRE_FALSE(backend::block::fits_block_with<Student, float, InputKind::reals, ProductUnits::tensor>);
}

TEST_CASE("Steps on tensor cores are fp32 steps", "[block]") {
  SECTION("Batches of every size, of one chunk and of several") {
    for (const std::size_t batch : test::thinned<std::size_t>({1, 7, 32, 63, 64, 100, 150, 65})) {
      CAPTURE(batch);
      check_descent<Student>({.samples = test::samples_for(batch), .batch = batch}, CrossEntropy{});
    }
  }
  SECTION("Adam") {
    check_adam<Student>({}, CrossEntropy{});
    check_adam<Rectified>({}, CrossEntropy{});
    check_adam<Odd>({.batch = 70}, CrossEntropy{.label_smoothing = 0.1});
  }
  SECTION("Bytes without an offset") {
    check_descent<Student>({.batch = 50, .normalization = {}}, CrossEntropy{});
    check_descent<Plain>({.batch = 50, .normalization = {}}, CrossEntropy{});
  }
  SECTION("Dropout, activations of all kinds, a layer of width 1, none behind a layer, no bias") {
    check_descent<Odd>({}, CrossEntropy{.label_smoothing = 0.1});
    check_descent<Odd>({.batch = 70}, CrossEntropy{});
  }
  SECTION("Other sizes") {
    check_descent<Plain>({}, CrossEntropy{});
    check_descent<Whole>({}, CrossEntropy{});
    check_descent<Thin>({.batch = 21}, CrossEntropy{});
    check_descent<Wide>({.samples = 100, .batch = 40}, CrossEntropy{});
    check_descent<Long>({.samples = 70}, CrossEntropy{});
    check_descent<Tiles>({.samples = 70}, CrossEntropy{});
    check_descent<Large>({.samples = 70, .batch = 33, .epochs = 1}, CrossEntropy{});
  }
  SECTION("Moments outside of the registers") {
    check_adam<Deep>({.samples = 100, .batch = 40}, CrossEntropy{});
    check_adam<Deep>({.samples = 100, .batch = 70, .epochs = 1}, CrossEntropy{});
    check_adam<Large>({.samples = 70, .batch = 33, .epochs = 1}, CrossEntropy{});
  }
  SECTION("Losses with a teacher, shifted images") {
    check_descent<Student>({}, HintonLoss{.temperature = 2});
    check_descent<Student>({.augmentation = {.shift = 2}}, HintonLoss{});
    check_descent<Odd>({.augmentation = {.shift = 1}}, CrossEntropy{});
  }
  SECTION("Clipped gradients") {
    for (const std::size_t batch : {std::size_t{64}, std::size_t{100}}) {
      check_descent<Student>(
          {.samples = test::samples_for(batch), .batch = batch, .clipping = GradientClipping{.max_norm = 0.01}},
          CrossEntropy{});
      check_descent<Odd>(
          {.samples = test::samples_for(batch), .batch = batch, .clipping = GradientClipping{.max_norm = 0.01}},
          CrossEntropy{});
    }
  }
  SECTION("Momentum") {
    check_steps<Student>({}, CrossEntropy{}, Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}, 1e-6);
  }
}

}  // namespace
