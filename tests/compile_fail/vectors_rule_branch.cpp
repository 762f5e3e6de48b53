// SPDX-License-Identifier: MIT
// An optimizer's rule that branches and says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose

#include "retort/optim/optimizer.hpp"

struct SignDescent {
  static constexpr bool takes_vectors = true;

  template <typename T>
  void operator()(T& parameter, const T& gradient) const {
    parameter -= gradient > T(0.0f) ? T(1e-3f) : T(-1e-3f);
  }
};

static_assert(retort::internal::check_vectors_of_rule<SignDescent, 0>());
