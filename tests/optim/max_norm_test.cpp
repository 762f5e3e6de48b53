// SPDX-License-Identifier: MIT
#include "retort/optim/max_norm.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "catch.hpp"
#include "optim/optimizer_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/sgd.hpp"

namespace {

using retort::MaxNorm;
using retort::Sgd;
using retort::WeightLimit;

TEST_CASE("Weights longer than the limit get the limit's length, shorter ones are left alone", "[optim]") {
  const WeightLimit limit{2.5};
  for (const double norm : {0.0, 1e-300, 0.1, 2.5}) {
    CHECK(limit.factor(norm) == 1.0);
  }
  for (const double norm : {2.6, 10.0, 1e6, 1e300}) {
    CHECK_THAT(norm * limit.factor(norm), WithinRel(2.5, 1e-15));
  }
  CHECK(std::isnan(limit.factor(std::numeric_limits<double>::infinity())));
  CHECK(std::isnan(limit.factor(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("MaxNorm takes the steps of the optimizer that it holds", "[optim]") {
  const Sgd held{.learning_rate = 0.05, .momentum = 0.9};
  CHECK(retort::test::run_vectors<float>(MaxNorm{held, 0.1}) == retort::test::run_vectors<float>(held));
  CHECK(MaxNorm{held, 0.1}.rule<float>(1, 0.05).weight_limit.max_norm == 0.1);
}

TEST_CASE("The bound of MaxNorm is checked, and the optimizer that it holds", "[optim]") {
  const auto complaint = [](const auto& optimizer) -> std::string {
    try {
      retort::validate_in<float>(optimizer);
    } catch (const retort::OptionError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(complaint(MaxNorm<>{}) == "accepted");
  CHECK_THAT(MaxNorm<>{}.max_norm * MaxNorm<>{}.max_norm, WithinRel(15.0, 1e-15));
  CHECK(complaint(MaxNorm{Sgd{}, 0.0}) == "MaxNorm: max_norm is 0, expected a finite number above 0");
  CHECK(complaint(MaxNorm{Sgd{}, -1.0}) == "MaxNorm: max_norm is -1, expected a finite number above 0");
  CHECK(complaint(MaxNorm{Sgd{}, std::numeric_limits<double>::infinity()}) ==
        "MaxNorm: max_norm is inf, expected a finite number above 0");
  CHECK(complaint(MaxNorm{Sgd{}, 1e-50}) ==
        "MaxNorm: max_norm is 1e-50, expected 0 or a number between 1.2e-38 and 3.4e+38, as training is in float");
  CHECK(complaint(MaxNorm{Sgd{.learning_rate = -1.0}}) ==
        "Sgd: learning_rate is -1, expected a finite number of at least 0");
  CHECK(retort::describe_settings(MaxNorm{Sgd{}, 2.5}) ==
        "MaxNorm(optimizer=Sgd(learning_rate=0.01, momentum=0, nesterov=false, weight_decay=0), max_norm=2.5)");
}

}  // namespace
