// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks that the benchmarks run, and data for them.

#include <cstddef>
#include <map>

#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"

namespace retort::benchmarks {

using Teacher = Sequential<Linear<784, 1200>, Dropout<0.5>, ReLU,   //
                           Linear<1200, 1200>, Dropout<0.5>, ReLU,  //
                           Linear<1200, 10>>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using NormalizedTeacher = Sequential<Linear<784, 1200>, LayerNorm<1200>, ReLU,   //
                                     Linear<1200, 1200>, LayerNorm<1200>, ReLU,  //
                                     Linear<1200, 10>>;
using PooledStudent =
    Sequential<AvgPool2d<Shape<1, 28, 28>, 2>, Linear<196, 64>, ReLU, Linear<64, 48>, ReLU, Linear<48, 10>>;

inline constexpr data::Augmentation affine{.shift = 1, .rotation = 10, .scale = 0.1, .shear = 5};
inline constexpr data::Augmentation affine_noisy{.shift = 1, .rotation = 10, .scale = 0.1, .shear = 5, .noise = 0.1};

/// Digits, made once: by default 4,096 of them, so that a batch is not always in the first-level cache.
inline const data::Dataset& digits(std::size_t count = 4096) {
  static std::map<std::size_t, data::Dataset> datasets;
  const auto found = datasets.find(count);
  return found != datasets.end() ? found->second
                                 : datasets.emplace(count, data::synthetic_digits(count, Seed{0})).first->second;
}

/// Floating-point operations of one training step of `batch` samples: the forward products, the products for the
/// weights' gradients, and those for the inputs' gradients of every layer but the first that learns.
template <Model M>
constexpr double training_step_flops(std::size_t batch) {
  return static_cast<double>(batch * (3 * M::flops - M::layer_flops[M::first_trained_layer]));
}

}  // namespace retort::benchmarks
