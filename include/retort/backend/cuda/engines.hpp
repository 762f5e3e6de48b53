// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The engines of the CUDA backend.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/engine.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <typename T>
using RuleOf =
    decltype(std::declval<const typename T::Optimizer&>().template rule<typename T::Scalar>(std::uint64_t{}, double{}));

/// For an engine that copies loss and rule to the device, in a struct of `size` bytes; it has room for `capacity`.
template <typename T>
constexpr Refusal launch_refusal(std::size_t size, std::size_t capacity) {
  if (constexpr Refusal refusal = internal::fully_connected_refusal<T>(); refusal) {
    return refusal;
  }
  if (internal::LimitsWeights<RuleOf<T>>) {
    return {"the optimizer limits the weights of whole units"};
  }
  if (!std::is_trivially_copyable_v<typename T::Loss> || !std::is_trivially_copyable_v<RuleOf<T>>) {
    return {"the loss or the optimizer's rule cannot be copied to a device byte by byte"};
  }
  return size > capacity ? Refusal{"the loss and the optimizer's rule do not fit what a launch takes along"}
                         : Refusal{};
}

/// Layouts are for blocks of the largest memory (block::block_memory), which not all devices have. `what`: what takes
/// the bytes that are needed.
inline std::string refusal_of_memory(std::string_view what, std::size_t needed, std::size_t memory) {
  return memory >= needed
             ? ""
             : concatenate({what, needed, " bytes of a block's shared memory, and this device's blocks have ", memory});
}

}  // namespace detail

/// Takes models that fit one block's memory.
template <typename System>
struct BlockEngine {
  static constexpr std::string_view name = "a block of threads with full-precision products";
  template <typename T>
  static constexpr Refusal refusal() {
    using M = typename T::Model;
    using Job = block::TrainingJob<typename T::Scalar, T::Optimizer::moment_count, typename T::Loss, detail::RuleOf<T>>;
    constexpr Refusal launch = detail::launch_refusal<T>(sizeof(Job), block::job_capacity);
    if constexpr (launch) {
      return launch;
    } else if constexpr (!block::StagedModel<M>) {
      return {"comes before the first Linear", M::layer_names[0], 0};
    } else if constexpr (!block::fits_block<M, typename T::Scalar>) {
      return {"the model and a chunk of samples do not fit its memory"};
    } else {
      return {};
    }
  }
  template <typename T>
  static std::string refusal_on(const typename T::Backend& backend)
    requires requires { backend.system().block_memory(); }
  {
    constexpr std::size_t needed = std::max(bytes<T, block::InputKind::bytes>, bytes<T, block::InputKind::reals>);
    return detail::refusal_of_memory("the model and a chunk of samples take ", needed, backend.system().block_memory());
  }
  template <typename T>
  using Steps = block::BlockSteps<typename T::Model, typename T::Scalar, System, ThreadGroup::block>;

 private:
  template <typename T, block::InputKind kind>
  static constexpr std::size_t bytes = block::Layout<typename T::Model, typename T::Scalar, kind>::bytes;
};

/// Takes models whose inputs several blocks can share, if each block's share fits its memory. Batch size and clipping
/// decide when a single block trains instead, as the name says.
template <typename System>
struct ClusterEngine {
  static constexpr std::string_view name =
      "a cluster of blocks (large batches and clipped gradients: one block) with full-precision products";
  template <typename T>
  static constexpr Refusal refusal() {
    constexpr Refusal of_block = BlockEngine<System>::template refusal<T>();
    if constexpr (of_block) {
      return of_block;
    } else {
      if (block::cluster_blocks<typename T::Model> == 1) {
        return {"the inputs cannot be shared out in equal parts"};
      }
      return fits<T, block::InputKind::bytes> || fits<T, block::InputKind::reals>
                 ? Refusal{}
                 : Refusal{"a block's part of the model does not fit its memory and registers"};
    }
  }
  /// A single block trains what the cluster does not, so that its memory is needed too. Either may be more: a block of
  /// the cluster has fewer inputs, but room for what the blocks send each other.
  template <typename T>
  static std::string refusal_on(const typename T::Backend& backend)
    requires requires { backend.system().block_memory(); }
  {
    const std::string of_block = BlockEngine<System>::template refusal_on<T>(backend);
    constexpr std::size_t needed = std::max(bytes<T, block::InputKind::bytes>, bytes<T, block::InputKind::reals>);
    return !of_block.empty() ? of_block
                             : detail::refusal_of_memory("a block's part of the model takes ", needed,
                                                         backend.system().block_memory());
  }
  template <typename T>
  using Steps = block::BlockSteps<typename T::Model, typename T::Scalar, System, ThreadGroup::cluster>;

 private:
  template <typename T, block::InputKind kind>
  static constexpr bool fits =
      block::fits_cluster<typename T::Model, typename T::Scalar, kind, T::Optimizer::moment_count>;
  /// 0 for inputs with which a single block trains.
  template <typename T, block::InputKind kind>
  static constexpr std::size_t bytes = [] {
    if constexpr (fits<T, kind>) {
      return block::ClusterLayout<typename T::Model, typename T::Scalar, kind>::bytes;
    } else {
      return std::size_t{0};
    }
  }();
};

/// Takes models of Linear and pointwise layers.
template <typename System, Precision precision>
struct GraphEngine {
  static constexpr std::string_view name = precision == Precision::fp32
                                               ? "a graph of kernels with full-precision products"
                                           : precision == Precision::tf32 ? "a graph of kernels with TF32 products"
                                                                          : "a graph of kernels with bf16 products";
  template <typename T>
  static constexpr Refusal refusal() {
    using Arguments =
        graph::StepArguments<typename T::Scalar, T::Optimizer::moment_count, typename T::Loss, detail::RuleOf<T>>;
    if (precision != Precision::fp32 && !std::is_same_v<typename T::Scalar, float>) {
      return {"it computes in float"};
    }
    return detail::launch_refusal<T>(sizeof(Arguments), graph::arguments_capacity);
  }
  template <typename T>
  using Steps = graph::GraphSteps<typename T::Model, typename T::Scalar, System, precision>;
};

template <typename System>
struct Engines<CudaOn<System, Precision::fp32, ThreadGroup::block>> {
  using type = std::tuple<BlockEngine<System>, GraphEngine<System, Precision::fp32>>;
};
template <typename System>
struct Engines<CudaOn<System, Precision::fp32, ThreadGroup::cluster>> {
  using type = std::tuple<ClusterEngine<System>, BlockEngine<System>, GraphEngine<System, Precision::fp32>>;
};
template <typename System, Precision precision>
struct Engines<CudaOn<System, precision, ThreadGroup::block>> {
  using type = std::tuple<BlockEngine<System>, GraphEngine<System, precision>, GraphEngine<System, Precision::fp32>>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
