// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A stopwatch that runs on the device: for times without what the host does meanwhile.

#include <cuda_runtime_api.h>

#include <memory>
#include <source_location>
#include <utility>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"

namespace retort::benchmarks {

/// Two CUDA events in a context's stream. Resolution: about half a microsecond (cudaEventElapsedTime).
class DeviceTimer {
 public:
  /// Precondition: `context` is not null. Throws DeviceError.
  explicit DeviceTimer(std::shared_ptr<backend::cuda::CudaContext> context,
                       const std::source_location& where = std::source_location::current())
      : context_(std::move(context)), start_(create_event(*context_, where)), stop_(create_event(*context_, where)) {}

  /// Marks this point of the stream. Throws DeviceError.
  void start(const std::source_location& where = std::source_location::current()) { record(start_, where); }
  void stop(const std::source_location& where = std::source_location::current()) { record(stop_, where); }

  /// Milliseconds that the device took from `start` to `stop`; waits until it has passed `stop`. Throws DeviceError,
  /// also where one of the two was not called.
  double milliseconds(const std::source_location& where = std::source_location::current()) {
    const auto entry = context_->enter(where);
    context_->check(cudaEventSynchronize(stop_.get()), "end of the timed work", where);
    float milliseconds = 0.0f;
    context_->check(cudaEventElapsedTime(&milliseconds, start_.get(), stop_.get()), "reading of the timer", where);
    return static_cast<double>(milliseconds);
  }

 private:
  using Event = backend::cuda::DeviceHandle<cudaEvent_t, cudaEventDestroy>;

  static Event create_event(backend::cuda::CudaContext& context, const std::source_location& where) {
    const auto entry = context.enter(where);
    cudaEvent_t event = nullptr;
    context.check(cudaEventCreate(&event), "creation of an event", where);
    return Event(event, {context.device()});
  }

  void record(const Event& event, const std::source_location& where) {
    const auto entry = context_->enter(where);
    context_->check(cudaEventRecord(event.get(), context_->stream()), "recording of an event", where);
  }

  std::shared_ptr<backend::cuda::CudaContext> context_;
  Event start_;
  Event stop_;
};

}  // namespace retort::benchmarks
