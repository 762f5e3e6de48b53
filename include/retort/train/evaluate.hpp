// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Measures how well a network does.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/message.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/metric.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/resident_dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// The extents of a model's input as an image; none for a plain width.
template <std::size_t Width>
constexpr data::ImageShape image_of(Shape<Width>) {
  return {};
}
template <std::size_t Rows, std::size_t Columns>
constexpr data::ImageShape image_of(Shape<Rows, Columns>) {
  return {Rows, Columns};
}
template <std::size_t Channels, std::size_t Rows, std::size_t Columns>
constexpr data::ImageShape image_of(Shape<Channels, Rows, Columns>) {
  return {Rows, Columns, Channels};
}

}  // namespace detail

/// Throws ShapeError unless the dataset's features are the model's inputs, with the same extents if both have some, and
/// its classes are among the model's outputs, or there is an output for each target; Error for a dataset that was moved
/// from. Fewer classes than outputs are allowed: the other outputs belong to classes of which these samples show none.
template <Model M>
void require_matching_data(const data::Dataset& data) {
  data.require_samples();
  const bool has_targets = data.has_targets();
  const std::size_t answers = has_targets ? data.target_count() : data.classes();
  if (data.feature_count() != M::input_size || (has_targets ? answers != M::output_size : answers > M::output_size)) {
    throw ShapeError(concatenate(
        {"the dataset has ", data.feature_count(), " features and ", answers,
         has_targets ? " targets a sample" : " classes", ", the model ", M::input_size, " inputs and ", M::output_size,
         " outputs, expected an input for each feature and an output for each ", has_targets ? "target" : "class"}));
  }
  constexpr data::ImageShape expected = detail::image_of(typename M::template ShapeAt<0>{});
  if (expected != data::ImageShape{} && data.image() != data::ImageShape{} && data.image() != expected) {
    throw ShapeError(concatenate({"the dataset has images of ", data::detail::image_text(data.image()),
                                  ", the model takes ", data::detail::image_text(expected)}));
  }
}

namespace internal {

/// The logits (data.size, classes) of a model in the host's memory. Everything else is in the backend's memory.
template <Model M, typename Backend, typename Scalar>
std::vector<Scalar> predict_resident(const Backend& backend, const Scalar* parameters, const Scalar* buffers,
                                     const data::DatasetView& data) {
  const std::size_t size = data.size * M::output_size;
  auto logits = allocate_for("logits of a dataset", size * sizeof(Scalar), [&] { return std::vector<Scalar>(size); });
  if constexpr (Backend::host_memory) {
    predict_dataset(backend, M{}, parameters, buffers, data, logits.data());
  } else {
    auto backend_logits = backend.template allocate<Scalar>(logits.size());
    predict_dataset(backend, M{}, parameters, buffers, data, backend_logits.data());
    copy_to_host(backend, std::as_const(backend_logits).data(), std::span(logits));
  }
  return logits;
}

/// Throws OptionError if no sample has a label: `owner` has no errors to count.
[[gnu::cold]] inline void require_labels(const data::Dataset& data, const char* owner) {
  if (data.labelled_count() == 0) {
    throw OptionError(concatenate({owner, ": none of the ", data.size(),
                                   " samples to be evaluated has a label, expected at least one that has"}));
  }
}

/// Throws OptionError unless `data`, the "training data" say, has what a loss of this metric takes: labels, or targets,
/// for yes/no questions from 0 to 1. `loss`: its description.
[[gnu::cold]] inline void require_truth(Metric metric, const std::string& loss, const data::Dataset& data,
                                        const char* owner, const char* what) {
  if ((metric == Metric::accuracy) == data.has_targets()) {
    throw OptionError(data.has_targets() ? concatenate({owner, ": the loss ", loss, " takes labels, and the ", what,
                                                        " has ", data.target_count(),
                                                        " targets a sample, expected labels or a loss of targets "
                                                        "(MeanSquaredError, Huber, BinaryCrossEntropy)"})
                                         : concatenate({owner, ": the loss ", loss, " takes targets, and the ", what,
                                                        " has none, expected some (Dataset::with_targets)"}));
  }
  if (metric == Metric::exact_match) {
    const auto values = data.targets().values();
    const auto wrong =
        std::find_if(values.begin(), values.end(), [](const float& value) { return value < 0.0f || value > 1.0f; });
    if (wrong != values.end()) {
      const auto position = static_cast<std::size_t>(wrong - values.begin());
      throw OptionError(concatenate({owner, ": target ", position % data.target_count(), " of sample ",
                                     position / data.target_count(), " of the ", what, " is ", *wrong,
                                     ", expected a number from 0 to 1 for the loss ", loss}));
    }
  }
}

/// The same for a training, whose samples need no targets for a loss that reads none.
template <Loss L>
[[gnu::cold]] void require_truth_for(const L& loss, const data::Dataset& train, const data::Dataset* validation) {
  const std::string description = describe_settings(loss);
  const bool has_nothing = !train.has_targets() && train.labelled_count() == 0;
  if (takes_targets<L> && !reads_targets(loss) && !train.has_targets() && !has_nothing) {
    throw OptionError(concatenate({"fit: the loss ", description,
                                   " learns from the teacher alone, and the training data has labels, which it cannot "
                                   "use: expected data without (Dataset::without_labels), or with targets"}));
  }
  if (!takes_targets<L> || reads_targets(loss) || !has_nothing) {
    require_truth(metric_of<L>, description, train, "fit", "training data");
  }
  if (validation != nullptr) {
    require_truth(metric_of<L>, description, *validation, "fit", "validation data");
  }
}

/// Of outputs (data.size(), Outputs), by their distance to the targets.
template <Metric OfLoss, std::size_t Outputs, typename Scalar>
Evaluation evaluate_outputs(const std::vector<Scalar>& outputs, const data::Dataset& data) {
  using Plain = std::conditional_t<OfLoss == Metric::rmse, MeanSquaredError, BinaryCrossEntropy>;
  const float* targets = data.view().targets;
  std::size_t right = 0;
  Evaluation result{.metric = OfLoss};
  std::vector<Scalar> unused_gradient(Outputs);
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const auto row =
        evaluate_targets<Outputs>(Plain{}, outputs.data() + sample * Outputs, static_cast<const Scalar*>(nullptr),
                                  targets + sample * Outputs, Scalar{0}, unused_gradient.data());
    result.loss += static_cast<double>(row.loss);
    right += row.correct;
  }
  const auto samples = static_cast<double>(data.size());
  result.loss /= samples;
  if constexpr (OfLoss == Metric::rmse) {
    result.accuracy = std::numeric_limits<double>::quiet_NaN();
  } else {
    result.errors = data.size() - right;
    result.accuracy = 1.0 - static_cast<double>(result.errors) / samples;
  }
  return result;
}

