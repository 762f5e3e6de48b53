// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Handles of the CUDA libraries, destroyed with their owners.

#include <cuda_runtime_api.h>

#include <memory>
#include <new>
#include <source_location>
#include <string_view>
#include <type_traits>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

namespace detail {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* handle) const noexcept {
    (void)destroy(handle);
  }
};

template <auto destroy>
struct DestroyOnDevice {
  int device = 0;

  template <typename T>
  void operator()(T* handle) const noexcept {
    // At the end of the process the driver may be gone, which cuBLAS does not expect: the process gives everything
    // back.
    int current = 0;
    if (cudaGetDevice(&current) == cudaSuccess) {
      const DeviceGuard guard(device, std::nothrow);
      (void)destroy(handle);
    }
  }
};

}  // namespace detail

/// `Handle` is a pointer type, and destroy(handle) ends what it stands for. Never throws.
template <typename Handle, auto destroy>
using UniqueHandle = std::unique_ptr<std::remove_pointer_t<Handle>, detail::Destroy<destroy>>;

/// The same for a handle that belongs to one device.
template <typename Handle, auto destroy>
using DeviceHandle = std::unique_ptr<std::remove_pointer_t<Handle>, detail::DestroyOnDevice<destroy>>;

/// The handle that create(&handle) makes on a device; `what` names that. Throws DeviceError.
template <typename Owner, typename Create>
Owner create_on_device(int device, const Create& create, std::string_view what, const std::source_location& where) {
  const DeviceGuard guard(device, where);
  typename Owner::pointer handle = nullptr;
  check(create(&handle), what, where);
  return Owner(handle, {device});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
