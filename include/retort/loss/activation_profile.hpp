// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Where in a layer a sample's activity lies: the student's units beside groups of the teacher's.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/normalized_difference.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// A sample of ActivationProfile.
template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Scalar>
struct ProfileRow {
  TermBatch<Scalar> batch;
  Scalar factor;  // weight / StudentWidth

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* student = batch.student + row * StudentWidth;
    const Scalar* teacher = batch.teacher + row * TeacherWidth;
    Scalar* gradient = batch.gradient + row * StudentWidth;  // holds the pooled teacher first
    for (std::size_t j = 0; j < StudentWidth; ++j) {
      gradient[j] = pooled(teacher, j);
    }
    batch.losses[row] += factor * normalized_difference(student, static_cast<const Scalar*>(gradient), StudentWidth,
                                                        factor * batch.gradient_scale, gradient);
  }

 private:
  /// The mean of the teacher's units from j T / S, rounded down, to (j + 1) T / S, rounded up.
  RETORT_HOST_DEVICE static Scalar pooled(const Scalar* teacher, std::size_t j) {
    const std::size_t begin = j * TeacherWidth / StudentWidth;
    const std::size_t end = ((j + 1) * TeacherWidth + StudentWidth - 1) / StudentWidth;
    Scalar sum = 0;
    for (std::size_t unit = begin; unit < end; ++unit) {
      sum += teacher[unit];
    }
    return sum / static_cast<Scalar>(end - begin);
  }
};

}  // namespace internal

/// With s what leaves the student's layer `StudentLayer` (S units) for a sample, t what leaves the teacher's
/// `TeacherLayer` (T units), and t' the means of t over S runs of neighbouring units (unit j those from floor(j T / S)
/// to ceil((j + 1) T / S), as PyTorch's adaptive_avg_pool1d):
///
///   L = weight * mean_j (s / |s| - t' / |t'|)_j^2
///   dL/ds = (E - n <E, n>) / |s|, where n = s / |s| and E = 2 weight / S (n - t' / |t'|)
///
/// Only a layer's direction is learned. No regressor is trained: `WithTerm{HintonLoss{}, ActivationProfile<1, 3>{}}`. A
/// vector of zeros stays 0, and the student's has no gradient then.
///
/// The form, and the weight, are those of attention transfer (Zagoruyko and Komodakis, ICLR 2017, arXiv:1612.03928). It
/// is not that: an attention map sums the squares of a layer's channels at each place of an image. A layer of vectors
/// has one place, whose map is one number, and normalised it is 1 for student and teacher alike: their difference is
/// identically 0. So this compares the units themselves, and has another name. The order of the teacher's units means
/// nothing by itself; the student takes it over.
template <std::size_t StudentLayer, std::size_t TeacherLayer>
struct ActivationProfile {
  static constexpr std::string_view name = "ActivationProfile";
  static constexpr std::size_t student_layer = StudentLayer;
  static constexpr std::size_t teacher_layer = TeacherLayer;

  double weight = 1000.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"weight", &ActivationProfile::weight, allowed::at_least_zero}};
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth>
  static constexpr std::size_t scratch_size(std::size_t /*size*/) {
    return 0;
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Passes, typename Scalar>
  void evaluate(const Passes& passes, const TermBatch<Scalar>& batch) const {
    static_assert(StudentWidth <= TeacherWidth,
                  "retort: ActivationProfile pools the teacher's units: expected a layer of the teacher that is as "
                  "wide as the student's, or wider");
    const Scalar factor = static_cast<Scalar>(weight) / static_cast<Scalar>(StudentWidth);
    passes.template for_each<StudentWidth + TeacherWidth>(
        batch.size, internal::ProfileRow<StudentWidth, TeacherWidth, Scalar>{batch, factor});
  }

  friend bool operator==(const ActivationProfile&, const ActivationProfile&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
