// SPDX-License-Identifier: MIT
// A layer of floats that says that it takes SIMD vectors.
// expect: retort: a layer with takes_vectors = true needs value and derivative that are templates over the type

#include <string_view>

#include "retort/backend/chain.hpp"

struct Twice {
  static constexpr std::string_view name = "Twice";
  static constexpr bool takes_vectors = true;

  static float value(float x) { return x + x; }
  static float derivative(float, float) { return 2.0f; }
};

static_assert(retort::backend::Chain<Twice>::only_dropout == false);
