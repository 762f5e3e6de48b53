#pragma once
/// @file
/// Losses on the Eigen backend: row after row, on the calling thread (ten classes are too few to share out).

#include <algorithm>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/loss/loss.hpp"

namespace retort::backend {

/// The batch's summed loss and correct answers; the gradient of the mean. Sums are in double, in the samples' order.
template <typename Scalar, Loss L, std::size_t Classes>
LossSum evaluate_loss(const Eigen&, const L& loss, Width<Classes>, const LossArguments<Scalar>& arguments) {
  LossSum sum;
  const Scalar gradient_scale = Scalar{1} / static_cast<Scalar>(arguments.batch);
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const Scalar* student = arguments.student + sample * Classes;
    const Scalar* teacher = arguments.teacher == nullptr ? nullptr : arguments.teacher + sample * Classes;
    sum.loss += static_cast<double>(loss.template row<Classes>(StudentLogits<Scalar>{student},
                                                               TeacherLogits<Scalar>{teacher}, arguments.labels[sample],
                                                               gradient_scale, arguments.gradient + sample * Classes));
    const auto answer = static_cast<std::size_t>(std::max_element(student, student + Classes) - student);
    sum.correct += answer == arguments.labels[sample] ? 1 : 0;
  }
  return sum;
}

}  // namespace retort::backend
