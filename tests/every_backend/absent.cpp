// SPDX-License-Identifier: MIT
/// The backends that this build leaves out.

#include "every_backend/candidate.hpp"

namespace retort::test {

#if !RETORT_HAS_THRUST_CPP
Candidate thrust_cpp_candidate() { return {nullptr, nullptr, "thrust-cpp was not compiled in"}; }
Candidate cuda_on_host_candidate() {
  return {nullptr, nullptr, "thrust-cpp, which runs cuda's kernels, was not compiled in"};
}
Candidate cluster_on_host_candidate() { return cuda_on_host_candidate(); }
#endif
#if !RETORT_HAS_THRUST_OMP
Candidate thrust_omp_candidate() { return {nullptr, nullptr, "thrust-omp was not compiled in"}; }
#endif
#if !RETORT_HAS_THRUST_TBB
Candidate thrust_tbb_candidate() { return {nullptr, nullptr, "thrust-tbb was not compiled in"}; }
#endif
#if !RETORT_HAS_CUDA
Candidate thrust_cuda_candidate() { return {nullptr, nullptr, "thrust-cuda was not compiled in"}; }
Candidate cuda_candidate() { return {nullptr, nullptr, "cuda was not compiled in"}; }
Candidate cluster_candidate() { return cuda_candidate(); }
#endif

}  // namespace retort::test
