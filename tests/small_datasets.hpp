#pragma once
/// @file
/// Small datasets for the tests of training.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "random_values.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/xtensor.hpp"

namespace retort::test {

/// A dataset of real numbers. `features`: (labels.size(), width).
inline data::Dataset make_dataset(const std::vector<float>& features, const std::vector<std::uint32_t>& labels,
                                  std::uint32_t classes, data::Normalization normalization = {}) {
  auto values = xt::xtensor<float, 2>::from_shape({labels.size(), features.size() / labels.size()});
  std::ranges::copy(features, values.data());
  auto classes_of_samples = data::Labels::from_shape({labels.size()});
  std::ranges::copy(labels, classes_of_samples.data());
  return {std::move(values), std::move(classes_of_samples), classes, {}, normalization};
}

/// Clouds of points, one for each class, each within `noise` of its centre in every feature; centres are in [-1, 1].
inline data::Dataset clouds(std::size_t count, std::size_t features, std::uint32_t classes, std::uint64_t seed,
                            double noise = 0.4) {
  const auto centres = random_values<double>(classes * features, 1000 + classes * features);
  auto values = random_values<float>(count * features, seed, -noise, noise);
  std::vector<std::uint32_t> labels(count);
  for (std::size_t sample = 0; sample < count; ++sample) {
    labels[sample] = static_cast<std::uint32_t>(sample % classes);
    for (std::size_t feature = 0; feature < features; ++feature) {
      values[sample * features + feature] += static_cast<float>(centres[labels[sample] * features + feature]);
    }
  }
  return make_dataset(values, labels, classes);
}

/// Images of random bytes with random labels.
inline data::Dataset noise_images(std::size_t count, data::ImageShape image, std::uint32_t classes,
                                  std::uint64_t seed) {
  auto pixels = xt::xtensor<std::uint8_t, 2>::from_shape({count, image.rows * image.columns});
  auto labels = data::Labels::from_shape({count});
  const RandomStream random{Seed{seed}, Stream::synthetic, 1};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels.data()[i] = static_cast<std::uint8_t>(random.word(i) >> 24);
  }
  for (std::size_t i = 0; i < count; ++i) {
    labels.data()[i] = random.word(pixels.size() + i) % classes;
  }
  return {std::move(pixels), std::move(labels), classes, image, {.mean = 0.5, .standard_deviation = 0.5}};
}

}  // namespace retort::test
