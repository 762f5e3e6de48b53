// SPDX-License-Identifier: MIT
#include "retort/optim/adamw.hpp"

#include <limits>

#include "catch.hpp"
#include "optim/optimizer_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/adam.hpp"

namespace {

namespace golden = retort::golden::optimizer;
using retort::Adam;
using retort::AdamW;

TEST_CASE("AdamW equals PyTorch's", "[optim][golden]") {
  retort::test::check_optimizer_against_golden(AdamW{.learning_rate = 0.05, .weight_decay = 0.1}, golden::adamw);
}

TEST_CASE("Without decay AdamW is Adam, bit for bit", "[optim]") {
  CHECK(retort::test::run_scalars<float>(AdamW{.learning_rate = 0.05, .beta1 = 0.5, .weight_decay = 0}) ==
        retort::test::run_scalars<float>(Adam{.learning_rate = 0.05, .beta1 = 0.5}));
}

TEST_CASE("AdamW's decay reaches a parameter without gradient, in proportion to the scheduled rate", "[optim]") {
  double parameter = 2;
  double mean = 0;
  double square = 0;
  AdamW{.learning_rate = 1.0, .weight_decay = 0.5}.rule<double>(1, 0.1)(parameter, 0.0, mean, square);
  CHECK_THAT(parameter, WithinRel(2 * 0.95, 1e-15));
  CHECK(mean == 0);
  CHECK(square == 0);
}

TEST_CASE("Hyperparameters of AdamW are checked", "[optim]") {
  CHECK_NOTHROW(AdamW{}.validate());
  CHECK_THROWS_AS(AdamW{.learning_rate = -1}.validate(), retort::OptionError);
  CHECK_THROWS_AS(AdamW{.beta1 = 1}.validate(), retort::OptionError);
  CHECK_THROWS_AS(AdamW{.beta2 = 1}.validate(), retort::OptionError);
  CHECK_THROWS_AS(AdamW{.epsilon = 0}.validate(), retort::OptionError);
  CHECK_THROWS_AS(AdamW{.weight_decay = std::numeric_limits<double>::quiet_NaN()}.validate(), retort::OptionError);
}

TEST_CASE("AdamW describes itself", "[optim]") {
  CHECK(retort::describe_settings(AdamW{}) ==
        "AdamW(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)");
}

}  // namespace
