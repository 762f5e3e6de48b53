// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps by one engine or another, as the device has room.

#include <cstddef>
#include <optional>
#include <utility>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Steps of the engine E, which takes runs, or, on a device that it refuses, of the engine Other. See
/// backend::Engines.
template <typename T, typename E, typename Other>
class StepsByDevice {
 public:
  using Backend = typename T::Backend;
  using OfEngine = typename E::template Steps<T>;
  static constexpr bool takes_runs = true;

  /// Whether the engine takes them. Otherwise `step` is all that may be called.
  static bool takes_runs_on(const Backend& backend) { return E::template refusal_on<T>(backend).empty(); }

  StepsByDevice(const Backend& backend, std::size_t capacity) {
    if (takes_runs_on(backend)) {
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
    of_engine_->run(arguments...);
  }
  template <typename... Arguments>
  auto job(const Arguments&... arguments) {
    return of_engine_->job(arguments...);
  }
  template <typename... Arguments>
  static void run_jobs(const Arguments&... arguments) {
    OfEngine::run_jobs(arguments...);
  }

 private:
  std::optional<OfEngine> of_engine_{};
  std::optional<typename Other::template Steps<T>> of_other_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
