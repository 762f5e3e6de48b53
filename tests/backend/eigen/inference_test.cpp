// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/inference.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/network.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::same_bits;

// Not for panels, where the first layer reads bytes and a gathered batch has numbers.
using M = test::ByOperations<Shape<1, 5, 6>, Linear<30, 17>, Dropout<0.5>, GELU, LayerNorm<17>, Linear<17, 4>>;
static_assert(!backend::panel::PanelModel<backend::panel::AfterPooling<M>>);

TEMPLATE_TEST_CASE("A dataset is answered as its gathered batch, bit for bit", "[backend]", float, double) {
  // Fewer samples than the backend takes together, as many, and several times as many.
  for (const std::size_t samples : {1u, 100u, 128u, 300u}) {
    CAPTURE(samples);
    const data::Dataset data = test::noise_images(samples, {5, 6}, 4, 1);
    std::vector<std::uint32_t> all(samples);
    std::iota(all.begin(), all.end(), 0u);
    std::vector<TestType> inputs(samples * 30);
    gather_batch(backend::Eigen{}, data.view(), all.data(), samples, data::View{}, inputs.data());

    for (const unsigned threads : {1u, 3u}) {
      const Network<M, backend::Eigen, TestType> network{Seed{1}, backend::Eigen{threads}};
      const TestType* parameters = network.parameter_arena().data();
      const TestType* buffers = network.buffer_arena().data();
      const std::vector<TestType> garbage(samples * 4, std::numeric_limits<TestType>::quiet_NaN());
      std::vector<TestType> of_batch = garbage;
      std::vector<TestType> of_dataset = garbage;
      std::vector<TestType> in_one_pass = garbage;
      predict_batch(network.backend(), M{},
                    backend::InferArguments<TestType>{parameters, buffers, inputs.data(), of_batch.data(), samples});
      predict_dataset(network.backend(), M{}, parameters, buffers, data.view(), of_dataset.data());
      std::vector<TestType> scratch(backend::pass_scratch_size<M>(samples));
      run_inference<M>(
          network.backend(),
          backend::InferArguments<TestType>{parameters, buffers, inputs.data(), in_one_pass.data(), samples},
          scratch.data());
      CHECK(same_bits(of_batch, of_dataset));
      CHECK(largest_difference(of_batch, in_one_pass) < (sizeof(TestType) == 4 ? 1e-5 : 1e-13));
    }
  }
}

}  // namespace
