#pragma once
/// @file
/// How well a network does.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/metrics.hpp"

namespace retort {

/// Throws ShapeError unless the dataset's features and classes are the model's inputs and outputs.
template <Model M>
void require_matching_data(const data::Dataset& data) {
  if (data.feature_count() != M::input_size || data.classes() != M::output_size) {
    throw ShapeError("the dataset has " + to_text(data.feature_count()) + " features and " +
                     to_text(std::size_t{data.classes()}) + " classes, the model " + to_text(M::input_size) +
                     " inputs and " + to_text(M::output_size) + " outputs");
  }
}

/// The logits (data.size(), classes) of every sample, row-major. Throws ShapeError when the data does not fit the
/// model.
template <Model M, typename Backend, typename Scalar>
std::vector<Scalar> predict_all(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  require_matching_data<M>(data);
  std::vector<Scalar> logits(data.size() * M::output_size);
  predict_dataset(network.backend(), M{}, network.parameter_arena().data(), network.buffer_arena().data(), data.view(),
                  logits.data());
  return logits;
}

/// Loss, accuracy and errors over a dataset, normalised but not augmented. Throws ShapeError when it does not fit the
/// model.
template <Model M, typename Backend, typename Scalar>
Evaluation evaluate(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  const std::vector<Scalar> logits = predict_all(network, data);  // (size, classes)
  const std::uint32_t* labels = data.view().labels;
  Evaluation result;
  std::array<Scalar, M::output_size> unused_gradient{};
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const Scalar* row = logits.data() + sample * M::output_size;
    result.loss += static_cast<double>(CrossEntropy{}.template row<M::output_size>(
        StudentLogits<Scalar>{row}, TeacherLogits<Scalar>{nullptr}, labels[sample], Scalar{0}, unused_gradient.data()));
    result.errors +=
        static_cast<std::size_t>(std::max_element(row, row + M::output_size) - row) != labels[sample] ? 1 : 0;
  }
  const auto samples = static_cast<double>(data.size());
  result.loss /= samples;
  result.accuracy = 1.0 - static_cast<double>(result.errors) / samples;
  return result;
}

}  // namespace retort
