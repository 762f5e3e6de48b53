#include "retort/backend/passes.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
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

using Models = std::tuple<Sequential<Linear<5, 3>>, Sequential<Linear<5, 3, Bias::no>>, Sequential<Linear<1, 1>>,
                          Sequential<LayerNorm<5>>, Sequential<BatchNorm<5>>,
                          // More columns than one strip of the batch's statistics.
                          Sequential<BatchNorm<70>>, Around<ReLU>, Around<LeakyReLU<0.2>>, Around<GELU>, Around<SiLU>,
                          Around<Tanh>, Around<Sigmoid>, Around<Dropout<0.4>>,
                          Sequential<Linear<4, 6>, ReLU, Linear<6, 5>, ReLU, Linear<5, 3>>,
                          Sequential<Dropout<0.2>, Linear<6, 5>, BatchNorm<5>, GELU, Dropout<0.25>,
                                     Linear<5, 4, Bias::no>, LayerNorm<4>, Tanh, Linear<4, 3>>>;

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
  CHECK(output_offset<M>(0, 7) == 0);
  CHECK(output_offset<M>(1, 7) == 48);
  CHECK(output_offset<M>(2, 7) == 96);
  CHECK(activation_arena_size<M>(7) == 112);
  CHECK(inference_scratch_size<M>(7) == 2 * 48);
  CHECK(backward_scratch_size<M>(7) == 2 * 48);
}

}  // namespace
