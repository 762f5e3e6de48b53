// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Any optimizer, with a running average of the parameters.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One step of WeightAverage: the held optimizer's, then the average moves towards the new parameter.
template <typename Scalar, typename Rule>
struct WeightAverageRule : Rule {
  static constexpr std::size_t average_moment = 0;

  Scalar kept;  ///< the share of the average so far

  /// T: Scalar, or a SIMD vector of them if the held rule takes those.
  template <typename T, typename... Moment>
  RETORT_HOST_DEVICE void operator()(T& parameter, const T& gradient, T& average, Moment&... moments) const {
    Rule::operator()(parameter, gradient, moments...);
    average = parameter + constant<T>(kept) * (average - parameter);
  }
};

/// The optimizer `O`, and of each parameter an exponential moving average over the steps: averaged weights err less
/// than those of the last step, which still carry the noise of its batches. Polyak and Juditsky, "Acceleration of
/// stochastic approximation by averaging" (SIAM J. Control Optim. 30, 1992); with the decay of Tarvainen and Valpola,
/// "Mean teachers are better role models", arXiv:1703.01780.
///
///     Trainer trainer{network, CrossEntropy{}, WeightAverage{Adam{.learning_rate = 1e-3}, 0.999}};
///
/// With the parameters w_t after step t, the average is
///
///   (1 - decay) sum_k decay^(t - k) w_k / (1 - decay^t), over k = 1 ... t
///
/// It is divided as Adam's moments are (Kingma and Ba, arXiv:1412.6980, section 3), so that the initial weights have no
/// part in it: after the first step it is w_1, and with decay = 0 it is always w_t.
///
/// The steps are those of `O` alone. What is evaluated, kept as the best epoch of early stopping and handed out when
/// `fit` returns is the average; the loss and the accuracy of the training samples are those of the parameters under
/// way. A checkpoint holds both. The next `fit` begins at the average. A training that ends in an exception leaves the
/// parameters under way. Running statistics (BatchNorm) are not averaged: they are those that the training has seen.
template <Optimizer O = Adam>
struct WeightAverage : O {
  static_assert(!internal::AveragesWeights<O>, "retort: one WeightAverage keeps one average");

  static constexpr std::string_view name = "WeightAverage";
  /// The average comes first.
  static constexpr std::size_t average_moment = 0;
  static constexpr std::size_t moment_count = O::moment_count + 1;

  double decay = 0.999;

  /// Those of the held optimizer too, if it has a table.
  static constexpr auto hyperparameters()
    requires HasHyperparameters<O>
  {
    return std::tuple_cat(std::tuple{Hyperparameter{"decay", &WeightAverage::decay, allowed::momentum}},
                          O::hyperparameters());
  }

  /// Throws OptionError for a decay outside its range, and for a hyperparameter of the held optimizer.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    require_in<Scalar>(allowed::momentum, name, "decay", decay);
    validate_in<Scalar>(static_cast<const O&>(*this));
  }

  [[gnu::cold]] std::string describe() const {
    return concatenate({name, "(optimizer=", describe_settings(static_cast<const O&>(*this)), ", decay=", decay, ")"});
  }

  /// The rule of step number `step` (from 1); see the concept Optimizer.
  template <typename Scalar>
  auto rule(std::uint64_t step, double scheduled_learning_rate) const {
    const auto held = O::template rule<Scalar>(step, scheduled_learning_rate);
    const double kept = 1.0 - (1.0 - decay) / (1.0 - std::pow(decay, static_cast<double>(step)));
    return WeightAverageRule<Scalar, std::remove_const_t<decltype(held)>>{held, static_cast<Scalar>(kept)};
  }

  friend bool operator==(const WeightAverage&, const WeightAverage&) = default;
};
template <Optimizer O>
WeightAverage(O) -> WeightAverage<O>;
template <Optimizer O>
WeightAverage(O, double) -> WeightAverage<O>;

static_assert(Optimizer<WeightAverage<>>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
