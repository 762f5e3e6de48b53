// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// CUDA graphs: work recorded from a stream once and launched again as one.

#include <cuda_runtime_api.h>

#include <memory>
#include <new>
#include <source_location>
#include <type_traits>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

namespace detail {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const noexcept { (void)cudaGraphDestroy(graph); }
};
struct DestroyGraphExec {
  int device;

  void operator()(cudaGraphExec_t graph) const noexcept {
    const DeviceGuard guard(device, std::nothrow);
    (void)cudaGraphExecDestroy(graph);  // where it still runs, it is destroyed afterwards
  }
};

using GraphPointer = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;
using GraphExecPointer = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraphExec>;

}  // namespace detail

/// While it lives, what this thread puts into the context's stream is recorded and not done. Nothing may be allocated
/// or waited for meanwhile. Where it is left by an exception the record is thrown away, and the stream works as before.
class Capture {
 public:
  /// Precondition: the context is entered until the end. Throws DeviceError.
  explicit Capture(CudaContext& context, const std::source_location& where = std::source_location::current())
      : context_(context) {
    context.check(cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeThreadLocal), "begin of a CUDA graph",
                  where);
    active_ = true;
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (active_) {
      cudaGraph_t graph = nullptr;
      (void)cudaStreamEndCapture(context_.stream(), &graph);
      if (graph != nullptr) {
        (void)cudaGraphDestroy(graph);
      }
      (void)cudaGetLastError();  // that the record was spoiled is no news to whoever threw
    }
  }

  detail::GraphPointer end(const std::source_location& where = std::source_location::current()) {
    active_ = false;
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(context_.stream(), &graph);
    detail::GraphPointer owned(graph);
    context_.check(status, "end of a CUDA graph", where);
    return owned;
  }

 private:
  CudaContext& context_;
  bool active_ = false;
};

/// A graph that is ready to be launched in its context's stream. It holds addresses, and keeps nothing of what it reads
/// and writes.
class ExecutableGraph {
 public:
  /// Of what work() launches. Throws DeviceError, and what work() throws.
  template <typename Work>
  ExecutableGraph(CudaContext& context, const Work& work,
                  const std::source_location& where = std::source_location::current()) {
    const auto entry = context.enter(where);
    Capture capture(context, where);
    work();
    const detail::GraphPointer graph = capture.end(where);
    cudaGraphExec_t executable = nullptr;
    context.check(cudaGraphInstantiate(&executable, graph.get(), 0), "instantiation of a CUDA graph", where);
    executable_ = detail::GraphExecPointer(executable, {context.device()});
  }

  void launch(CudaContext& context, const std::source_location& where = std::source_location::current()) const {
    const auto entry = context.enter(where);
    context.check(cudaGraphLaunch(executable_.get(), context.stream()), "launch of a CUDA graph", where);
  }

 private:
  detail::GraphExecPointer executable_{nullptr, {0}};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
