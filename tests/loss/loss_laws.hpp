// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Random rows of logits and the laws that every loss must obey, for the tests of the single losses.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/loss.hpp"

namespace retort::test {

template <typename Scalar>
struct LossRow {
  std::vector<Scalar> student;
  std::vector<Scalar> teacher;
  std::uint32_t label = 0;
};

/// Whether the loss takes these two kinds of logits in these places.
template <typename L, template <typename> typename First, template <typename> typename Second>
concept CallableWith = requires(const L& loss, const double* logits, double* gradient) {
  loss.template row<3>(First<double>{logits}, Second<double>{logits}, 0u, 1.0, gradient);
};

/// Logits in [-5, 5), repeatable by `index`.
template <std::size_t Classes, typename Scalar = double>
LossRow<Scalar> random_row(std::uint32_t index) {
  RandomSequence numbers{RandomStream{Seed{7}, Stream::synthetic, index}};
  LossRow<Scalar> row{std::vector<Scalar>(Classes), std::vector<Scalar>(Classes), numbers.below(Classes)};
  for (std::size_t k = 0; k < Classes; ++k) {
    row.student[k] = numbers.uniform<Scalar>(-5, 5);
    row.teacher[k] = numbers.uniform<Scalar>(-5, 5);
  }
  return row;
}

template <typename Scalar>
struct LossResult {
  Scalar loss;
  std::vector<Scalar> gradient;
};

template <std::size_t Classes, typename L, typename Scalar>
LossResult<Scalar> evaluate(const L& loss, const LossRow<Scalar>& row, Scalar gradient_scale = 1) {
  LossResult<Scalar> result{0, std::vector<Scalar>(Classes, std::numeric_limits<Scalar>::quiet_NaN())};
  result.loss =
      loss.template row<Classes>(StudentLogits<Scalar>{row.student.data()}, TeacherLogits<Scalar>{row.teacher.data()},
                                 row.label, gradient_scale, result.gradient.data());
  return result;
}

inline double norm(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// What a loss does not see: a constant added to all of a row's logits, another one for student and teacher, as softmax
/// does not, or the same for both.
enum class Unseen { constants, common_constant };

template <std::size_t Classes, typename L>
void check_loss_laws(const L& loss, Unseen unseen = Unseen::constants) {
  const double gradient_scale = -0.37;
  for (std::uint32_t index = 0; index < 50; ++index) {
    CAPTURE(describe_settings(loss), Classes, index);
    const auto row = random_row<Classes>(index);
    const auto [value, gradient] = evaluate<Classes>(loss, row, gradient_scale);
    const double size = std::max(1.0, std::abs(value));

    const auto scaled_loss = [&](const std::vector<double>& student) {
      return gradient_scale * evaluate<Classes>(loss, LossRow<double>{student, row.teacher, row.label}).loss;
    };
    const auto difference = worst_gradient_difference(scaled_loss, row.student, gradient);
    CAPTURE(difference.index, difference.analytic, difference.numeric);
    CHECK(difference.relative_error < 1e-6);

    // The gradient along a constant that the loss does not see is zero.
    if (unseen == Unseen::constants) {
      const double sum = std::accumulate(gradient.begin(), gradient.end(), 0.0);
      CHECK_THAT(sum, WithinAbs(0.0, 1e-14 * size * Classes));
    }
    auto shifted = row;
    for (std::size_t k = 0; k < Classes; ++k) {
      shifted.student[k] += 11.5;
      shifted.teacher[k] += unseen == Unseen::constants ? -23.25 : 11.5;
    }
    const auto of_shifted = evaluate<Classes>(loss, shifted, gradient_scale);
    CHECK_THAT(of_shifted.loss, WithinAbs(value, 1e-12 * size));

    // Classes have no order: renaming them renames the gradient. Rotation by one keeps the test independent of ties.
    auto rotated = row;
    std::rotate(rotated.student.begin(), rotated.student.begin() + 1, rotated.student.end());
    std::rotate(rotated.teacher.begin(), rotated.teacher.begin() + 1, rotated.teacher.end());
    rotated.label = static_cast<std::uint32_t>((row.label + Classes - 1) % Classes);
    const auto of_rotated = evaluate<Classes>(loss, rotated, gradient_scale);
    CHECK_THAT(of_rotated.loss, WithinAbs(value, 1e-12 * size));
    for (std::size_t k = 0; k < Classes; ++k) {
      CHECK_THAT(of_shifted.gradient[k], WithinAbs(gradient[k], 1e-12));
      CHECK_THAT(of_rotated.gradient[k], WithinAbs(gradient[(k + 1) % Classes], 1e-13 * size));
    }
  }
}

/// The laws at few, odd and many classes.
template <typename L>
void check_loss_laws_at_all_sizes(const L& loss) {
  check_loss_laws<2>(loss);
  check_loss_laws<3>(loss);
  check_loss_laws<10>(loss);
  check_loss_laws<37>(loss);
}

/// Logits of +-1e4, where a naive softmax overflows float (exp(89) does), in several arrangements.
template <typename L>
void check_loss_is_finite_at_extreme_logits(const L& loss) {
  for (unsigned signs = 0; signs < 64; ++signs) {
    for (std::uint32_t label = 0; label < 3; ++label) {
      LossRow<float> row{std::vector<float>(3), std::vector<float>(3), label};
      for (std::size_t k = 0; k < 3; ++k) {
        row.student[k] = (signs >> k & 1u) != 0 ? 1e4f : -1e4f;
        row.teacher[k] = (signs >> (k + 3) & 1u) != 0 ? 1e4f : -1e4f;
      }
      CAPTURE(describe_settings(loss), signs, label);
      const auto [value, gradient] = evaluate<3>(loss, row, 1.0f);
      CHECK(std::isfinite(value));
      for (const float entry : gradient) {
        CHECK(std::isfinite(entry));
      }
    }
  }
}

/// float and double agree to float's precision.
template <typename L>
void check_loss_in_float(const L& loss) {
  for (std::uint32_t index = 0; index < 20; ++index) {
    CAPTURE(describe_settings(loss), index);
    const auto row = random_row<10, float>(index);
    const LossRow<double> wide{
        {row.student.begin(), row.student.end()}, {row.teacher.begin(), row.teacher.end()}, row.label};
    const auto narrow_result = evaluate<10>(loss, row, 1.0f);
    const auto result = evaluate<10>(loss, wide);
    CHECK_THAT(double{narrow_result.loss}, WithinAbs(result.loss, 1e-5 * std::max(1.0, std::abs(result.loss))));
    for (std::size_t k = 0; k < 10; ++k) {
      CHECK_THAT(double{narrow_result.gradient[k]}, WithinAbs(result.gradient[k], 4e-6));
    }
  }
}

/// A NaN among the student's logits must not disappear: training has diverged and somebody has to notice.
template <typename L>
void check_loss_passes_nan_on(const L& loss) {
  for (std::size_t k = 0; k < 3; ++k) {
    auto row = random_row<3>(0);
    row.student[k] = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(evaluate<3>(loss, row).loss));
  }
}

/// The losses and gradients that PyTorch computed for the rows of loss_golden.hpp.
template <std::size_t Rows, std::size_t Classes, typename L>
void check_loss_against_golden(const L& loss, const double* student, const double* teacher, const std::uint32_t* labels,
                               const double* expected_loss, const double* expected_gradient) {
  for (std::size_t i = 0; i < Rows; ++i) {
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(i * Classes);
    const std::ptrdiff_t end = begin + static_cast<std::ptrdiff_t>(Classes);
    CAPTURE(describe_settings(loss), i);
    const LossRow<double> row{{student + begin, student + end}, {teacher + begin, teacher + end}, labels[i]};
    const auto result = evaluate<Classes>(loss, row);
    CHECK_THAT(result.loss, WithinRel(expected_loss[i], 1e-13));
    for (std::size_t k = 0; k < Classes; ++k) {
      CHECK_THAT(result.gradient[k], WithinAbs(expected_gradient[i * Classes + k], 1e-14));
    }
  }
}

}  // namespace retort::test
