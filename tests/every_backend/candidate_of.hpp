// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A Candidate of a backend type.

#include <memory>

#include "every_backend/candidate.hpp"
#include "every_backend/operations_of.hpp"
#include "every_backend/trainings_of.hpp"

namespace retort::test {

/// Throws what the backend's constructor does: a backend that is there and does not work fails its tests.
template <typename Backend, typename... Arguments>
Candidate candidate_of(const Arguments&... arguments) {
  const Backend backend(arguments...);
  return {std::make_unique<OperationsOf<Backend>>(backend), std::make_unique<TrainingsOf<Backend>>(backend), ""};
}

}  // namespace retort::test
