// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Handwritten-like digits, drawn by formula: a dataset to use when there is none. Pen strokes with several ways of
/// writing each digit, random slant, turn, size, place and hand, a smooth distortion, pen width and pressure, gaps in
/// the ink, stray marks, blur and noise.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/digit_strokes.hpp"
#include "retort/data/matrix.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

struct SyntheticDigitsOptions {
  double distortion = 1;  // of the shapes, in [0, 4]: 0 writes every variant in one shape and place
  double noise = 1;       // gaps, stray marks, blur and grain, in [0, 4]: 0 is clean ink on clean paper
  Normalization normalization{.mean = 0.5, .standard_deviation = 0.5};

  /// Throws OptionError.
  void validate() const {
    require_option(distortion >= 0 && distortion <= 4, "synthetic_digits", "distortion", distortion, "0 to 4");
    require_option(noise >= 0 && noise <= 4, "synthetic_digits", "noise", noise, "0 to 4");
  }
};

namespace detail {

inline constexpr std::size_t digit_extent = 28;  // pixels, both ways
inline constexpr std::size_t digit_pixels = digit_extent * digit_extent;

// Everything is computed in double with + - * / and sqrt alone, which IEEE 754 rounds alike everywhere; rotations come
// from the rational parametrisation of the circle. Only a compiler's fused multiply-add can differ: it moves a value by
// some 1e-16 of itself, so that about one pixel in 10^12 could round to its neighbouring grey. Each random number is
// drawn in a statement of its own or within braces, whose order is fixed.

// The uses of random numbers in one sample.
enum class DigitStream : std::uint32_t { shape = 0, grain = 1, label = 2 };

inline RandomStream digit_stream(Seed seed, std::uint32_t index, DigitStream use) {
  return {seed, Stream::synthetic, index, static_cast<std::uint32_t>(use)};
}

// Bell-shaped with mean 0 and standard deviation 1, within [-3, 3]: three uniform numbers (Irwin and Hall).
inline double bell(RandomSequence& random) {
  const double first = random.uniform<double>();
  const double second = random.uniform<double>();
  return 2 * (first + second + random.uniform<double>() - 1.5);
}

struct Point {
  double x = 0;
  double y = 0;
};

// Each run of ten samples, beginning at 0, 10, 20, ..., has every digit once.
inline std::uint32_t synthetic_digit_label(Seed seed, std::uint32_t index) {
  std::array<std::uint32_t, 10> order{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  RandomSequence random{digit_stream(seed, index / 10, DigitStream::label)};
  for (std::uint32_t remaining = 10; remaining > 1; --remaining) {
    std::swap(order[remaining - 1], order[random.below(remaining)]);
  }
  return order[index % 10];
}

// A smooth vector field over the unit square: random vectors on a grid, blended with smoothstep.
class Warp {
 public:
  Warp(RandomSequence& random, double strength) {
    for (Point& node : nodes_) {
      node = {strength * bell(random), strength * bell(random)};
    }
  }

  Point moved(Point point) const {
    const auto [column, across] = cell(point.x);
    const auto [row, down] = cell(point.y);
    const Point* corner = &nodes_[row * side + column];
    const auto blend = [&](double Point::* axis) {
      const double upper = corner[0].*axis + across * (corner[1].*axis - corner[0].*axis);
      const double lower = corner[side].*axis + across * (corner[side + 1].*axis - corner[side].*axis);
      return upper + down * (lower - upper);
    };
    return {point.x + blend(&Point::x), point.y + blend(&Point::y)};
  }

 private:
  static constexpr std::size_t side = 4;  // nodes, at 0, 1/3, 2/3 and 1

  // The cell, and the blended position within it.
  static std::pair<std::size_t, double> cell(double position) {
    const double scaled = std::clamp(position, 0.0, 1.0) * (side - 1);
    const auto index = std::min<std::size_t>(static_cast<std::size_t>(scaled), side - 2);
    const double t = scaled - static_cast<double>(index);
    return {index, t * t * (3 - 2 * t)};
  }

  std::array<Point, side * side> nodes_;
};

// Linear map and shift, from the unit square to pixels.
struct Affine {
  double xx, xy, yx, yy;
  Point shift;

  Point operator()(Point p) const { return {xx * p.x + xy * p.y + shift.x, yx * p.x + yy * p.y + shift.y}; }
};

class DigitPainter {
 public:
  DigitPainter(Seed seed, const SyntheticDigitsOptions& options) : seed_(seed), options_(options) {}

  // image: (28, 28)
  void paint(std::uint32_t index, std::uint32_t digit, std::span<std::uint8_t, digit_pixels> image) {
    RandomSequence random{digit_stream(seed_, index, DigitStream::shape)};
    ink_.fill(0);
    write(random, variant(random, digit));
    blur(random);
    develop(random, index, image);
  }

 private:
  static constexpr std::size_t steps = 6;  // straight pieces between two points of a curve

  static const DigitVariant& variant(RandomSequence& random, std::uint32_t digit) {
    std::uint32_t total = 0;
    for (const DigitVariant& way : digit_strokes::variants) {
      total += way.digit == digit ? way.weight : 0;
    }
    std::uint32_t choice = random.below(total);
    for (const DigitVariant& way : digit_strokes::variants) {
      if (way.digit == digit) {
        if (choice < way.weight) {
          return way;
        }
        choice -= way.weight;
      }
    }
    return digit_strokes::variants[0];  // never reached: the weights sum up to the total
  }

  // A hand, which is the same for the whole digit: turn, slant, size and place.
  Affine hand(RandomSequence& random) const {
    const double d = options_.distortion;
    const double half_turn = 0.075 * d * bell(random);  // tan(angle / 2)
    const double cosine = (1 - half_turn * half_turn) / (1 + half_turn * half_turn);
    const double sine = 2 * half_turn / (1 + half_turn * half_turn);
    const double slant = d * (0.20 * bell(random) - 0.10);
    const double height = 19.5 * std::max(0.5, 1 + 0.09 * d * bell(random));
    const double width = 0.92 * height * std::max(0.4, 1 + 0.16 * d * bell(random));
    // x' = turn(width * (x - 1/2) - slant * height * (y - 1/2), height * (y - 1/2)) + middle
    Affine map{cosine * width, (-cosine * slant - sine) * height, sine * width, (cosine - sine * slant) * height, {}};
    const double middle = 0.5 * static_cast<double>(digit_extent);
    map.shift = {middle + 1.3 * d * bell(random) - 0.5 * (map.xx + map.xy),
                 middle + 1.1 * d * bell(random) - 0.5 * (map.yx + map.yy)};
    return map;
  }

  void write(RandomSequence& random, const DigitVariant& way) {
    const Affine map = hand(random);
    const Warp warp(random, 0.052 * options_.distortion);
    const double jitter = 0.022 * options_.distortion;
    half_width_ = random.uniform(0.9, 1.45);
    const double bold = random.uniform<double>();  // few pens are broad
    half_width_ += 0.8 * bold * random.uniform<double>();
    pressure_ = random.uniform(0.75, 1.3);
    pressure_change_ = random.uniform(-0.25, 0.25);
    // A gap in the ink: for a stretch of the pen's way, in one digit of six.
    const bool has_gap = random.uniform<double>() < 0.16 * options_.noise;
    const double gap_begin = random.uniform<double>();
    const double gap_end = has_gap ? gap_begin + random.uniform(0.05, 0.22) : gap_begin;

    points_.clear();
    for (const PenPoint& point : way.points) {
      const Point shaken{point.x + jitter * bell(random), point.y + jitter * bell(random)};
      points_.push_back(map(warp.moved(shaken)));
    }
    const double pieces = static_cast<double>((way.points.size() - 1) * steps);
    for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
      if (way.points[i + 1].pen == Pen::set) {
        continue;
      }
      // Beyond the end of a smooth run the curve goes straight on.
      const bool runs_in = way.points[i].pen == Pen::bend;
      const bool runs_on =
          i + 2 < points_.size() && way.points[i + 1].pen == Pen::bend && way.points[i + 2].pen != Pen::set;
      const Point before = runs_in ? points_[i - 1] : beyond(points_[i + 1], points_[i]);
      const Point after = runs_on ? points_[i + 2] : beyond(points_[i], points_[i + 1]);
      Point from = points_[i];
      for (std::size_t step = 1; step <= steps; ++step) {
        const double t = static_cast<double>(step) / static_cast<double>(steps);
        const Point to = curve(before, points_[i], points_[i + 1], after, t);
        const double way_done = static_cast<double>(i * steps + step) / pieces;
        if (way_done < gap_begin || way_done >= gap_end) {
          draw(from, to, half_width_ * (1 + pressure_change_ * (way_done - 0.5)), pressure_);
        }
        from = to;
      }
    }
    if (random.uniform<double>() < 0.12 * options_.noise) {
      stray_mark(random);
    }
  }

  static Point beyond(Point from, Point end) { return {2 * end.x - from.x, 2 * end.y - from.y}; }

  // Catmull and Rom's spline through p1 (t = 0) and p2 (t = 1).
  static Point curve(Point p0, Point p1, Point p2, Point p3, double t) {
    const auto axis = [t](double a, double b, double c, double d) {
      return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    };
    return {axis(p0.x, p1.x, p2.x, p3.x), axis(p0.y, p1.y, p2.y, p3.y)};
  }

  // A short line at a random place: a slip of the pen, a neighbour's edge.
  void stray_mark(RandomSequence& random) {
    constexpr double extent = digit_extent;
    const Point from{random.uniform(0.0, extent), random.uniform(0.0, extent)};
    const Point to{from.x + random.uniform(-5.0, 5.0), from.y + random.uniform(-5.0, 5.0)};
    draw(from, to, 0.7, random.uniform(0.4, 1.0));
  }

  // Inks all pixels within the pen's width of a straight piece; edges fade over 1.2 pixels. Ink does not add up where
  // the pieces overlap.
  void draw(Point from, Point to, double half_width, double strength) {
    constexpr double fade = 1.2;
    const double reach = half_width + 0.5 * fade;
    const Range columns = pixels(std::min(from.x, to.x) - reach, std::max(from.x, to.x) + reach);
    const Range rows = pixels(std::min(from.y, to.y) - reach, std::max(from.y, to.y) + reach);
    const Point along{to.x - from.x, to.y - from.y};
    const double squared_length = along.x * along.x + along.y * along.y;
    const double inverse = squared_length > 1e-12 ? 1 / squared_length : 0;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const double y = static_cast<double>(row) + 0.5 - from.y;
      for (std::size_t column = columns.begin; column < columns.end; ++column) {
        const double x = static_cast<double>(column) + 0.5 - from.x;
        const double t = std::clamp((x * along.x + y * along.y) * inverse, 0.0, 1.0);
        const double dx = x - t * along.x;
        const double dy = y - t * along.y;
        const double cover = std::min((reach - std::sqrt(dx * dx + dy * dy)) / fade, 1.0) * strength;
        double& ink = ink_[row * digit_extent + column];
        ink = std::max(ink, cover);
      }
    }
  }

