// SPDX-License-Identifier: MIT
#include "retort/quantization/integer_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/standardization.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/quantization/integer_errors.hpp"
#include "retort/quantization/quantize.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using Catch::Matchers::EndsWith;
using Catch::Matchers::Message;
using Catch::Matchers::StartsWith;
using retort::test::clouds;
using retort::test::noise_images;

using Pooled = Sequential<AvgPool2d<Shape<1, 6, 6>, 2>, Linear<9, 8>, BatchNorm<8>, ReLU, Dropout<0.1>, Linear<8, 6>,
                          Tanh, Linear<6, 3>>;
static_assert(
    std::is_same_v<Quantized<Pooled, Int4>,
                   Sequential<AvgPool2d<Shape<1, 6, 6>, 2>, QuantizedLinear<9, 8, Int4, QuantizedPlace{.first = true}>,
                              ReLU, Dropout<0.1>, QuantizedLinear<8, 6, Int4, QuantizedPlace{.table = true}>, Tanh,
                              QuantizedLinear<6, 3, Int4>>>);

// By hand a model may be what no program of integers computes.
constexpr QuantizedPlace inputs{.first = true};
static_assert(retort::detail::is_made_by_quantized<Quantized<Pooled, Int4>>());
static_assert(retort::detail::is_made_by_quantized<
              Sequential<QuantizedLinear<5, 8, Int8, inputs>, ReLU, QuantizedLinear<8, 3, Int8>>>());
static_assert(!retort::detail::is_made_by_quantized<
              Sequential<QuantizedLinear<5, 8, Int8, inputs>, ReLU, QuantizedLinear<8, 3, Int4>>>());
static_assert(!retort::detail::is_made_by_quantized<
              Sequential<QuantizedLinear<5, 8, Int8, inputs>, Tanh, QuantizedLinear<8, 3, Int8>>>());

using Plain = Sequential<Linear<5, 8>, ReLU, Linear<8, 3>>;

template <Model M>
Network<M> trained(const data::Dataset& data, std::size_t epochs = 3) {
  Network<M> network{Seed{1}};
  Trainer{network, CrossEntropy{}, Adam{.learning_rate = 1e-2}}.fit(
      data, {.epochs = epochs, .batch_size = 16, .seed = Seed{1}});
  return network;
}

/// How far real logits are from the integers', in steps of those, where both are within the integers' range.
template <typename N>
double worst_difference(const N& network, const data::Dataset& data) {
  const IntegerNetwork integers(network);
  const auto logits = predict_integer(integers, data);
  const auto reals = predict_all(network, data);
  double worst = 0.0;
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const double expected =
        std::clamp(static_cast<double>(reals[i]) / integers.logit_step() + integers.logit_zero(), -128.0, 127.0);
    worst = std::max(worst, std::abs(expected - logits.values()[i]));
  }
  return worst;
}

/// The logits of an image's bytes by the layers' slow twin.
std::vector<std::int8_t> one_by_one(const IntegerNetwork& integers, std::span<const std::uint8_t> bytes) {
  std::vector<std::uint16_t> values(integers.layers().front().inputs);
  if (integers.pool().square > 1) {
    integers.pool().sum(bytes, values);
  } else {
    std::ranges::copy(bytes, values.begin());
  }
  for (const internal::IntegerLayer& layer : integers.layers()) {
    std::vector<std::uint16_t> next(layer.outputs);
    layer.compute(values, next);
    values = std::move(next);
  }
  std::vector<std::int8_t> logits;
  std::ranges::transform(values, std::back_inserter(logits),
                         [](std::uint16_t value) { return static_cast<std::int8_t>(int{value} - 128); });
  return logits;
}

TEST_CASE("Samples that go through integers together have the numbers of each alone", "[quantization]") {
  const auto images = noise_images(21, {6, 6}, 3, 1);  // not a multiple of those that go together
  const auto check = [&](const IntegerNetwork& integers) {
    const auto logits = predict_integer(integers, images);
    for (std::size_t sample = 0; sample < images.size(); ++sample) {
      const auto alone = one_by_one(integers, {images.view().bytes + sample * 36, 36});
      CHECK(std::ranges::equal(logits.row(sample), alone));
    }
  };
  check(IntegerNetwork(quantize<Int8>(trained<Pooled>(images), images)));  // the first layer reads sums of squares
  using Whole = Sequential<Linear<36, 20>, ReLU, Linear<20, 3>>;
  check(IntegerNetwork(quantize<Int4>(trained<Whole>(images), images)));
}

TEST_CASE("Integers give the rounded network's answers, to a step of a logit", "[quantization]") {
  const auto images = noise_images(200, {6, 6}, 3, 1);
  const auto network = trained<Pooled>(images);
  // A number in the middle between two may become either, and pass on a step.
  CHECK(worst_difference(quantize<Int8>(network, images), images) < 3.0);
  CHECK(worst_difference(quantize<Int4>(network, images), images) < 3.0);
  const auto points = clouds(200, 5, 3, 1);
  CHECK(worst_difference(quantize<Int8>(trained<Plain>(points), points), points) < 4.0);  // inputs are rounded, too
}

