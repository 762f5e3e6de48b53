// SPDX-License-Identifier: MIT
#include <string>

#include "backend/cuda/runtime/presence.hpp"
#include "every_backend/subject_of.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace retort::test {

namespace {

template <typename Backend>
Candidate on_device() {
  if (const std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, reason};
  }
  return make_candidate<Backend>();
}

}  // namespace

Candidate cuda_candidate() { return on_device<backend::Cuda>(); }
Candidate cluster_candidate() { return on_device<backend::CudaCluster>(); }

}  // namespace retort::test
