// SPDX-License-Identifier: MIT
#include "retort/backend/generic/gather.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

constexpr data::ImageShape image{5, 6};
constexpr std::size_t features = 30;
const std::vector<std::uint32_t> indices{3, 19, 0, 3, 7};

std::vector<float> gather(const data::Dataset& data, const data::View& view) {
  std::vector<float> inputs(indices.size() * features, std::numeric_limits<float>::quiet_NaN());
  gather_batch(backend::Eigen{2}, data.view(), indices.data(), indices.size(), view, inputs.data());
  return inputs;
}

std::vector<float> gather_rows(const data::Dataset& data, const data::View& view) {
  std::vector<float> inputs(indices.size() * features);
  const data::GatherConstants<float> constants(data.view());
  for (std::size_t row = 0; row < indices.size(); ++row) {
    data::gather_row(data.view(), constants, indices[row], view.offset(indices[row]), inputs.data() + row * features);
  }
  return inputs;
}

TEST_CASE("A batch is its rows, each moved by the shift of its sample and epoch", "[backend]") {
  const data::Dataset data = test::noise_images(20, image, 3, 1);
  for (const std::size_t pixels : {0u, 2u}) {
    for (const std::uint32_t epoch : {0u, 1u}) {
      CHECK(same_bits(gather(data, {{pixels}, Seed{4}, epoch}), gather_rows(data, {{pixels}, Seed{4}, epoch})));
    }
  }
  const auto moved = gather(data, {{2}, Seed{4}, 0});
  CHECK_FALSE(same_bits(moved, gather(data, {{0}, Seed{4}, 0})));
  CHECK_FALSE(same_bits(moved, gather(data, {{2}, Seed{4}, 1})));
  CHECK_FALSE(same_bits(moved, gather(data, {{2}, Seed{5}, 0})));
}

constexpr data::Augmentation everything{
    .shift = 1, .rotation = 30, .scale = 0.2, .shear = 10, .noise = 0.1, .elastic = 1, .mix = 0.5};

TEST_CASE("A distorted batch has the same values on Eigen and feature by feature, as on a device", "[backend]") {
  const data::Dataset images = test::noise_images(20, image, 3, 1, {.mean = 0.5, .standard_deviation = 0.5});
  const data::Dataset reals = test::clouds(20, features, 3, 2);
  for (const data::Augmentation& augmentation :
       {everything, data::Augmentation{.rotation = 30}, data::Augmentation{.elastic = 1},
        data::Augmentation{.noise = 0.1}, data::Augmentation{.mix = 1}}) {
    const data::View view{augmentation, Seed{4}, 2};
    for (const data::Dataset* data : {&images, &reals}) {
      if (data == &reals && augmentation.interpolates()) {
        continue;
      }
      std::vector<float> by_feature(indices.size() * features);
      const backend::detail::GatherDistortedFeature<float> gather_feature{
          {data->view(), data::GatherConstants<float>(data->view()), {indices.data()}, view, by_feature.data()}};
      for (std::size_t element = 0; element < by_feature.size(); ++element) {
        gather_feature(element);
      }
      CHECK(test::largest_difference(gather(*data, view), by_feature) < 1e-6);
    }
  }
}

TEST_CASE("A view of a sample is the same in any batch, and without noise in float as in double", "[backend]") {
  const data::Dataset data = test::noise_images(20, image, 3, 1);
  const auto whole = gather(data, {everything, Seed{4}, 5});
  CHECK_FALSE(same_bits(whole, gather(data, {everything, Seed{4}, 6})));
  CHECK_FALSE(same_bits(whole, gather(data, {{1}, Seed{4}, 5})));
  CHECK(same_bits(std::span(whole).first(features), std::span(whole).subspan(3 * features, features)));  // both are 3
  std::vector<float> part(2 * features);
  gather_batch(backend::Eigen{}, data.view(), indices.data() + 1, 2, data::View{everything, Seed{4}, 5}, part.data());
  CHECK(same_bits(part, std::span(whole).subspan(features, 2 * features)));

  const data::DatasetView view = data.view();
  const data::View turned{{.shift = 1, .rotation = 30, .scale = 0.2, .shear = 10, .elastic = 1}, Seed{4}, 5};
  for (std::size_t pixel = 0; pixel < features; ++pixel) {
    CHECK(double{data::gathered_feature(view, data::GatherConstants<float>{}, 3, turned, pixel)} ==
          data::gathered_feature(view, data::GatherConstants<double>{}, 3, turned, pixel));
  }
}

TEST_CASE("Real features are gathered too, normalised", "[backend]") {
  const data::Dataset data =
      test::clouds(20, features, 3, 2).with_normalization({.mean = 0.5, .standard_deviation = 0.25});
  const auto inputs = gather(data, {{}, Seed{}, 0});
  CHECK(same_bits(inputs, gather_rows(data, {{}, Seed{}, 0})));
  const float* raw = data.view().reals + 19 * features;
  for (std::size_t i = 0; i < features; ++i) {
    CHECK_THAT(double{inputs[features + i]}, WithinAbs((double{raw[i]} - 0.5) / 0.25, 1e-5));
  }
}

TEST_CASE("An epoch's order is its permutation, for every number of threads", "[backend]") {
  // Nothing, one sample, one piece of flat memory and a part of another, several.
  for (const std::uint32_t size : {0u, 1u, 7u, 16389u, 70'001u}) {
    CAPTURE(size);
    const RandomPermutation permutation(size, {Seed{4}, Stream::shuffle, 2});
    std::vector<std::uint32_t> expected(size + 1, 12345);
    for (std::uint32_t i = 0; i < size; ++i) {
      expected[i] = permutation(i);
    }
    for (const unsigned threads : {1u, 2u, 5u}) {
      std::vector<std::uint32_t> order(size + 1, 12345);
      shuffle_samples(backend::Eigen{threads}, permutation, order.data());
      CHECK(order == expected);
    }
  }
}

TEST_CASE("A batch may be any part of an order", "[backend]") {
  const data::Dataset data = test::noise_images(20, image, 3, 1);
  const auto whole = gather(data, {{1}, Seed{4}, 0});
  std::vector<float> part(3 * features + 1, -9.0f);
  gather_batch(backend::Eigen{}, data.view(), indices.data() + 1, 3, data::View{{1}, Seed{4}, 0}, part.data());
  CHECK(same_bits(std::span(part).first(3 * features), std::span(whole).subspan(features, 3 * features)));
  CHECK(part.back() == -9.0f);
}

}  // namespace