TEST_CASE("A network of 4 bits learns through its roundings", "[quantization]") {
  const auto points = clouds(300, 5, 3, 1, 1.2);
  auto network = quantize<Int4>(trained<Plain>(points, 20), points);
  const auto errors = [&] { return count_integer_errors(IntegerNetwork(network), points); };
  const std::size_t before = errors();
  Trainer{network, CrossEntropy{}, Adam{.learning_rate = 3e-3}}.fit(points,
                                                                    {.epochs = 20, .batch_size = 16, .seed = Seed{2}});
  CHECK(errors() <= before);
  CHECK(errors() < 75);  // chance: 200
  CHECK(worst_difference(network, points) < 4.0);
}

TEST_CASE("Standardised columns are part of the integers' inputs", "[quantization]") {
  const auto raw = clouds(200, 5, 3, 1);
  const data::Standardization standardization = data::Standardization::fit(raw);
  const auto standardised = standardization.apply(raw);
  const auto network = quantize<Int8>(trained<Plain>(standardised), standardised);
  const IntegerNetwork integers(network);
  CHECK(integers.real_inputs().scales.centers.size() == 5);
  const auto logits = predict_integer(integers, raw);
  const auto reals = predict_all(network, standardised);
  std::size_t same = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto row = logits.row(i);
    const auto real = std::span(reals).subspan(3 * i, 3);
    same += std::ranges::max_element(row) - row.begin() == std::ranges::max_element(real) - real.begin() ? 1u : 0u;
  }
  CHECK(same >= 190);
  CHECK_THROWS_MATCHES(predict_integer(integers, standardised), OptionError,
                       Message("predict_integer: the features are standardised, expected raw ones: the network does "
                               "it itself"));
}

TEST_CASE("What integers cannot compute is refused in a sentence", "[quantization]") {
  const auto images = noise_images(50, {6, 6}, 3, 1);
  auto network = quantize<Int8>(trained<Pooled>(images, 1), images);
  const IntegerNetwork integers(network);
  std::vector<std::int8_t> logits(3);
  const std::vector<float> reals(36);
  CHECK_THROWS_MATCHES(integers.predict(reals, logits), OptionError,
                       Message("predict: the inputs are real numbers, expected bytes as in training"));
  const std::vector<std::uint8_t> bytes(35);
  CHECK_THROWS_AS(integers.predict(bytes, logits), ShapeError);
  CHECK_THROWS_AS(predict_integer(integers, noise_images(5, {5, 5}, 3, 1)), ShapeError);

  auto unknown = network;
  unknown.set_preprocessing({});
  CHECK_THROWS_MATCHES(IntegerNetwork(unknown), Error,
                       Message("integers: the network does not know how its inputs are made, expected one that was "
                               "trained, or read from a file that says so (Network::preprocessing)"));
  Network<Quantized<Pooled, Int8>> fresh{Seed{1}};
  fresh.set_preprocessing(Preprocessing{.bytes = true});
  CHECK_THROWS_MATCHES(IntegerNetwork(fresh), Error,
                       Message("integers: 4.input_range is empty, expected a network that was trained, or calibrated "
                               "by `quantize`"));
  fresh.set_preprocessing(Preprocessing{});
  CHECK_THROWS_MATCHES(IntegerNetwork(fresh), Error,
                       Message("integers: the inputs are real numbers, expected bytes before an AvgPool2d"));
  auto damaged = network;
  damaged.parameter(0)[3] = static_cast<float>(internal::make_nan());
  CHECK_THROWS_MATCHES(IntegerNetwork(damaged), Error,
                       Message("integers: 1.weight: element 3 is nan, expected a finite number"));
  auto large = network;
  large.parameter(1)[2] = 1e9f;
  CHECK_THROWS_WITH(IntegerNetwork(large),
                    StartsWith("integers: layer 1, output 2: the step of its sum is ") &&
                        EndsWith(" times that of the layer's outputs, expected less than 1: their range is too narrow "
                                 "for its weights and bias"));
  auto bright = network;
  bright.set_preprocessing(Preprocessing{.bytes = true, .mean = 1e8});
  CHECK_THROWS_MATCHES(IntegerNetwork(bright), Error,
                       Message("integers: layer 1, output 0: its sum may exceed 32 bits, expected a smaller bias or "
                               "fewer inputs"));
}

