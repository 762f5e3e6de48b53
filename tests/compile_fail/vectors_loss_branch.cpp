// SPDX-License-Identifier: MIT
// A loss that branches on its label and says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose

#include <cstddef>
#include <string>
#include <string_view>

#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/vector_math.hpp"

struct Brier {
  static constexpr std::string_view name = "Brier";
  static constexpr bool needs_teacher = false;
  static constexpr bool takes_vectors = true;
  void validate() const {}
  std::string describe() const { return "Brier"; }

  template <std::size_t Classes, typename S, typename Label>
  S row(retort::StudentLogits<S> student, retort::TeacherLogits<S>, Label y, S gradient_scale, S* gradient) const {
    S sum = retort::constant<S>(0);
    for (std::size_t k = 0; k < Classes; ++k) {
      const S target = y == retort::constant<Label>(k) ? retort::constant<S>(1) : retort::constant<S>(0);
      const S difference = student.values[k] - target;
      sum += difference * difference;
      gradient[k] = gradient_scale * (difference + difference);
    }
    return sum;
  }
};

using Row = retort::backend::LossRow<Brier, 10, float>;
static_assert(sizeof(Row) > 0);
