// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The scale along a side of a chart: which numbers it shows, where each lies, and where its ticks are.

#include <cstddef>
#include <string>
#include <vector>

namespace examples {

struct Tick {
  double value = 0.0;
  std::string label;
};

class Scale {
 public:
  /// From 0 to `most`, with ticks at whole numbers: for epochs.
  static Scale counting_to(std::size_t most);
  /// From the least to the largest of `values`, by their logarithms where they differ by much and are above 0.
  static Scale fitting(const std::vector<double>& values);
  /// The same with a tick at each of `values` and nowhere else.
  static Scale with_ticks_at(std::vector<double> values);
  /// For percentages of which most are near 100: by the logarithm of what they lack to 100. `least_missing`: no value
  /// above 100 minus this is told from it.
  static Scale towards_hundred(const std::vector<double>& values, double least_missing);

  /// From 0 at the scale's beginning to 1 at its end.
  double place(double value) const;
  /// Within the scale, in rising order of their places.
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  enum class Spacing { linear, logarithmic, towards_hundred };

  Scale(Spacing spacing, double first, double last) : spacing_(spacing), first_(first), last_(last) {}

  double spaced(double value) const;
  void pad();
  void add_tick(double value, int digits);
  void add_linear_ticks(double smallest_step);
  void add_logarithmic_ticks();

  Spacing spacing_;
  double first_;  // of spaced values
  double last_;
  double least_missing_ = 0.0;
  std::vector<Tick> ticks_{};
};

}  // namespace examples
