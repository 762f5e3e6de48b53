// SPDX-License-Identifier: MIT
// Products with bfloat16 factors against plain loops over factors that are rounded one by one.

#include "retort/backend/eigen/panel/bf16_products.hpp"

#include <array>
#include <cstddef>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/panel/full_products.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/steps.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/sgd.hpp"
#include "train_steps.hpp"

namespace {

using namespace retort;

double rounded(float value) { return double{internal::bfloat16_to_float(internal::to_bfloat16(value))}; }

/// The slow twin of Bf16Products.
template <Model Whole>
class RoundedFactors {
  using M = backend::panel::AfterPooling<Whole>;

 public:
  explicit RoundedFactors(std::size_t /*capacity*/) {}

  void gather(const backend::Eigen& backend, const backend::TrainingBatch& batch, float* inputs) {
    std::vector<float> rows(batch.size * Whole::input_size);
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.view, rows.data());
    if constexpr (backend::panel::pools_inputs<Whole>) {
      const std::vector<float> whole = rows;
      infer(backend, backend::panel::PoolingOf<Whole>{}, backend::Width<Whole::input_size>{},
            backend::InferArguments<float>{nullptr, nullptr, whole.data(), rows.data(), batch.size});
    }
    for (std::size_t sample = 0; sample < batch.size; ++sample) {
      for (std::size_t feature = 0; feature < M::input_size; ++feature) {
        inputs[place<M::input_size>(feature, sample)] = rows[sample * M::input_size + feature];
      }
    }
  }

  template <std::size_t Index>
  void keep_input(const backend::Eigen& /*backend*/, std::size_t batch, const float* values) {
    inputs_[Index].assign(values, values + backend::panel::size_for<float>(backend::Stage<M, Index>::in, batch));
  }

  template <std::size_t Index>
  void forward(const float* parameters, const float* input, float* output, std::size_t batch,
               backend::panel::RowRange rows) {
    using L = typename backend::Stage<M, Index>::Linear;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      for (std::size_t sample = 0; sample < batch; ++sample) {
        double sum = L::has_bias ? double{parameters[backend::panel::bias_offset<L> + row]} : 0.0;
        for (std::size_t k = 0; k < L::input_size; ++k) {
          sum += rounded(parameters[row * L::input_size + k]) * rounded(input[place<L::input_size>(k, sample)]);
        }
        output[place<L::output_size>(row, sample)] = static_cast<float>(sum);
      }
    }
  }

  template <std::size_t Index>
  void keep_output_gradient(const backend::Eigen& /*backend*/, std::size_t /*batch*/, const float* /*gradient*/) {}

  template <std::size_t Index>
  void input_gradient(const float* parameters, const float* output_gradient, float* input_gradient, std::size_t batch,
                      backend::panel::RowRange rows) {
    using L = typename backend::Stage<M, Index>::Linear;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      for (std::size_t sample = 0; sample < batch; ++sample) {
        double sum = 0.0;
        for (std::size_t k = 0; k < L::output_size; ++k) {
          sum +=
              rounded(parameters[k * L::input_size + row]) * rounded(output_gradient[place<L::output_size>(k, sample)]);
        }
        input_gradient[place<L::input_size>(row, sample)] = static_cast<float>(sum);
      }
    }
  }

  template <std::size_t Index, typename Sink>
  void weight_gradient(const float* output_gradient, const float* /*sums*/, std::size_t batch,
                       backend::panel::RowRange rows, const Sink& sink) {
    using L = typename backend::Stage<M, Index>::Linear;
    using V = simd::Vector<float>;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      std::vector<float> gradient(L::input_size);
      for (std::size_t column = 0; column < L::input_size; ++column) {
        double sum = 0.0;
        for (std::size_t sample = 0; sample < batch; ++sample) {
          sum += rounded(output_gradient[place<L::output_size>(row, sample)]) *
                 rounded(inputs_[Index][place<L::input_size>(column, sample)]);
        }
        gradient[column] = static_cast<float>(sum);
      }
      simd::for_each_vector<V>(L::input_size, [&](std::size_t at, std::size_t count) {
        sink(row * L::input_size + at, simd::load_partial<V>(gradient.data() + at, count), count);
      });
    }
  }

 private:
  /// Where a panel keeps a feature of a sample.
  template <std::size_t Features>
  static std::size_t place(std::size_t feature, std::size_t sample) {
    constexpr std::size_t width = backend::panel::width<float>;
    return (sample / width * Features + feature) * width + sample % width;
  }

  std::array<std::vector<float>, backend::Plan<M>::linear_count> inputs_;
};

