// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A data format: the worked example of CONTRIBUTING.md.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/matrix.hpp"

namespace worked_examples {

/// Images of one size in a file of binary PGM (netpbm's pgm(5), "P5", one byte a pixel, no comments), one behind
/// another, with a label each. Throws FileError for a file that cannot be read, FormatError for one that is damaged.
inline retort::data::Dataset load_pgm(const std::filesystem::path& path, retort::data::Labels labels,
                                      std::uint32_t classes) {
  const std::vector<std::uint8_t> bytes =
      retort::data::read_plain_or_gzip(path, retort::data::default_size_limit, retort::data::default_expansion_limit);
  std::size_t at = 0;
  const auto fail = [&](const char* expected) {
    throw retort::FormatError(path, retort::concatenate({"byte ", at, ": expected ", expected}));
  };
  const auto number = [&](std::size_t most) {
    std::size_t value = 0;
    const std::size_t begin = at;
    for (; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' && value <= most; ++at) {
      value = 10 * value + (bytes[at] - '0');
    }
    if (at == begin || value == 0 || value > most || at == bytes.size()) {
      fail("a number above 0, of a sane size");
    }
    ++at;  // one space or line end
    return value;
  };
  retort::data::ImageShape image{};
  std::vector<std::uint8_t> pixels;
  for (std::size_t count = 0; count < labels.size(); ++count) {
    if (bytes.size() < at + 3 || bytes[at] != 'P' || bytes[at + 1] != '5') {
      fail("P5, an image of binary PGM");
    }
    at += 3;
    const std::size_t columns = number(65'535);
    const std::size_t rows = number(65'535);
    number(255);
    if (count > 0 && (image.rows != rows || image.columns != columns)) {
      fail("an image of the first one's size");
    }
    image = {rows, columns};
    if (bytes.size() - at < rows * columns) {
      fail("a whole image");
    }
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    pixels.insert(pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(rows * columns));
    at += rows * columns;
  }
  if (at != bytes.size()) {
    fail("the file's end");
  }
  return {retort::data::Matrix<std::uint8_t>(labels.size(), image.rows * image.columns, pixels), std::move(labels),
          classes, image};
}

}  // namespace worked_examples
