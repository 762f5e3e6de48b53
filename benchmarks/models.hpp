#pragma once
/// @file
/// The networks that the benchmarks run, and data for them.

#include "retort/retort.hpp"

namespace retort::benchmarks {

using Teacher = Sequential<Linear<784, 1200>, Dropout<0.5>, ReLU,   //
                           Linear<1200, 1200>, Dropout<0.5>, ReLU,  //
                           Linear<1200, 10>>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;

/// Digits, made once: 4,096 of them, so that a batch is not always in the first-level cache.
inline const data::Dataset& digits() {
  static const data::Dataset dataset = data::synthetic_digits(4096, Seed{0});
  return dataset;
}

/// Floating-point operations of one training step of `batch` samples: the forward products, the products for the
/// weights' gradients, and those for the inputs' gradients of every layer but the first.
template <Model M>
constexpr double training_step_flops(std::size_t batch) {
  return static_cast<double>(batch * (3 * M::flops - M::layer_flops[0]));
}

}  // namespace retort::benchmarks
