// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What all work of one handle of the backend on a device shares: stream, memory, cuBLAS, and whether the device still
/// works.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "retort/backend/cuda/runtime/blas.hpp"
#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/device_state.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"
#include "retort/backend/cuda/runtime/memory_pool.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// One device, one stream, one cuBLAS handle with a workspace of its own, one memory pool. Everything runs in that one
/// stream, in the order of the calls, so that results repeat bit for bit. Several threads may call at once: their
/// operations wait for one another. Several contexts, also of one device, may be used at once. The copies of a
/// backend's handle and each buffer hold it by shared_ptr.
class CudaContext {
 public:
  /// `architectures`: those that the caller's kernels are compiled for (times ten: 900 is sm_90); empty if it has none.
  /// Throws DeviceError: no driver, no device, no such device, one older than the program was compiled for, no memory.
  explicit CudaContext(int device = 0, std::span<const int> architectures = {},
                       const std::source_location& where = std::source_location::current())
      : survey_(survey_devices()),
        facts_(open_device(survey_, device, architectures, where)),
        pool_(facts_, where),
        stream_(create_stream(device, where)),
        workspace_(*this, recommended_workspace(facts_.major), where),
        blas_(create_blas_handle(device, stream_.get(), workspace_.data.get(), workspace_.size, where)) {}

  /// The same, in a shared_ptr for handles and buffers; errors name the caller's line.
  static std::shared_ptr<CudaContext> create(int device = 0, std::span<const int> architectures = {},
                                             const std::source_location& where = std::source_location::current()) {
    return std::make_shared<CudaContext>(device, architectures, where);
  }

  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;
  /// Never throws, even if the device failed or the driver is gone.
  ~CudaContext() = default;

  int device() const { return facts_.index; }
  const DeviceFacts& facts() const { return facts_; }
  cudaStream_t stream() const { return stream_.get(); }
  cublasHandle_t blas() const { return blas_.get(); }
  bool usable() const { return state_.usable(); }

  /// "Thrust 3.0.1 on CUDA 13.0, NVIDIA H200 (sm_90, 139.7 GiB), driver 13.0".
  std::string describe(std::string_view thrust_version = {}) const {
    return describe_device(facts_, survey_.runtime_version, survey_.driver_version, thrust_version);
  }

  /// The right to work on the context while it lives: the device is current, and other threads wait.
  class Entry {
   public:
    Entry(const CudaContext& context, const std::source_location& where)
        : lock_(context.mutex_), guard_(context.usable_device(), where) {}

   private:
    std::unique_lock<std::recursive_mutex> lock_;
    DeviceGuard guard_;
  };

  /// Every operation on the context begins with it. Throws DeviceError "unusable since ..." at once if the device
  /// failed before.
  [[nodiscard]] Entry enter(const std::source_location& where = std::source_location::current()) const {
    return {*this, where};
  }

  /// Throws DeviceError unless `status` is success, and remembers the error after which the device is unusable.
  void check(cudaError_t status, std::string_view what,
             const std::source_location& where = std::source_location::current()) {
    state_.check(status, what, where);
  }
  void check(cublasStatus_t status, std::string_view what,
             const std::source_location& where = std::source_location::current()) {
    state_.check(status, what, where);
  }
  /// To be called right after a kernel's launch.
  void check_launch(const std::source_location& where = std::source_location::current()) { state_.check_launch(where); }

  /// Waits for all work in the stream, and throws DeviceError for what went wrong in it.
  void synchronize(const std::source_location& where = std::source_location::current()) {
    const auto entry = enter(where);
    check(cudaStreamSynchronize(stream()), "work on the device", where);
  }

  /// Memory for work in the stream, at least 256-byte aligned, contents undefined; nullptr for 0 bytes. Throws
  /// DeviceError that says what was asked for and what is free.
  void* allocate(std::size_t bytes, const std::source_location& where = std::source_location::current()) {
    const auto entry = enter(where);
    if (bytes == 0) {
      return nullptr;
    }
    void* memory = nullptr;
    const cudaError_t status =
        bytes > facts_.memory ? cudaErrorMemoryAllocation : pool_.allocate(&memory, bytes, stream());
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      std::size_t free = 0;
      std::size_t total = 0;
      check(cudaMemGetInfo(&free, &total), "free memory of the device", where);
      throw DeviceError(out_of_memory_text(facts_, bytes, free + pool_.cached(), where));
    }
    check(status, "allocation", where);
    return memory;
  }

  /// Gives memory of `allocate` back, after the work that is in the stream. It waits for other threads' operations, as
  /// any operation does: a CUDA graph that one of them records must not get this memory.
  void release(void* memory) noexcept {
    if (memory != nullptr) {
      const std::lock_guard lock(mutex_);
      pool_.release(memory, stream());
    }
  }

  /// At least `count` ones, on the device. They are kept; a growing vector allocates and waits for the stream.
  template <std::floating_point Scalar>
  const Scalar* ones(std::size_t count, const std::source_location& where = std::source_location::current()) {
    Memory& memory = std::get<Ones<Scalar>>(ones_).memory;
    if (memory.size < count * sizeof(Scalar)) {
      const auto entry = enter(where);
      const std::vector<Scalar> values(count, Scalar{1});
      Memory larger(*this, count * sizeof(Scalar), where);
      check(cudaMemcpyAsync(larger.data.get(), values.data(), larger.size, cudaMemcpyHostToDevice, stream()),
            "copy of ones to the device", where);
      check(cudaStreamSynchronize(stream()), "copy of ones to the device", where);
      memory = std::move(larger);
    }
    return reinterpret_cast<const Scalar*>(memory.data.get());
  }

 private:
  using Stream = DeviceHandle<cudaStream_t, cudaStreamDestroy>;

  struct Release {
    CudaContext* context;

    void operator()(std::byte* memory) const noexcept { context->release(memory); }
  };

  /// Memory that the context itself keeps on the device.
  struct Memory {
    Memory() = default;
    Memory(CudaContext& context, std::size_t bytes, const std::source_location& where)
        : data(static_cast<std::byte*>(context.allocate(bytes, where)), {&context}), size(bytes) {}

    std::unique_ptr<std::byte, Release> data;
    std::size_t size = 0;  // bytes
  };

  template <typename Scalar>
  struct Ones {
    Memory memory;
  };

  static DeviceFacts open_device(const DeviceSurvey& survey, int device, std::span<const int> architectures,
                                 const std::source_location& where) {
    require_device(survey, device, where);
    DeviceFacts facts = query_device(device, where);
    require_architecture(facts, architectures, where);
    return facts;
  }

  /// It does not wait for the legacy default stream, and its destruction does not wait for its work.
  static Stream create_stream(int device, const std::source_location& where) {
    const auto create = [](cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking); };
    return create_on_device<Stream>(device, create, "creation of a stream", where);
  }

  int usable_device() const {
    state_.require_usable();
    return facts_.index;
  }

  DeviceSurvey survey_;
  DeviceFacts facts_;
  DeviceState state_;
  mutable std::recursive_mutex mutex_;
  // Released from the last to the first: the handle before its workspace, all memory before stream and pool.
  MemoryPool pool_;
  Stream stream_;
  Memory workspace_;
  BlasHandle blas_;
  std::tuple<Ones<float>, Ones<double>> ones_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
