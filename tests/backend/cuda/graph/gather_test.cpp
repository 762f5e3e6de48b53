// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/gather.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/optim/sgd.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::group_count;
using backend::Precision;

constexpr std::size_t features = 15;
const std::vector<std::uint32_t> samples{4, 0, 11, 4, 7};

template <typename Scalar, Precision precision>
std::vector<double> gathered(const data::Dataset& data, const data::Augmentation& augmentation) {
  using Arguments = StepArguments<Scalar, 1, CrossEntropy, SgdRule<Scalar>>;
  Arguments arguments{};
  arguments.samples = samples.data();
  arguments.view = {augmentation, Seed{8}, 2};
  const InputScaling<Scalar> scaling(data.view(), scale_waits<Scalar, precision, backend::Chain<>>);
  const std::size_t size = samples.size() * features;
  using Factor = Operand<Scalar, precision>;
  std::vector<Factor> inputs(size);
  const backend::Thrust<retort::system::Serial> backend;
  const auto gather = [&]<bool distorted>() {
    backend.for_each(group_count(size), GatherInputs<backend::Chain<>, features, distorted, Arguments, Factor>{
                                            &arguments, data.view(), scaling.constants, inputs.data(), size});
  };
  if (augmentation.distorts()) {
    gather.template operator()<true>();
  } else {
    gather.template operator()<false>();
  }
  std::vector<double> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<double>(static_cast<Scalar>(inputs[i]) * scaling.scale);
  }
  return values;
}

TEMPLATE_TEST_CASE("a batch's samples as factors", "[graph]", float, double) {
  const backend::Thrust<retort::system::Serial> backend;
  for (const std::size_t shift : {0u, 2u}) {
    for (const bool real : {false, true}) {
      if (real && shift != 0) {
        continue;
      }
      CAPTURE(shift, real);
      const data::Dataset data =
          real ? test::clouds(12, features, 4, 1) : test::noise_images(12, {3, features / 3}, 4, 1);
      std::vector<TestType> expected(samples.size() * features);
      gather_batch(backend, data.view(), samples.data(), samples.size(), data::View{{shift}, Seed{8}, 2},
                   expected.data());
      CHECK(test::largest_difference(gathered<TestType, Precision::fp32>(data, {shift}), expected) == 0.0);
      CHECK(test::largest_difference(gathered<TestType, Precision::tf32>(data, {shift}), expected) < 1e-6);
    }
  }
}

TEMPLATE_TEST_CASE("a batch's distorted samples as factors", "[graph]", float, double) {
  const backend::Thrust<retort::system::Serial> backend;
  const data::Dataset data = test::noise_images(12, {3, features / 3}, 4, 1);
  for (const data::Augmentation& augmentation :
       {data::Augmentation{.shift = 1, .rotation = 30, .scale = 0.2, .shear = 10, .elastic = 1},
        data::Augmentation{.shift = 1, .noise = 0.2}, data::Augmentation{.shift = 1, .mix = 1}}) {
    std::vector<TestType> expected(samples.size() * features);
    gather_batch(backend, data.view(), samples.data(), samples.size(), data::View{augmentation, Seed{8}, 2},
                 expected.data());
    CHECK(test::largest_difference(gathered<TestType, Precision::fp32>(data, augmentation), expected) < 1e-6);
    CHECK(test::largest_difference(gathered<TestType, Precision::tf32>(data, augmentation), expected) < 1e-2);
  }
}

TEST_CASE("pixels are exact in bf16 under the usual normalisations", "[graph]") {
  const data::Dataset images = test::noise_images(12, {3, features / 3}, 4, 1);
  const auto miss = [&](double mean) {
    const data::Dataset data = images.with_normalization({.mean = mean, .standard_deviation = 0.3});
    return test::largest_difference(gathered<float, Precision::bf16>(data, {1}),
                                    gathered<double, Precision::fp32>(data, {1}));
  };
  CHECK(miss(0.0) < 1e-6);
  CHECK(miss(0.5) < 1e-6);
  CHECK(miss(0.1307) > 1e-3);
  CHECK(miss(0.1307) < 1e-2);
}

}  // namespace
