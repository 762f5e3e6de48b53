// SPDX-License-Identifier: MIT
// Steps of graphs of kernels against steps made of the backend's single operations, by the CUDA backend's kernels run
// on the host.

#include "retort/backend/cuda/graph/steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/cuda/graph/recording_system.hpp"
#include "backend/cuda/graph/trained_steps.hpp"
#include "backend/generic/serial_system.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/cuda/graph/step_key.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "worked_examples/amsgrad.hpp"

namespace {

using namespace retort;
using backend::Precision;
using backend::graph::GraphSteps;
using System = retort::system::Serial;

template <Precision precision>
using Backend = backend::CudaOn<System, precision>;

template <Model M, typename Scalar, Precision precision, typename L, typename O>
test::TrainedSteps train_large(const test::StepSettings& settings, const L& loss, const O& optimizer) {
  using Steps = GraphSteps<M, Scalar, System, precision>;
  return test::train_graph_steps<M, Backend<precision>, Scalar, Steps>(settings, loss, optimizer);
}

template <Model M, typename Scalar, typename L, typename O>
test::TrainedSteps train_by_operations(const test::StepSettings& settings, const L& loss, const O& optimizer) {
  using Steps = backend::GenericSteps<M, Backend<Precision::fp32>, Scalar>;
  return test::train_graph_steps<M, Backend<Precision::fp32>, Scalar, Steps>(settings, loss, optimizer);
}

/// Adam divides by the gradient's size, so a gradient that is all rounding may move its weight either way: in float a
/// few steps of 1e-3 are allowed to differ, in double it does not happen.
template <Model M, typename Scalar, Precision precision = Precision::fp32, typename L, typename O = Adam>
void check_steps(const test::StepSettings& settings, const L& loss, const O& optimizer = {}) {
  static_assert(backend::FullyConnectedModel<M>);
  constexpr bool single = std::is_same_v<Scalar, float>;
  const auto found = train_large<M, Scalar, precision>(settings, loss, optimizer);
  const auto expected = train_by_operations<M, Scalar>(settings, loss, optimizer);
  CHECK(test::largest_difference(found.parameters, expected.parameters) < (single ? 1e-3 : 2e-12));
  CHECK_THAT(found.sum.loss, WithinRel(expected.sum.loss, 100 * double{std::numeric_limits<Scalar>::epsilon()}));
  CHECK(std::max(found.sum.correct, expected.sum.correct) - std::min(found.sum.correct, expected.sum.correct) <=
        (single ? 1u : 0u));
}

// Widths that are and are not multiples of a group.
using Teacher3 = Sequential<Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33>, ReLU, Dropout<0.25>, Linear<33, 10>>;
using Student = Sequential<Linear<35, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Front = Sequential<Dropout<0.2>, Linear<35, 21>, GELU, Dropout<0.1>, Linear<21, 10>, Tanh>;
using Curved = Sequential<Sigmoid, Linear<35, 13, Bias::no>, LeakyReLU<0.1>, Linear<13, 1>, ReLU, Linear<1, 7>, ReLU>;
using Bare = Sequential<Linear<35, 9>, Linear<9, 6, Bias::no>, Linear<6, 3>, Dropout<0.5>>;
using Single = Sequential<Linear<35, 3>>;

TEMPLATE_TEST_CASE("steps of large models are the steps of the backend's operations", "[graph]", float, double) {
  SECTION("batches of every size") {
    for (const std::size_t batch :
         {std::size_t{1}, std::size_t{7}, std::size_t{35}, std::size_t{70}, std::size_t{99}}) {
      CAPTURE(batch);
      check_steps<Teacher3, TestType>({.samples = test::samples_for(batch), .batch = batch, .epochs = 2},
                                      CrossEntropy{});
    }
    check_steps<Student, TestType>({.samples = 300, .batch = 130}, CrossEntropy{});
  }
  SECTION("dropout behind, before and in front of the activation function") {
    check_steps<Front, TestType>({}, CrossEntropy{.label_smoothing = 0.1});
    check_steps<Bare, TestType>({}, CrossEntropy{});
  }
  SECTION("activations of all kinds, a layer of width 1, no bias, one layer") {
    check_steps<Curved, TestType>({}, CrossEntropy{});
    check_steps<Single, TestType>({}, CrossEntropy{});
  }
  SECTION("a teacher's table of logits") { check_steps<Teacher3, TestType>({}, HintonLoss{.temperature = 2}); }
  SECTION("shifted images, for which the teacher answers each batch") {
    check_steps<Teacher3, TestType>({.augmentation = {.shift = 2}}, HintonLoss{});
    check_steps<Front, TestType>({.augmentation = {.shift = 1}}, CrossEntropy{});
  }
  SECTION("distorted images, and noise") {
    check_steps<Teacher3, TestType>({.augmentation = {.rotation = 20, .scale = 0.2, .noise = 0.1}}, HintonLoss{});
    check_steps<Front, TestType>({.augmentation = {.shear = 20}}, CrossEntropy{});
  }
  SECTION("real features") { check_steps<Student, TestType>({.real_features = true}, CrossEntropy{}); }
  SECTION("clipped gradients") {
    check_steps<Student, TestType>({.clipping = GradientClipping{.max_norm = 0.01}}, CrossEntropy{},
                                   Sgd{.learning_rate = 0.5});
  }
  SECTION("other optimizers") {
    check_steps<Student, TestType>({}, CrossEntropy{}, Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
    check_steps<Student, float>({}, CrossEntropy{}, AdamW{.weight_decay = 0.1});
    check_steps<Student, TestType>({}, CrossEntropy{}, worked_examples::AmsGrad{});  // three moments
  }
}

TEST_CASE("products of doubles are exact with each precision", "[graph]") {
  check_steps<Teacher3, double, Precision::tf32>({}, CrossEntropy{});
  check_steps<Teacher3, double, Precision::bf16>({}, CrossEntropy{});
}

double distance(const std::vector<double>& first, const std::vector<double>& second) {
  double sum = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    sum += (first[i] - second[i]) * (first[i] - second[i]);
  }
  return std::sqrt(sum);
}

/// How far rounded products lead astray, as a share of the way that the exact ones went. (Most of it is a few ReLUs
/// that change sides.)
template <Model M, Precision precision>
double astray(const test::StepSettings& settings) {
  const Sgd optimizer{.learning_rate = 0.05};
  const HintonLoss loss;
  const auto exact = train_by_operations<M, float>(settings, loss, optimizer);
  const auto rounded = train_large<M, float, precision>(settings, loss, optimizer);
  CHECK_THAT(rounded.sum.loss, WithinRel(exact.sum.loss, 0.02));
  test::StepSettings none = settings;
  none.epochs = 0;
  const auto start = train_by_operations<M, float>(none, loss, optimizer);
  return distance(rounded.parameters, exact.parameters) / distance(exact.parameters, start.parameters);
}

TEMPLATE_TEST_CASE("rounded factors lead a little astray", "[graph]", Teacher3, Student, Front, Bare) {
  for (const test::StepSettings& settings :
       {test::StepSettings{},
        test::StepSettings{.augmentation = {.shift = 1}, .normalization = {.mean = 0.1307, .standard_deviation = 0.5}},
        test::StepSettings{.clipping = GradientClipping{.max_norm = 0.01}},
        {.real_features = true}}) {
    const double tf32 = astray<TestType, Precision::tf32>(settings);
    CHECK(tf32 < 1e-2);
    CHECK(tf32 > 1e-6);
    const double bf16 = astray<TestType, Precision::bf16>(settings);
    CHECK(bf16 < 4e-2);
    CHECK(bf16 > 1e-4);
  }
}

/// Whatever changes from step to step must reach a record: the batch and its place among samples and losses, masks,
/// shifts and the optimizer's constants.
template <typename Scalar, Precision precision>
void check_records(const test::StepSettings& settings) {
  using Replaying = backend::CudaOn<retort::system::Recording, precision>;
  using Runner = backend::graph::RecordingRunner<backend::graph::StepKey>;
  const Adam optimizer{.learning_rate = 3e-3};
  const HintonLoss loss{.temperature = 2};
  Runner::replayed = 0;
  const auto found = test::train_graph_steps<Teacher3, Replaying, Scalar,
                                             GraphSteps<Teacher3, Scalar, retort::system::Recording, precision>>(
      settings, loss, optimizer);
  CHECK(Runner::replayed > (test::brief ? 30 : 50));
  const auto expected = train_large<Teacher3, Scalar, precision>(settings, loss, optimizer);
  CHECK(test::same_bits(found.parameters, expected.parameters));
  CHECK(found.sum.loss == expected.sum.loss);
  CHECK(found.sum.correct == expected.sum.correct);
}

TEMPLATE_TEST_CASE("a record of one step does every later one", "[graph]", float, double) {
  for (const test::StepSettings& settings :
       {test::StepSettings{.epochs = 2}, test::StepSettings{.augmentation = {.shift = 1}, .epochs = 4},
        test::StepSettings{.clipping = GradientClipping{.max_norm = 0.01}, .epochs = 2},
        test::StepSettings{.real_features = true, .epochs = 2}}) {
    check_records<TestType, Precision::fp32>(settings);
    if constexpr (std::is_same_v<TestType, float>) {  // doubles are never rounded
      check_records<TestType, Precision::tf32>(settings);
      check_records<TestType, Precision::bf16>(settings);
    }
  }
}

/// One network, its moments and its data, to take single steps of.
template <Precision precision, typename On = System>
struct Bench {
  using Backend = backend::CudaOn<On, precision>;
  using Steps = GraphSteps<Teacher3, float, On, precision>;

