// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A team (team.hpp) that is a block of threads on a GPU. To be compiled by nvcc.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// The calling thread's warp.
class DeviceWarp {
 public:
  template <typename T>
  class PerLane {
   public:
    __device__ T& operator[](std::uint32_t) { return value_; }
    __device__ const T& operator[](std::uint32_t) const { return value_; }

   private:
    T value_{};
  };

  __device__ std::uint32_t index() const { return threadIdx.x / static_cast<std::uint32_t>(team_lanes); }

  template <typename Function>
  __device__ void for_each_lane(const Function& function) const {
    function(threadIdx.x % static_cast<std::uint32_t>(team_lanes));
  }

  __device__ void sync() const { __syncwarp(); }

  template <typename T, typename Part>
  __device__ float from_other(const PerLane<T>& values, std::uint32_t lane, std::uint32_t distance,
                              const Part& part) const {
    return __shfl_xor_sync(0xFFFFFFFFu, part(values[lane]), static_cast<int>(distance));
  }

  __device__ void multiply_add(PerLane<FragmentC>& c, const PerLane<FragmentA>& a, const PerLane<FragmentB>& b) const {
#if __CUDA_ARCH__ >= 800
    float(&values)[4] = c[0].values;
    const std::uint32_t(&left)[4] = a[0].pairs;
    const std::uint32_t(&right)[2] = b[0].pairs;
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(values[0]), "+f"(values[1]), "+f"(values[2]), "+f"(values[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
#else
    __trap();  // such a device lacks the memory for the layouts that use tensor cores
#endif
  }
};

/// What the neighbour of a lane has: lane 1 of lane 0, 0 of 1, 3 of 2.
struct ExchangeWithNeighbour {
  template <typename T>
  __device__ T operator()(T own) const {
    return __shfl_xor_sync(0xFFFFFFFFu, own, 1);
  }
};

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

  using RowLanes = HalfRow<ExchangeWithNeighbour>;

  __device__ std::size_t block() const {
    std::uint32_t rank = 0;
#if __CUDA_ARCH__ >= 900  // others have no clusters
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
    return rank;
  }

  template <typename Scalar>
  __device__ Scalar* in_block(std::uint32_t other, Scalar* place) const {
    std::uint64_t there;
    asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(place), "r"(other));
    return reinterpret_cast<Scalar*>(there);
  }

  template <typename Phase>
  __device__ void cluster(const Phase& phase) {
    phase(threadIdx.x);
    asm volatile(
        "barrier.cluster.arrive.release;\n\t"
        "barrier.cluster.wait.acquire;" ::
            : "memory");
  }

  template <typename Phase>
  __device__ void operator()(const Phase& phase) {
    phase(threadIdx.x);
    __syncthreads();
  }

  template <typename Phase>
  __device__ void warps(const Phase& phase) {
    phase(DeviceWarp());
    __syncthreads();
  }

  __device__ void copy(std::size_t, std::uint32_t* to, const std::uint32_t* from) {
    asm volatile(
        "cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(to))),
        "l"(__cvta_generic_to_global(from))
        : "memory");
  }
  __device__ void copy(std::size_t, Quad<std::uint32_t>* to, const Quad<std::uint32_t>* from) {
    asm volatile(
        "cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(to))),
        "l"(__cvta_generic_to_global(from))
        : "memory");
  }
  __device__ void await_copies(std::size_t) { asm volatile("cp.async.wait_all;" ::: "memory"); }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
