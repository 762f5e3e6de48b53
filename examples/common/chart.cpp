// SPDX-License-Identifier: MIT
#include "common/chart.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/page_style.hpp"
#include "common/svg.hpp"
#include "retort/core/text.hpp"

namespace examples {

namespace {

using svg::letter_width;
using svg::number;
using svg::straight;
using svg::width;
using svg::words;

// In the units of the SVG.
constexpr double height = 280.0;
constexpr double top = 30.0;  // of the lines, as bottom
constexpr double bottom = 240.0;
constexpr double line_height = 14.0;
constexpr double leader_length = 14.0;
constexpr std::size_t most_points = 200;  // of a line
constexpr std::size_t most_bars = 30;

std::optional<double> last_value(const Line& line) { return line.points.empty() ? line.level : line.points.back().y; }

std::string label_of(const Line& line, int digits) {
  const std::optional<double> last = last_value(line);
  return last ? line.name + ": " + fixed(*last, digits) : line.name;
}

/// The first, the last, and so many between them as are drawn.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most) {
  if (points.size() <= most) {
    return points;
  }
  std::vector<Point> some;
  some.reserve(most);
  for (std::size_t i = 0; i < most; ++i) {
    some.push_back(points[i * (points.size() - 1) / (most - 1)]);
  }
  return some;
}

/// Moves labels apart that would lie on each other, as little as may be, between `first` and `last`.
std::vector<double> apart(const std::vector<double>& wanted, double first, double last) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(
      order, [&](std::size_t a, std::size_t b) { return wanted[a] != wanted[b] ? wanted[a] < wanted[b] : a < b; });
  std::vector<double> placed = wanted;
  double least = first;
  for (const std::size_t i : order) {
    placed[i] = std::max(placed[i], least);
    least = placed[i] + line_height;
  }
  double most = last;
  std::ranges::reverse(order);
  for (const std::size_t i : order) {
    placed[i] = std::min(placed[i], most);
    most = placed[i] - line_height;
  }
  return placed;
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    std::size_t longest = 0;
    for (const Line& line : chart.lines) {
      longest = std::max(longest, label_of(line, chart.digits).size());
    }
    std::size_t longest_tick = 0;
    for (const Tick& tick : chart.y.scale.ticks()) {
      longest_tick = std::max(longest_tick, tick.label.size());
    }
    left_ = 8.0 + letter_width * static_cast<double>(longest_tick);
    right_ = width - std::min(leader_length + 4.0 + letter_width * static_cast<double>(longest), 0.45 * width);
  }

  std::string grid() const {
    std::string markup =
        words("tick", 0.0, 12.0, chart_.y.label) + words("tick end", right_, height - 4.0, chart_.x.label);
    for (const Tick& tick : chart_.y.scale.ticks()) {
      markup += straight("grid", left_, y(tick.value), right_, y(tick.value)) +
                words("tick end", left_ - 6.0, y(tick.value) + 4.0, tick.label);
    }
    double free = 0.0;  // where the next label may begin
    for (const Tick& tick : chart_.x.scale.ticks()) {
      const double half = 0.5 * letter_width * static_cast<double>(tick.label.size());
      if (x(tick.value) - half >= free) {
        markup += straight("grid", x(tick.value), bottom, x(tick.value), bottom + 4.0) +
                  words("tick middle", x(tick.value), bottom + 18.0, tick.label);
        free = x(tick.value) + half + letter_width;
      }
    }
    return markup + straight("grid", left_, bottom, right_, bottom);
  }

  std::string lines() const {
    std::string markup;
    for (std::size_t i = 0; i < chart_.lines.size(); ++i) {
      const Line& line = chart_.lines[i];
      markup += element("g", style(line), "\n" + error_bars(line, i) + course(line, i));
    }
    return markup;
  }

  std::string labels() const {
    std::vector<double> wanted;
    wanted.reserve(chart_.lines.size());
    for (const Line& line : chart_.lines) {
      wanted.push_back(y(last_value(line).value_or(0.0)));
    }
    const std::vector<double> placed = apart(wanted, top, bottom);
    std::string markup;
    for (std::size_t i = 0; i < chart_.lines.size(); ++i) {
      const Line& line = chart_.lines[i];
      markup +=
          element("g", style(line), straight("leader", right_ + 1.0, wanted[i], right_ + leader_length, placed[i])) +
          words("", right_ + leader_length + 3.0, placed[i] + 4.0, label_of(line, chart_.digits));
    }
    return markup;
  }

 private:
  double x(double value) const { return left_ + chart_.x.scale.place(value) * (right_ - left_); }
  double y(double value) const { return bottom - chart_.y.scale.place(value) * (bottom - top); }

  static std::string style(const Line& line) {
    return retort::concatenate({"class=\"s", line.style % series_styles, "\""});
  }

  /// Lines with error bars lie side by side, so that each bar can be seen.
  double shift(std::size_t index) const {
    const bool bars = std::ranges::any_of(chart_.lines, [](const Line& line) {
      return std::ranges::any_of(line.points, [](const Point& point) { return point.spread > 0.0; });
    });
    return bars ? 5.0 * (static_cast<double>(index) - 0.5 * static_cast<double>(chart_.lines.size() - 1)) : 0.0;
  }

  std::string error_bars(const Line& line, std::size_t index) const {
    std::string markup;
    for (const Point& point : thinned(line.points, most_bars)) {
      if (point.spread > 0.0) {
        const double at = x(point.x) + shift(index);
        markup += svg::error_bar(at, y(point.y + point.spread), at, y(point.y - point.spread));
      }
    }
    return markup;
  }

  std::string course(const Line& line, std::size_t index) const {
    const std::vector<Point> points = thinned(line.points, most_points);
    std::string path;
    std::string dots;
    for (const Point& point : points) {
      const double at_x = x(point.x) + shift(index);
      path += retort::concatenate({path.empty() ? "M" : "L", number(at_x), " ", number(y(point.y))});
      if (points.size() <= 12 || !line.joined) {
        dots += svg::dot(at_x, y(point.y), 3.0);
      }
    }
    const std::optional<double> last = last_value(line);
    const double end = points.empty() ? left_ : x(points.back().x) + shift(index);
    std::string markup =
        last && end < right_ - 0.5 ? straight("level", end, y(*last), right_, y(*last)) : std::string();
    if (!path.empty() && line.joined) {
      markup += retort::concatenate({"<path class=\"line\" d=\"", path, "\"/>\n"});
    }
    return markup + dots;
  }

  const Chart& chart_;
  double left_;
  double right_;
};

}  // namespace

std::vector<double> heights_of(const std::vector<Line>& lines) {
  std::vector<double> heights;
  for (const Line& line : lines) {
    for (const Point& point : line.points) {
      heights.push_back(point.y - point.spread);
      heights.push_back(point.y + point.spread);
    }
    if (line.points.empty() && line.level) {
      heights.push_back(*line.level);
    }
  }
  return heights;
}

std::string figure(const Chart& chart) {
  const Drawing drawing(chart);
  std::string summary = chart.title + ". Last values:";
  for (const Line& line : chart.lines) {
    summary += (&line == &chart.lines.front() ? " " : ", ") + label_of(line, chart.digits);
  }
  return svg::figure(chart.title, summary, height, drawing.grid() + drawing.lines() + drawing.labels());
}

}  // namespace examples
