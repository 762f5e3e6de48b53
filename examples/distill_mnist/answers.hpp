// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network's answers to images, from its logits.

#include <array>
#include <cstddef>
#include <vector>

#include "retort/data/dataset.hpp"

namespace distill_mnist {

inline constexpr std::size_t classes = 10;

using Probabilities = std::array<double, classes>;

/// The softmax of an image's logits; `logits` are those of all images, (images, classes).
Probabilities probabilities_of(const std::vector<float>& logits, std::size_t image);

/// The most probable class; among equals the first.
std::size_t answer(const Probabilities& probabilities);

/// How many images of each label (a row) got each answer (a column). Images without a label do not count.
using ConfusionMatrix = std::array<std::array<std::size_t, classes>, classes>;
ConfusionMatrix confusion_matrix(const std::vector<float>& logits, const retort::data::Labels& labels);

/// The images with a label that is not the answer, those first whose label is least probable; at most `most`.
std::vector<std::size_t> worst_mistakes(const std::vector<float>& logits, const retort::data::Labels& labels,
                                        std::size_t most);

}  // namespace distill_mnist
