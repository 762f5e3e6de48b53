// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tables of pixels, as Kaggle has MNIST and its kin: one row an image, a column for each pixel and one for the label.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/mnist_options.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

// What the first line of a table of pixels says of its columns.
struct PixelColumns {
  std::size_t count = 0;
  std::ptrdiff_t label = 0;  // where a header names it, else the first

  explicit PixelColumns(std::string_view text) {
    std::string_view line = text.substr(0, text.find('\n'));
    for (;;) {
      std::size_t end = std::min(line.find(','), line.size());
      std::string name;
      for (const char letter : line.substr(0, end)) {
        if (letter != '"' && letter != '\r' && letter != ' ') {
          name += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
        }
      }
      if (name == "label" || name == "class") {
        label = static_cast<std::ptrdiff_t>(count);
      }
      ++count;
      if (end == line.size()) {
        return;
      }
      line.remove_prefix(end + 1);
    }
  }
};

// The root of a square number, else 0.
inline std::size_t square_root(std::size_t number) {
  const auto root = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(number))));
  return root * root == number ? root : 0;
}

[[gnu::cold]] inline Dataset read_csv_images(const std::filesystem::path& path, const MnistOptions& options,
                                             bool labelled) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const PixelColumns columns(text);
  const std::size_t side = square_root(columns.count - (labelled ? 1 : 0));
  if (side == 0) {
    const bool other = square_root(columns.count - (labelled ? 0 : 1)) != 0;
    throw FormatError(
        path, concatenate({"columns: ", columns.count, ", expected the pixels of a square image",
                           labelled ? " and a label" : " without a label",
                           !other     ? ""
                           : labelled ? " (it has no labels; load_unlabelled_csv_images reads it for predictions)"
                                      : " (it has labels; load_csv_images reads them)"}));
  }
  const CsvOptions table{.labelled = labelled,
                         .label_column = columns.label,
                         .classes = options.classes,
                         .first_label = options.first_label};
  const Dataset numbers = CsvReader(path, table).read(text);
  const auto& reals = std::get<Matrix<float>>(numbers.features());
  std::vector<std::uint8_t> pixels(reals.values().size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const float value = reals.values()[i];
    if (!(value >= 0 && value <= 255) || value != std::floor(value)) {
      throw FormatError(path, concatenate({"pixel ", i % (side * side), " of image ", i / (side * side), ": ", value,
                                           ", expected a whole number from 0 to 255"}));
    }
    pixels[i] = static_cast<std::uint8_t>(value);
  }
  if (options.transposed) {
    pixels = transposed_images(pixels, side, side);
  }
  return {Matrix<std::uint8_t>(numbers.size(), side * side, std::move(pixels)), numbers.labels(), numbers.classes(),
          ImageShape{side, side}, options.normalization};
}

}  // namespace detail

/// The square images of a CSV file, plain or compressed by gzip: pixels from 0 to 255, row by row, and a label in the
/// column that the header calls "label" or "class", else in the first. Throws as `load_csv`, and FormatError for a
/// number of columns that is no square and one, and for what is no pixel.
[[gnu::cold]] inline Dataset load_csv_images(const std::filesystem::path& path, const MnistOptions& options = {}) {
  return detail::read_csv_images(path, options, true);
}

/// The same for a table of pixels alone, as Kaggle's test.csv: every label is 0, so it is for predictions
/// (predict_all), not for training or evaluation.
[[gnu::cold]] inline Dataset load_unlabelled_csv_images(const std::filesystem::path& path,
                                                        const MnistOptions& options = {}) {
  return detail::read_csv_images(path, options, false);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
