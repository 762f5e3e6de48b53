// SPDX-License-Identifier: MIT
// A loss whose label has one type and that says that it takes SIMD vectors; and that threads may share its rows, which
// take no lanes.
// expect: retort: a loss with takes_vectors = true needs a row that is a template over the types of scalars and of the
// expect: retort: a loss with shares_rows = true needs a row that also takes, as a last argument of any type, the lanes

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/vector_math.hpp"

struct Sum {
  static constexpr std::string_view name = "Sum";
  static constexpr bool needs_teacher = false;
  static constexpr bool takes_vectors = true;
  static constexpr bool shares_rows = true;
  void validate() const {}
  std::string describe() const { return "Sum"; }

  template <std::size_t Classes, typename S>
  S row(retort::StudentLogits<S> student, retort::TeacherLogits<S>, std::uint32_t, S gradient_scale,
        S* gradient) const {
    S sum = retort::constant<S>(0);
    for (std::size_t k = 0; k < Classes; ++k) {
      sum += student.values[k];
      gradient[k] = gradient_scale;
    }
    return sum;
  }
};

using Row = retort::backend::LossRow<Sum, 10, float>;
static_assert(sizeof(Row) > 0);
