// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Charts of lines, as SVG within a page.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/scale.hpp"

namespace examples {

struct Point {
  double x = 0.0;
  double y = 0.0;
  double spread = 0.0;  ///< drawn as an error bar of this much up and down
};

/// Its name stands at its end, with its last value. It goes on as dots to the side of the chart where it ends earlier.
struct Line {
  std::string name;
  std::vector<Point> points;      ///< by rising x
  std::optional<double> level{};  ///< where there are no points: the height of dots from side to side
  std::size_t style = 0;          ///< of page_style.hpp
  bool joined = true;             ///< whether a line goes through the points
};

struct Side {
  std::string label;  ///< with the unit
  Scale scale;
};

struct Chart {
  std::string title;
  Side x;
  Side y;
  std::vector<Line> lines;
  int digits = 2;  ///< of last values, behind the point
};

/// All y of the lines, with their spreads: for a scale.
std::vector<double> heights_of(const std::vector<Line>& lines);

/// A figure with the chart's title as its caption. Of a line of very many points it draws as many as can be told apart.
std::string figure(const Chart& chart);

}  // namespace examples
