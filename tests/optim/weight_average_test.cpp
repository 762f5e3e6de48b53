// SPDX-License-Identifier: MIT
#include "retort/optim/weight_average.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "optim/optimizer_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"

namespace {

using retort::Adam;
using retort::MaxNorm;
using retort::Sgd;
using retort::WeightAverage;
using retort::test::run_scalars;
using retort::test::run_vectors;

TEMPLATE_TEST_CASE("A WeightAverage takes the steps of the optimizer that it holds", "[optim]", float, double) {
  const Sgd held{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01};
  for (const double decay : {0.0, 0.9}) {
    CHECK(run_scalars<TestType>(WeightAverage{held, decay}) == run_scalars<TestType>(held));
    CHECK(run_vectors<TestType>(WeightAverage{held, decay}) == run_vectors<TestType>(held));
  }
}

/// The parameter and its average after each of `steps` steps of Adam, for a gradient that goes up and down.
template <typename Scalar, typename T = Scalar>
std::vector<std::array<Scalar, 2>> follow(const WeightAverage<Adam>& optimizer, std::uint64_t steps) {
  T parameter(Scalar(0.5));
  T average(Scalar(0.5));
  T mean(Scalar(0));
  T square(Scalar(0));
  std::vector<std::array<Scalar, 2>> history;
  for (std::uint64_t step = 1; step <= steps; ++step) {
    const T gradient(static_cast<Scalar>(std::sin(static_cast<double>(step)) + 0.2));
    optimizer.template rule<Scalar>(step, optimizer.learning_rate)(parameter, gradient, average, mean, square);
    history.push_back({parameter, average});
  }
  return history;
}

TEMPLATE_TEST_CASE("The average is the sum of its definition, computed in double", "[optim]", float, double) {
  for (const double decay : {0.0, 0.5, 0.9, 0.999, 0.99999}) {
    CAPTURE(decay);
    const auto history = follow<TestType>(WeightAverage{Adam{.learning_rate = 0.01}, decay}, 400);
    CHECK(history.front()[1] == history.front()[0]);
    for (const std::size_t last : {std::size_t{2}, std::size_t{37}, history.size()}) {
      double sum = 0.0;
      double weight = 1.0;
      double weights = 0.0;
      for (std::size_t k = last; k-- > 0; weight *= decay) {
        sum += weight * static_cast<double>(history[k][0]);
        weights += weight;
      }
      const bool is_float = sizeof(TestType) == 4;
      CHECK_THAT(static_cast<double>(history[last - 1][1]), WithinRel(sum / weights, is_float ? 2e-5 : 1e-12));
    }
  }
}

TEST_CASE("With decay 0 the average is the parameter, bit for bit", "[optim]") {
  for (const auto& [parameter, average] : follow<float>(WeightAverage{Adam{.learning_rate = 0.01}, 0.0}, 100)) {
    CHECK(parameter == average);
  }
}

TEST_CASE("An average of parameters that stand still is these, however long the memory", "[optim]") {
  const WeightAverage<Sgd> optimizer{{.learning_rate = 0.0}, 0.99999};
  float parameter = 0.7f;
  float average = 0.2f;
  float velocity = 0;
  for (std::uint64_t step = 1; step < 1000; ++step) {
    optimizer.rule<float>(step, 0.0)(parameter, 1.0f, average, velocity);
    CHECK(average == 0.7f);
  }
}

TEST_CASE("Hyperparameters of a WeightAverage are checked, and those of its optimizer", "[optim]") {
  const auto complaint = [](const auto& optimizer) -> std::string {
    try {
      retort::validate_in<float>(optimizer);
    } catch (const retort::OptionError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(complaint(WeightAverage{Adam{}}) == "accepted");
  CHECK(complaint(WeightAverage{Adam{}, 0.0}) == "accepted");
  CHECK(complaint(WeightAverage{Adam{}, 1.0}) == "WeightAverage: decay is 1, expected a number in [0, 1)");
  CHECK(complaint(WeightAverage{Adam{}, -0.5}) == "WeightAverage: decay is -0.5, expected a number in [0, 1)");
  CHECK(complaint(WeightAverage{Adam{}, std::numeric_limits<double>::quiet_NaN()}) ==
        "WeightAverage: decay is nan, expected a number in [0, 1)");
  CHECK(complaint(WeightAverage{Adam{}, 1 - 1e-12}) ==
        "WeightAverage: decay is 0.999999999999, expected a number that is still below 1 when it is rounded to float");
  CHECK(complaint(WeightAverage{Adam{.beta1 = 1.0}}) == "Adam: beta1 is 1, expected a number in [0, 1)");
  CHECK(complaint(WeightAverage{Sgd{.nesterov = true}}) ==
        "Sgd: momentum is 0, expected a number above 0 with nesterov");
}

TEST_CASE("A WeightAverage describes itself and what it holds", "[optim]") {
  const WeightAverage average{MaxNorm{Sgd{.learning_rate = 0.5}, 2.5}, 0.99};
  CHECK(retort::describe_settings(average) ==
        "WeightAverage(optimizer=MaxNorm(optimizer=Sgd(learning_rate=0.5, momentum=0, nesterov=false, weight_decay=0), "
        "max_norm=2.5), decay=0.99)");
  CHECK(retort::json_members(average) ==
        R"("decay":0.99,"max_norm":2.5,"learning_rate":0.5,"momentum":0,"nesterov":false,"weight_decay":0)");
  CHECK(average.learning_rate == 0.5);
  CHECK(average == WeightAverage{MaxNorm{Sgd{.learning_rate = 0.5}, 2.5}, 0.99});
  CHECK_FALSE(average == WeightAverage{MaxNorm{Sgd{.learning_rate = 0.5}, 2.0}, 0.99});
}

}  // namespace