/// What the constructor refuses, for a network with ranges from -1 to 1.
template <Model M>
std::string refusal() {
  Network<M> network{Seed{1}};
  network.set_preprocessing(Preprocessing{.bytes = true});
  auto buffers = network.copy_buffers();
  for (const TensorInfo& tensor : M::buffers) {
    const auto range = tensor.in(buffers.span());
    range[0] = -1.0f;
    range[1] = 1.0f;
  }
  network.assign_buffers(buffers.span());
  try {
    const IntegerNetwork integers(network);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("Sums that some processor's registers cannot hold are refused", "[quantization]") {
  using Eleven = Sequential<AvgPool2d<Shape<1, 11, 22>, 11>, Linear<2, 3>>;
  using Twelve = Sequential<AvgPool2d<Shape<1, 12, 24>, 12>, Linear<2, 3>>;
  CHECK(refusal<Quantized<Eleven, Int8>>().empty());
  CHECK(refusal<Quantized<Twelve, Int8>>() ==
        "integers: squares of 12 x 12 pixels, expected at most 11 x 11, whose sums have 15 bits");
  // Programs take sums of 4-bit weights times 16.
  using Wide = Sequential<AvgPool2d<Shape<1, 440, 1100>, 11>, Linear<4000, 2>>;
  CHECK(refusal<Quantized<Wide, Int4>>() ==
        "integers: layer 1, output 0: its sum may exceed 32 bits, expected a smaller bias or fewer inputs");
}

TEST_CASE("Units with hardly any weights, or none, are integers as well", "[quantization]") {
  const auto points = clouds(200, 5, 3, 1);
  auto network = trained<Plain>(points);
  const auto unit = [&](std::size_t index, float weight, float bias) {
    std::ranges::fill(network.parameter(0).subspan(5 * index, 5), weight);
    network.parameter(1)[index] = bias;
  };
  unit(0, 1e-9f, 0.5f);
  unit(1, 1e-39f, -0.5f);
  unit(2, 0.0f, 0.5f);
  unit(3, 0.0f, 0.0f);
  unit(4, -1e-6f, 0.7f);
  std::ranges::fill(network.parameter(2).first(8), 0.0f);
  network.parameter(3)[0] = 0.0f;
  CHECK(worst_difference(quantize<Int8>(network, points), points) < 4.0);
  CHECK(worst_difference(quantize<Int4>(network, points), points) < 4.0);
}

/// x log x, which has no value at 0.
struct XLogX {
  static constexpr std::string_view name = "XLogX";
  template <typename T>
  static T value(T x) {
    return x * std::log(x);
  }
  template <typename T>
  static T derivative(T x, T /*y*/) {
    return std::log(x) + 1;
  }
};

TEST_CASE("An activation that gives no number is refused", "[quantization]") {
  const auto points = clouds(50, 5, 3, 1);
  Network<Sequential<Linear<5, 2>, XLogX, Linear<2, 3>>> network{Seed{1}};
  std::ranges::fill(network.parameter(0), 0.01f);
  std::ranges::fill(network.parameter(1), 1.0f);  // far from 0 for every sample
  network.set_preprocessing(preprocessing_of(points));
  const auto quantized = quantize<Int8>(network, points);
  CHECK_THROWS_WITH(IntegerNetwork(quantized), StartsWith("integers: the activation behind layer 0 gives ") &&
                                                   EndsWith("nan for 0, expected a number"));
}

TEST_CASE("MaxNorm limits hidden units of few bits", "[quantization]") {
  const auto points = clouds(60, 5, 3, 1);
  auto network = quantize<Int8>(trained<Plain>(points, 1), points);
  Trainer{network, CrossEntropy{}, MaxNorm{Adam{.learning_rate = 1e-2}, 0.25}}.fit(
      points, {.epochs = 1, .batch_size = 16, .seed = Seed{1}});
  double longest = 0.0;
  for (std::size_t unit = 0; unit < 8; ++unit) {
    double squares = 0.0;
    for (const float weight : network.parameter(0).subspan(5 * unit, 5)) {
      squares += static_cast<double>(weight) * static_cast<double>(weight);
    }
    longest = std::max(longest, std::sqrt(squares));
  }
  CHECK((longest > 0.2499 && longest < 0.2501));
  CHECK(std::ranges::max(network.parameter(2)) > 0.26f);  // outputs are not limited
}

TEST_CASE("What cannot be calibrated is refused in a sentence", "[quantization]") {
  const auto points = clouds(50, 5, 3, 1);
  const auto network = trained<Plain>(points, 1);
  CHECK_THROWS_MATCHES(quantize<Int8>(network, points, {.percentile = 50}), OptionError,
                       Message("Calibration: percentile is 50, expected a number above 50, of at most 100"));
  CHECK_THROWS_AS(quantize<Int8>(network, clouds(50, 4, 3, 1)), ShapeError);
  auto damaged = network;
  damaged.parameter(2)[1] = static_cast<float>(internal::make_nan());
  CHECK_THROWS_MATCHES(quantize<Int8>(damaged, points), Error,
                       Message("quantize: 2.weight: element 1 is nan, expected a finite number"));
  auto dead = network;
  std::ranges::fill(dead.parameter(0), 0.0f);
  std::ranges::fill(dead.parameter(1), -1.0f);
  auto loud = network;
  std::ranges::fill(loud.parameter(0), 9e18f);
  std::ranges::fill(loud.parameter(2), 9e18f);
  CHECK_THROWS_WITH(quantize<Int8>(loud, points), StartsWith("quantize: ") && EndsWith("can cut into 255 steps"));
  CHECK_THROWS_MATCHES(quantize<Int8>(dead, points), Error,
                       Message("quantize: 2.input_range: all values are 0 for each of 50 samples, expected a layer "
                               "that is at work"));
}

}  // namespace
