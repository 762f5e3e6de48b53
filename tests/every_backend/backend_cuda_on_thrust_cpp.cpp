// SPDX-License-Identifier: MIT
#include <memory>
#include <type_traits>

#include "every_backend/candidate.hpp"
#include "every_backend/trainings_of.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::test {

using CudaOnHost = backend::CudaOn<system::Cpp>;
using ClusterOnHost = backend::CudaOn<system::Cpp, backend::Precision::fp32, backend::ThreadGroup::cluster>;

// The students train in a block, or in a cluster of blocks; in double they do not fit.
static_assert(std::is_same_v<StepsAlone<CudaOnHost, Student>, backend::block::BlockSteps<Student, float, system::Cpp>>);
static_assert(!backend::block::fits_block<Student, double>);
static_assert(std::is_same_v<StepsAlone<ClusterOnHost, Student>,
                             backend::block::BlockSteps<Student, float, system::Cpp, backend::ThreadGroup::cluster>>);
static_assert(backend::block::fits_cluster<Student, float, backend::block::InputKind::bytes, 2>);

// Their operations are those of Thrust<System>.
static_assert(std::is_base_of_v<backend::Thrust<system::Cpp>, CudaOnHost>);
static_assert(std::is_base_of_v<backend::Thrust<system::Cpp>, ClusterOnHost>);

Candidate cuda_on_host_candidate() { return {nullptr, std::make_unique<TrainingsOf<CudaOnHost>>(CudaOnHost{}), ""}; }
Candidate cluster_on_host_candidate() {
  return {nullptr, std::make_unique<ClusterTrainings<ClusterOnHost, CudaOnHost>>(ClusterOnHost{}, CudaOnHost{}), ""};
}

}  // namespace retort::test
