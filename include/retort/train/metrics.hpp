// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a trainer measures.

#include <cstddef>
#include <optional>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A network's answers on a dataset, of which only the samples that have a label count; at least one has.
struct Evaluation {
  double loss = 0.0;       ///< cross-entropy, mean over these samples, in nats
  double accuracy = 0.0;   ///< in [0, 1]
  std::size_t errors = 0;  ///< samples whose largest logit is not the label's
};

/// One epoch. The training figures are gathered while the parameters move, with dropout and augmentation.
struct EpochMetrics {
  std::size_t epoch = 0;                   ///< from 1
  double learning_rate = 0.0;              ///< of the epoch's last step
  double loss = 0.0;                       ///< the trained loss, mean over the epoch's samples
  std::optional<double> accuracy{};        ///< in [0, 1], of the samples that have a label; nothing if none has
  std::optional<std::size_t> errors{};     ///< likewise
  std::optional<Evaluation> validation{};  ///< on the held-out samples, after the epoch
  double seconds = 0.0;                    ///< of training alone, without the evaluation
  double samples_per_second = 0.0;
};

using History = std::vector<EpochMetrics>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
