// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a trainer measures.

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A network's answers on a dataset, of which only the samples that have a label or targets count; at least one has.
struct Evaluation {
  double loss = 0.0;       ///< cross-entropy in nats, or for targets of the metric's kind MeanSquaredError or
                           ///< BinaryCrossEntropy, whatever was trained; mean over these samples
  double accuracy = 0.0;   ///< in [0, 1]: the share of samples answered right, by the metric; NaN for real targets
  std::size_t errors = 0;  ///< samples that are not; 0 for real targets
  Metric metric = Metric::accuracy;  ///< the loss's

  /// The root of the mean squared error over all samples and outputs. Precondition: metric is Metric::rmse.
  double rmse() const { return std::sqrt(loss); }
};

/// One epoch. The training figures are gathered while the parameters move, with dropout and augmentation.
struct EpochMetrics {
  std::size_t epoch = 0;                   ///< from 1
  double learning_rate = 0.0;              ///< of the epoch's last step
  double loss = 0.0;                       ///< the trained loss, mean over the epoch's samples
  std::optional<double> accuracy{};        ///< in [0, 1], of samples with a label or yes/no targets, if there are any
  std::optional<std::size_t> errors{};     ///< likewise
  std::optional<Evaluation> validation{};  ///< on the held-out samples, after the epoch
  double seconds = 0.0;                    ///< of training alone, without the evaluation
  double samples_per_second = 0.0;
  Metric metric = Metric::accuracy;  ///< the loss's; for Metric::rmse there are no accuracy and errors
};

using History = std::vector<EpochMetrics>;

/// The figure that the metric names: of the held-out samples if there are any, else of training, where real targets
/// have none.
inline std::optional<double> metric_value(const EpochMetrics& metrics) {
  if (!metrics.validation) {
    return metrics.accuracy;
  }
  return metrics.metric == Metric::rmse ? metrics.validation->rmse() : metrics.validation->accuracy;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