  struct Range {
    std::size_t begin;
    std::size_t end;
  };

  static Range pixels(double low, double high) {
    constexpr double extent = digit_extent;
    const auto begin = static_cast<std::size_t>(std::clamp(low, 0.0, extent));
    return {begin, static_cast<std::size_t>(std::clamp(high + 1, 0.0, extent))};
  }

  // Blends each pixel with its four neighbours.
  void blur(RandomSequence& random) {
    const double share = std::min(0.5, 0.16 * options_.noise * random.uniform<double>());
    const std::array<double, digit_pixels> sharp = ink_;
    for (std::size_t row = 0; row < digit_extent; ++row) {
      for (std::size_t column = 0; column < digit_extent; ++column) {
        const std::size_t i = row * digit_extent + column;
        const double above = row > 0 ? sharp[i - digit_extent] : 0;
        const double below = row + 1 < digit_extent ? sharp[i + digit_extent] : 0;
        const double left = column > 0 ? sharp[i - 1] : 0;
        const double right = column + 1 < digit_extent ? sharp[i + 1] : 0;
        ink_[i] = (1 - share) * sharp[i] + 0.25 * share * (above + below + (left + right));
      }
    }
  }

  // Adds grain, and turns ink into bytes.
  void develop(RandomSequence& random, std::uint32_t index, std::span<std::uint8_t, digit_pixels> image) const {
    constexpr std::size_t batch = 28;  // blocks of four words: 7 batches an image
    const RandomStream grain = digit_stream(seed_, index, DigitStream::grain);
    const double uniform = random.uniform<double>();
    const double paper = 0.16 * options_.noise * uniform * uniform;  // most images have little
    const double texture = 0.22 * options_.noise * random.uniform<double>();
    std::array<std::uint32_t, 4 * batch> words{};
    for (std::size_t first = 0; first < digit_pixels; first += words.size()) {
      grain.fill_blocks<batch>(first / 4, words);
      for (std::size_t i = 0; i < words.size(); ++i) {
        const double noise = internal::uniform01<double>(words[i]) - 0.5;
        const double ink = std::min(ink_[first + i], 1.0);
        const double grey = ink * (1 + texture * noise) + paper * noise;
        image[first + i] = static_cast<std::uint8_t>(std::clamp(grey, 0.0, 1.0) * 255 + 0.5);
      }
    }
  }

