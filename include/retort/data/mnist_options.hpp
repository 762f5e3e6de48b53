// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Options that all readers of images with labels share.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gzip.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

struct MnistOptions {
  std::uint32_t classes = 10;
  std::uint32_t first_label = 0;  // the number of class 0: 1 where labels count from 1
  bool transposed = false;        // whether the file has each image column by column, like EMNIST's
  Normalization normalization{.mean = 0.5, .standard_deviation = 0.5};
  std::uint64_t size_limit = default_size_limit;            // bytes of one decompressed file
  std::uint64_t expansion_limit = default_expansion_limit;  // of a compressed file, see read_plain_or_gzip
};

namespace detail {

// (count, rows, columns) to (count, columns, rows).
[[gnu::cold]] inline std::vector<std::uint8_t> transposed_images(const std::vector<std::uint8_t>& images,
                                                                 std::size_t rows, std::size_t columns) {
  std::vector<std::uint8_t> result(images.size());
  for (std::size_t first = 0; first < images.size(); first += rows * columns) {
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        result[first + column * rows + row] = images[first + row * columns + column];
      }
    }
  }
  return result;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
