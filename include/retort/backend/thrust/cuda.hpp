// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `retort::backend::Thrust<retort::system::Cuda>`: Thrust on a GPU, products by cuBLAS in exact fp32. To be compiled
/// by nvcc, and linked with cudart and cublas. Only metrics reach the host inside an epoch.

#ifndef __CUDACC__
#error "retort: backend::Thrust<system::Cuda> has code for the GPU: compile this file with nvcc, as CUDA (.cu)"
#endif

#include "retort/backend/thrust/prelude.hpp"
//
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include <array>
#include <cstddef>
#include <memory>
#include <source_location>
#include <span>
#include <string>

#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"
#include "retort/backend/cuda/runtime/products.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::system {

/// `Architectures`: those that nvcc compiles the source for, times ten: 900 is sm_90. They are part of the type, as
/// they are of Thrust's own names: in a program whose sources are compiled for different devices, each source has a
/// backend of its own that launches its own kernels, and code that passes a network from one to the other does not
/// link.
template <int... Architectures>
class CudaFor {
 public:
  static constexpr const char* name = "thrust-cuda";
  static constexpr bool host_memory = false;
  static constexpr std::size_t report_interval = 64;
  static constexpr std::size_t elements_per_call = 1;  // neighbouring threads on neighbouring elements
  static constexpr std::size_t inference_batch = 8192;

  struct Options {
    int device = 0;
  };

  template <typename T>
  using Buffer = backend::cuda::DeviceBuffer<T>;

  /// Throws DeviceError: no driver, no device, no such device, or one that this program has no code for.
  explicit CudaFor(const Options& options)
      : context_(backend::cuda::CudaContext::create(options.device, architectures)) {}

  std::string describe() const { return context_->describe(backend::detail::thrust_version()); }
  /// "NVIDIA H200 (sm_90)".
  std::string processor() const {
    const backend::cuda::DeviceFacts& facts = context_->facts();
    return concatenate({facts.name, " (sm_", facts.major, facts.minor, ")"});
  }
  /// The most shared memory that a block can have, in bytes.
  std::size_t block_memory() const { return context_->facts().block_memory; }
  backend::cuda::CudaContext& context() const { return *context_; }

  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    return {context_, count};
  }

  bool shares_memory_with(const CudaFor& other) const { return context_->device() == other.context_->device(); }

  /// Returns before the work is done. Throws DeviceError with the operation's name and line, `where`.
  template <typename Function>
  void for_each(std::size_t count, const Function& function, const std::source_location& where) const {
    const auto entry = context_->enter(where);
    try {
      ::thrust::for_each_n(::thrust::cuda::par_nosync.on(context_->stream()),
                           ::thrust::counting_iterator<std::size_t>(0), count, function);
    } catch (const ::thrust::system_error& error) {
      context_->check(static_cast<cudaError_t>(error.code().value()), backend::cuda::launch_name(where), where);
    }
    context_->check_launch(where);
  }

 private:
  static constexpr std::array<int, sizeof...(Architectures)> architectures{Architectures...};

  std::shared_ptr<backend::cuda::CudaContext> context_;
};

template <int... Architectures, typename T>
void copy_to_host(const CudaFor<Architectures...>& system, const T* from, std::span<T> to) {
  backend::cuda::copy_to_host(system.context(), from, to);
}

template <int... Architectures, typename T>
void copy_from_host(const CudaFor<Architectures...>& system, std::span<const T> from, T* to) {
  backend::cuda::copy_from_host(system.context(), from, to);
}

template <int... Architectures, typename T>
void fill_zero(const CudaFor<Architectures...>& system, T* values, std::size_t count) {
  backend::cuda::fill_zero(system.context(), values, count);
}

#ifdef __CUDA_ARCH_LIST__
using Cuda = CudaFor<__CUDA_ARCH_LIST__>;
#else
using Cuda = CudaFor<>;
#endif

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

// The products of a Linear; see generic/product.hpp.

template <int... Architectures, typename Scalar>
void forward_product(const Thrust<system::CudaFor<Architectures...>>& backend, MatrixView<const Scalar> input,
                     MatrixView<const Scalar> weight, MatrixView<Scalar> output) {
  cuda::forward_product(backend.system().context(), input, weight, output);
}

template <int... Architectures, typename Scalar>
void weight_gradient_product(const Thrust<system::CudaFor<Architectures...>>& backend, MatrixView<const Scalar> input,
                             MatrixView<const Scalar> output_gradient, MatrixView<Scalar> weight_gradient) {
  cuda::weight_gradient_product(backend.system().context(), input, output_gradient, weight_gradient);
}

template <int... Architectures, typename Scalar>
void input_gradient_product(const Thrust<system::CudaFor<Architectures...>>& backend, MatrixView<const Scalar> weight,
                            MatrixView<const Scalar> output_gradient, MatrixView<Scalar> input_gradient) {
  cuda::input_gradient_product(backend.system().context(), weight, output_gradient, input_gradient);
}

template <int... Architectures, typename Scalar>
void column_sums(const Thrust<system::CudaFor<Architectures...>>& backend, MatrixView<const Scalar> values,
                 Scalar* sums) {
  cuda::column_sums(backend.system().context(), values, sums);
}

static_assert(Backend<Thrust<system::Cuda>, float> && Backend<Thrust<system::Cuda>, double>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
