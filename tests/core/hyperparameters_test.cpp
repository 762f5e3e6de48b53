// SPDX-License-Identifier: MIT
#include "retort/core/hyperparameters.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"

namespace {

using retort::Hyperparameter;
using retort::OptionError;
namespace allowed = retort::allowed;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Example {
  static constexpr std::string_view name = "Example";

  double rate = 0.5;
  double share = 0.25;
  double decay = 0.0;
  double offset = -1.0;
  std::size_t count = 3;
  bool flag = false;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"rate", &Example::rate, allowed::above_zero},
                      Hyperparameter{"share", &Example::share, allowed::zero_to_one},
                      Hyperparameter{"decay", &Example::decay, allowed::momentum},
                      Hyperparameter{"offset", &Example::offset},
                      Hyperparameter{"count", &Example::count, allowed::count_above_zero},
                      Hyperparameter{"flag", &Example::flag}};
  }
};
static_assert(retort::HasHyperparameters<Example> && retort::Configured<Example>);

/// What `settings` are refused with; empty where they are not.
template <typename Scalar = double>
std::string refused(const auto& settings) {
  try {
    retort::validate_in<Scalar>(settings);
  } catch (const OptionError& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("An option outside its range is named with its value and range", "[core]") {
  CHECK_NOTHROW(retort::require_option(true, "A", "x", 1.0, "anything"));
  CHECK_THROWS_WITH(retort::require_option(false, "StepSchedule", "every_epochs", std::size_t{0}, "a number above 0"),
                    Catch::Equals("StepSchedule: every_epochs is 0, expected a number above 0"));
}

TEST_CASE("A number that is not finite is no option, whatever its range", "[core]") {
  for (const double value : {infinity, -infinity, nan}) {
    CHECK_THROWS_AS(retort::require_option(true, "A", "x", value, "a number"), OptionError);
    CHECK_THROWS_AS(retort::require_in({}, "A", "x", value), OptionError);
  }
}

TEST_CASE("A struct with a table is checked by it", "[core]") {
  CHECK(refused(Example{}).empty());
  CHECK(refused(Example{.share = 0.0}).empty());
  CHECK(refused(Example{.share = 1.0}).empty());
  CHECK(refused(Example{.share = -0.01}) == "Example: share is -0.01, expected a number in [0, 1]");
  CHECK(refused(Example{.share = 1.01}) == "Example: share is 1.01, expected a number in [0, 1]");
  CHECK(refused(Example{.rate = 0.0}) == "Example: rate is 0, expected a finite number above 0");
  CHECK(refused(Example{.decay = 1.0}) == "Example: decay is 1, expected a number in [0, 1)");
  CHECK(refused(Example{.count = 0}) == "Example: count is 0, expected a number above 0");
  CHECK(refused(Example{.rate = nan}) == "Example: rate is nan, expected a finite number above 0");
  CHECK(refused(Example{.rate = infinity}) == "Example: rate is inf, expected a finite number above 0");
  CHECK(refused(Example{.offset = nan}) == "Example: offset is nan, expected a finite number");
  CHECK(refused(Example{.rate = -1.0, .count = 0}).find("rate") != std::string::npos);  // the first of the table
}

TEST_CASE("Each range has its bounds", "[core]") {
  const auto accepts = [](const retort::Range& range, double value) {
    try {
      retort::require_in(range, "A", "x", value);
      return true;
    } catch (const OptionError&) {
      return false;
    }
  };
  const double least = std::numeric_limits<double>::min();
  const double below_one = 1.0 - std::numeric_limits<double>::epsilon() / 2;
  const double above_one = 1.0 + std::numeric_limits<double>::epsilon();
  for (const retort::Range& range : {allowed::zero_to_below_one, allowed::momentum}) {
    CHECK((accepts(range, 0.0) && accepts(range, below_one)));
    CHECK_FALSE((accepts(range, -least) || accepts(range, 1.0)));
  }
  CHECK((accepts(allowed::zero_to_one, 0.0) && accepts(allowed::zero_to_one, 1.0)));
  CHECK_FALSE((accepts(allowed::zero_to_one, -least) || accepts(allowed::zero_to_one, above_one)));
  CHECK((accepts(allowed::above_zero_to_one, least) && accepts(allowed::above_zero_to_one, 1.0)));
  CHECK_FALSE((accepts(allowed::above_zero_to_one, 0.0) || accepts(allowed::above_zero_to_one, above_one)));
  CHECK((accepts(allowed::at_least_zero, 0.0) && accepts(allowed::at_least_zero, 1e308)));
  CHECK_FALSE((accepts(allowed::at_least_zero, -least) || accepts(allowed::at_least_zero, infinity)));
  CHECK((accepts(allowed::above_zero, least) && accepts(allowed::above_zero, 1e308)));
  CHECK_FALSE((accepts(allowed::above_zero, 0.0) || accepts(allowed::above_zero, infinity)));
}

TEST_CASE("What the type cannot compute with is refused", "[core]") {
  CHECK(refused<double>(Example{.rate = 1e-60}).empty());
  CHECK(refused<float>(Example{.rate = 1e-60}) ==
        "Example: rate is 1e-60, expected 0 or a number between 1.2e-38 and 3.4e+38, as training is in float");
  CHECK(refused<float>(Example{.rate = 1e39}).find("training is in float") != std::string::npos);
  CHECK(refused<double>(Example{.rate = 1e-310}) ==
        "Example: rate is 1e-310, expected 0 or a number of at least 2.3e-308");
  // Rounded to float these are 1 and the number below it: halfway between them the even one is 1.
  const double half = double{std::numeric_limits<float>::epsilon()} / 4;
  CHECK(refused<double>(Example{.decay = 1.0 - half}).empty());
  CHECK(refused<float>(Example{.decay = 1.0 - half})
            .find("decay is 0.9999999701976776, expected a number that is "
                  "still below 1 when it is rounded to float") != std::string::npos);
  CHECK(refused<float>(Example{.decay = 1.0 - half * 1.0000001}).empty());
  CHECK(refused<float>(Example{.offset = 1e-60}).empty());
}

TEST_CASE("A struct with a table is described by it, and as JSON", "[core]") {
  CHECK(retort::describe_settings(Example{.rate = 2e-4, .flag = true}) ==
        "Example(rate=0.0002, share=0.25, decay=0, offset=-1, count=3, flag=true)");
  CHECK(retort::json_members(Example{.rate = 2e-4, .flag = true}) ==
        R"("rate":0.0002,"share":0.25,"decay":0,"offset":-1,"count":3,"flag":true)");
  CHECK(retort::json_members(Example{.rate = infinity, .share = nan}).find(R"("rate":null,"share":null,)") == 0);
}

TEST_CASE("A visitor sees each hyperparameter of a table, and may change it", "[core]") {
  Example settings;
  std::vector<std::string> names;
  retort::for_each_hyperparameter(settings, [&](std::string_view name, auto& value, const retort::Range& range) {
    names.emplace_back(name);
    if constexpr (std::is_same_v<decltype(value), double&>) {
      value += 1;
    }
    if (name == "share") {
      CHECK(range.expected == "a number in [0, 1]");
    }
  });
  CHECK(names == std::vector<std::string>{"rate", "share", "decay", "offset", "count", "flag"});
  CHECK(settings.rate == 1.5);
  CHECK(settings.offset == 0);
  CHECK(settings.count == 3);
}

struct Joined {
  static constexpr std::string_view name = "Joined";
  double low = 0.0;
  double high = 1.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"low", &Joined::low, allowed::zero_to_one},
                      Hyperparameter{"high", &Joined::high, allowed::zero_to_one}};
  }
  void validate() const {
    retort::validate_hyperparameters(*this);
    retort::require_option(low <= high, name, "low", low, "a number of at most high");
  }
  std::string describe() const { return "from low to high"; }
};

TEST_CASE("A struct with a table may check more, and describe itself", "[core]") {
  CHECK(refused(Joined{}).empty());
  CHECK(refused(Joined{.low = 2}) == "Joined: low is 2, expected a number in [0, 1]");
  CHECK(refused(Joined{.low = 0.5, .high = 0.25}) == "Joined: low is 0.5, expected a number of at most high");
  CHECK(retort::describe_settings(Joined{}) == "from low to high");
}

struct Plain {
  bool& called;
  void validate() const { called = true; }
  std::string describe() const { return "Plain"; }
};

struct Typed {
  bool& in_float;
  template <typename Scalar = double>
  void validate() const {
    in_float = std::is_same_v<Scalar, float>;
  }
};

static_assert(retort::Configured<Plain> && !retort::Configured<Typed>);  // it does not describe itself

TEST_CASE("Without a table a struct is checked by its own functions, in the type that computes with it", "[core]") {
  bool called = false;
  retort::validate_in<float>(Plain{called});
  CHECK(called);
  CHECK(retort::describe_settings(Plain{called}) == "Plain");
  bool in_float = false;
  retort::validate_in<float>(Typed{in_float});
  CHECK(in_float);
}

}  // namespace
