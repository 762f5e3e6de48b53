// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What gradients are multiplied with to be clipped: from their norm over all parameters, summed in an order that
/// depends on their number alone. Neighbouring calls read neighbouring elements.

#include <cmath>
#include <cstddef>

#include "retort/backend/generic/optimizer.hpp"
#include "retort/backend/generic/reduction.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

/// sums[strand] = the sum of term(strand), term(strand + strands), ... below `size`.
template <typename Term>
struct StrandSum {
  Term term;
  std::size_t size;
  std::size_t strands;
  double* sums;

  RETORT_HOST_DEVICE void operator()(std::size_t strand) const {
    double sum = 0.0;
    for (std::size_t element = strand; element < size; element += strands) {
      sum += term(element);
    }
    sums[strand] = sum;
  }
};

/// The last few sums, their root, and what follows from it.
template <typename Arguments>
struct FinishClipFactor {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  const double* sums;
  std::size_t count;
  Scalar* factor;

  RETORT_HOST_DEVICE void operator()(std::size_t /*index*/) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += sums[i];
    }
    *factor = static_cast<Scalar>(arguments->clipping.clip_factor(std::sqrt(sum)));
  }
};

inline constexpr std::size_t first_strands = 32768;
inline constexpr std::size_t strand_ratio = 32;

}  // namespace detail

/// Elements of scratch that find_clip_factor needs.
constexpr std::size_t clip_scratch_size() { return 2 * detail::first_strands; }

/// *factor = the step's clipping of gradients (size). `scratch` holds clip_scratch_size() elements.
template <typename System, typename Arguments>
void find_clip_factor(const Thrust<System>& backend, const Arguments* arguments,
                      const typename Arguments::Value* gradients, std::size_t size, double* scratch,
                      typename Arguments::Value* factor) {
  using Scalar = typename Arguments::Value;
  std::size_t strands = detail::first_strands;
  double* sums = scratch;
  backend.for_each(strands, detail::StrandSum<backend::detail::Square<Scalar>>{{gradients}, size, strands, sums});
  while (strands > detail::strand_ratio) {
    const std::size_t next = strands / detail::strand_ratio;
    backend.for_each(next, detail::StrandSum<backend::detail::Element>{{sums}, strands, next, sums + strands});
    sums += strands;
    strands = next;
  }
  backend.for_each(1, detail::FinishClipFactor<Arguments>{arguments, sums, strands, factor});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