/// `logits` (data.size(), Classes). Precondition: a sample has a label.
template <std::size_t Classes, typename Scalar>
Evaluation evaluate_logits(const std::vector<Scalar>& logits, const data::Dataset& data) {
  const std::uint32_t* labels = data.view().labels;
  Evaluation result;
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    add_evaluated_row<Classes>(logits.data() + sample * Classes, labels[sample], result.loss, result.errors);
  }
  const auto samples = static_cast<double>(data.labelled_count());
  result.loss /= samples;
  result.accuracy = 1.0 - static_cast<double>(result.errors) / samples;
  return result;
}

/// Throws as predict_all says.
template <Model M, typename Backend, typename Scalar>
void require_predictable(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  network.require_values();
  require_matching_data<M>(data);
  require_preprocessing(network.preprocessing(), data, "the network");
}

}  // namespace internal

/// The logits (data.size(), classes) of every sample, row-major. Throws ShapeError if the data does not fit the model,
/// and OptionError if its inputs are made differently from those that the network was trained on (preprocess_for makes
/// them alike).
template <Model M, typename Backend, typename Scalar>
std::vector<Scalar> predict_all(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  internal::require_predictable(network, data);
  const Backend& backend = network.backend();
  return internal::predict_resident<M>(backend, network.parameter_data(), network.buffer_data(),
                                       internal::ResidentDataset(backend, data).view());
}

/// Loss, accuracy and errors over the samples that have a label, normalised but not augmented. Throws like predict_all,
/// and OptionError if none has; those with targets want the loss, below. Does not compile for a model of one output.
template <Model M, typename Backend, typename Scalar>
Evaluation evaluate(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  static_assert(M::output_size >= 2,
                "retort: evaluate counts errors over classes, and a model of one output has none: expected a loss of "
                "targets, evaluate(network, data, loss)");
  data.require_samples();
  if (data.has_targets()) {
    throw OptionError("evaluate: the dataset has targets, expected labels, or a loss: evaluate(network, data, loss)");
  }
  internal::require_labels(data, "evaluate");
  return internal::evaluate_logits<M::output_size>(predict_all(network, data), data);
}

/// The same by the loss's metric, of a dataset with what the loss takes: for a loss of real targets the mean squared
/// error and the RMSE, for one of yes/no targets the binary cross-entropy and the exact matches (train/metrics.hpp). No
/// teacher is asked. Throws OptionError for data of another kind.
template <Model M, typename Backend, typename Scalar, Loss L>
Evaluation evaluate(const Network<M, Backend, Scalar>& network, const data::Dataset& data, const L& loss) {
  data.require_samples();
  internal::require_truth(metric_of<L>, describe_settings(loss), data, "evaluate", "dataset");
  if constexpr (takes_targets<L>) {
    return internal::evaluate_outputs<metric_of<L>, M::output_size>(predict_all(network, data), data);
  } else {
    return evaluate(network, data);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
