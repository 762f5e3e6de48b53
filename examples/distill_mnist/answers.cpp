// SPDX-License-Identifier: MIT
#include "answers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace distill_mnist {

Probabilities probabilities_of(const std::vector<float>& logits, std::size_t image) {
  const float* const row = logits.data() + image * classes;
  const float largest = *std::max_element(row, row + classes);
  Probabilities result{};
  double sum = 0.0;
  for (std::size_t k = 0; k < classes; ++k) {
    result[k] = std::exp(static_cast<double>(row[k]) - static_cast<double>(largest));
    sum += result[k];
  }
  for (double& probability : result) {
    probability /= sum;
  }
  return result;
}

std::size_t answer(const Probabilities& probabilities) {
  return static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
}

ConfusionMatrix confusion_matrix(const std::vector<float>& logits, const retort::data::Labels& labels) {
  ConfusionMatrix counts{};
  for (std::size_t image = 0; image < labels.size(); ++image) {
    if (labels[image] < classes) {
      ++counts[labels[image]][answer(probabilities_of(logits, image))];
    }
  }
  return counts;
}

std::vector<std::size_t> worst_mistakes(const std::vector<float>& logits, const retort::data::Labels& labels,
                                        std::size_t most) {
  std::vector<std::pair<double, std::size_t>> wrong;  // the label's probability, the image
  for (std::size_t image = 0; image < labels.size(); ++image) {
    if (labels[image] < classes) {
      const Probabilities probabilities = probabilities_of(logits, image);
      if (answer(probabilities) != labels[image]) {
        wrong.emplace_back(probabilities[labels[image]], image);
      }
    }
  }
  std::ranges::sort(wrong);
  wrong.resize(std::min(wrong.size(), most));
  std::vector<std::size_t> images;
  images.reserve(wrong.size());
  for (const auto& [probability, image] : wrong) {
    images.push_back(image);
  }
  return images;
}

}  // namespace distill_mnist
