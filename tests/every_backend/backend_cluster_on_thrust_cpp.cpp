// SPDX-License-Identifier: MIT
#include <type_traits>

#include "every_backend/subject_of.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::test {

using ClusterOnHost = backend::CudaOn<system::Cpp, backend::Precision::fp32, backend::ThreadGroup::cluster>;

static_assert(std::is_same_v<StepsAlone<ClusterOnHost, Student>,
                             backend::block::BlockSteps<Student, float, system::Cpp, backend::ThreadGroup::cluster>>);
static_assert(backend::block::fits_cluster<Student, float, backend::block::InputKind::bytes, 2>);

Candidate cluster_on_host_candidate() { return make_candidate<ClusterOnHost>(); }

}  // namespace retort::test
