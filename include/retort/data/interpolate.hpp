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
/// no pixel needs a test, and beside each pixel the one below it, so that one load reads a square of four. Three passes
/// follow each other at some distance: places are found, squares are read, values computed. So no pass
/// waits for what it reads. The second reads one by one; the others, whose loops over blocks of a fixed size become
/// SIMD, keep other parts of the processor busy meanwhile.
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
    std::fill_n(pairs_.begin(), (image.rows + 2) * pitch, std::uint16_t{0});
    if constexpr (elastic) {
      displace_nodes();
    }
  }

  /// output (rows, columns): a channel `raw` (rows, columns), each value passed through `finish`.
  template <typename Scalar, typename Finish>
  void operator()(const std::uint8_t* raw, const Finish& finish, Scalar* output) {
    read_pixels(raw);
    const std::size_t count = image_.rows * image_.columns;
    std::size_t squares = 0;  // so many are read
    std::size_t values = 0;   // and so many computed
    const auto go_on = [&](std::size_t places) {
      const std::size_t before = std::min(squares, count);
      for (; squares + block <= places; squares += block) {
        read_squares(squares);
      }
      for (; values + block <= before; values += block) {
        interpolate(values, finish, output + values);
      }
    };
    for (std::size_t row = 0; row < image_.rows; ++row) {
      find_places(row);
      go_on(row * image_.columns);
    }
    // The last block is read to its end.
    std::fill_n(places_.begin() + static_cast<std::ptrdiff_t>(count), block, 0u);
    std::fill_n(fractions_.begin() + static_cast<std::ptrdiff_t>(count), block, 0u);
    go_on(count + block - 1);
    go_on(0);
    if (values < count) {
      std::array<Scalar, block> rest;
      interpolate(values, finish, rest.data());
      std::copy_n(rest.data(), count - values, output + values);
    }
  }

 private:
  static constexpr std::size_t block = 16;
  static constexpr std::uint32_t pitch = 64;      // of the padded channel
  static constexpr std::size_t side = pitch - 3;  // zeros: one before each line, two after it
  static constexpr std::size_t most_nodes = 40;   // 0.58 a pixel and 4

  void read_pixels(const std::uint8_t* raw) {
    std::fill_n(pairs_.begin(), pitch, std::uint16_t{0});  // the last channel's first line stands below these
    for (std::size_t row = 0; row < image_.rows; ++row) {
      read_line(raw + row * image_.columns, pairs_.data() + (row + 1) * pitch + 1);
    }
    for (std::size_t row = 0; row <= image_.rows; ++row) {
      pair_lines(pairs_.data() + row * pitch, pairs_.data() + (row + 1) * pitch);
    }
  }

  // By blocks of a fixed size, the last two of which may overlap.
  void read_line(const std::uint8_t* __restrict from, std::uint16_t* __restrict to) const {
    const auto read = [&](std::size_t first) {
      for (std::size_t i = first; i < first + block; ++i) {
        to[i] = from[i];
      }
    };
    const std::size_t count = image_.columns;
    if (count < block) {
      std::copy_n(from, count, to);
      return;
    }
    for (std::size_t first = 0; first + block < count; first += block) {
      read(first);
    }
    read(count - block);
  }

  // All of a padded line: a loop of 16 would be unrolled before it becomes SIMD.
  static void pair_lines(std::uint16_t* __restrict line, const std::uint16_t* __restrict below) {
    for (std::size_t i = 0; i < pitch; ++i) {
      line[i] = static_cast<std::uint16_t>(line[i] | below[i] << 8);
    }
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

  // Beyond the row's end the next row overwrites it.
  void find_places(std::size_t row) {
    const PixelLine line = map_.line(image_, static_cast<std::int64_t>(row));
    if constexpr (elastic) {
      displace_line(row, down_at_nodes_.data(), down_.data());
      displace_line(row, right_at_nodes_.data(), right_.data());
    }
    for (std::size_t first = 0; first < image_.columns; first += block) {
      find_places(line, static_cast<std::uint32_t>(first), row * image_.columns + first);
    }
  }

  void find_places(const PixelLine& line, std::uint32_t first, std::size_t position) {
    std::uint32_t* __restrict places = places_.data() + position;
    std::uint32_t* __restrict fractions = fractions_.data() + position;
    [[maybe_unused]] const std::int32_t* __restrict down = elastic ? down_.data() + first : nullptr;
    [[maybe_unused]] const std::int32_t* __restrict right = elastic ? right_.data() + first : nullptr;
    const std::uint32_t last_row = static_cast<std::uint32_t>(image_.rows) + 1;
    const std::uint32_t last_column = static_cast<std::uint32_t>(image_.columns) + 1;
    const auto row_step = static_cast<std::uint32_t>(line.row_step);
    const auto column_step = static_cast<std::uint32_t>(line.column_step);
    const std::uint32_t row_begin = static_cast<std::uint32_t>(line.row) + first * row_step;
    const std::uint32_t column_begin = static_cast<std::uint32_t>(line.column) + first * column_step;
    for (std::uint32_t i = 0; i < block; ++i) {
      std::uint32_t row = row_begin + i * row_step;
      std::uint32_t column = column_begin + i * column_step;
      if constexpr (elastic) {
        row += static_cast<std::uint32_t>(down[i]);
        column += static_cast<std::uint32_t>(right[i]);
      }
      // What lies before the first row or column is a large number; all of the last are zeros.
      const std::uint32_t above =
          std::min(static_cast<std::uint32_t>((static_cast<std::int32_t>(row) >> 21) + 1), last_row);
      const std::uint32_t left =
          std::min(static_cast<std::uint32_t>((static_cast<std::int32_t>(column) >> 21) + 1), last_column);
      places[i] = above * pitch | left;
      fractions[i] = (row >> 13 & 255u) | (column << 3 & 0xFF0000u);
    }
  }

  // Volatile, or g++ makes SIMD of it, which takes registers apart and puts them together again.
  void read_squares(std::size_t first) {
    const volatile std::uint32_t* places = places_.data() + first;
    std::uint32_t* squares = squares_.data() + first;
    for (std::size_t i = 0; i < block; ++i) {
      const std::uint16_t* square = pairs_.data() + places[i];
      squares[i] = std::uint32_t{square[0]} | std::uint32_t{square[1]} << 16;
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
      const std::uint32_t above = squares[i] & 0x00FF00FFu;
      const std::uint32_t columns = (above << 8) + ((squares[i] >> 8 & 0x00FF00FFu) - above) * down;
      const std::uint32_t left = columns & 0xFFFFu;
      const auto value = static_cast<std::int32_t>((left << 8) + ((columns >> 16) - left) * right);
      output[i] = finish(static_cast<Scalar>(value) * static_cast<Scalar>(1.0 / 65536));
    }
  }

  ImageShape image_;
  PixelMap map_;
  ElasticField field_;
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): written before they are read
  std::array<std::uint16_t, (side + 2) * pitch> pairs_;  // a pixel, and from bit 8 on the one below it
  // Of each pixel of the output:
  std::array<std::uint32_t, side * side + block> places_;  // in pairs_
  alignas(
      64) std::array<std::uint32_t, side * side + block> fractions_;  // 256ths down, and from bit 16 on to the right
  std::array<std::uint32_t, side * side + block> squares_;            // the pair there, and the one to its right
  // Displacements of rows of nodes, and of a line's pixels:
  std::array<std::int32_t, elastic ? most_nodes * pitch : 0> down_at_nodes_;
  std::array<std::int32_t, elastic ? most_nodes * pitch : 0> right_at_nodes_;
  std::array<std::int32_t, elastic ? pitch : 0> down_;
  std::array<std::int32_t, elastic ? pitch : 0> right_;
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
