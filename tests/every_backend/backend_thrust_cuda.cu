// SPDX-License-Identifier: MIT
#include <string>

#include "backend/cuda/runtime/presence.hpp"
#include "every_backend/candidate_of.hpp"
#include "retort/backend/thrust/cuda.hpp"

namespace retort::test {

Candidate thrust_cuda_candidate() {
  if (const std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, nullptr, reason};
  }
  return candidate_of<backend::Thrust<system::Cuda>>();
}

}  // namespace retort::test
