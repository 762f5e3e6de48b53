// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A term on hidden layers: the worked example of CONTRIBUTING.md.

#include <cmath>
#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

namespace worked_examples {

/// weight * (1 - cos(r(s), t)): the direction of the teacher's features is learned, their length is not.
template <std::size_t StudentLayer, std::size_t TeacherLayer>
struct CosineTerm {
  static constexpr std::string_view name = "CosineTerm";
  static constexpr std::size_t student_layer = StudentLayer;
  static constexpr std::size_t teacher_layer = TeacherLayer;
  template <std::size_t Student, std::size_t Teacher>
  using Regressor = retort::Sequential<retort::Linear<Student, Teacher, retort::Bias::no>>;

  double weight = 1.0;

  static constexpr auto hyperparameters() {
    return std::tuple{retort::Hyperparameter{"weight", &CosineTerm::weight, retort::allowed::at_least_zero}};
  }

  template <std::size_t Width, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(retort::StudentFeatures<Scalar> student, retort::TeacherFeatures<Scalar> teacher,
                                Scalar gradient_scale, Scalar* gradient) const {
    Scalar product = 0;
    Scalar student_square = static_cast<Scalar>(1e-12);  // so that no length is 0
    Scalar teacher_square = static_cast<Scalar>(1e-12);
    for (std::size_t j = 0; j < Width; ++j) {
      product += student.values[j] * teacher.values[j];
      student_square += student.values[j] * student.values[j];
      teacher_square += teacher.values[j] * teacher.values[j];
    }
    const Scalar lengths = std::sqrt(student_square * teacher_square);
    const Scalar cosine = product / lengths;
    const auto factor = static_cast<Scalar>(weight);
    for (std::size_t j = 0; j < Width; ++j) {
      gradient[j] =
          gradient_scale * factor * (cosine * student.values[j] / student_square - teacher.values[j] / lengths);
    }
    return factor * (1 - cosine);
  }
};

}  // namespace worked_examples
