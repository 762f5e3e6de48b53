// SPDX-License-Identifier: MIT
// An optimizer's rule of floats that says that it takes SIMD vectors.
// expect: retort: an optimizer's rule with takes_vectors = true needs a call operator that is a template

#include "retort/optim/optimizer.hpp"

struct Descent {
  static constexpr bool takes_vectors = true;

  void operator()(float& parameter, const float& gradient) const { parameter -= gradient; }
};

static_assert(retort::internal::check_vectors_of_rule<Descent, 0>());
