// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The factor that clips gradients, left in the device's memory.

#include <cmath>
#include <cstddef>

#include "retort/backend/generic/optimizer.hpp"
#include "retort/backend/generic/reduction.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

template <typename Arguments>
struct ClipFactor {
  const Arguments* arguments;
  const double* squared_norm;
  typename Arguments::Value* factor;

  RETORT_HOST_DEVICE void operator()(std::size_t /*index*/) const {
    *factor = static_cast<typename Arguments::Value>(arguments->clipping.clip_factor(std::sqrt(*squared_norm)));
  }
};

}  // namespace detail

/// *factor = the clipping factor of the step's gradients (size). `scratch` holds sum_scratch_size<Thrust<System>>(size)
/// elements (generic/reduction.hpp).
template <typename System, typename Arguments>
void find_clip_factor(const Thrust<System>& backend, const Arguments* arguments,
                      const typename Arguments::Value* gradients, std::size_t size, double* scratch,
                      typename Arguments::Value* factor) {
  const backend::detail::Square<typename Arguments::Value> square{gradients};
  const double* squared_norm = backend::detail::sum(backend, size, square, scratch);
  backend.for_each(1, detail::ClipFactor<Arguments>{arguments, squared_norm, factor});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
