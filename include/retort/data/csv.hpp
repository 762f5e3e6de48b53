// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tables of numbers as text (RFC 4180) as datasets: one row a sample, one column its label, the others its features.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

enum class CsvHeader {
  automatic,  // the first line is a header when what stands in its label column is no number
  present,
  absent,
};

struct CsvOptions {
  std::ptrdiff_t label_column = 0;  // from 0; negative numbers count from the right, -1 is the last column
  CsvHeader header = CsvHeader::automatic;
  char delimiter = ',';
  std::uint32_t classes = 0;  // 0: the highest label + 1
  ImageShape image{};         // of the features, where they are pixels
  Normalization normalization{};
  std::uint64_t size_limit = default_size_limit;  // bytes of the file
};

namespace detail {

class CsvReader {
 public:
  CsvReader(const std::filesystem::path& path, const CsvOptions& options) : path_(path), options_(options) {
    if (std::string_view("0123456789+-.eE\"\r\n").find(options.delimiter) != std::string_view::npos) {
      throw OptionError(concatenate(
          {"delimiter: ", in_quotes({&options.delimiter, 1}), ", expected a character no number contains"}));
    }
  }

  Dataset read(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.substr(0, byte_order_mark.size()) == byte_order_mark) {
      text.remove_prefix(byte_order_mark.size());
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
      text.remove_suffix(1);
    }
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (labels_.empty()) {
      throw FormatError(path_, "no samples, expected at least one line of numbers");
    }
    return dataset();
  }

 private:
  [[noreturn]] void fail(std::size_t column, const std::string& reason) const {
    throw FormatError(path_, concatenate({"line ", line_, ", column ", column + 1, ": ", reason}));
  }
  [[noreturn]] void fail_line(const std::string& reason) const {
    throw FormatError(path_, concatenate({"line ", line_, ": ", reason}));
  }

  void read_line(std::string_view line) {
    ++line_;
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    split(line);
    if (line_ == 1) {
      find_label_column();
      if (is_header()) {
        return;
      }
    }
    if (fields_.size() != columns_) {
      fail_line(concatenate({"columns: ", fields_.size(), ", expected ", columns_, " as in the first line"}));
    }
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column == label_column_) {
        labels_.push_back(label(column));
      } else {
        features_.push_back(number(column));
      }
    }
  }

  // Fills fields_; a field in quotes keeps its inside, where the delimiter is an ordinary character.
  void split(std::string_view line) {
    fields_.clear();
    for (;;) {
      std::size_t end = 0;
      const std::string_view start = trim(line);
      if (!start.empty() && start.front() == '"') {
        const auto opening = static_cast<std::size_t>(start.data() - line.data());
        const std::size_t closing = line.find('"', opening + 1);
        if (closing == std::string_view::npos) {
          fail(fields_.size(), "a quote is not closed on its line");
        }
        end = std::min(line.find(options_.delimiter, closing + 1), line.size());
        if (!trim(line.substr(closing + 1, end - closing - 1)).empty()) {
          fail(fields_.size(),
               concatenate({in_quotes(line.substr(0, end)), ", expected nothing after the closing quote"}));
        }
        fields_.push_back(trim(line.substr(opening + 1, closing - opening - 1)));
      } else {
        end = std::min(line.find(options_.delimiter), line.size());
        fields_.push_back(trim(line.substr(0, end)));
      }
      if (end == line.size()) {
        return;
      }
      line.remove_prefix(end + 1);
    }
  }

  std::string_view trim(std::string_view text) const {
    const auto is_space = [&](char letter) {
      return (letter == ' ' || letter == '\t') && letter != options_.delimiter;
    };
    while (!text.empty() && is_space(text.front())) {
      text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
      text.remove_suffix(1);
    }
    return text;
  }

  void find_label_column() {
    columns_ = fields_.size();
    if (columns_ < 2) {
      fail_line(concatenate({"columns: 1, expected at least 2, a label and a feature (is the delimiter ",
                             in_quotes({&options_.delimiter, 1}), "?)"}));
    }
    const auto count = static_cast<std::ptrdiff_t>(columns_);
    const std::ptrdiff_t wanted = options_.label_column;
    if (wanted >= count || wanted < -count) {
      throw OptionError(
          concatenate({"label_column: ", wanted, ", but ", path_.string(), " has ", columns_, " columns"}));
    }
    label_column_ = static_cast<std::size_t>(wanted < 0 ? wanted + count : wanted);
  }

  bool is_header() const {
    if (options_.header != CsvHeader::automatic) {
      return options_.header == CsvHeader::present;
    }
    double value = 0;
    return !parse(fields_[label_column_], value);
  }

  // Whether the whole text is one number; one beyond the range of `Number` is none.
  template <typename Number>
  static bool parse(std::string_view text, Number& value) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
      text.remove_prefix(1);
    }
    return parse_number(text, value);
  }

  float number(std::size_t column) const {
    double value = 0;
    if (!parse(fields_[column], value)) {
      fail(column, concatenate({in_quotes(fields_[column]), ", expected a number"}));
    }
    if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      fail(column, concatenate({in_quotes(fields_[column]), ", expected a finite number within float's range"}));
    }
    return static_cast<float>(value);
  }

  std::uint32_t label(std::size_t column) {
    const std::uint32_t limit = options_.classes != 0 ? options_.classes : std::numeric_limits<std::uint32_t>::max();
    std::uint32_t value = 0;
    if (!parse(fields_[column], value) || value >= limit) {
      fail(column, concatenate({"label ", in_quotes(fields_[column]),
                                ", expected a whole number, 0 or more and less than ", limit}));
    }
    highest_label_ = std::max(highest_label_, value);
    return value;
  }

  Dataset dataset() {
    const std::size_t features = columns_ - 1;
    if (options_.image != ImageShape{} && (options_.image.rows == 0 || features % options_.image.rows != 0 ||
                                           features / options_.image.rows != options_.image.columns)) {
      throw OptionError(concatenate({"image: ", options_.image.rows, " x ", options_.image.columns, ", but ",
                                     path_.string(), " has ", features, " features"}));
    }
    features_.shrink_to_fit();  // it grew by doubling, and lives as long as the dataset
    Matrix<float> rows(labels_.size(), features, std::move(features_));
    return {std::move(rows), std::move(labels_), options_.classes != 0 ? options_.classes : highest_label_ + 1,
            options_.image, options_.normalization};
  }

  const std::filesystem::path& path_;
  const CsvOptions& options_;
  std::size_t line_ = 0;
  std::size_t columns_ = 0;
  std::size_t label_column_ = 0;
  std::uint32_t highest_label_ = 0;
  std::vector<std::string_view> fields_;
  std::vector<float> features_;
  Labels labels_;
};

}  // namespace detail

/// A dataset from a CSV file, plain or compressed by gzip: float features and whole-number labels. Lines end with LF or
/// CRLF, the last one with or without; numbers may stand in quotes or between blanks; a byte order mark and empty lines
/// at the end are passed over. Throws FileError; FormatError that names the file, line and column (from 1): rows of
/// different length, what is not a number, NaN, infinity, a negative label, one that is not below options.classes, no
/// sample at all; OptionError for options that cannot be meant or do not fit the file.
inline Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options = {}) {
  detail::CsvReader reader(path, options);
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit);
  return reader.read({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
