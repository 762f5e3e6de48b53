// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>

#include "backend/cuda/runtime/presence.hpp"
#include "every_backend/candidate.hpp"
#include "every_backend/trainings_of.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace retort::test {

namespace {

// Of its operations, which are those of Thrust<Cuda>, backend_thrust_cuda.cu makes the tests.
template <typename Backend>
Candidate on_device() {
  if (std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, nullptr, std::move(reason)};
  }
  return {nullptr, std::make_unique<TrainingsOf<Backend>>(Backend{}), ""};
}

}  // namespace

Candidate cuda_candidate() { return on_device<backend::Cuda>(); }
Candidate cluster_candidate() { return on_device<backend::CudaCluster>(); }

}  // namespace retort::test
