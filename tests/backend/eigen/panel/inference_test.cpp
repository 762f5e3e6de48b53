// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/panel/inference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/joint_products.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;

using Narrow = Sequential<Linear<35, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Odd = Sequential<Tanh, Linear<35, 33>, Dropout<0.5>, Linear<33, 1, Bias::no>, GELU, Linear<1, 7>, Dropout<0.1>>;
using Wide = Sequential<Dropout<0.2>, Linear<35, 300>, Dropout<0.5>, ReLU, Linear<300, 40>, Tanh, Linear<40, 17>, Tanh>;
// Layers whose rows are split among threads: in the middle, and at both ends.
using WideInside =
    Sequential<Tanh, Linear<35, 350>, ReLU, Linear<350, 403>, Dropout<0.5>, Tanh, Linear<403, 7, Bias::no>>;
using WideEnds = Sequential<Linear<400, 350, Bias::no>, ReLU, Linear<350, 401>, GELU>;
using Normalised = Sequential<BatchNorm<35>, Tanh, LayerNorm<35>, Linear<35, 33>, BatchNorm<33>, GELU, Linear<33, 20>,
                              LayerNorm<20>, BatchNorm<20>, Dropout<0.5>, ReLU, Linear<20, 10>, LayerNorm<10>>;
/// The layers behind a pooling of four, or of nine pixels in two channels, which numbers and bytes both meet.
using Pooled = Sequential<AvgPool2d<Shape<1, 6, 10>, 2>, Linear<15, 33>, ReLU, Linear<33, 10>>;
using PooledColours = Sequential<AvgPool2d<Shape<2, 6, 9>, 3>, Tanh, LayerNorm<12>, Linear<12, 7>>;
using WideNormalised = Sequential<Linear<35, 513>, LayerNorm<513>, GELU, Linear<513, 300, Bias::no>, BatchNorm<300>,
                                  ReLU, Linear<300, 7>, BatchNorm<7>>;
static_assert(backend::panel::has_wide_layer<WideNormalised>);
static_assert(!backend::panel::has_wide_layer<Narrow> && !backend::panel::has_wide_layer<Odd>);
static_assert(backend::panel::has_wide_layer<WideInside> && backend::panel::has_wide_layer<WideEnds>);

/// With numbers that a training could have left in biases and normalizations, too.
template <Model M, typename Scalar>
Network<M, backend::Eigen, Scalar> some_network(unsigned threads) {
  Network<M, backend::Eigen, Scalar> network{Seed{4}, backend::Eigen{threads}};
  const auto changes = test::random_values<Scalar>(M::parameter_arena_size, 5, -0.2, 0.2);
  std::transform(changes.begin(), changes.end(), network.parameter_data(), network.parameter_data(), std::plus<>{});
  std::ranges::copy(test::random_values<Scalar>(M::buffer_arena_size, 6, 0.5, 1.5), network.buffer_data());
  return network;
}

template <typename N>
auto tensors_of(const N& network) {
  return backend::panel::InferenceTensors{network.parameter_data(), network.buffer_data()};
}

