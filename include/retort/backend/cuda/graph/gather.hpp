// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Gathers a batch as the first product's factors: picks, augments and normalises samples and applies any chain before
/// the first Linear, in one pass.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Normalisation in two parts. Where factors are rounded (docs/design.md, 19) they are (raw - centre), and the product
/// multiplies its sums by `scale`. Elsewhere, and where a chain comes first, the factors are fully normalised and
/// `scale` is 1.
template <typename Scalar>
struct InputScaling {
  data::GatherConstants<Scalar> constants;
  Scalar scale = 1;

  InputScaling(const data::DatasetView& data, bool waits) : constants(data) {
    if (waits) {
      scale = constants.scale;
      constants.scale = 1;
      constants.offset = static_cast<Scalar>(-data.normalization.mean * (data.bytes != nullptr ? 255.0 : 1.0));
    }
  }
};

/// Whether a model's inputs are scaled in the sums.
template <typename Scalar, Precision precision, typename FrontChain>
inline constexpr bool scale_waits =
    product_precision<Scalar, precision> != Precision::fp32 && std::is_same_v<FrontChain, Chain<>>;

/// `distorted`: whether the augmentation is more than a shift.
template <typename FrontChain, std::size_t Features, bool distorted, typename Arguments, typename Output>
struct GatherInputs {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  data::DatasetView data;
  data::GatherConstants<Scalar> constants;
  Output* inputs;    // (batch, Features)
  std::size_t size;  // batch * Features

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * internal::chain_group;
    const std::size_t count = group_extent(group, size);
    Scalar values[internal::chain_group] = {};
    std::size_t row = begin / Features;
    std::size_t feature = begin % Features;
    Source source = source_of(row);
    for (std::size_t i = 0; i < count; ++i) {
      if constexpr (distorted) {
        values[i] = data::distorted_feature(data, constants, source.sample, arguments->view, feature);
      } else {
        values[i] = data::gathered_feature(data, constants, source.sample, source.offset, feature);
      }
      if (++feature == Features && i + 1 < count) {
        feature = 0;
        source = source_of(++row);
      }
    }
    apply_chain<true, false>(FrontChain{}, arguments->random(0), group, values);
    store_group(values, count, inputs + begin);
  }

 private:
  struct Source {
    std::uint32_t sample;
    data::PixelOffset offset;
  };

  RETORT_HOST_DEVICE Source source_of(std::size_t row) const {
    const std::uint32_t sample = arguments->samples[row];
    return {sample, distorted ? data::PixelOffset{} : arguments->view.offset(sample)};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
