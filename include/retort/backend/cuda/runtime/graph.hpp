// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// CUDA graphs: work recorded from a stream once and launched again as one.

#include <cuda_runtime_api.h>

#include <source_location>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

using GraphHandle = UniqueHandle<cudaGraph_t, cudaGraphDestroy>;

/// While it lives, this thread's work for the context's stream is recorded and not done. Nothing may be allocated or
/// waited for meanwhile. If an exception ends it, the record is thrown away and the stream works as before.
class Capture {
 public:
  /// Precondition: the context stays entered until the end. Throws DeviceError.
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
      GraphHandle(graph).reset();
      (void)cudaGetLastError();  // the spoiled record is no news to the thrower
    }
  }

  GraphHandle end(const std::source_location& where = std::source_location::current()) {
    active_ = false;
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(context_.stream(), &graph);
    GraphHandle owned(graph);
    context_.check(status, "end of a CUDA graph", where);
    return owned;
  }

 private:
  CudaContext& context_;
  bool active_ = false;
};

/// A graph that is ready to be launched in its context's stream. It holds addresses, and keeps nothing alive that it
/// reads or writes.
class ExecutableGraph {
 public:
  /// Records what work() launches. Throws DeviceError, and what work() throws.
  template <typename Work>
  ExecutableGraph(CudaContext& context, const Work& work,
                  const std::source_location& where = std::source_location::current()) {
    const auto entry = context.enter(where);
    Capture capture(context, where);
    work();
    const GraphHandle graph = capture.end(where);
    cudaGraphExec_t executable = nullptr;
    context.check(cudaGraphInstantiate(&executable, graph.get(), 0), "instantiation of a CUDA graph", where);
    executable_ = Executable(executable, {context.device()});
  }

  void launch(CudaContext& context, const std::source_location& where = std::source_location::current()) const {
    const auto entry = context.enter(where);
    context.check(cudaGraphLaunch(executable_.get(), context.stream()), "launch of a CUDA graph", where);
  }

 private:
  using Executable = DeviceHandle<cudaGraphExec_t, cudaGraphExecDestroy>;  // destroyed after its work, if it runs

  Executable executable_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
