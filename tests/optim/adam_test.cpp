// SPDX-License-Identifier: MIT
#include "retort/optim/adam.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "optim/optimizer_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"

namespace {

namespace golden = retort::golden::optimizer;
using retort::Adam;
using retort::test::check_optimizer_against_golden;

TEST_CASE("Adam equals PyTorch's", "[optim][golden]") {
  check_optimizer_against_golden(Adam{.learning_rate = 2e-4, .beta1 = 0.5}, golden::adam);
  check_optimizer_against_golden(Adam{.learning_rate = 0.05, .beta2 = 0.99, .epsilon = 0.1},
                                 golden::adam_large_epsilon);
  check_optimizer_against_golden(Adam{.learning_rate = 0.05, .weight_decay = 0.1}, golden::adam_weight_decay);
}

TEST_CASE("Adam's first step has the length of the learning rate, whatever the gradient's", "[optim]") {
  for (const double gradient : {-1e6, -1.0, -1e-3, 1e-3, 1.0, 1e6}) {
    double parameter = 0;
    double mean = 0;
    double square = 0;
    Adam{}.rule<double>(1, 0.01)(parameter, gradient, mean, square);
    CHECK_THAT(parameter, WithinRel(gradient > 0 ? -0.01 : 0.01, 1e-4));
  }
}

TEST_CASE("A parameter without gradient stays where it is", "[optim]") {
  float parameter = 0.7f;
  float mean = 0;
  float square = 0;
  for (std::uint64_t step = 1; step < 10; ++step) {
    Adam{}.rule<float>(step, 0.01)(parameter, 0.0f, mean, square);
  }
  CHECK(parameter == 0.7f);
}

TEST_CASE("Adam's corrections fade after many steps", "[optim]") {
  const auto rule = Adam{}.rule<double>(std::uint64_t{1} << 60, 0.01);
  CHECK(rule.step_size == 0.01);
  CHECK(rule.root_scale == 1.0);
}

TEST_CASE("Hyperparameters of Adam are checked", "[optim]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_NOTHROW(Adam{}.validate());
  CHECK_NOTHROW((Adam{.learning_rate = 0.0, .beta1 = 0.0, .beta2 = 0.0}.validate()));
  for (const double bad : {-1e-3, nan, infinity}) {
    CHECK_THROWS_AS(Adam{.learning_rate = bad}.validate(), retort::OptionError);
    CHECK_THROWS_AS(Adam{.epsilon = bad}.validate(), retort::OptionError);
    CHECK_THROWS_AS(Adam{.weight_decay = bad}.validate(), retort::OptionError);
  }
  CHECK_THROWS_AS(Adam{.epsilon = 0.0}.validate(), retort::OptionError);
  for (const double bad : {-0.1, 1.0, nan}) {
    CHECK_THROWS_AS(Adam{.beta1 = bad}.validate(), retort::OptionError);
    CHECK_THROWS_AS(Adam{.beta2 = bad}.validate(), retort::OptionError);
  }
}

TEST_CASE("Adam describes itself", "[optim]") {
  CHECK(retort::describe_settings(Adam{.learning_rate = 2e-4, .beta1 = 0.5}) ==
        "Adam(learning_rate=0.0002, beta1=0.5, beta2=0.999, epsilon=1e-08, weight_decay=0)");
}

}  // namespace
