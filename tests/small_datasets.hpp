// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Small datasets for the tests of training.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "random_values.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"

namespace retort::test {

/// A dataset of real numbers. `features`: (labels.size(), width).
inline data::Dataset make_dataset(const std::vector<float>& features, const std::vector<std::uint32_t>& labels,
                                  std::uint32_t classes, data::Normalization normalization = {}) {
  data::Matrix<float> values(labels.size(), features.size() / labels.size(), features);
  return {std::move(values), labels, classes, {}, normalization};
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
inline data::Dataset noise_images(std::size_t count, data::ImageShape image, std::uint32_t classes, std::uint64_t seed,
                                  data::Normalization normalization = {.mean = 0.5, .standard_deviation = 0.5}) {
  data::Matrix<std::uint8_t> pixels(count, image.rows * image.columns * image.channels);
  data::Labels labels(count);
  const RandomStream random{Seed{seed}, Stream::synthetic, 1};
  const std::size_t size = pixels.values().size();
  for (std::size_t i = 0; i < size; ++i) {
    pixels.data()[i] = static_cast<std::uint8_t>(random.word(i) >> 24);
  }
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = random.word(size + i) % classes;
  }
  return {std::move(pixels), std::move(labels), classes, image, normalization};
}

/// The same samples, of which every fourth has no label.
inline data::Dataset partly_labelled(const data::Dataset& data) {
  data::Labels labels = data.labels();
  for (std::size_t i = 1; i < labels.size(); i += 4) {
    labels[i] = data::unlabelled;
  }
  return {data.features(), std::move(labels), data.classes(), data.image(), data.normalization()};
}

}  // namespace retort::test
