#pragma once
/// @file
/// A team (team.hpp) that is a block of threads on a GPU. To be compiled by nvcc.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/chip/team.hpp"

namespace retort::backend::chip {

template <std::size_t Threads>
class DeviceTeam {
 public:
  static constexpr std::size_t threads = Threads;

  template <typename T>
  class PerThread {
   public:
    __device__ T& operator[](std::size_t) { return value_; }

   private:
    T value_{};
  };

  template <typename Phase>
  __device__ void operator()(const Phase& phase) {
    phase(threadIdx.x);
    __syncthreads();
  }

  __device__ void copy(std::size_t, std::uint32_t* to, const std::uint32_t* from) {
    asm volatile(
        "cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(to))),
        "l"(__cvta_generic_to_global(from))
        : "memory");
  }
  __device__ void await_copies(std::size_t) { asm volatile("cp.async.wait_all;" ::: "memory"); }
};

}  // namespace retort::backend::chip
