// SPDX-License-Identifier: MIT
#include "retort/optim/sgd.hpp"

#include <limits>
#include <string>

#include "catch.hpp"
#include "optim/optimizer_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"

namespace {

namespace golden = retort::golden::optimizer;
using retort::Sgd;
using retort::test::check_optimizer_against_golden;

TEST_CASE("Sgd equals PyTorch's", "[optim][golden]") {
  check_optimizer_against_golden(Sgd{.learning_rate = 0.05}, golden::sgd);
  check_optimizer_against_golden(Sgd{.learning_rate = 0.05, .weight_decay = 0.01}, golden::sgd_weight_decay);
  check_optimizer_against_golden(Sgd{.learning_rate = 0.05, .momentum = 0.9}, golden::sgd_momentum);
  check_optimizer_against_golden(Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}, golden::sgd_nesterov);
  check_optimizer_against_golden(Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01},
                                 golden::sgd_nesterov_weight_decay);
}

TEST_CASE("The velocity does not carry the learning rate", "[optim]") {
  double parameter = 1;
  double velocity = 2;
  Sgd{.momentum = 0.5}.rule<double>(1, 0.0)(parameter, 3.0, velocity);
  CHECK(parameter == 1);
  CHECK(velocity == 4);
}

TEST_CASE("Hyperparameters of Sgd are checked", "[optim]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_NOTHROW(Sgd{}.validate());
  CHECK_NOTHROW(Sgd{.learning_rate = 0.0}.validate());
  for (const double bad : {-1e-3, nan, infinity}) {
    CHECK_THROWS_AS(Sgd{.learning_rate = bad}.validate(), retort::OptionError);
    CHECK_THROWS_AS(Sgd{.weight_decay = bad}.validate(), retort::OptionError);
  }
  for (const double bad : {-0.1, 1.0, nan}) {
    CHECK_THROWS_AS(Sgd{.momentum = bad}.validate(), retort::OptionError);
  }
  try {
    Sgd{.nesterov = true}.validate();
    FAIL("accepted");
  } catch (const retort::OptionError& error) {
    CHECK(std::string{error.what()} == "Sgd: momentum is 0, expected a number above 0 with nesterov");
  }
}

TEST_CASE("Sgd describes itself", "[optim]") {
  CHECK(retort::describe_settings(Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}) ==
        "Sgd(learning_rate=0.1, momentum=0.9, nesterov=true, weight_decay=0)");
}

}  // namespace
