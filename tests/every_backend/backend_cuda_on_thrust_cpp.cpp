// SPDX-License-Identifier: MIT
#include <type_traits>

#include "every_backend/subject_of.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::test {

using CudaOnHost = backend::CudaOn<system::Cpp>;

// The students train in a block; in double they do not fit.
static_assert(std::is_same_v<StepsAlone<CudaOnHost, Student>, backend::block::BlockSteps<Student, float, system::Cpp>>);
static_assert(!backend::block::fits_block<Student, double>);

Candidate cuda_on_host_candidate() { return make_candidate<CudaOnHost>(); }

}  // namespace retort::test