  Backend backend;
  Network<Teacher3, Backend> network{Seed{3}, backend};
  data::Dataset data = test::step_dataset<Teacher3>({});
  std::vector<std::uint32_t> samples = std::vector<std::uint32_t>(24, 1);
  std::vector<float> losses = std::vector<float>(24);
  std::vector<std::uint8_t> correct = std::vector<std::uint8_t>(24);
  AlignedBuffer<float> mean = AlignedBuffer<float>(Teacher3::parameter_arena_size);
  AlignedBuffer<float> square = AlignedBuffer<float>(Teacher3::parameter_arena_size);

  CrossEntropy loss{};
  GradientClipping clipping{};
  data::Augmentation augmentation{};

  void step(Steps& steps, std::uint32_t epoch, std::uint32_t number, std::size_t size = 24) {
    const backend::TrainingBatch batch{.data = data.view(),
                                       .samples = samples.data(),
                                       .size = size,
                                       .following = 0,
                                       .view = {augmentation, Seed{1}, epoch},
                                       .seed = Seed{1},
                                       .epoch = epoch,
                                       .step = number};
    steps.step(backend, batch,
               backend::TrainingState<float, 2>{.parameters = network.parameter_data(),
                                                .buffers = network.buffer_data(),
                                                .moments = {mean.data(), square.data()},
                                                .teacher = {},
                                                .losses = losses.data(),
                                                .correct = correct.data(),
                                                .clipping = clipping},
               loss, Adam{}.rule<float>(number + 1, 1e-2));
  }

