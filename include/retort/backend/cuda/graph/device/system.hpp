// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// GraphSteps on a GPU: products by cuBLASLt, each step a CUDA graph. To be compiled by nvcc, and linked with cudart,
/// cublas and cublasLt.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "retort/backend/cuda/graph/device/lt_products.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/cuda/graph/system_traits.hpp"
#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/graph.hpp"
#include "retort/backend/thrust/cuda.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Like ImmediateRunner. Runs the first work of a key at once: it loads kernels and libraries, which a recording does
/// not allow. Records the second, and launches the record for it and all that follow. Remembers a few keys: an epoch
/// has two, one for its batches and one for a shorter last batch.
template <typename System, typename Key>
class CapturedRunner {
 public:
  explicit CapturedRunner(const Thrust<System>& /*backend*/) {}

  /// Precondition: equal keys, equal work. Throws DeviceError, and what work() throws.
  template <typename Work>
  void run(const Thrust<System>& backend, const Key& key, const Work& work) {
    cuda::CudaContext& context = backend.system().context();
    const auto entry = context.enter();
    auto record = std::ranges::find(records_, key, &Record::key);
    if (record == records_.end()) {
      if (records_.size() == most_records) {
        records_.erase(records_.begin());
      }
      work();
      records_.push_back({key, {}});
      return;
    }
    if (!record->graph) {
      record->graph.emplace(context, work);
    }
    record->graph->launch(context);
  }

 private:
  struct Record {
    Key key;
    std::optional<cuda::ExecutableGraph> graph;
  };

  static constexpr std::size_t most_records = 8;

  std::vector<Record> records_;
};

template <int... Architectures, typename Scalar, Precision precision>
struct SystemTraits<system::CudaFor<Architectures...>, Scalar, precision> {
  using System = system::CudaFor<Architectures...>;
  using Products = LtProducts<System, Scalar, precision>;
  template <typename Key>
  using Runner = CapturedRunner<System, Key>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
