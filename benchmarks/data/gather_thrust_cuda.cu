// SPDX-License-Identifier: MIT
/// Batches out of a dataset with Thrust on a GPU.

#include "cuda_runner.hpp"
#include "data/gather_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cuda =
    register_gathers<CudaRunner<backend::Thrust<system::Cuda>>>();

}  // namespace retort::benchmarks
