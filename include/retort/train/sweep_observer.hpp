// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The report on a finished student of a sweep, and the observer that receives it.

#include <cstddef>
#include <optional>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/train/metrics.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A student whose training has ended.
struct StudentReport {
  std::size_t index = 0;                   ///< in the list of settings
  std::string model{};                     ///< its model's name: "784-20-20-10" (OneOfModels::names)
  std::string description{};               ///< its setting's, after the model's name where a sweep has several models
  std::string difference{};                ///< the part that not all students share: "temperature=2, seed 1"
  History history{};                       ///< one entry an epoch
  std::optional<Evaluation> evaluation{};  ///< of the network as it is, if there are validation samples
  std::string divergence{};                ///< why there is no result, if it diverged; else empty

  bool has_diverged() const { return !divergence.empty(); }
  /// The time of training, without the evaluations.
  double seconds() const {
    double sum = 0.0;
    for (const EpochMetrics& metrics : history) {
      sum += metrics.seconds;
    }
    return sum;
  }
};

struct SweepProgress {
  std::size_t finished = 0;  ///< this one included
  std::size_t students = 0;
  double seconds = 0.0;  ///< since the first began
};

/// Called by `Sweep::fit`, one call at a time, from the thread a student ends on, in the order in which they end. An
/// observer's exception ends the sweep.
class SweepObserver {
 public:
  SweepObserver() = default;
  SweepObserver(const SweepObserver&) = default;
  SweepObserver& operator=(const SweepObserver&) = default;
  virtual ~SweepObserver() = default;

  virtual void on_student_end(const StudentReport& report, const SweepProgress& progress) = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