template <Model M, typename Products>
std::vector<double> train(const test::StepSettings& settings, backend::LossSum& sum) {
  // Plain steps: a gradient's error is the weight's.
  return test::train_steps<M, float, backend::panel::PanelSteps<M, float, Products>>(
      backend::Eigen{settings.threads}, settings, CrossEntropy{.label_smoothing = 0.1}, Sgd{.learning_rate = 0.1}, sum);
}

/// Returns the largest difference. A float sum that differs in its last bit may round to the neighbouring bfloat16
/// further on.
template <Model M>
double check_products(const test::StepSettings& settings) {
  backend::LossSum sum;
  backend::LossSum expected_sum;
  const auto found = train<M, backend::panel::Bf16Products<M>>(settings, sum);
  const auto expected = train<M, RoundedFactors<M>>(settings, expected_sum);
  const double difference = test::largest_difference(found, expected);
  CHECK(difference < 1e-4);
  CHECK_THAT(sum.loss, WithinRel(expected_sum.loss, 1e-4));
  return difference;
}

// Odd widths, widths below a vector, and some that need several blocks of a weight.
using Odd = Sequential<Tanh, Linear<35, 13, Bias::no>, ReLU, Linear<13, 1>, Tanh, Linear<1, 7>>;
using Dropped = Sequential<Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33>, GELU, Dropout<0.1>, Linear<33, 10>>;
using Pooled = Sequential<AvgPool2d<Shape<1, 6, 10>, 2>, Linear<15, 13>, Dropout<0.5>, ReLU, Linear<13, 7>>;
using Normalised = Sequential<BatchNorm<35>, Linear<35, 17, Bias::no>, LayerNorm<17>, ReLU, Linear<17, 7>>;
using Wide = Sequential<Linear<35, 401>, ReLU, Linear<401, 330>, ReLU, Linear<330, 5>>;

TEST_CASE("Products of bfloat16 factors are those of rounded numbers", "[panel]") {
  SECTION("Batches of every size") {
    for (const std::size_t batch : test::thinned<std::size_t>({1, 7, 16, 64, 101, 150, 40})) {
      CAPTURE(batch);
      check_products<Odd>({.samples = test::samples_for(batch), .batch = batch, .epochs = 1});
      check_products<Dropped>({.samples = test::samples_for(batch), .batch = batch, .epochs = 1});
    }
  }
  SECTION("Shifted images, real features, clipped gradients") {
    check_products<Dropped>({.augmentation = {.shift = 1}, .epochs = 1});
    check_products<Dropped>({.augmentation = {.rotation = 20, .noise = 0.1}, .epochs = 1});
    check_products<Dropped>({.real_features = true, .epochs = 1});
    check_products<Dropped>({.clipping = GradientClipping{.max_norm = 0.01}, .epochs = 1});
  }
  SECTION("Normalizations, of which one learns before the first product") {
    check_products<Normalised>({.epochs = 1});
    check_products<Normalised>(
        {.augmentation = {.shift = 1}, .clipping = GradientClipping{.max_norm = 0.1}, .epochs = 1});
  }
  SECTION("Pooled images") {
    check_products<Pooled>({.epochs = 1, .image = {6, 10}});
    check_products<Pooled>({.augmentation = {.shift = 1, .rotation = 20}, .epochs = 1, .image = {6, 10}});
  }
  SECTION("Wide layers, and how far rounding goes") {
    const test::StepSettings settings{.samples = test::brief ? 40 : 100, .batch = test::brief ? 30 : 80, .epochs = 1};
    const double difference = check_products<Wide>(settings);
    backend::LossSum sum;
    const auto found = train<Wide, backend::panel::Bf16Products<Wide>>(settings, sum);
    const auto full = train<Wide, backend::panel::FullProducts<Wide, float>>(settings, sum);
    const double distance_to_full = test::largest_difference(found, full);
    CHECK(distance_to_full > 2 * difference);  // so that the bound above says something
    CHECK(distance_to_full < 1e-2);
  }
}

constexpr std::size_t some_samples = test::samples_for(test::brief ? 20 : 64);

TEST_CASE("With bfloat16 factors the number of threads changes no bit", "[panel]") {
  backend::LossSum sum;
  const auto alone = train<Wide, backend::panel::Bf16Products<Wide>>({.samples = some_samples, .threads = 1}, sum);
  for (const unsigned threads : test::thinned_to_one({2u, 3u})) {
    CHECK(train<Wide, backend::panel::Bf16Products<Wide>>({.samples = some_samples, .threads = threads}, sum) == alone);
  }
}

}  // namespace
