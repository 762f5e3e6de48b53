// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A whole image between its pixels, on a host: what distorted_feature() computes one by one, to the same bits.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/elastic_field.hpp"
#include "retort/data/pixel_map.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// Interpolates images of bytes by one map, and by one field if it is `elastic`. Zeros lie around each channel, so that
/// no pixel needs a test, and beside each pixel the one above it, so that one load reads a square of four. Three passes
/// follow each other row by row: places are found, squares are read, values computed. So no pass waits for what it
/// reads. The second reads one by one; the others, whose loops over blocks of a fixed size become SIMD, keep other
/// parts of the processor busy meanwhile.
template <bool elastic>
class Interpolation {
 public:
  /// Whether there is room for the image, and 32 bits for the places that the map and the field lead to.
  static bool takes(ImageShape image, const PixelMap& map, const ElasticField& field) {
    if (image.rows > side || image.columns > side) {
      return false;
    }
    const auto fits = [&](std::int64_t row) {
      const PixelLine line = map.line(image, row);
      const auto stays = [&](std::int64_t begin, std::int64_t step) {
        const std::int64_t end = begin + static_cast<std::int64_t>(image.columns) * step;
        return std::min(begin, end) >= INT32_MIN + field.most() && std::max(begin, end) <= INT32_MAX - field.most();
      };
      return stays(line.row, line.row_step) && stays(line.column, line.column_step);
    };
    return fits(0) && fits(static_cast<std::int64_t>(image.rows) - 1);
  }

  /// Preconditions: takes(image, map, field), and `elastic` is whether the field is set.
  Interpolation(ImageShape image, const PixelMap& map, const ElasticField& field)
      : image_(image), map_(map), field_(field) {
    std::fill_n(pairs_.begin() + static_cast<std::ptrdiff_t>((image.rows + 1) * pitch), pitch, std::uint16_t{0});
    if constexpr (elastic) {
      displace_nodes();
    }
  }

  /// output (rows, columns): a channel `raw` (rows, columns), each value times 65536 passed through `finish`.
  template <typename Scalar, typename Finish>
  void operator()(const std::uint8_t* raw, const Finish& finish, Scalar* output) {
    read_pixels(raw);
    Line line(map_.line(image_, 0), image_);
    const Line second(map_.line(image_, 1), image_);
    const std::uint32_t row_down = second.row - line.row;
    const std::uint32_t column_down = second.column - line.column;
    const std::size_t rows = image_.rows;
    const std::size_t columns = image_.columns;
    for (std::size_t row = 0; row < rows + 2; ++row) {
      if (row < rows) {
        find_places(row, line);
        line.row += row_down;
        line.column += column_down;
      }
      if (row >= 1 && row <= rows) {
        read_squares(row - 1);
      }
      if (row >= 2) {
        compute_values(row - 2, finish, output);
        output += columns;
      }
    }
  }

 private:
  static constexpr std::size_t block = 16;
  static constexpr std::uint32_t one = 1u << 21;  // a pixel's width
  static constexpr std::uint32_t pitch = 64;      // of the padded channel
  static constexpr std::size_t side = pitch - 3;  // zeros: one before each line, two after it
  static constexpr std::size_t kept = 4;          // rows, in places that are used again
  static constexpr std::size_t most_nodes = 40;   // 0.58 a pixel and 4

  // Counts from the zeros before the image on, modulo 2^32.
  struct Line {
    Line(const PixelLine& line, ImageShape image)
        : row(static_cast<std::uint32_t>(line.row) + one),
          column(static_cast<std::uint32_t>(line.column) + one),
          row_step(static_cast<std::uint32_t>(line.row_step)),
          column_step(static_cast<std::uint32_t>(line.column_step)),
          last_row(static_cast<std::uint32_t>(image.rows + 1) * one),
          last_column(static_cast<std::uint32_t>(image.columns + 1) * one) {}
    std::uint32_t row;
    std::uint32_t column;
    std::uint32_t row_step;
    std::uint32_t column_step;
    std::uint32_t last_row;
    std::uint32_t last_column;
  };

