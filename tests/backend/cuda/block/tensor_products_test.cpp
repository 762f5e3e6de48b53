// SPDX-License-Identifier: MIT
// How exact the products on tensor cores are, emulated on the host, beside those on scalar units: both against double.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/update.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/optim/sgd.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using namespace retort::backend::block;

/// The largest error of an element, relative to the sum of its products' sizes.
struct Errors {
  double forward = 0.0;
  double gradient = 0.0;
};

// Weights and gradients spread over binades: what is small beside others is there too.
std::vector<float> spread(std::size_t count, std::uint64_t seed) {
  auto values = test::random_values<float>(count, seed);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = std::ldexp(values[i], -static_cast<int>(i * 7 % 11));
  }
  return values;
}

template <std::size_t In, std::size_t Out, ProductUnits units>
Errors errors(const data::Normalization& normalization) {
  using M = Sequential<Linear<In, Out>>;
  using Chosen = Layout<M, float, InputKind::bytes, units>;
  using Job = TrainingJob<float, 1, CrossEntropy, SgdRule<float>>;
  constexpr std::size_t samples = 64;
  static_assert(Chosen::samples == samples);
  const data::Dataset data = test::noise_images(samples, {1, In}, 2, 1, normalization);
  const auto weights = spread(M::parameter_arena_size, 2);
  const auto output_gradients = spread(Out * samples, 3);
  std::vector<float> gradients(M::parameter_arena_size);
  Job job{};
  job.training.data = data.view();
  job.training.constants = backend::block::InputConstants<float>(data.view());
  job.training.size = samples;
  job.gradients = gradients.data();

  HostTeam<Chosen::threads> team;
  AlignedBuffer<float> memory(Chosen::size);
  std::ranges::fill(memory.span(), 0.0f);
  for (std::size_t place = 0; place < weights.size(); ++place) {
    if (Chosen::is_parameter(place)) {
      memory.data()[Chosen::element_of(place)] = weights[place];
    }
  }
  float* inputs = memory.data() + Chosen::inputs;
  const Chunk chunk = Chunk::at_batch(0, samples, samples, samples);
  team([&](std::size_t thread) {
    gather<Chosen>(
        Fetcher<HostTeam<Chosen::threads>>{team, thread}, job.training, chunk,
        [](std::size_t row) { return static_cast<std::uint32_t>(row); }, inputs);
    team.await_copies(thread);
  });
  forward<Chosen, true>(team, job.training.constants, backend::LayerRandom{}, chunk, memory.data(),
                        static_cast<const float*>(inputs));
  std::vector<float> outputs(Out * samples);
  for (std::size_t o = 0; o < Out; ++o) {
    for (std::size_t s = 0; s < samples; ++s) {
      outputs[o * samples + s] = memory.data()[Chosen::template outputs<0> + o * Chosen::stride + s];
      memory.data()[Chosen::template sums<0> + o * Chosen::stride + s] = output_gradients[o * samples + s];
    }
  }
  store_gradients<Chosen>(team, job, chunk, memory.data(), static_cast<const float*>(inputs));

  const data::GatherConstants<double> constants(data.view());
  const auto input = [&](std::size_t s, std::size_t i) { return constants(data.view().bytes[s * In + i]); };
  Errors result;
  for (std::size_t o = 0; o < Out; ++o) {
    for (std::size_t s = 0; s < samples; ++s) {
      double sum = double{weights[TiledStage<M, 0>::bias + o]};
      double size = std::abs(sum);
      for (std::size_t i = 0; i < In; ++i) {
        sum += double{weights[o * In + i]} * input(s, i);
        size += std::abs(double{weights[o * In + i]} * input(s, i));
      }
      result.forward = std::max(result.forward, std::abs(double{outputs[o * samples + s]} - sum) / size);
    }
    for (std::size_t i = 0; i < In; ++i) {
      double sum = 0.0;
      double size = 0.0;
      for (std::size_t s = 0; s < samples; ++s) {
        sum += double{output_gradients[o * samples + s]} * input(s, i);
        size += std::abs(double{output_gradients[o * samples + s]} * input(s, i));
      }
      result.gradient = std::max(result.gradient, std::abs(double{gradients[o * In + i]} - sum) / size);
    }
  }
  return result;
}

template <std::size_t In, std::size_t Out>
void check_errors(const data::Normalization& normalization) {
  const Errors scalar = errors<In, Out, ProductUnits::scalar>(normalization);
  const Errors tensor = errors<In, Out, ProductUnits::tensor>(normalization);
  CAPTURE(scalar.forward, scalar.gradient, tensor.forward, tensor.gradient);
  // Of a single product two bfloat16 pieces would leave 2^-16, TF32 2^-11.
  CHECK(tensor.forward < 4 * 0x1p-24);
  CHECK(tensor.gradient < 8 * 0x1p-24);
  CHECK(tensor.forward < 1.2 * scalar.forward);
  // Summed in the tensor core itself, which rounds towards zero after each piece of each 16 samples.
  CHECK(tensor.gradient < 1.5 * scalar.gradient);
}

// Sums over samples of inputs with both signs cancel more, so only the forward product has the same bound.
void check_centered(const data::Normalization& normalization) {
  const Errors scalar = errors<100, 20, ProductUnits::scalar>(normalization);
  const Errors tensor = errors<100, 20, ProductUnits::tensor>(normalization);
  CAPTURE(scalar.forward, scalar.gradient, tensor.forward, tensor.gradient);
  CHECK(tensor.forward < 4 * 0x1p-24);
  CHECK(tensor.forward < scalar.forward);  // which adds the offset afterwards
  CHECK(tensor.gradient < 1.5 * scalar.gradient);
}

TEST_CASE("The byte that stands for an input of 0 is known where it can be taken away exactly", "[block]") {
  const std::uint8_t byte = 0;
  const auto center = [&](double mean) {
    data::DatasetView view;
    view.bytes = &byte;
    view.normalization = {.mean = mean, .standard_deviation = 0.3};
    return backend::block::InputConstants<float>(view).center;
  };
  CHECK(center(0.0) == 0.0f);
  CHECK(center(0.2) == 51.0f);
  CHECK(center(0.5) == 127.5f);
  CHECK(center(1.0) == 255.0f);
  CHECK(center(0.1307) < 0.0f);
  CHECK(center(126.5 / 255) < 0.0f);
  CHECK(center(-0.2) < 0.0f);
}

TEST_CASE("Products on tensor cores have about the errors of those on scalar units", "[block]") {
  check_errors<784, 20>({});
  check_errors<35, 13>({});
  check_errors<150, 45>({});
  SECTION("With an offset that is taken from the bytes") {
    check_centered({.mean = 0.5, .standard_deviation = 0.5});
    check_centered({.mean = 0.2, .standard_deviation = 0.7});
  }
  SECTION("With an offset") { check_errors<100, 20>({.mean = 0.1307, .standard_deviation = 0.3081}); }
}

}  // namespace