template <typename Scalar>
double distance(const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

template <Model M>
data::Dataset some_data(std::size_t size, bool bytes) {
  constexpr std::size_t height = M::input_size == 400 ? 20 : M::input_size % 5 == 0 ? 5 : 6;
  return bytes ? test::noise_images(size, {height, M::input_size / height}, M::output_size, 1)
               : test::clouds(size, M::input_size, M::output_size, 2);
}

template <Model M, typename Scalar>
void check_inference() {
  const auto network = some_network<M, Scalar>(2);
  const backend::Generic<backend::Eigen>& by_operations = network.backend();
  const double tolerance = 200 * double{std::numeric_limits<Scalar>::epsilon()};
  for (const std::size_t batch : test::thinned<std::size_t>({0, 1, 2, 16, 17, 18, 33, 64, 65, 200, 23})) {
    CAPTURE(batch);
    const auto inputs = test::random_values<Scalar>(batch * M::input_size, 8);
    std::vector<Scalar> found(batch * M::output_size + 1, Scalar{99});
    std::vector<Scalar> expected(found);
    backend::panel::infer<M>(network.backend(), tensors_of(network), inputs.data(), found.data(), batch);
    predict_batch(by_operations, M{},
                  backend::InferArguments<Scalar>{network.parameter_data(), network.buffer_data(), inputs.data(),
                                                  expected.data(), batch});
    CHECK(distance(found, expected) < tolerance);
    CHECK(found.back() == Scalar{99});
    std::ranges::fill(found, Scalar{99});
    backend::panel::infer_with_few<M>(network.backend(), tensors_of(network), inputs.data(), found.data(), batch);
    CHECK(distance(found, expected) < tolerance);
    CHECK(found.back() == Scalar{99});
  }
  const std::size_t samples = test::brief ? 17 : 150;
  for (const bool bytes : {true, false}) {
    CAPTURE(bytes);
    const data::Dataset data = some_data<M>(samples, bytes);
    std::vector<Scalar> found(samples * M::output_size);
    std::vector<Scalar> expected(found);
    backend::panel::infer<M>(network.backend(), tensors_of(network), data.view(), found.data());
    predict_dataset(by_operations, M{}, network.parameter_data(), network.buffer_data(), data.view(), expected.data());
    CHECK(distance(found, expected) < tolerance);
  }
}

TEMPLATE_TEST_CASE("Inference on panels is the inference of Eigen's operations", "[panel]", float, double) {
  check_inference<Odd, TestType>();
  check_inference<Normalised, TestType>();
  check_inference<PooledColours, TestType>();
  if constexpr (test::takes_all<TestType>) {
    check_inference<Narrow, TestType>();
    check_inference<Wide, TestType>();
    check_inference<Pooled, TestType>();
    check_inference<WideInside, TestType>();
    check_inference<WideNormalised, TestType>();
  }
  if constexpr (!test::brief) {
    check_inference<WideEnds, TestType>();
  }
}

template <Model M, typename Scalar>
void check_threads() {
  const auto network = some_network<M, Scalar>(1);
  const auto tensors = tensors_of(network);
  for (const std::size_t size : test::thinned<std::size_t>({1, 7, 8, 9, 16, 17, 18, 33, 64, 65, 81, 130, 200, 23})) {
    const auto inputs = test::random_values<Scalar>(size * M::input_size, 8);
    const std::array datasets{some_data<M>(size, true), some_data<M>(size, false)};
    const auto infer_with = [&](unsigned threads) {
      const backend::Eigen backend{threads};
      std::vector<Scalar> logits(4 * size * M::output_size + 1, Scalar{99});
      const auto part = [&](std::size_t index) { return logits.data() + index * size * M::output_size; };
      backend::panel::infer<M>(backend, tensors, inputs.data(), part(0), size);
      backend::panel::infer_with_few<M>(backend, tensors, inputs.data(), part(1), size);
      for (std::size_t i = 0; i < datasets.size(); ++i) {
        backend::panel::infer<M>(backend, tensors, datasets[i].view(), part(2 + i));
      }
      return logits;
    };
    // One thread takes whole panels one after another.
    const std::vector<Scalar> expected = infer_with(1);
    CHECK(expected.back() == Scalar{99});
    for (const unsigned threads : test::thinned_to_one({2u, 5u, 3u})) {
      CAPTURE(size, threads);
      CHECK(infer_with(threads) == expected);
    }
  }
}

TEMPLATE_TEST_CASE("Inference is the same bits however threads share it", "[panel]", float, double) {
  if constexpr (test::takes_all<TestType>) {
    check_threads<Narrow, TestType>();
    check_threads<WideNormalised, TestType>();
  }
  if constexpr (!test::brief) {
    check_threads<WideInside, TestType>();
  }
  if constexpr (!test::brief || !test::takes_all<TestType>) {  // a brief run has it in double
    check_threads<WideEnds, TestType>();
  }
}

template <Model M, typename Scalar>
std::vector<Scalar> infer_with(unsigned threads, const Network<M, backend::Eigen, Scalar>& network,
                               const std::vector<Scalar>& inputs) {
  const std::size_t samples = inputs.size() / M::input_size;
  std::vector<Scalar> logits(samples * M::output_size);
  backend::panel::infer_with_few<M>(backend::Eigen{threads}, tensors_of(network), inputs.data(), logits.data(),
                                    samples);
  return logits;
}

TEMPLATE_TEST_CASE("In panels alone a sample has the same bits in every batch", "[panel]", float, double) {
  using M = Normalised;
  const auto network = some_network<M, TestType>(2);
  constexpr std::size_t size = 67;
  const auto inputs = test::random_values<TestType>(size * M::input_size, 8);
  std::vector<TestType> all(size * M::output_size);
  backend::panel::infer<M>(network.backend(), tensors_of(network), inputs.data(), all.data(), size);
  for (std::size_t sample = 0; sample < size; ++sample) {
    CAPTURE(sample);
    std::vector<TestType> alone(M::output_size);
    backend::panel::infer<M>(network.backend(), tensors_of(network), inputs.data() + sample * M::input_size,
                             alone.data(), 1);
    CHECK(std::equal(alone.begin(), alone.end(), all.data() + sample * M::output_size));
  }
}

TEMPLATE_TEST_CASE("Inputs that are multiplied a part at a time give the bits that whole panels give", "[panel]", float,
                   double) {
  using L = Linear<1100, 20>;
  using V = simd::Vector<TestType>;
  using namespace backend::panel;
  static_assert(is_by_parts<L>);
  const auto network = some_network<Sequential<L>, TestType>(1);
  for (const std::size_t size : {std::size_t{19}, std::size_t{200}}) {
    CAPTURE(size);
    const data::Dataset data = test::clouds(size, L::input_size, L::output_size, 2);
    const std::vector<TestType> inputs(data.view().reals, data.view().reals + size * L::input_size);
    std::vector<TestType> batch(size * L::output_size);
    std::vector<TestType> dataset(batch);
    infer<Sequential<L>>(network.backend(), tensors_of(network), inputs.data(), batch.data(), size);
    infer<Sequential<L>>(network.backend(), tensors_of(network), data.view(), dataset.data());
    CHECK(dataset == batch);
    auto panel = AlignedBuffer<TestType>::uninitialized(L::input_size * width<TestType>);
    auto output = AlignedBuffer<TestType>::uninitialized(L::output_size * width<TestType>);
    for (std::size_t index = 0; index < count_for<TestType>(size); ++index) {
      const PanelRows<TestType> rows{{0, L::output_size}, index, samples_in<TestType>(index, size)};
      const simd::Rows<const TestType> samples{inputs.data() + rows.first_sample() * L::input_size, L::input_size};
      fill_panel<V>(samples, rows.samples, L::input_size, panel.data());
      forward_rows<L, V>(network.parameter_data(), panel.data(), output.data(), rows);
      for (std::size_t sample = 0; sample < rows.samples; ++sample) {
        for (std::size_t k = 0; k < L::output_size; ++k) {
          REQUIRE(batch[(rows.first_sample() + sample) * L::output_size + k] ==
                  output.data()[k * width<TestType> + sample]);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("A few samples together have the bits that each has alone", "[panel]", float, double) {
  const Network<Odd, backend::Eigen, TestType> network = some_network<Odd, TestType>(1);
  const auto infer = [&](const TestType* inputs, std::size_t samples) {
    return infer_with(1, network, std::vector<TestType>(inputs, inputs + samples * Odd::input_size));
  };
  constexpr std::size_t most = backend::panel::few_samples<simd::Vector<TestType>>;
  const auto inputs = test::random_values<TestType>(most * Odd::input_size, 8);
  std::vector<TestType> expected;
  for (std::size_t samples = 1; samples <= most; ++samples) {
    CAPTURE(samples);
    const auto alone = infer(inputs.data() + (samples - 1) * Odd::input_size, 1);
    expected.insert(expected.end(), alone.begin(), alone.end());
    CHECK(infer(inputs.data(), samples) == expected);
  }
}

TEST_CASE("A few samples are the same bits however threads share them", "[panel]") {
  using M = Sequential<Linear<725, 726>, LayerNorm<726>, Tanh, Linear<726, 7>, BatchNorm<7>>;
  using V = simd::Vector<float>;
  constexpr std::size_t most = backend::panel::few_samples<V>;
  static_assert(backend::panel::detail::SamplePieces<Linear<725, 726>, V>::count > 1);
  static_assert(backend::panel::detail::is_worth_threads<Linear<725, 726>>(1));
  const auto network = some_network<M, float>(1);
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, most}) {
    const auto inputs = test::random_values<float>(size * M::input_size, 8);
    CAPTURE(size);
    CHECK(infer_with(3, network, inputs) == infer_with(1, network, inputs));
  }
}

template <Model M, typename Scalar>
void check_company(std::size_t in_panels, std::size_t few) {
  const auto network = some_network<M, Scalar>(1);
  const auto inputs = test::random_values<Scalar>((in_panels + few) * M::input_size, 8);
  const auto split = inputs.begin() + static_cast<std::ptrdiff_t>(in_panels * M::input_size);
  auto expected = infer_with<M, Scalar>(1, network, {inputs.begin(), split});
  const auto rows = infer_with<M, Scalar>(1, network, {split, inputs.end()});
  expected.insert(expected.end(), rows.begin(), rows.end());
  for (const unsigned threads : {1u, 2u, 3u}) {
    CAPTURE(in_panels, few, threads);
    CHECK(infer_with(threads, network, inputs) == expected);
  }
}

template <Model M, typename Scalar = float>
void check_company() {
  constexpr std::size_t step = backend::panel::samples_at_once<simd::Vector<Scalar>>;
  for (const std::size_t in_panels : test::thinned<std::size_t>({step, 3 * step, 5 * step, 8 * step, 2 * step})) {
    check_company<M, Scalar>(in_panels, 1);
    check_company<M, Scalar>(in_panels, 3);
  }
}

TEST_CASE("Panels and the few samples behind them have the bits that each have alone", "[panel]") {
  check_company<WideNormalised>();
  check_company<WideNormalised, double>();
  check_company<Narrow>();
  check_company<Sequential<BatchNorm<35>, Linear<35, 500>, ReLU, Linear<500, 21>, LayerNorm<21>, GELU>>();
  // Narrow outputs in layers whose rows are split.
  check_company<Sequential<Linear<1024, 30>, Tanh, Linear<30, 7>>>();
  check_company<Sequential<Linear<1024, 48>, Tanh>>();
}

/// A panel of `vectors` vectors and the sample behind it, or the panel alone, against sums in double.
template <typename L, typename Scalar>
void check_joint_products(std::size_t vectors, bool with_sample) {
  using V = simd::Vector<Scalar>;
  using namespace backend::panel;
  if constexpr (has_joint_products<V>) {
    constexpr std::size_t in = L::input_size;
    constexpr std::size_t out = L::output_size;
    const std::size_t samples = vectors * simd::lanes<V>;
    const auto parameters = test::random_values<Scalar>(bias_offset<L> + out, 1, -1.0, 1.0);
    const auto inputs = test::random_values<Scalar>((samples + 1) * in, 2, -1.0, 1.0);
    AlignedBuffer<Scalar> panel(in * width<Scalar>);
    AlignedBuffer<Scalar> paired(paired_size<V>(in));
    AlignedBuffer<Scalar> output(out * width<Scalar>);
    std::vector<Scalar> sums(out, Scalar{99});
    fill_panel<V>({inputs.data(), in}, samples, in, panel.data());
    const PanelRows<Scalar> rows{{0, out}, 0, samples};
    const SampleProduct<Scalar> sample{with_sample ? inputs.data() + samples * in : nullptr, sums.data()};
    if (vectors == 1) {
      pair_rows_of_vector<V>(panel.data(), in, paired.data());
      forward_paired_rows<L, V>(parameters.data(), paired.data(), output.data(), rows, sample);
    } else {
      forward_joint_rows<L, V>(parameters.data(), panel.data(), output.data(), rows, sample);
    }
    const double tolerance = 4 * double{in} * double{std::numeric_limits<Scalar>::epsilon()};
    for (std::size_t row = 0; row < out; ++row) {
      for (std::size_t s = 0; s <= samples; ++s) {
        CAPTURE(in, out, vectors, with_sample, row, s);
        double expected = L::has_bias && s < samples ? double{parameters[bias_offset<L> + row]} : 0.0;
        for (std::size_t i = 0; i < in; ++i) {
          expected += double{inputs[s * in + i]} * double{parameters[row * in + i]};
        }
        const Scalar found = s < samples ? output.data()[row * width<Scalar> + s] : sums[row];
        CHECK(std::abs(double{found} - (s < samples || with_sample ? expected : 99.0)) <= tolerance);
      }
    }
  }
}

TEMPLATE_TEST_CASE("A panel's products with a sample are sums in double", "[panel]", float, double) {
  for (const std::size_t vectors : {1u, 2u, 3u, 4u}) {
    for (const bool with_sample : {false, true}) {
      check_joint_products<Linear<1, 1>, TestType>(vectors, with_sample);
      check_joint_products<Linear<35, 23, Bias::no>, TestType>(vectors, with_sample);
      check_joint_products<Linear<64, 20>, TestType>(vectors, with_sample);
    }
  }
}

TEST_CASE("Threads take samples that panels leave over where that is even", "[panel]") {
  using V = simd::Vector<float>;
  using backend::panel::detail::samples_of_thread;
  constexpr std::size_t lanes = simd::lanes<V>;
  constexpr std::size_t width = simd::tile_width<V>;
  CHECK(samples_of_thread<float>(width, 1) == 0);
  CHECK(samples_of_thread<float>(0, 2) == 0);
  CHECK(samples_of_thread<float>(2 * lanes, 2) == 0);
  CHECK(samples_of_thread<float>(3 * lanes, 2) == (width > 2 * lanes ? 0 : 2 * lanes));
  CHECK(samples_of_thread<float>(4 * lanes, 2) == 2 * lanes);
  CHECK(samples_of_thread<float>(6 * lanes, 2) == 3 * lanes);
  const auto network = some_network<WideNormalised, float>(1);
  for (const std::size_t size : {4 * lanes, 6 * lanes}) {
    const auto inputs = test::random_values<float>(size * WideNormalised::input_size, 8);
    CAPTURE(size);
    CHECK(infer_with(2, network, inputs) == infer_with(1, network, inputs));
  }
}

TEST_CASE("Rows that are split give the bits of whole panels on one thread too", "[panel]") {
  constexpr std::size_t size = test::brief ? 32 : 144;  // whole vectors, or the last samples were rows
  const Network<WideInside> network{Seed{4}, backend::Eigen{1}};
  const auto values = test::random_values<float>(size * 35, 8);
  const backend::panel::BatchInputs<float> rows{{values.data(), size, 35}};
  const backend::panel::NumberInputs<float> inputs(rows);
  const std::size_t panels = backend::panel::count_for<float>(size);
  std::vector<float> whole(size * 7);
  std::vector<float> split(size * 7);
  backend::panel::infer<WideInside>(network.backend(), tensors_of(network), values.data(), whole.data(), size);
  for (std::size_t first = 0; first < panels; first += 2) {
    backend::panel::infer_rows<WideInside>({&network.backend().pool()}, tensors_of(network), inputs, first,
                                           std::min(std::size_t{2}, panels - first), split.data());
  }
  CHECK(split == whole);
}

}  // namespace