  void read_pixels(const std::uint8_t* raw) {
    static constexpr std::array<std::uint8_t, pitch> zeros{};
    for (std::size_t row = 0; row <= image_.rows; ++row) {
      std::uint16_t* line = pairs_.data() + row * pitch;
      line[0] = line[image_.columns + 1] = line[image_.columns + 2] = 0;
      pair_lines(row == 0 ? zeros.data() : raw + (row - 1) * image_.columns,
                 row == image_.rows ? zeros.data() : raw + row * image_.columns, line + 1);
    }
  }

  // By blocks of a fixed size, the last two of which may overlap.
  void pair_lines(const std::uint8_t* __restrict above, const std::uint8_t* __restrict below,
                  std::uint16_t* __restrict line) const {
    const auto pair = [&](std::size_t first, std::size_t end) {
      for (std::size_t i = first; i < end; ++i) {
        line[i] = static_cast<std::uint16_t>(below[i] | above[i] << 8);
      }
    };
    const std::size_t count = image_.columns;
    if (count < block) {
      pair(0, count);
      return;
    }
    for (std::size_t first = 0; first + block < count; first += block) {
      pair(first, first + block);
    }
    pair(count - block, count);
  }

  // What ElasticField computes, first along each row of nodes, then down the columns.
  void displace_nodes() {
    for (std::uint32_t row = 0; row < field_.count(image_.rows); ++row) {
      std::array<Displacement, most_nodes> nodes;
      field_.fill_row(row, nodes.data());
      std::fill_n(down_at_nodes_.data() + row * pitch + image_.columns, pitch - image_.columns, 0);
      std::fill_n(right_at_nodes_.data() + row * pitch + image_.columns, pitch - image_.columns, 0);
      for (std::size_t column = 0; column < image_.columns; ++column) {
        const SplineWeights weights = field_.weights(column);
        const Displacement* d = nodes.data() + weights.node;
        down_at_nodes_[row * pitch + column] = ElasticField::mean(weights, d[0].rows, d[1].rows, d[2].rows, d[3].rows);
        right_at_nodes_[row * pitch + column] =
            ElasticField::mean(weights, d[0].columns, d[1].columns, d[2].columns, d[3].columns);
      }
    }
  }

  // In whole blocks: beyond the line's end there are zeros.
  void displace_line(std::size_t row, const std::int32_t* __restrict at_nodes, std::int32_t* __restrict line) const {
    const SplineWeights weights = field_.weights(row);
    const std::int32_t* nodes = at_nodes + weights.node * pitch;
    for (std::size_t first = 0; first < image_.columns; first += block) {
      for (std::size_t i = first; i < first + block; ++i) {
        line[i] = field_.scaled(
            ElasticField::mean(weights, nodes[i], nodes[i + pitch], nodes[i + 2 * pitch], nodes[i + 3 * pitch]));
      }
    }
  }

  // In whole blocks.
  void find_places(std::size_t row, Line line) {
    if constexpr (elastic) {
      displace_line(row, down_at_nodes_.data(), down_.data());
      displace_line(row, right_at_nodes_.data(), right_.data());
    }
    for (std::size_t first = 0; first < image_.columns; first += block) {
      const std::size_t position = row % kept * pitch + first;
      find_places(line, static_cast<std::uint32_t>(first), places_.data() + position, fractions_.data() + position);
    }
  }

