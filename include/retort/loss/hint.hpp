// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Hints: a hidden layer of the student learns to predict one of the teacher.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// weight * mean_j (r(s)_j - t_j)^2, where s is the output of the student's layer `StudentLayer`, t of the teacher's
/// `TeacherLayer`, and r is a Linear layer between their widths that is trained with the student (Romero et al.,
/// "FitNets: hints for thin deep nets", ICLR 2015, arXiv:1412.6550, whose hint loss is half the sum in place of the
/// mean). Hints and logits are learned at the same time. The paper learns hints first. For that a trainer with
/// `WithTerm{0.0 * CrossEntropy{}, Hint<1, 3>{}}` trains only the layers up to the hint, and a second trainer then the
/// whole student, by a loss whose weight falls from 4 to 1 (at_epoch; see the concept Loss).
template <std::size_t StudentLayer, std::size_t TeacherLayer>
struct Hint {
  static constexpr std::string_view name = "Hint";
  static constexpr std::size_t student_layer = StudentLayer;
  static constexpr std::size_t teacher_layer = TeacherLayer;
  template <std::size_t Student, std::size_t Teacher>
  using Regressor = Sequential<Linear<Student, Teacher>>;

  double weight = 100.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"weight", &Hint::weight, allowed::at_least_zero}};
  }

  /// One sample; see the concept FeatureTerm.
  template <std::size_t Width, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentFeatures<Scalar> student, TeacherFeatures<Scalar> teacher, Scalar gradient_scale,
                                Scalar* gradient) const {
    const Scalar factor = static_cast<Scalar>(weight) / static_cast<Scalar>(Width);
    Scalar sum = 0;
    for (std::size_t j = 0; j < Width; ++j) {
      const Scalar difference = student.values[j] - teacher.values[j];
      sum += difference * difference;
      gradient[j] = gradient_scale * 2 * factor * difference;
    }
    return factor * sum;
  }

  friend bool operator==(const Hint&, const Hint&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
