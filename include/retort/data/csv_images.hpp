// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tables of pixels in Kaggle's form of MNIST and its kin: a row is an image, with a column for each pixel and one for
/// the label.

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

namespace retort {  // for every instruction set

/// A table of pixels without the labels that the caller needs, such as Kaggle's test.csv.
class [[gnu::visibility("default")]] UnlabelledError : public FormatError {
 public:
  RETORT_ERROR_CONSTRUCTOR UnlabelledError(const std::filesystem::path& path, std::string_view reason)
      : FormatError(path, reason) {}
};

}  // namespace retort

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

// What the first line of a table of pixels tells about its columns.
struct PixelColumns {
  std::size_t count = 0;
  std::ptrdiff_t label = 0;  // where a header names it, else the first column

  explicit PixelColumns(std::string_view line) {
    for (;;) {
      // CsvReader splits in the same way: in a field in quotes a comma is an ordinary character.
      const std::size_t start = line.find_first_not_of(" \t");
      const bool is_quoted = start != std::string_view::npos && line[start] == '"';
      const std::size_t closing = is_quoted ? line.find('"', start + 1) : 0;
      const std::size_t end = std::min(line.find(',', closing), line.size());
      std::string name;
      for (const char letter : line.substr(0, end)) {
        if (letter != '"' && letter != '\r' && letter != ' ' && name.size() < 6) {  // longer names are not needed
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

// The square root of a square number, else 0.
inline std::size_t square_root(std::size_t number) {
  const auto root = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(number))));
  return root * root == number ? root : 0;
}

[[gnu::cold]] inline PixelColumns read_pixel_columns(const std::filesystem::path& path, std::string_view text,
                                                     bool labelled) {
  const std::string_view lines = plain_text(path, text);
  const std::string_view line = lines.substr(0, lines.find('\n'));
  const PixelColumns columns(line);
  if (lines.empty() || square_root(columns.count - (labelled ? 1 : 0)) != 0) {
    return columns;
  }
  const std::string found = concatenate({"columns: ", columns.count, ", expected the pixels of a square image",
                                         labelled ? " and a label" : " without a label"});
  if (columns.count == 1) {
    throw FormatError(path, found + delimiter_question(line, ','));
  }
  if (square_root(columns.count - (labelled ? 0 : 1)) == 0) {
    throw FormatError(path, found);
  }
  if (labelled) {
    throw UnlabelledError(path, found + " (it has no labels; load_unlabelled_csv_images reads it)");
  }
  throw FormatError(path, found + " (it has labels; load_csv_images reads them)");
}

// Reads the numbers of a table of pixels. The text's memory is free when it returns.
[[gnu::cold]] inline Dataset read_pixel_table(const std::filesystem::path& path, const MnistOptions& options,
                                              bool labelled) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const CsvOptions table{.labelled = labelled,
                         .label_column = read_pixel_columns(path, text, labelled).label,
                         .classes = options.classes,
                         .first_label = options.first_label};
  return CsvReader(path, table).read(text);
}

[[gnu::cold]] inline Dataset read_csv_images(const std::filesystem::path& path, const MnistOptions& options,
                                             bool labelled) {
  const Dataset numbers = read_pixel_table(path, options, labelled);
  const std::size_t side = square_root(numbers.feature_count());
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
/// column that the header calls "label" or "class", else in the first. Throws like `load_csv`; FormatError for a number
/// of columns that is not a square plus one, which is an UnlabelledError if it is a square, and for a value that is no
/// pixel. Memory: at most three and a half times the text.
[[gnu::cold]] inline Dataset load_csv_images(const std::filesystem::path& path, const MnistOptions& options = {}) {
  return detail::read_csv_images(path, options, true);
}

/// The same for a table of pixels alone, such as Kaggle's test.csv: no sample has a label.
[[gnu::cold]] inline Dataset load_unlabelled_csv_images(const std::filesystem::path& path,
                                                        const MnistOptions& options = {}) {
  return detail::read_csv_images(path, options, false);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