  std::vector<float> parameters() const {
    return {network.parameter_data(), network.parameter_data() + Teacher3::parameter_arena_size};
  }
};

TEST_CASE("a step allocates nothing", "[graph]") {
  Bench<Precision::bf16> bench;
  Bench<Precision::bf16>::Steps steps(bench.backend, 24);
  const std::size_t allocations = bench.backend.system().allocations;
  bench.step(steps, 0, 0);
  bench.step(steps, 0, 1, 7);
  CHECK(bench.backend.system().allocations == allocations);
}

TEST_CASE("parameters that somebody else wrote are noticed", "[graph]") {
  const auto [epoch, number] = GENERATE(std::pair<std::uint32_t, std::uint32_t>{1, 2}, std::pair{0u, 7u});
  Bench<Precision::bf16> first;
  Bench<Precision::bf16> second;
  Bench<Precision::bf16>::Steps steps(first.backend, 24);
  Bench<Precision::bf16>::Steps until_then(second.backend, 24);
  for (std::uint32_t step = 0; step < 2; ++step) {
    first.step(steps, 0, step);
    second.step(until_then, 0, step);
  }
  REQUIRE(test::same_bits(first.parameters(), second.parameters()));
  for (Bench<Precision::bf16>* bench : {&first, &second}) {
    for (std::size_t i = 0; i < Teacher3::parameter_arena_size; ++i) {
      bench->network.parameter_data()[i] *= 0.5f;
    }
  }
  Bench<Precision::bf16>::Steps afterwards(second.backend, 24);
  first.step(steps, epoch, number);
  second.step(afterwards, epoch, number);
  CHECK(test::same_bits(first.parameters(), second.parameters()));
}

TEST_CASE("another network's parameters are noticed", "[graph]") {
  Bench<Precision::bf16> first;
  Bench<Precision::bf16> second;
  for (float& value : std::span(second.network.parameter_data(), Teacher3::parameter_arena_size)) {
    value *= 0.5f;
  }
  Bench<Precision::bf16> expected = second;
  Bench<Precision::bf16>::Steps steps(first.backend, 24);
  Bench<Precision::bf16>::Steps fresh(first.backend, 24);
  first.step(steps, 0, 0);
  second.step(steps, 0, 1);
  expected.step(fresh, 0, 1);
  CHECK(test::same_bits(second.parameters(), expected.parameters()));
}

TEST_CASE("copies of the weights are those of the optimizer's last step", "[graph]") {
  Bench<Precision::bf16> first;
  Bench<Precision::bf16> second;
  Bench<Precision::bf16>::Steps steps(first.backend, 24);
  for (std::uint32_t step = 0; step < 4; ++step) {
    first.step(steps, 0, step);
    Bench<Precision::bf16>::Steps fresh(second.backend, 24);  // rounds all weights anew
    second.step(fresh, 0, step);
  }
  CHECK(test::same_bits(first.parameters(), second.parameters()));
}

TEST_CASE("loss, clipping and shift may change without another record, and distortion may begin and end", "[graph]") {
  using Recorded = Bench<Precision::fp32, retort::system::Recording>;
  Recorded recorded;
  Bench<Precision::fp32> immediate;
  Recorded::Steps first(recorded.backend, 24);
  Bench<Precision::fp32>::Steps second(immediate.backend, 24);
  const auto step = [&](auto& bench, auto& steps, std::uint32_t number) {
    bench.loss.label_smoothing = 0.05 * number;
    bench.clipping.max_norm = number < 3 ? 1.0 : 0.01;
    bench.augmentation.shift = number % 3;
    bench.augmentation.noise = number == 2 || number == 4 ? 0.1 * number : 0.0;
    bench.mean = AlignedBuffer<float>(std::as_const(bench.mean));  // in another place
    bench.step(steps, 0, number);
  };
  for (std::uint32_t number = 0; number < 6; ++number) {
    step(recorded, first, number);
    step(immediate, second, number);
    CAPTURE(number);
    CHECK(test::same_bits(recorded.parameters(), immediate.parameters()));
    CHECK(test::same_bits(recorded.losses, immediate.losses));
  }
}

struct NoTeacher {};

template <Precision precision, Model M, Optimizer O = Adam>
std::string engine_of() {
  return internal::describe_engine<backend::TrainingTypes<Backend<precision>, M, CrossEntropy, O, float, NoTeacher>>(
      Backend<precision>{});
}

TEST_CASE("the engine's description says which products a model gets", "[graph]") {
  using Small = Sequential<Linear<20, 12>, ReLU, Linear<12, 10>>;
  using Wide = Sequential<Linear<784, 1200>, ReLU, Linear<1200, 10>>;
  using Normalized = Sequential<Linear<20, 12>, LayerNorm<12>, Linear<12, 10>>;
  CHECK(engine_of<Precision::bf16, Small>() == "a block of threads with full-precision products in float");
  CHECK(engine_of<Precision::bf16, Wide>() ==
        "a graph of kernels with bf16 products in float, not a block of threads with full-precision products: the "
        "model and a "
        "chunk of samples do not fit its memory");
  const std::string layer = ": LayerNorm (layer 1) is neither Linear nor pointwise";
  CHECK(engine_of<Precision::bf16, Normalized>() ==
        "single operations in float, not a block of threads with full-precision products" + layer +
            ", not a graph of kernels with bf16 products" + layer +
            ", not a graph of kernels with full-precision products" + layer);
  const std::string limits = ": the optimizer limits the weights of whole units";
  CHECK(engine_of<Precision::fp32, Small, WeightAverage<MaxNorm<Sgd>>>() ==
        "single operations in float, not a block of threads with full-precision products" + limits +
            ", not a graph of kernels with full-precision products" + limits);
  CHECK(engine_of<Precision::fp32, Small, WeightAverage<Sgd>>() == engine_of<Precision::fp32, Small>());
  CHECK(Backend<Precision::bf16>{}.describe() == "serial, bf16 products in graphs of kernels");
}

}  // namespace
