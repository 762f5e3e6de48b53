// SPDX-License-Identifier: MIT
#include "retort/backend/generic/run_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "training_pass.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::packed_parameters;
using retort::test::random_values;
using retort::test::same_bits;
using retort::test::set_packed_parameters;
using retort::test::TrainingPass;
using retort::test::worst_gradient_difference;

constexpr std::size_t batch = 5;

// An elementwise layer where the gradient of the inputs passes through it last, and first.
template <typename L>
using Around = Sequential<L, Linear<4, 3>, L>;

using Models = std::tuple<
    Sequential<Linear<5, 3>>, Sequential<Linear<5, 3, Bias::no>>, Sequential<Linear<1, 1>>, Sequential<LayerNorm<5>>,
    Sequential<BatchNorm<5>>,
    // More columns than one strip of the batch's statistics.
    Sequential<BatchNorm<70>>, Around<ReLU>, Around<LeakyReLU<0.2>>, Around<GELU>, Around<SiLU>, Around<Tanh>,
    Around<Sigmoid>, Around<Dropout<0.4>>, Sequential<Linear<4, 6>, ReLU, Linear<6, 5>, ReLU, Linear<5, 3>>,
    // Pooling first, where the gradient of the inputs ends, and between.
    Sequential<AvgPool2d<Shape<2, 6, 6>, 3>, SiLU, AvgPool2d<Shape<2, 2, 2>, 2>, Linear<2, 3>>,
    // Runs of pointwise layers first, between and last.
    Sequential<Dropout<0.2>, Tanh, Linear<5, 4>, GELU, Dropout<0.3>, SiLU, Linear<4, 3>, Sigmoid, Dropout<0.1>>,
    Sequential<Dropout<0.2>, Linear<6, 5>, BatchNorm<5>, GELU, Dropout<0.25>, Linear<5, 4, Bias::no>, LayerNorm<4>,
               Tanh, Linear<4, 3>>>;

template <Model M>
std::vector<double> inputs_of(std::size_t samples = batch) {
  return random_values<double>(samples * M::input_size, 21, -1.5, 1.5);
}

