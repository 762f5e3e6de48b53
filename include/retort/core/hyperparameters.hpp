// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Hyperparameters, each stated once: a struct has a table of their names, fields and ranges, a std::tuple (see
/// HintonLoss). The table checks them, describes them, writes them as JSON, and can give a command line its options.

#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Throws OptionError "OWNER: OPTION is VALUE, expected RANGE" unless `accepted`, and always for a `value` that is
/// infinite or not a number.
template <typename Value>
[[gnu::cold]] void require_option(bool accepted, std::string_view owner, std::string_view option, const Value& value,
                                  std::string_view range) {
  if constexpr (std::floating_point<Value>) {
    accepted = accepted && is_finite(value);
  }
  if (!accepted) {
    throw OptionError(concatenate({owner, ": ", option, " is ", value, ", expected ", range}));
  }
}

/// The limits of a floating-point type.
struct ScalarLimits {
  double smallest;  ///< normal number above 0
  double largest;
  double epsilon;
};

/// The numbers that a type can compute with: in words for float and for double, and as a test.
struct ScalarRange {
  std::string_view in_float{};
  std::string_view in_double{};
  bool (*holds)(const double& x, const ScalarLimits& of) = [](const double&, const ScalarLimits&) { return true; };
};

/// The values that a hyperparameter may have: in words, and as a test. Infinities and NaN are never among them.
struct Range {
  std::string_view expected = "a finite number";
  bool (*holds)(const double& x) = [](const double&) { return true; };
  ScalarRange scalar{};
};

/// The ranges of the library's own hyperparameters.
namespace allowed {

inline constexpr ScalarRange zero_or_normal{
    "0 or a number between 1.2e-38 and 3.4e+38, as training is in float", "0 or a number of at least 2.3e-308",
    [](const double& x, const ScalarLimits& of) { return x == 0.0 || (x >= of.smallest && x <= of.largest); }};
inline constexpr ScalarRange rounded_below_one{
    "a number that is still below 1 when it is rounded to float", "a number below 1",
    [](const double& x, const ScalarLimits& of) { return x < 1.0 - of.epsilon / 4; }};

inline constexpr auto is_positive = [](const double& x) { return x > 0.0; };
inline constexpr auto is_at_least_zero = [](const double& x) { return x >= 0.0; };
inline constexpr auto is_below_one = [](const double& x) { return x >= 0.0 && x < 1.0; };

inline constexpr Range count_above_zero{"a number above 0", is_positive};
inline constexpr Range above_zero{"a finite number above 0", is_positive, zero_or_normal};
inline constexpr Range at_least_zero{"a finite number of at least 0", is_at_least_zero, zero_or_normal};
inline constexpr Range zero_to_one{"a number in [0, 1]", [](const double& x) { return x >= 0.0 && x <= 1.0; }};
inline constexpr Range above_zero_to_one{"a number in (0, 1]", [](const double& x) { return x > 0.0 && x <= 1.0; }};
inline constexpr Range zero_to_below_one{"a number in [0, 1)", is_below_one};
inline constexpr Range momentum{"a number in [0, 1)", is_below_one, rounded_below_one};

}  // namespace allowed

/// Throws OptionError for a value outside of its range, or that Scalar cannot compute with.
template <typename Scalar = double, typename Value>
[[gnu::cold]] void require_in(const Range& range, std::string_view owner, std::string_view option, const Value& value) {
  using Limits = std::numeric_limits<Scalar>;
  constexpr ScalarLimits of{double{Limits::min()}, double{Limits::max()}, double{Limits::epsilon()}};
  const auto x = static_cast<double>(value);
  require_option(range.holds(x), owner, option, value, range.expected);
  require_option(range.scalar.holds(x, of), owner, option, value,
                 std::is_same_v<Scalar, float> ? range.scalar.in_float : range.scalar.in_double);
}

/// A line of a table: a field, which is a number or a bool, with its name and range.
template <typename Owner, typename Value>
struct Hyperparameter {
  using Field = Value Owner::*;

  std::string_view name;
  Field field;
  Range range{};
};
template <typename Owner, typename Value>
Hyperparameter(std::string_view, Value Owner::*, Range = {}) -> Hyperparameter<Owner, Value>;

/// A struct with a name and a table of its hyperparameters.
template <typename Settings>
concept HasHyperparameters = requires { Settings::hyperparameters(); };

/// A struct that can be checked and described: by its table, or by functions of its own. `validate()` throws
/// OptionError for a hyperparameter outside its range. If it is a template, `validate<Scalar>()` is called, which also
/// refuses values that a training in Scalar cannot compute with. `describe()` is the name and the hyperparameters,
/// equal for equal settings and only then. If there is also a table, validate() calls `validate_hyperparameters` and
/// adds rules that join several hyperparameters.
template <typename Settings>
concept Configured = HasHyperparameters<Settings> || requires(const Settings& settings) {
  settings.validate();
  { settings.describe() } -> std::same_as<std::string>;
};

/// Calls visit(name, value, range) for each hyperparameter, in the table's order. The value is a reference to the
/// field.
template <typename Settings, typename Visit>
void for_each_hyperparameter(Settings& settings, const Visit& visit) {
  std::apply([&](const auto&... each) { (visit(each.name, settings.*each.field, each.range), ...); },
             Settings::hyperparameters());
}

/// Throws OptionError for the first hyperparameter outside its range in the table.
template <typename Scalar = double, HasHyperparameters Settings>
void validate_hyperparameters(const Settings& settings) {
  for_each_hyperparameter(settings, [](std::string_view name, const auto& value, const Range& range) {
    require_in<Scalar>(range, Settings::name, name, value);
  });
}

/// Throws OptionError for settings that a training in Scalar cannot have, by their own validate() or by the table.
template <typename Scalar, typename Settings>
void validate_in(const Settings& settings) {
  if constexpr (requires { settings.template validate<Scalar>(); }) {
    settings.template validate<Scalar>();
  } else if constexpr (requires { settings.validate(); }) {
    settings.validate();
  } else {
    validate_hyperparameters<Scalar>(settings);
  }
}

/// "HintonLoss(temperature=4, hard_weight=0.1)", by their own describe() or by the table.
template <Configured Settings>
std::string describe_settings(const Settings& settings) {
  if constexpr (requires { settings.describe(); }) {
    return settings.describe();
  } else {
    std::string text;
    for_each_hyperparameter(settings, [&](std::string_view name, const auto& value, const Range&) {
      text += concatenate({text.empty() ? "" : ", ", name, "=", value});
    });
    return concatenate({Settings::name, "(", text, ")"});
  }
}

/// "temperature":4,"hard_weight":0.1: the members of a JSON object. Numbers that are not finite are null.
template <HasHyperparameters Settings>
std::string json_members(const Settings& settings) {
  std::string text;
  for_each_hyperparameter(settings, [&]<typename Value>(std::string_view name, const Value& value, const Range&) {
    text += concatenate({text.empty() ? "" : ",", "\"", name,
                         "\":", std::is_same_v<Value, bool> ? to_text(value) : json_number(value)});
  });
  return text;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