  Seed seed_;
  SyntheticDigitsOptions options_;
  double half_width_ = 1;
  double pressure_ = 1;
  double pressure_change_ = 0;
  std::vector<Point> points_;
  std::array<double, digit_pixels> ink_{};  // (28, 28)
};

}  // namespace detail

/// `count` images of handwritten-like digits, 28 x 28 bytes, light ink on dark paper as in MNIST, with 10 classes. A
/// sample is a pure function of the seed, its index and the options: a longer dataset begins with the shorter one, and
/// its labels are balanced (each run of ten from a multiple of ten has every digit once). A network with hidden layers
/// 20 and 20 does not learn them without error. Throws OptionError for `count` 0 or 2^32 and more, and for options
/// outside their range.
inline Dataset synthetic_digits(std::size_t count, Seed seed, const SyntheticDigitsOptions& options = {}) {
  options.validate();
  require_option(count > 0 && count <= std::numeric_limits<std::uint32_t>::max(), "synthetic_digits", "count", count,
                 "1 to 2^32 - 1");
  Matrix<std::uint8_t> images(count, detail::digit_pixels);
  Labels labels(count);
  detail::DigitPainter painter(seed, options);
  for (std::size_t sample = 0; sample < count; ++sample) {
    const auto index = static_cast<std::uint32_t>(sample);
    labels[sample] = detail::synthetic_digit_label(seed, index);
    painter.paint(index, labels[sample], images.row(sample).first<detail::digit_pixels>());
  }
  return {
      std::move(images), std::move(labels), 10, {detail::digit_extent, detail::digit_extent}, options.normalization};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