  void find_places(Line line, std::uint32_t first, std::uint32_t* __restrict places,
                   std::uint32_t* __restrict fractions) const {
    [[maybe_unused]] const std::int32_t* __restrict down = elastic ? down_.data() + first : nullptr;
    [[maybe_unused]] const std::int32_t* __restrict right = elastic ? right_.data() + first : nullptr;
    line.row += first * line.row_step;
    line.column += first * line.column_step;
    for (std::uint32_t i = 0; i < block; ++i) {
      std::uint32_t row = line.row + i * line.row_step;
      std::uint32_t column = line.column + i * line.column_step;
      if constexpr (elastic) {
        row += static_cast<std::uint32_t>(down[i]);
        column += static_cast<std::uint32_t>(right[i]);
      }
      // What lies before the first row or column is a large number; all of the last are zeros.
      row = std::min(row, line.last_row);
      column = std::min(column, line.last_column);
      places[i] = row / one * pitch | column / one;
      fractions[i] = (row >> 13 & 255u) | (column << 3 & 0xFF0000u);
    }
  }

  // Volatile, or g++ makes SIMD of it, which takes registers apart and puts them together again.
  void read_squares(std::size_t row) {
    const volatile std::uint32_t* places = places_.data() + row % kept * pitch;
    std::uint32_t* squares = squares_.data() + row % kept * pitch;
    for (std::size_t first = 0; first < image_.columns; first += 4) {
      for (std::size_t i = first; i < first + 4; ++i) {
        const std::uint16_t* square = pairs_.data() + places[i];
        squares[i] = std::uint32_t{square[0]} | std::uint32_t{square[1]} << 16;
      }
    }
  }

  // A row's last block may end in the next row, which overwrites it; in the last row it begins earlier.
  template <typename Scalar, typename Finish>
  void compute_values(std::size_t row, const Finish& finish, Scalar* output) const {
    const std::size_t columns = image_.columns;
    const std::size_t position = row % kept * pitch;
    if (columns < block) {
      std::array<Scalar, block> values;
      interpolate(position, finish, values.data());
      std::copy_n(values.data(), columns, output);
      return;
    }
    const std::size_t last = row + 1 < image_.rows ? columns : columns - block;
    for (std::size_t first = 0; first < columns; first += block) {
      const std::size_t begin = std::min(first, last);
      interpolate(position + begin, finish, output + begin);
    }
  }

  template <typename Scalar, typename Finish>
  void interpolate(std::size_t first, const Finish& finish, Scalar* __restrict output) const {
    const std::uint32_t* __restrict fractions = fractions_.data() + first;
    const std::uint32_t* __restrict squares = squares_.data() + first;
    for (std::size_t i = 0; i < block; ++i) {
      const std::uint32_t down = fractions[i] & 0xFFFFu;
      const std::uint32_t right = fractions[i] >> 16;
      // Both columns at once: each result has 16 bits.
      const std::uint32_t above = squares[i] & 0xFF00FF00u;
      const std::uint32_t columns = above + ((squares[i] & 0x00FF00FFu) - (above >> 8)) * down;
      const std::uint32_t left = columns & 0xFFFFu;
      const auto value = static_cast<std::int32_t>((left << 8) + ((columns >> 16) - left) * right);
      output[i] = finish(static_cast<Scalar>(value));
    }
  }

  ImageShape image_;
  PixelMap map_;
  ElasticField field_;
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): written before they are read
  std::array<std::uint16_t, (side + 2) * pitch> pairs_;  // a pixel, and from bit 8 on the one above it
  // Of each pixel of some rows of the output:
  alignas(64) std::array<std::uint32_t, kept * pitch> places_;     // in pairs_
  alignas(64) std::array<std::uint32_t, kept * pitch> fractions_;  // 256ths down, and from bit 16 on to the right
  alignas(64) std::array<std::uint32_t, kept * pitch> squares_{};  // the pair there, and the one to its right
  // Displacements of rows of nodes, and of a line's pixels:
  std::array<std::int32_t, elastic ? most_nodes * pitch : 0> down_at_nodes_;
  std::array<std::int32_t, elastic ? most_nodes * pitch : 0> right_at_nodes_;
  std::array<std::int32_t, elastic ? pitch : 0> down_;
  std::array<std::int32_t, elastic ? pitch : 0> right_;
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
