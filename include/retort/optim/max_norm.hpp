// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Any optimizer, with a bound for the length of each hidden unit's incoming weights.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The bound of MaxNorm. A backend's `limit_weights` computes the length; the rest is here.
struct WeightLimit {
  double max_norm;  ///< Euclidean

  /// The factor of a unit's incoming weights of length `norm`: 1 where that is within the bound. A norm that is
  /// infinite or NaN gives NaN, which `fit` finds in the parameters at the end of the epoch.
  RETORT_HOST_DEVICE double factor(double norm) const {
    return !is_finite(norm) ? internal::make_nan() : norm > max_norm ? max_norm / norm : 1.0;
  }
};

/// One step of MaxNorm: the held optimizer's. Whoever takes the step then limits the weights.
template <typename Rule>
struct MaxNormRule : Rule {
  WeightLimit weight_limit;
};

/// The optimizer `O`, and after each of its steps the incoming weights of each hidden unit that are longer than
/// `max_norm` are scaled back to that length: Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov, "Improving
/// neural networks by preventing co-adaptation of feature detectors", arXiv:1207.0580, section A.1, whose bound for
/// MNIST is 15 for the squared length. Weights cannot grow without end, so a large learning rate is safe to begin with.
///
///     Trainer trainer{network, CrossEntropy{}, MaxNorm{Adam{.learning_rate = 1e-3}, 3.5}};
///
/// A unit's incoming weights are a row of the weight of a Linear, or of a QuantizedLinear before it is rounded; its
/// bias is not counted. As in the paper the output units, the last such layer of the model, are not limited, and
/// neither are layers of other kinds. The average of a
/// WeightAverage is limited as the weights are.
///
/// An optimizer's rule sees one parameter at a time, a limit whole units: it takes another pass over the weights. The
/// engines of backend::Cuda decline it, and a training there runs by single operations, as its describe() says.
template <Optimizer O = Adam>
struct MaxNorm : O {
  static_assert(!internal::LimitsWeights<decltype(std::declval<const O&>().template rule<float>(1, 0.0))>,
                "retort: one MaxNorm has one bound");

  static constexpr std::string_view name = "MaxNorm";

  double max_norm = 3.872983346207417;  ///< the root of 15

  /// Those of the held optimizer too, if it has a table.
  static constexpr auto hyperparameters()
    requires HasHyperparameters<O>
  {
    return std::tuple_cat(std::tuple{Hyperparameter{"max_norm", &MaxNorm::max_norm, allowed::above_zero}},
                          O::hyperparameters());
  }

  /// Throws OptionError for a bound outside its range, and for a hyperparameter of the held optimizer.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    require_in<Scalar>(allowed::above_zero, name, "max_norm", max_norm);
    validate_in<Scalar>(static_cast<const O&>(*this));
  }

  [[gnu::cold]] std::string describe() const {
    return concatenate(
        {name, "(optimizer=", describe_settings(static_cast<const O&>(*this)), ", max_norm=", max_norm, ")"});
  }

  /// The rule of step number `step` (from 1); see the concept Optimizer.
  template <typename Scalar>
  auto rule(std::uint64_t step, double scheduled_learning_rate) const {
    const auto held = O::template rule<Scalar>(step, scheduled_learning_rate);
    return MaxNormRule<std::remove_const_t<decltype(held)>>{held, {max_norm}};
  }

  friend bool operator==(const MaxNorm&, const MaxNorm&) = default;
};
template <Optimizer O>
MaxNorm(O) -> MaxNorm<O>;
template <Optimizer O>
MaxNorm(O, double) -> MaxNorm<O>;

static_assert(Optimizer<MaxNorm<>>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
