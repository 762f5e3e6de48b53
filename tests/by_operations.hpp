// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Models that no engine of the library takes as a whole, so that a backend's single operations train them.

#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::test {

/// The layers behind a pooling that changes nothing and is not the first layer. `Input` is the Shape of an image.
template <typename Input, Layer... Layers>
using ByOperations = Sequential<Dropout<0.0>, AvgPool2d<Input, 1>, Layers...>;

}  // namespace retort::test
