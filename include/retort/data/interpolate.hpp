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
#include "retort/data/pixel_map.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// Interpolates images of bytes by one map. Zeros lie around each channel, so that no pixel needs a test. Loops run
/// over blocks of a fixed size: they become SIMD. Only the bytes are read one by one.
class Interpolation {
 public:
  /// Whether there is room for the image, and 32 bits for the places that the map leads to.
  static bool takes(ImageShape image, const PixelMap& map) {
    if (image.rows > side || image.columns > side) {
      return false;
    }
    const auto fits = [&](std::int64_t row) {
      const PixelLine line = map.line(image, row);
      const auto stays = [&](std::int64_t begin, std::int64_t step) {
        const std::int64_t end = begin + static_cast<std::int64_t>(image.columns) * step;
        return std::min(begin, end) >= INT32_MIN && std::max(begin, end) <= INT32_MAX;
      };
      return stays(line.row, line.row_step) && stays(line.column, line.column_step);
    };
    return fits(0) && fits(static_cast<std::int64_t>(image.rows) - 1);
  }

  /// Precondition: takes(image, map).
  Interpolation(ImageShape image, const PixelMap& map) : image_(image), count_(image.rows * image.columns) {
    for (std::size_t row = 0; row < image.rows; ++row) {
      const PixelLine line = map.line(image, static_cast<std::int64_t>(row));
      for (std::size_t column = 0; column < image.columns; column += block) {
        // Beyond the row's end the next row overwrites it.
        find_places(line, static_cast<std::uint32_t>(column), places_.data() + row * image.columns + column);
      }
    }
    std::fill_n(pixels_.begin(), (image.rows + 3) * pitch, std::uint8_t{0});
    for (auto* words : {&places_, &squares_}) {  // the last block may be read to its end
      std::fill_n(words->begin() + static_cast<std::ptrdiff_t>(count_), block, 0u);
    }
  }

  /// output (rows, columns): a channel `raw` (rows, columns), each value passed through `finish`.
  template <typename Scalar, typename Finish>
  void operator()(const std::uint8_t* raw, const Finish& finish, Scalar* output) {
    for (std::size_t row = 0; row < image_.rows; ++row) {
      copy_line(raw + row * image_.columns, pixels_.data() + (row + 1) * pitch + 1);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint8_t* above = pixels_.data() + (places_[i] & 0xFFFFu);
      squares_[i] = pair(above) | pair(above + pitch) << 16;
    }
    const std::size_t whole = count_ / block * block;
    for (std::size_t first = 0; first < whole; first += block) {
      interpolate(first, finish, output + first);
    }
    if (whole < count_) {
      std::array<Scalar, block> rest;
      interpolate(whole, finish, rest.data());
      std::copy_n(rest.data(), count_ - whole, output + whole);
    }
  }

 private:
  static constexpr std::size_t block = 16;
  static constexpr std::size_t pitch = 64;        // of the padded channel
  static constexpr std::size_t side = pitch - 3;  // zeros: one before each line, two after it

  void find_places(const PixelLine& line, std::uint32_t first, std::uint32_t* places) const {
    const std::uint32_t last_row = static_cast<std::uint32_t>(image_.rows) + 1;
    const std::uint32_t last_column = static_cast<std::uint32_t>(image_.columns) + 1;
    const auto row_step = static_cast<std::uint32_t>(line.row_step);
    const auto column_step = static_cast<std::uint32_t>(line.column_step);
    const std::uint32_t row_begin = static_cast<std::uint32_t>(line.row) + first * row_step;
    const std::uint32_t column_begin = static_cast<std::uint32_t>(line.column) + first * column_step;
    for (std::uint32_t i = 0; i < block; ++i) {
      const auto row = static_cast<std::int32_t>(row_begin + i * row_step) >> 13;
      const auto column = static_cast<std::int32_t>(column_begin + i * column_step) >> 13;
      // What lies before the first row or column is a large number; all of the last are zeros.
      const std::uint32_t above = std::min(static_cast<std::uint32_t>((row >> 8) + 1), last_row);
      const std::uint32_t left = std::min(static_cast<std::uint32_t>((column >> 8) + 1), last_column);
      places[i] = above * pitch | left | static_cast<std::uint32_t>(row & 255) << 16 |
                  static_cast<std::uint32_t>(column & 255) << 24;
    }
  }

  // By blocks of a fixed size, the last two of which may overlap.
  void copy_line(const std::uint8_t* from, std::uint8_t* to) const {
    const std::size_t count = image_.columns;
    if (count < block) {
      std::copy_n(from, count, to);
      return;
    }
    for (std::size_t first = 0; first + block < count; first += block) {
      std::copy_n(from + first, block, to + first);
    }
    std::copy_n(from + count - block, block, to + count - block);
  }

  static std::uint32_t pair(const std::uint8_t* pixels) {
    return std::uint32_t{pixels[0]} | std::uint32_t{pixels[1]} << 8;
  }

  template <typename Scalar, typename Finish>
  void interpolate(std::size_t first, const Finish& finish, Scalar* __restrict output) const {
    const std::uint32_t* __restrict places = places_.data() + first;
    const std::uint32_t* __restrict squares = squares_.data() + first;
    for (std::size_t i = 0; i < block; ++i) {
      const std::uint32_t down = places[i] >> 16 & 255u;
      const std::uint32_t right = places[i] >> 24;
      // Both rows at once: each result has 16 bits.
      const std::uint32_t left = squares[i] & 0x00FF00FFu;
      const std::uint32_t rows = (left << 8) + ((squares[i] >> 8 & 0x00FF00FFu) - left) * right;
      const std::uint32_t above = rows & 0xFFFFu;
      const auto value = static_cast<std::int32_t>((above << 8) + ((rows >> 16) - above) * down);
      output[i] = finish(static_cast<Scalar>(value) * static_cast<Scalar>(1.0 / 65536));
    }
  }

  ImageShape image_;
  std::size_t count_;  // pixels of a channel
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): written before they are read
  std::array<std::uint8_t, (side + 3) * pitch> pixels_;
  std::array<std::uint32_t, side * side + block> places_;   // in pixels_; from bit 16 on 256ths down, then to the right
  std::array<std::uint32_t, side * side + block> squares_;  // the pixel there, to the right, below, below to the right
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