template <Model M>
std::vector<double> incoming_of(std::size_t samples = batch) {
  return random_values<double>(samples * M::output_size, 22);
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEMPLATE_LIST_TEST_CASE("Gradients are those of finite differences", "[backend]", Models) {
  using M = TestType;
  TrainingPass<M> pass(batch);
  const auto inputs = inputs_of<M>();
  const auto incoming = incoming_of<M>();
  pass.forward(inputs);
  const auto gradients = pass.backward(inputs, incoming);
  CAPTURE(M::layer_names[0]);

  constexpr double step = 1e-4;
  const auto parameters = worst_gradient_difference(
      [&](const std::vector<double>& values) {
        set_packed_parameters(pass.network, values);
        return dot(pass.forward(inputs), incoming);
      },
      packed_parameters(pass.network), gradients.parameters, step);
  CAPTURE(parameters.index, parameters.analytic, parameters.numeric);
  CHECK(parameters.relative_error < 1e-7);

  set_packed_parameters(pass.network, packed_parameters(TrainingPass<M>(batch).network));
  const auto features =
      worst_gradient_difference([&](const std::vector<double>& values) { return dot(pass.forward(values), incoming); },
                                inputs, gradients.inputs, step);
  CAPTURE(features.index, features.analytic, features.numeric);
  CHECK(features.relative_error < 1e-7);
}

TEMPLATE_LIST_TEST_CASE("The gradients of the inputs are extra: those of the parameters are the same without",
                        "[backend]", Models) {
  TrainingPass<TestType> pass(batch);
  const auto inputs = inputs_of<TestType>();
  const auto incoming = incoming_of<TestType>();
  pass.forward(inputs);
  CHECK(same_bits(pass.backward(inputs, incoming, true).parameters, pass.backward(inputs, incoming, false).parameters));
}

TEMPLATE_LIST_TEST_CASE("A batch smaller than the arena is for gives the same bits", "[backend]", Models) {
  TrainingPass<TestType> exact(batch);
  TrainingPass<TestType> roomy(batch, 1, 7);
  const auto inputs = inputs_of<TestType>();
  const auto incoming = incoming_of<TestType>();
  CHECK(same_bits(exact.forward(inputs), roomy.forward(inputs)));
  const auto a = exact.backward(inputs, incoming);
  const auto b = roomy.backward(inputs, incoming);
  CHECK(same_bits(a.parameters, b.parameters));
  CHECK(same_bits(a.inputs, b.inputs));
}

TEMPLATE_LIST_TEST_CASE("Gradients are linear in what comes in", "[backend]", Models) {
  TrainingPass<TestType> pass(batch);
  const auto inputs = inputs_of<TestType>();
  const auto incoming = incoming_of<TestType>();
  std::vector<double> doubled = incoming;
  std::ranges::for_each(doubled, [](double& value) { value *= 2.0; });
  pass.forward(inputs);
  auto once = pass.backward(inputs, incoming);
  const auto twice = pass.backward(inputs, doubled);
  std::ranges::for_each(once.parameters, [](double& value) { value *= 2.0; });
  std::ranges::for_each(once.inputs, [](double& value) { value *= 2.0; });
  CHECK(same_bits(once.parameters, twice.parameters));
  CHECK(same_bits(once.inputs, twice.inputs));
}

// Models in which a sample's answer does not depend on its place or its neighbours.
using IndependentModels = std::tuple<Sequential<Linear<5, 3>>, Sequential<LayerNorm<5>>, Around<GELU>,
                                     Sequential<Linear<4, 6>, SiLU, Linear<6, 5>, LayerNorm<5>, ReLU, Linear<5, 3>>>;

TEMPLATE_LIST_TEST_CASE("Another order of the samples reorders logits and input gradients and nothing else",
                        "[backend]", IndependentModels) {
  using M = TestType;
  const std::vector<std::size_t> order{3, 0, 4, 2, 1};
  const auto permuted = [&](const std::vector<double>& rows) {
    const std::size_t width = rows.size() / batch;
    std::vector<double> result;
    for (const std::size_t row : order) {
      result.insert(result.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * width),
                    rows.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
    }
    return result;
  };
  const auto inputs = inputs_of<M>();
  const auto incoming = incoming_of<M>();
  TrainingPass<M> pass(batch);
  const auto logits = pass.forward(inputs);
  const auto gradients = pass.backward(inputs, incoming);
  CHECK(largest_difference(pass.forward(permuted(inputs)), permuted(logits)) < 1e-13);
  const auto others = pass.backward(permuted(inputs), permuted(incoming));
  CHECK(largest_difference(others.inputs, permuted(gradients.inputs)) < 1e-13);
  CHECK(largest_difference(others.parameters, gradients.parameters) < 1e-12);
}

TEMPLATE_LIST_TEST_CASE("Outside of training the answer is that of the forward pass", "[backend]", IndependentModels) {
  using M = TestType;
  TrainingPass<M> pass(batch);
  const auto inputs = inputs_of<M>();
  std::vector<double> logits(batch * M::output_size);
  pass.network.predict(inputs, logits);
  CHECK(largest_difference(pass.forward(inputs), logits) < 1e-13);
}

TEST_CASE("Activations of a training step do not overlap and lie on aligned offsets", "[backend]") {
  using M = Sequential<Linear<3, 5>, ReLU, Linear<5, 2>>;
  CHECK(internal::output_offset<M>(0, 7) == 0);
  CHECK(internal::output_offset<M>(1, 7) == 48);
  CHECK(internal::output_offset<M>(2, 7) == 96);
  CHECK(internal::activation_arena_size<M>(7) == 112);
  CHECK(backend::pass_scratch_size<M>(7) == 2 * 48);
  // A run of pointwise layers keeps one output.
  using Longer = Sequential<Linear<3, 5>, ReLU, Dropout<0.5>, Tanh, Linear<5, 2>>;
  CHECK(internal::output_offset<Longer>(2, 7) == 96);
  CHECK(internal::activation_arena_size<Longer>(7) == 112);
  // What enters may be the widest.
  CHECK(backend::pass_scratch_size<Sequential<Linear<9, 5>>>(7) == 2 * 64);
}

// Backends that compute a Linear layer and the Chain behind it in one operation, and say what they were asked for.
namespace fusing {

/// Calls by name, shared by the copies of a backend.
class Recorder : public backend::Eigen {
 public:
  void record(const std::string& call) const { calls_->push_back(call); }
  std::vector<std::string> take_calls() const { return std::exchange(*calls_, {}); }

 private:
  std::shared_ptr<std::vector<std::string>> calls_ = std::make_shared<std::vector<std::string>>();
};

template <typename L>
std::string name_of(L) {
  return std::string{L::name};
}
template <typename... Layers>
std::string name_of(backend::Chain<Layers...>) {
  std::string name;
  ((name += (name.empty() ? "" : "-") + std::string{Layers::name}), ...);
  return name;
}

template <typename L, std::size_t N>
void infer(const Recorder& recorder, L layer, backend::Width<N> width,
           const backend::InferArguments<double>& arguments) {
  recorder.record(name_of(layer));
  infer(static_cast<const backend::Eigen&>(recorder), layer, width, arguments);
}
template <typename L, std::size_t N>
void forward(const Recorder& recorder, L layer, backend::Width<N> width,
             const backend::ForwardArguments<double>& arguments) {
  recorder.record(name_of(layer));
  forward(static_cast<const backend::Eigen&>(recorder), layer, width, arguments);
}
template <typename L, std::size_t N>
void backward(const Recorder& recorder, L layer, backend::Width<N> width,
              const backend::BackwardArguments<double>& arguments) {
  recorder.record(name_of(layer));
  backward(static_cast<const backend::Eigen&>(recorder), layer, width, arguments);
}

/// Not those of Generic, which fuse both.
template <std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void infer(const Recorder&, Linear<In, Out, bias>, backend::Chain<Layers...>, backend::Width<In>,
           const backend::InferArguments<double>&) = delete;
template <std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void forward(const Recorder&, Linear<In, Out, bias>, backend::Chain<Layers...>, backend::Width<In>,
             const backend::ForwardArguments<double>&, double*) = delete;

struct InInference : Recorder {};
struct InTraining : Recorder {};

template <std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void infer(const InInference& backend, Linear<In, Out, bias> layer, backend::Chain<Layers...> chain,
           backend::Width<In> width, const backend::InferArguments<double>& arguments) {
  backend.record(name_of(layer) + "+" + name_of(chain));
  const backend::Eigen& eigen = backend;
  AlignedBuffer<double> between(arguments.batch * Out);
  auto of_layer = arguments;
  of_layer.output = between.data();
  infer(eigen, layer, width, of_layer);
  auto of_chain = arguments;
  of_chain.input = between.data();
  infer(eigen, chain, backend::Width<Out>{}, of_chain);
}

template <std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void forward(const InTraining& backend, Linear<In, Out, bias> layer, backend::Chain<Layers...> chain,
             backend::Width<In> width, const backend::ForwardArguments<double>& arguments, double* chain_output) {
  backend.record(name_of(layer) + "+" + name_of(chain));
  const backend::Eigen& eigen = backend;
  forward(eigen, layer, width, arguments);
  auto of_chain = arguments;
  of_chain.input = arguments.output;
  of_chain.output = chain_output;
  ++of_chain.random.layer;
  forward(eigen, chain, backend::Width<Out>{}, of_chain);
}

using Calls = std::vector<std::string>;
constexpr double garbage = std::numeric_limits<double>::quiet_NaN();

AlignedBuffer<double> garbage_of(std::size_t size) { return test::aligned_copy(std::vector<double>(size, garbage)); }

/// What the passes compute on a backend, and what they asked it for.
struct Passes {
  std::vector<double> predicted;
  std::vector<double> logits;
  std::vector<double> activations;
  std::vector<double> gradients;
  std::vector<double> input_gradient;
  Calls inference_calls;
  Calls forward_calls;
  Calls backward_calls;
};

template <Model M, typename B>
Passes run_passes() {
  constexpr std::size_t capacity = batch + 2;
  const B backend{};
  // The same random numbers for every backend.
  TrainingPass<M> numbers(batch);
  const double* parameters = std::as_const(numbers.network).parameter_data();
  AlignedBuffer<double> buffers = numbers.network.copy_buffers();
  const auto take_calls = [&]() -> Calls {
    if constexpr (requires { backend.take_calls(); }) {
      return backend.take_calls();
    } else {
      return {};
    }
  };
  const auto inputs = test::aligned_copy(inputs_of<M>());
  const auto incoming = test::aligned_copy(incoming_of<M>());
  const backend::LayerRandom random{Seed{5}, 3};
  auto scratch = garbage_of(backend::pass_scratch_size<M>(capacity));
  Passes result;

  result.predicted.assign(batch * M::output_size, garbage);
  run_inference<M>(
      backend,
      backend::InferArguments<double>{parameters, buffers.data(), inputs.data(), result.predicted.data(), batch},
      scratch.data());
  result.inference_calls = take_calls();

  auto activations = garbage_of(internal::activation_arena_size<M>(capacity));
  const double* logits = internal::run_forward<M>(
      backend,
      backend::ForwardArguments<double>{parameters, buffers.data(), inputs.data(), activations.data(), batch, random},
      capacity);
  result.logits.assign(logits, logits + batch * M::output_size);
  result.activations.assign(activations.data(), activations.data() + activations.size());
  result.forward_calls = take_calls();

  auto gradients = garbage_of(M::parameter_arena_size);
  auto input_gradient = garbage_of(batch * M::input_size);
  std::ranges::fill(scratch.span(), garbage);
  internal::run_backward<M>(
      backend,
      backend::BackwardArguments<double>{parameters, inputs.data(), activations.data(), incoming.data(),
                                         input_gradient.data(), gradients.data(), batch, random, buffers.data()},
      capacity, scratch.data());
  result.gradients.assign(gradients.data(), gradients.data() + gradients.size());
  result.input_gradient.assign(input_gradient.data(), input_gradient.data() + input_gradient.size());
  result.backward_calls = take_calls();
  return result;
}

void check_same(const Passes& a, const Passes& b) {
  CHECK(same_bits(a.predicted, b.predicted));
  CHECK(same_bits(a.logits, b.logits));
  CHECK(same_bits(a.activations, b.activations));
  CHECK(same_bits(a.gradients, b.gradients));
  CHECK(same_bits(a.input_gradient, b.input_gradient));
  CHECK(std::ranges::all_of(a.predicted, [](double value) { return std::isfinite(value); }));
  CHECK(std::ranges::all_of(a.logits, [](double value) { return std::isfinite(value); }));
}

}  // namespace fusing

using fusing::Calls;

// A chain before the first Linear layer, behind one, behind a layer that is not Linear, and last.
using Fusible = Sequential<Dropout<0.2>, Linear<6, 9>, GELU, Dropout<0.25>, LayerNorm<9>, Tanh, Linear<9, 4>,
                           Linear<4, 5, Bias::no>, BatchNorm<5>, Linear<5, 3>, SiLU>;
const Calls fused{"Dropout", "Linear+GELU-Dropout", "LayerNorm",  "Tanh", "Linear",
                  "Linear",  "BatchNorm",           "Linear+SiLU"};
const Calls apart{"Dropout", "Linear", "GELU-Dropout", "LayerNorm", "Tanh",
                  "Linear",  "Linear", "BatchNorm",    "Linear",    "SiLU"};

Calls reversed(Calls calls) {
  std::ranges::reverse(calls);
  return calls;
}

TEST_CASE("A backend is asked for one operation after another", "[backend]") {
  const auto passes = fusing::run_passes<Fusible, fusing::Recorder>();
  CHECK(passes.inference_calls == apart);
  CHECK(passes.forward_calls == apart);
  CHECK(passes.backward_calls == reversed(apart));
  check_same(passes, fusing::run_passes<Fusible, backend::Eigen>());
}

TEST_CASE("A backend that infers a layer and its chain together is asked to, and gives the same bits", "[backend]") {
  const auto passes = fusing::run_passes<Fusible, fusing::InInference>();
  CHECK(passes.inference_calls == fused);
  CHECK(passes.forward_calls == apart);
  CHECK(passes.backward_calls == reversed(apart));
  check_same(passes, fusing::run_passes<Fusible, backend::Eigen>());
}

TEST_CASE("A backend that trains a layer and its chain together is asked to, and gives the same bits", "[backend]") {
  const auto passes = fusing::run_passes<Fusible, fusing::InTraining>();
  CHECK(passes.inference_calls == apart);
  CHECK(passes.forward_calls == fused);
  CHECK(passes.backward_calls == reversed(apart));
  check_same(passes, fusing::run_passes<Fusible, backend::Eigen>());
}

TEST_CASE("A model of one layer and its chain is one operation where a backend has it", "[backend]") {
  using M = Sequential<Linear<4, 3>, Dropout<0.5>, ReLU>;
  const auto expected = fusing::run_passes<M, backend::Eigen>();
  const auto inferred = fusing::run_passes<M, fusing::InInference>();
  CHECK(inferred.inference_calls == Calls{"Linear+Dropout-ReLU"});
  check_same(inferred, expected);
  const auto trained = fusing::run_passes<M, fusing::InTraining>();
  CHECK(trained.forward_calls == Calls{"Linear+Dropout-ReLU"});
  check_same(trained, expected);
}

TEST_CASE("Where no input gradient is wanted, the backward pass ends with the first operation that learns",
          "[backend]") {
  using M = Sequential<Tanh, Dropout<0.5>, Linear<4, 3>, ReLU>;
  const fusing::Recorder backend{};
  const auto values = test::aligned_copy(random_values<double>(batch * 4 + 1000, 1));
  auto gradients = fusing::garbage_of(M::parameter_arena_size);
  auto scratch = fusing::garbage_of(backend::pass_scratch_size<M>(batch));
  internal::run_backward<M>(
      backend,
      backend::BackwardArguments<double>{
          values.data(), values.data(), values.data(), values.data(), nullptr, gradients.data(), batch, {}},
      batch, scratch.data());
  CHECK(backend.take_calls() == Calls{"ReLU", "Linear"});
}

}  // namespace
