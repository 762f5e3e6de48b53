// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss of logits: the worked example of CONTRIBUTING.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/loss.hpp"

namespace worked_examples {

/// -(1 - p)^gamma log p, with p the label's probability: less weight for what is easy. Lin et al., "Focal loss for
/// dense object detection", ICCV 2017, arXiv:1708.02002.
struct FocalLoss {
  static constexpr std::string_view name = "FocalLoss";
  static constexpr bool needs_teacher = false;

  double gamma = 2.0;

  static constexpr auto hyperparameters() {
    return std::tuple{retort::Hyperparameter{"gamma", &FocalLoss::gamma, retort::allowed::at_least_zero}};
  }

  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(retort::StudentLogits<Scalar> student, retort::TeacherLogits<Scalar>,
                                std::uint32_t label, Scalar gradient_scale, Scalar* gradient) const {
    Scalar largest = student.values[0];
    for (std::size_t k = 1; k < Classes; ++k) {
      largest = student.values[k] > largest ? student.values[k] : largest;
    }
    Scalar sum = 0;
    Scalar others = 0;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = std::exp(student.values[k] - largest);
      sum += gradient[k];
      others += k == label ? Scalar{0} : gradient[k];
    }
    const Scalar log_p = student.values[label] - largest - std::log(sum);
    const Scalar p = gradient[label] / sum;
    const Scalar q = others / sum;  // 1 - p, right where it is tiny
    const auto power = static_cast<Scalar>(gamma);
    const Scalar weight = std::pow(q, power);
    const Scalar slope = q > 0 ? power * weight / q * p * log_p - weight : Scalar{0};  // in log p
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = gradient_scale * slope * (k == label ? q : -gradient[k] / sum);
    }
    return -weight * log_p;
  }
};

}  // namespace worked_examples
