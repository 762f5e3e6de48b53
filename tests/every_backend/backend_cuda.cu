// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>

#include "backend/cuda/runtime/presence.hpp"
#include "every_backend/candidate.hpp"
#include "every_backend/trainings_of.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace retort::test {

// Of their operations, which are those of Thrust<Cuda>, backend_thrust_cuda.cu makes the tests.

Candidate cuda_candidate() {
  if (std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, nullptr, std::move(reason)};
  }
  return {nullptr, std::make_unique<TrainingsOf<backend::Cuda>>(backend::Cuda{}), ""};
}

Candidate cluster_candidate() {
  if (std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, nullptr, std::move(reason)};
  }
  return {
      nullptr,
      std::make_unique<ClusterTrainings<backend::CudaCluster, backend::Cuda>>(backend::CudaCluster{}, backend::Cuda{}),
      ""};
}

}  // namespace retort::test
