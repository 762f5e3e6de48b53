// SPDX-License-Identifier: MIT
// Steps by a cluster of blocks against steps made of single operations, as steps_test.cpp has them by one block.

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "backend/cuda/block/chosen_system.hpp"
#include "backend/generic/serial_system.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"
#include "worked_examples/amsgrad.hpp"

namespace {

using namespace retort;
using backend::ThreadGroup;
using backend::block::ClusterLayout;
using backend::block::InputKind;
using backend::block::ProductUnits;
using backend::block::ThreadOrder;

// Smooth activations: of a sum that is nearly 0 a rounding decides whether ReLU lets a sample's gradient pass.
using Student = Sequential<Linear<40, 20>, Tanh, Linear<20, 20>, Tanh, Linear<20, 10>>;
using Odd = Sequential<Linear<60, 13, Bias::no>, Dropout<0.5>, GELU, Linear<13, 1>, Tanh, Linear<1, 7>, Dropout<0.1>>;
using Single = Sequential<Linear<80, 3>>;
// Products on tensor cores, of 20 and of 80 features in a block.
using Narrow = Sequential<Linear<160, 20>, Tanh, Linear<20, 10>>;
using Long = Sequential<Linear<560, 20>, Tanh, Linear<20, 20>, Tanh, Linear<20, 10>>;
using Digits = Sequential<Linear<784, 20>, Tanh, Linear<20, 20>, Tanh, Linear<20, 10>>;
using Indivisible = Sequential<Linear<35, 4>>;
// Nothing but the weight that is shared by features.
using Bare = Sequential<Linear<160, 6, Bias::no>>;
// A pointwise layer behind the last Linear, whose gradient depends on its input.
using Bounded = Sequential<Linear<160, 20>, Tanh, Linear<20, 10>, Tanh>;
// With moments in a block's memory, beside those of each block's share, there would be no room.
using Full = Sequential<Linear<128, 64>, Tanh, Linear<64, 64>, Tanh, Linear<64, 10>>;
// Behind a block's part of its weight there is room before the next parameter.
using Padded = Sequential<Linear<40, 3>>;

using System = chosen::System<ProductUnits::scalar>;

template <Model M, typename Scalar, typename L, typename O>
auto cluster_steps(ThreadOrder order, const test::StepSettings& settings, const L& loss, const O& optimizer,
                   backend::LossSum& sum, std::size_t& clusters) {
  const backend::CudaOn<System, backend::Precision::fp32, ThreadGroup::cluster> backend(order);
  using Steps = backend::block::BlockSteps<M, Scalar, System, ThreadGroup::cluster>;
  auto found = test::train_steps<M, Scalar, Steps>(backend, settings, loss, optimizer, sum);
  clusters = backend.system().clusters;
  return found;
}

template <Model M, typename Scalar = float, typename L, typename O>
void check_steps(const test::StepSettings& settings, const L& loss, const O& optimizer, double tolerance,
                 bool by_cluster = true) {
  using Serial = backend::CudaOn<system::Serial>;
  backend::LossSum sums[3];
  std::size_t clusters[2] = {};
  const auto found = cluster_steps<M, Scalar>(ThreadOrder::ascending, settings, loss, optimizer, sums[0], clusters[0]);
  const auto in_other_order =
      cluster_steps<M, Scalar>(ThreadOrder::shuffled, settings, loss, optimizer, sums[1], clusters[1]);
  const auto by_operations = test::train_steps<M, Scalar, backend::GenericSteps<M, Serial, Scalar>>(
      Serial(), settings, loss, optimizer, sums[2]);
  CHECK((clusters[0] > 0) == by_cluster);
  // No thread reads what another one writes in the same phase.
  CHECK(found == in_other_order);
  CHECK(sums[0].loss == sums[1].loss);
  test::check_same_steps<Scalar>(found, sums[0], by_operations, sums[2], tolerance);
}

template <Model M, typename L>
void check_descent(const test::StepSettings& settings, const L& loss) {
  check_steps<M>(settings, loss, Sgd{.learning_rate = 0.1}, 1e-6);
}
// Adam divides by the gradient's size, so a gradient that is all rounding may move its weight either way.
template <Model M, typename L>
void check_adam(const test::StepSettings& settings, const L& loss) {
  check_steps<M>(settings, loss, Adam{}, test::adam_tolerance<float>);
}

/// Every parameter of the model is in one block's charge, and no block asks for what the model does not have.
template <Model M>
void check_places() {
  using L = ClusterLayout<M, float, InputKind::bytes>;
  std::vector<int> written(M::parameter_arena_size);
  for (std::size_t block = 0; block < L::blocks; ++block) {
    for (std::size_t place = 0; place < L::Model::parameter_arena_size; ++place) {
      if (L::is_parameter(place)) {
        REQUIRE(L::model_place(block, place) < written.size());
        written[L::model_place(block, place)] += L::is_written_by(block, place) ? 1 : 0;
      } else {
        REQUIRE_FALSE(L::is_written_by(block, place));
      }
    }
  }
  CHECK(std::ranges::all_of(written, [](int count) { return count <= 1; }));
  CHECK(std::ranges::count(written, 1) >= static_cast<std::ptrdiff_t>(M::parameter_count));
}

TEST_CASE("Inputs are shared out in equal parts of whole words", "[block]") {
  using backend::block::cluster_blocks;
  using backend::block::fits_cluster;
  using L = ClusterLayout<Digits, float, InputKind::bytes>;
  STATIC_REQUIRE(L::blocks == 7 && L::First::in == 112 && L::on_tensor_cores);
  STATIC_REQUIRE(cluster_blocks<Student> == 5 && cluster_blocks<Narrow> == 8 && cluster_blocks<Indivisible> == 1);
  STATIC_REQUIRE(ClusterLayout<Narrow, float, InputKind::bytes>::on_tensor_cores);
  STATIC_REQUIRE(fits_cluster<Digits, float, InputKind::bytes, 2> && fits_cluster<Digits, float, InputKind::reals, 2>);
  STATIC_REQUIRE(fits_cluster<Full, float, InputKind::bytes, 2>);
  STATIC_REQUIRE_FALSE(fits_cluster<Indivisible, float, InputKind::bytes, 2>);
  check_places<Digits>();
  check_places<Padded>();
  using Backend = backend::CudaOn<system::Serial, backend::Precision::fp32, ThreadGroup::cluster>;
  STATIC_REQUIRE(
      std::is_same_v<
          internal::StepsOf<backend::TrainingTypes<Backend, Digits, CrossEntropy, Adam, float, internal::NoTeacher>>,
          backend::block::BlockSteps<Digits, float, system::Serial, ThreadGroup::cluster>>);
}

TEST_CASE("The engine's description says whether a cluster trains the model", "[block]") {
  using Backend = backend::CudaOn<system::Serial, backend::Precision::fp32, ThreadGroup::cluster>;
  const std::string cluster =
      "a cluster of blocks (large batches and clipped gradients: one block) with full-precision products";
  const auto describe = []<typename M, typename Scalar>(std::type_identity<M>, Scalar) {
    return internal::describe_engine<
        backend::TrainingTypes<Backend, M, CrossEntropy, Adam, Scalar, internal::NoTeacher>>(Backend{});
  };
  CHECK(describe(std::type_identity<Student>{}, float{}) == cluster + " in float");
  CHECK(describe(std::type_identity<Single>{}, double{}) == cluster + " in double");
  const std::string block = "a block of threads with full-precision products in ";
  CHECK(describe(std::type_identity<Student>{}, double{}) ==
        block + "double, not " + cluster + ": a block's part of the model does not fit its memory and registers");
  CHECK(describe(std::type_identity<Indivisible>{}, float{}) ==
        block + "float, not " + cluster + ": the inputs cannot be shared out in equal parts");
}

TEST_CASE("A cluster's steps are the steps of single operations", "[block]") {
  SECTION("Batches of every size") {
    for (const std::size_t batch : test::thinned<std::size_t>({1, 64, 33})) {
      CAPTURE(batch);
      check_descent<Student>({.samples = test::samples_for(batch), .batch = batch}, CrossEntropy{});
      check_descent<Narrow>({.samples = test::samples_for(batch), .batch = batch}, CrossEntropy{});
    }
  }
  SECTION("Adam") {
    check_adam<Student>({}, CrossEntropy{});
    check_adam<Narrow>({}, CrossEntropy{.label_smoothing = 0.1});
    check_adam<Long>({}, CrossEntropy{});
  }
  SECTION("Three and four numbers of each parameter") {
    check_steps<Narrow>({}, CrossEntropy{}, WeightAverage{Adam{}}, test::adam_tolerance<float>);
    check_steps<Narrow>({}, CrossEntropy{}, WeightAverage{worked_examples::AmsGrad{}}, test::adam_tolerance<float>);
  }
  SECTION("double") {
    check_steps<Single, double>({}, CrossEntropy{}, Adam{}, test::adam_tolerance<double>);
    check_steps<Odd, double>({}, HintonLoss{}, Sgd{.learning_rate = 0.1}, 1e-13);
    check_steps<Bounded, double>({.batch = 33}, CrossEntropy{}, Sgd{.learning_rate = 0.1}, 1e-13);
  }
  SECTION("Other sizes, dropout, no bias, bytes without an offset") {
    check_descent<Odd>({}, CrossEntropy{.label_smoothing = 0.1});
    check_descent<Single>({}, CrossEntropy{});
    check_descent<Bounded>({}, CrossEntropy{});
    check_descent<Padded>({}, CrossEntropy{});
    check_descent<Bare>({.samples = 70, .batch = 33}, CrossEntropy{});
    check_descent<Long>({}, CrossEntropy{});
    check_descent<Narrow>({.normalization = {}}, CrossEntropy{});
  }
  SECTION("Real inputs") {
    check_descent<Student>({.real_features = true}, CrossEntropy{});
    check_descent<Narrow>({.real_features = true}, CrossEntropy{});
  }
  SECTION("Losses with a teacher, shifted images") {
    check_descent<Student>({.augmentation = {.shift = 1}}, HintonLoss{.temperature = 2});
    check_descent<Narrow>({.augmentation = {.shift = 2}}, HintonLoss{});
  }
  SECTION("What a cluster does not take on is one block's") {
    check_steps<Student>({.batch = 100}, CrossEntropy{}, Adam{}, test::adam_tolerance<float>, false);
    check_steps<Student>({.clipping = GradientClipping{.max_norm = 0.01}}, CrossEntropy{}, Sgd{.learning_rate = 0.1},
                         1e-6, false);
    check_steps<Indivisible>({}, CrossEntropy{}, Adam{}, test::adam_tolerance<float>, false);
  }
}

}  // namespace
