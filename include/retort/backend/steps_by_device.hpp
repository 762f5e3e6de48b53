// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps by one engine or another, as the device has room.

#include <cstddef>
#include <optional>
#include <utility>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Steps of the engine E, which takes runs, or, on a device that it refuses, `OfOther`: those of engines after it.
/// See backend::Engines.
template <typename T, typename E, typename OfOther>
class StepsByDevice {
 public:
  using Backend = typename T::Backend;
  using OfEngine = typename E::template Steps<T>;
  static constexpr bool takes_runs = true;

  /// Whether the engine that takes the steps also takes runs. Otherwise `step` is all that may be called.
  static bool takes_runs_on(const Backend& backend) {
    if (is_taken_on(backend)) {
      return true;
    }
    if constexpr (other_takes_runs) {
      return OfOther::takes_runs_on(backend);
    }
    return false;
  }

  StepsByDevice(const Backend& backend, std::size_t capacity) {
    if (is_taken_on(backend)) {
      of_engine_.emplace(backend, capacity);
    } else {
      of_other_.emplace(backend, capacity);
    }
  }

  template <typename... Arguments>
  void step(const Arguments&... arguments) {
    if (of_engine_) {
      of_engine_->step(arguments...);
    } else {
      of_other_->step(arguments...);
    }
  }
  template <typename... Arguments>
  void run(const Arguments&... arguments) {
    if constexpr (other_takes_runs) {
      if (of_other_) {
        of_other_->run(arguments...);
        return;
      }
    }
    of_engine_->run(arguments...);
  }
  template <typename... Arguments>
  auto job(const Arguments&... arguments) {
    if constexpr (other_takes_runs) {
      if (of_other_) {
        return of_other_->job(arguments...);
      }
    }
    return of_engine_->job(arguments...);
  }
  /// Any engine of the backend that takes runs does the same here.
  template <typename... Arguments>
  static void run_jobs(const Arguments&... arguments) {
    OfEngine::run_jobs(arguments...);
  }

 private:
  static constexpr bool other_takes_runs = requires(const Backend& backend) { OfOther::takes_runs_on(backend); };

  static bool is_taken_on(const Backend& backend) { return E::template refusal_on<T>(backend).empty(); }

  std::optional<OfEngine> of_engine_{};
  std::optional<OfOther> of_other_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
