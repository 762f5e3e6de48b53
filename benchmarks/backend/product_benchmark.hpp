// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of Linear, and training steps of a network that is computed by single operations, with a library of
/// products.

#include <string>

#include "retort/backend/eigen/product_library.hpp"

namespace retort::benchmarks {

/// Registers "product/.../WAY" and "training_step/.../WAY", on one thread. `make_library` is called by each benchmark.
void register_products(const std::string& way, backend::ProductLibrary (*make_library)());

}  // namespace retort::benchmarks
