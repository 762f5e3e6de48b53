// SPDX-License-Identifier: MIT
// A loss that says that threads may share its rows, and whose row takes no lanes.
// expect: retort: a loss with shares_rows = true needs a row that also takes, as a last argument of any type, the lanes

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/backend/generic/loss_row.hpp"

struct Sum {
  static constexpr std::string_view name = "Sum";
  static constexpr bool needs_teacher = false;
  static constexpr bool shares_rows = true;
  void validate() const {}
  std::string describe() const { return "Sum"; }

  template <std::size_t Classes, typename S>
  S row(retort::StudentLogits<S> student, retort::TeacherLogits<S>, std::uint32_t, S gradient_scale,
        S* gradient) const {
    S sum = 0;
    for (std::size_t k = 0; k < Classes; ++k) {
      sum += student.values[k];
      gradient[k] = gradient_scale;
    }
    return sum;
  }
};

using Row = retort::backend::LossRow<Sum, 10, float>;
static_assert(sizeof(Row) > 0);
