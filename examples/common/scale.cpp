// SPDX-License-Identifier: MIT
#include "common/scale.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/number_text.hpp"
#include "retort/core/text.hpp"

namespace examples {

namespace {

constexpr double most_ticks = 7.0;
constexpr double much = 8.0;  // a scale whose ends have a smaller ratio may hold no 1, 2 or 5 times a power of ten

/// 1, 2 or 5 times a power of ten, at least `step`.
double round_step(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (step <= factor * power * (1.0 + 1e-9)) {
      return factor * power;
    }
  }
  return 10.0 * power;
}

/// How many digits behind the point a multiple of `step`, which is 1, 2 or 5 times a power of ten, has.
int digits_of(double step) { return std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))); }

}  // namespace

double Scale::spaced(double value) const {
  switch (spacing_) {
    case Spacing::logarithmic:
      return std::log(value);
    case Spacing::towards_hundred:
      return -std::log(std::max(100.0 - value, least_missing_));
    case Spacing::linear:
      break;
  }
  return value;
}

double Scale::place(double value) const { return (spaced(value) - first_) / (last_ - first_); }

/// Keeps values off the ends, and the ends apart.
void Scale::pad() {
  const double apart = last_ - first_;
  const double room = apart > 0.0 ? 0.05 * apart : std::max(0.5 * std::abs(first_), 1e-3);
  first_ -= room;
  last_ += room;
}

void Scale::add_tick(double value, int digits) {
  constexpr double rounding = 1e-9;
  if (const double at = place(value); at >= -rounding && at <= 1.0 + rounding) {
    ticks_.push_back({value, fixed(value, digits)});
  }
}

/// Precondition: linear.
void Scale::add_linear_ticks(double smallest_step) {
  const double step = round_step(std::max((last_ - first_) / most_ticks, smallest_step));
  const double end = std::floor(last_ / step + 1e-9);
  for (double multiple = std::ceil(first_ / step - 1e-9); multiple <= end; multiple += 1.0) {
    add_tick(multiple * step + 0.0, digits_of(step));  // + 0.0: no "-0"
  }
}

/// Precondition: not linear.
void Scale::add_logarithmic_ticks() {
  const bool missing = spacing_ == Spacing::towards_hundred;
  const double low = std::exp(missing ? -last_ : first_);
  const double high = std::exp(missing ? -first_ : last_);
  const auto first = static_cast<int>(std::floor(std::log10(low)));
  const auto last = static_cast<int>(std::ceil(std::log10(high)));
  const bool all = high / low < 1e3;
  for (int power = first; power <= last; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (all || factor == 1.0) {
        const double value = factor * std::pow(10.0, power);
        add_tick(missing ? 100.0 - value : value, std::max(0, -power));
      }
    }
  }
  if (missing) {
    std::ranges::reverse(ticks_);
  }
}

Scale Scale::counting_to(std::size_t most) {
  Scale scale(Spacing::linear, 0.0, std::max(static_cast<double>(most), 1.0));
  scale.add_linear_ticks(1.0);
  return scale;
}

Scale Scale::fitting(const std::vector<double>& values) {
  if (values.empty()) {
    return counting_to(1);
  }
  const auto [least, most] = std::ranges::minmax(values);
  const bool wide = least > 0.0 && most / least >= much;
  Scale scale(wide ? Spacing::logarithmic : Spacing::linear, 0.0, 1.0);
  scale.first_ = scale.spaced(least);
  scale.last_ = scale.spaced(most);
  scale.pad();
  if (wide) {
    scale.add_logarithmic_ticks();
  } else {
    scale.add_linear_ticks(0.0);
  }
  return scale;
}

Scale Scale::with_ticks_at(std::vector<double> values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
  Scale scale = fitting(values);
  scale.ticks_.clear();
  for (const double value : values) {
    scale.ticks_.push_back({value, retort::to_text(value)});
  }
  return scale;
}

Scale Scale::towards_hundred(const std::vector<double>& values, double least_missing) {
  if (values.empty()) {
    return counting_to(1);
  }
  const auto [least, most] = std::ranges::minmax(values);
  if ((100.0 - least) / std::max(100.0 - most, least_missing) < much) {
    return fitting(values);
  }
  Scale scale(Spacing::towards_hundred, 0.0, 1.0);
  scale.least_missing_ = least_missing;
  scale.first_ = scale.spaced(least);
  scale.last_ = scale.spaced(most);
  scale.pad();
  scale.add_logarithmic_ticks();
  return scale;
}

}  // namespace examples
