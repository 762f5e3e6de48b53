// SPDX-License-Identifier: MIT
#include "backends.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "retort/core/error.hpp"

namespace distill_mnist {

// A function that is not compiled in is not named either: it would be missing at link time.
#if RETORT_HAS_THRUST_CPP
#define DISTILL_MNIST_THRUST_CPP run_thrust_cpp
#else
#define DISTILL_MNIST_THRUST_CPP nullptr
#endif
#if RETORT_HAS_THRUST_OMP
#define DISTILL_MNIST_THRUST_OMP run_thrust_omp
#else
#define DISTILL_MNIST_THRUST_OMP nullptr
#endif
#if RETORT_HAS_THRUST_TBB
#define DISTILL_MNIST_THRUST_TBB run_thrust_tbb
#else
#define DISTILL_MNIST_THRUST_TBB nullptr
#endif
#if RETORT_HAS_CUDA
#define DISTILL_MNIST_THRUST_CUDA run_thrust_cuda
#define DISTILL_MNIST_CUDA run_cuda
#define DISTILL_MNIST_CUDA_CLUSTER run_cuda_cluster
#define DISTILL_MNIST_CUDA_TF32 run_cuda_tf32
#define DISTILL_MNIST_CUDA_BF16 run_cuda_bf16
#else
#define DISTILL_MNIST_THRUST_CUDA nullptr
#define DISTILL_MNIST_CUDA nullptr
#define DISTILL_MNIST_CUDA_CLUSTER nullptr
#define DISTILL_MNIST_CUDA_TF32 nullptr
#define DISTILL_MNIST_CUDA_BF16 nullptr
#endif

std::span<const BackendEntry> backends() {
  constexpr const char* cuda = "the CUDA toolkit 13 (nvcc)";
  static constexpr std::array entries{
      BackendEntry{"eigen", run_eigen, "Eigen", true, false},
      BackendEntry{"eigen-bf16", run_eigen_bf16, "Eigen", true, false},
      BackendEntry{"thrust-cpp", DISTILL_MNIST_THRUST_CPP, "Thrust's headers (libthrust-dev)", false, false},
      BackendEntry{"thrust-omp", DISTILL_MNIST_THRUST_OMP,
                   "Thrust's headers (libthrust-dev) and a compiler with OpenMP", true, false},
      BackendEntry{"thrust-tbb", DISTILL_MNIST_THRUST_TBB, "Thrust's headers (libthrust-dev) and TBB (libtbb-dev)",
                   true, false},
      BackendEntry{"thrust-cuda", DISTILL_MNIST_THRUST_CUDA, cuda, false, true},
      BackendEntry{"cuda", DISTILL_MNIST_CUDA, cuda, false, true},
      BackendEntry{"cuda-cluster", DISTILL_MNIST_CUDA_CLUSTER, cuda, false, true},
      BackendEntry{"cuda-tf32", DISTILL_MNIST_CUDA_TF32, cuda, false, true},
      BackendEntry{"cuda-bf16", DISTILL_MNIST_CUDA_BF16, cuda, false, true},
  };
  return entries;
}

const BackendEntry& find_backend(std::string_view name) {
  const auto found = std::ranges::find(backends(), name, &BackendEntry::name);
  if (found == backends().end()) {
    throw retort::OptionError("--backend: there is no '" + std::string(name) + "'");
  }
  if (found->run == nullptr) {
    throw retort::OptionError("--backend " + not_compiled_in(*found));
  }
  return *found;
}

std::string not_compiled_in(const BackendEntry& backend) {
  return std::string(backend.name) + " was not compiled in: it needs " + backend.needs + " when distill_mnist is built";
}

}  // namespace distill_mnist
