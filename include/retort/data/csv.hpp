// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tables of numbers as text (RFC 4180), read as datasets: a row is a sample, one column its label, the others its
/// features.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/label_range.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

enum class CsvHeader {
  automatic,  // the first line is a header if none of its fields is a number or marks a missing value
  present,
  absent,
};

/// What to do with a missing value: a field that is empty, `NA`, `N/A`, `NaN`, `null` or `?`, in letters of any case. A
/// label is missing only where it is empty.
enum class CsvMissing {
  refuse,       // an error that names the line and the column
  drop_row,     // leave out the sample
  column_mean,  // the mean of the column's values, or CsvOptions::column_means; a label is never filled in
};

struct CsvOptions {
  bool labelled = true;             // false: every column is a feature, and no sample has a label
  std::ptrdiff_t label_column = 0;  // from 0; negative numbers count from the right, -1 is the last column
  CsvHeader header = CsvHeader::automatic;
  char delimiter = ',';
  std::uint32_t classes = 0;      // 0: the highest label + 1, or the number of names
  std::uint32_t first_label = 0;  // the number of class 0: 1 where labels count from 1
  // The labels that the file may hold, in the order of the classes. Empty: numbers, or the names found, in the order of
  // their bytes, whatever the order of the rows. The dataset keeps the names found.
  std::vector<std::string> class_names{};
  CsvMissing missing = CsvMissing::refuse;
  std::vector<double> column_means{};  // (features), of the training samples: CsvMissing::column_mean fills these in
  ImageShape image{};                  // of the features, where they are pixels
  Normalization normalization{};
  std::uint64_t size_limit = default_size_limit;            // bytes of the file
  std::uint64_t expansion_limit = default_expansion_limit;  // of a compressed file, see read_plain_or_gzip
  std::size_t column_limit = std::size_t{1} << 20;
  std::uint32_t class_limit = std::uint32_t{1} << 16;  // of names found, unless `classes` is more
};

namespace detail {

/// The lines of a text, without a byte order mark and the empty lines at its end. Throws FormatError for text in
/// another encoding, or with line ends that the reader does not know.
[[gnu::cold]] inline std::string_view plain_text(const std::filesystem::path& path, std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) {
    text.remove_prefix(byte_order_mark.size());
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  const auto begins = [&](std::string_view bytes) { return text.substr(0, bytes.size()) == bytes; };
  // Without a mark UTF-16 still shows by the zero bytes next to its ASCII letters.
  if (begins("\xFF\xFE") || begins("\xFE\xFF") || (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'))) {
    throw FormatError(path, "is text in UTF-16, expected UTF-8 or ASCII: convert it, as with iconv -f UTF-16 -t UTF-8");
  }
  if (text.find('\n') == std::string_view::npos && text.find('\r') != std::string_view::npos) {
    throw FormatError(path, "ends its lines with CR alone, expected LF or CRLF: convert it, as with tr '\\r' '\\n'");
  }
  return text;
}

/// A hint for a first line with one column: perhaps another character in it is the delimiter, or else `delimiter`
/// itself.
[[gnu::cold]] inline std::string delimiter_question(std::string_view line, char delimiter) {
  const std::size_t other = line.find_first_of(";\t|,");
  const char found = other == std::string_view::npos ? delimiter : line[other];
  return concatenate({" (is the delimiter ", found == '\t' ? "a tab" : in_quotes({&found, 1}), "?)"});
}

class CsvReader {
 public:
  [[gnu::cold]] CsvReader(const std::filesystem::path& path, const CsvOptions& options)
      : path_(path), options_(options) {
    if (std::string_view("0123456789+-.eE\"\r\n").find(options.delimiter) != std::string_view::npos) {
      throw OptionError(concatenate(
          {"delimiter: ", in_quotes({&options.delimiter, 1}), ", expected a character no number contains"}));
    }
    for (const std::string& name : options.class_names) {
      names_.emplace(name, static_cast<std::uint32_t>(names_.size()));
    }
    if (names_.size() != options.class_names.size()) {
      throw OptionError("class_names: a name stands twice, expected different names");
    }
  }

  Dataset read(std::string_view text) {
    text = plain_text(path_, text);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      rest_ = text;
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (labels_.empty()) {
      throw FormatError(path_, dropped_ == 0 ? std::string("no samples")
                                             : concatenate({"no samples: a value is missing in each of ", dropped_}));
    }
    if (options_.missing == CsvMissing::column_mean) {
      fill_missing();
    }
    return dataset();
  }

  /// Each column's mean, after `read` with CsvMissing::column_mean.
  const std::vector<double>& column_means() const { return means_; }

 private:
  [[noreturn, gnu::cold]] void fail_line(const std::string& reason) const {
    throw FormatError(path_, concatenate({"line ", line_, ": ", reason}));
  }
  [[noreturn, gnu::cold]] void fail(std::size_t column, const std::string& reason) const {
    throw FormatError(path_, concatenate({"line ", line_, ", column ", column + 1, ": ", reason}));
  }

  void read_line(std::string_view line) {
    ++line_;
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    split(line);
    if (line_ == 1) {
      find_label_column(line);
      if (is_header()) {
        return;
      }
    }
    if (fields_.size() != columns_) {
      fail_line(concatenate({"columns: ", fields_.size(), ", expected ", columns_, " as in the first line"}));
    }
    if (features_.capacity() == 0) {
      reserve();
    }
    if (options_.missing == CsvMissing::drop_row && has_missing()) {
      ++dropped_;
      return;
    }
    if (!options_.labelled) {
      labels_.push_back(unlabelled);
    }
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column == label_column_) {
        labels_.push_back(label(column));
      } else if (options_.missing == CsvMissing::column_mean) {
        const bool missing = is_missing(fields_[column]);
        missing_.push_back(missing);
        features_.push_back(missing ? 0.0f : number(column));
      } else {
        features_.push_back(number(column));
      }
    }
  }

  // Reserves for the rest of the text, where a field takes two bytes, or one if it is missing.
  [[gnu::cold]] void reserve() {
    const auto rows = static_cast<std::size_t>(std::count(rest_.begin(), rest_.end(), '\n')) + 1;
    const std::size_t most = rest_.size() / 2 + 1;
    const std::size_t labels = std::min(rows, most);
    const std::size_t features = std::min(feature_columns() > most / rows ? most : rows * feature_columns(), most);
    allocate_for(path_.native(), labels * sizeof(labels_.front()) + features * sizeof(features_.front()), [&] {
      labels_.reserve(labels);
      features_.reserve(features);
    });
  }

  // Fills fields_; a field in quotes keeps its contents, in which the delimiter is an ordinary character.
  void split(std::string_view line) {
    fields_.clear();
    for (;;) {
      if (fields_.size() == options_.column_limit) {
        fail_line(concatenate({"more than ", options_.column_limit, " columns, the limit (column_limit raises it)"}));
      }
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

  [[gnu::cold]] void find_label_column(std::string_view line) {
    columns_ = fields_.size();
    if (!options_.labelled) {
      label_column_ = columns_;
      return;
    }
    if (columns_ < 2) {
      fail_line(concatenate(
          {"columns: 1, expected at least 2, a label and a feature", delimiter_question(line, options_.delimiter)}));
    }
    const auto count = static_cast<std::ptrdiff_t>(columns_);
    const std::ptrdiff_t wanted = options_.label_column;
    if (wanted >= count || wanted < -count) {
      throw OptionError(
          concatenate({"label_column: ", wanted, ", but ", path_text(path_), " has ", columns_, " columns"}));
    }
    label_column_ = static_cast<std::size_t>(wanted < 0 ? wanted + count : wanted);
  }

  std::size_t feature_columns() const { return columns_ - (options_.labelled ? 1 : 0); }

  [[gnu::cold]] bool is_header() const {
    if (options_.header != CsvHeader::automatic) {
      return options_.header == CsvHeader::present;
    }
    double value = 0;
    const auto is_value = [&](std::string_view field) {
      return parse(field, value) || (!field.empty() && is_missing(field));
    };
    return std::none_of(fields_.begin(), fields_.end(), is_value) &&
           std::any_of(fields_.begin(), fields_.end(), [](std::string_view field) { return !field.empty(); });
  }

  // Whether the whole text is one number; a number out of the range of `Number` does not count.
  template <typename Number>
  static bool parse(std::string_view text, Number& value) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
      text.remove_prefix(1);
    }
    return parse_number(text, value);
  }

  static bool is_missing(std::string_view field) {
    if (field.size() > 4 || (!field.empty() && field[0] >= '-' && field[0] <= '9')) {
      return false;  // settles most numbers at little cost
    }
    std::string lower(field);
    for (char& letter : lower) {
      letter = static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
    }
    return lower.empty() || lower == "na" || lower == "n/a" || lower == "nan" || lower == "null" || lower == "?";
  }

  bool has_missing() const {
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column == label_column_ ? fields_[column].empty() : is_missing(fields_[column])) {
        return true;
      }
    }
    return false;
  }

  float number(std::size_t column) const {
    double value = 0;
    if (!parse(fields_[column], value)) {
      fail_number(column);
    }
    if (!internal::is_finite_float(value)) {
      if (is_missing(fields_[column])) {
        fail_number(column);  // nan
      }
      fail(column, concatenate({in_quotes(fields_[column]), ", expected a finite number within float's range"}));
    }
    return static_cast<float>(value);
  }

  [[noreturn, gnu::cold]] void fail_number(std::size_t column) const {
    const std::string_view field = fields_[column];
    std::string with_point(field);
    std::replace(with_point.begin(), with_point.end(), ',', '.');
    double value = 0;
    std::string_view hint;
    if (is_missing(field)) {
      hint = "; it is missing, and CsvOptions::missing can drop its row or fill it in";
    } else if (options_.delimiter != ',' && parse(with_point, value)) {
      hint = " with a decimal point: replace the commas, as with tr , .";
    } else if (options_.delimiter != ';' && field.find(';') != std::string_view::npos) {
      hint = " (is the delimiter ';'?)";
    } else if (line_ == 1 && options_.header == CsvHeader::automatic) {
      hint = "; a header is a line without any number, else CsvHeader::present says that it is one";
    }
    fail(column, concatenate({in_quotes(field), ", expected a number", hint}));
  }

  std::uint32_t label(std::size_t column) {
    const std::string_view text = fields_[column];
    double value = 0;
    const bool is_number = parse(text, value);
    if (!options_.class_names.empty()) {
      const auto name = names_.find(text);
      if (name == names_.end()) {
        fail(column, concatenate({"label ", in_quotes(text), ", expected one of the ", names_.size(), " class_names"}));
      }
      return name->second;
    }
    if (labels_.empty()) {
      named_ = !is_number && !text.empty();
      first_line_ = line_;
    } else if (named_ && is_number) {
      fail_mixed_labels(column);
    }
    return named_ && !text.empty() ? named_label(column, text) : numbered_label(column, is_number, value);
  }

  [[noreturn, gnu::cold]] void fail_mixed_labels(std::size_t column) const {
    const auto first = std::find_if(names_.begin(), names_.end(), [](const auto& name) { return name.second == 0; });
    throw FormatError(path_, concatenate({"line ", first_line_, ", column ", column + 1, ": label ",
                                          in_quotes(first->first), ", but a number in line ", line_,
                                          ", expected a number in both (a header of which a field is a number needs "
                                          "CsvHeader::present)"}));
  }

  // Numbers the names in the order in which they appear.
  std::uint32_t named_label(std::size_t column, std::string_view text) {
    const auto name = names_.find(text);
    if (name != names_.end()) {
      return name->second;
    }
    if (!internal::is_utf8(text)) {
      fail(column,
           concatenate({"label ", in_quotes(text), ", expected UTF-8: convert the file, as with iconv -t UTF-8"}));
    }
    const std::uint32_t limit = std::max(options_.class_limit, options_.classes);
    if (names_.size() == limit) {
      fail(column,
           concatenate({"label ", in_quotes(text), " is one name more than ", limit, ", the limit (is label_column ",
                        options_.label_column, " the labels' column? class_limit raises it)"}));
    }
    return names_.emplace(std::string(text), static_cast<std::uint32_t>(names_.size())).first->second;
  }

  // Takes whole numbers, also as 5.0 and 5.000e+00.
  std::uint32_t numbered_label(std::size_t column, bool is_number, double value) const {
    const std::uint32_t limit = options_.classes != 0 ? options_.classes : std::numeric_limits<std::uint32_t>::max();
    const double first = options_.first_label;
    if (!is_number || !is_finite(value) || value < first || value >= first + limit || value != std::floor(value)) {
      fail(column,
           concatenate({"label ", in_quotes(fields_[column]), ", expected a whole number, ", options_.first_label,
                        " or more and less than ", std::uint64_t{options_.first_label} + limit}));
    }
    return static_cast<std::uint32_t>(value - first);
  }

  [[gnu::cold]] void fill_missing() {
    const std::size_t columns = feature_columns();
    means_ = options_.column_means;
    if (means_.empty()) {
      measure_means();
    } else if (means_.size() != columns) {
      throw OptionError(concatenate(
          {"column_means: ", means_.size(), " means, but ", path_text(path_), " has ", columns, " features"}));
    }
    for (std::size_t i = 0; i < features_.size(); ++i) {
      if (missing_[i]) {
        features_[i] = static_cast<float>(means_[i % columns]);
      }
    }
  }

  [[gnu::cold]] void measure_means() {
    const std::size_t columns = feature_columns();
    means_.assign(columns, 0);
    std::vector<std::size_t> counts(columns);
    for (std::size_t i = 0; i < features_.size(); ++i) {
      if (!missing_[i]) {
        means_[i % columns] += double{features_[i]};
        ++counts[i % columns];
      }
    }
    for (std::size_t column = 0; column < columns; ++column) {
      if (counts[column] == 0) {
        throw FormatError(path_, concatenate({"column ", column + (column >= label_column_ ? 2 : 1),
                                              ": no value at all, expected one to take the mean of"}));
      }
      means_[column] /= static_cast<double>(counts[column]);
    }
  }

  // The options' names, or else the names found, in the order of their bytes, which is the map's.
  [[gnu::cold]] std::vector<std::string> sorted_names() {
    if (!options_.class_names.empty()) {
      return options_.class_names;
    }
    std::vector<std::string> names;
    std::vector<std::uint32_t> classes(names_.size());
    while (!names_.empty()) {
      auto node = names_.extract(names_.begin());
      classes[node.mapped()] = static_cast<std::uint32_t>(names.size());
      names.push_back(std::move(node.key()));
    }
    for (std::uint32_t& label : labels_) {
      label = classes[label];
    }
    return names;
  }

  [[gnu::cold]] std::uint32_t class_count() const {
    if (names_.empty()) {
      return options_.labelled ? count_classes(path_, labels_, options_.classes, options_.first_label)
                               : options_.classes;
    }
    if (options_.classes != 0 && names_.size() > options_.classes) {
      throw FormatError(path_, concatenate({"labels: ", names_.size(), " different names, expected at most ",
                                            options_.classes, ", the number of classes"}));
    }
    return static_cast<std::uint32_t>(names_.size());
  }

  [[gnu::cold]] Dataset dataset() {
    const std::size_t features = feature_columns();
    if (options_.image != ImageShape{} && !options_.image.has(features)) {
      throw OptionError(concatenate(
          {"image: ", image_text(options_.image), ", but ", path_text(path_), " has ", features, " features"}));
    }
    const std::uint32_t classes = class_count();
    std::vector<std::string> names = names_.empty() ? std::vector<std::string>{} : sorted_names();
    features_.shrink_to_fit();  // reserved for dropped rows and blanks too; it lives as long as the dataset
    Matrix<float> rows(labels_.size(), features, std::move(features_));
    return Dataset{std::move(rows), std::move(labels_), classes, options_.image, options_.normalization}
        .with_class_names(std::move(names));
  }

  const std::filesystem::path& path_;
  const CsvOptions& options_;
  std::string_view rest_;  // the rest of the text, from the current line on
  std::size_t line_ = 0;
  std::size_t first_line_ = 0;  // the samples' first line
  std::size_t dropped_ = 0;
  std::size_t columns_ = 0;
  std::size_t label_column_ = 0;  // columns_ if there is none
  bool named_ = false;
  std::map<std::string, std::uint32_t, std::less<>> names_;  // the classes' names and numbers
  std::vector<std::string_view> fields_;
  std::vector<float> features_;
  std::vector<bool> missing_;  // parallel to features_, if missing values are filled in
  std::vector<double> means_;
  Labels labels_;
};

inline Dataset read_csv(CsvReader& reader, const std::filesystem::path& path, const CsvOptions& options) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  return reader.read({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace detail

/// A dataset from a CSV file, plain or compressed by gzip: float features, and labels that are whole numbers (5, 5.0,
/// 5.000e+00) or names. Lines end with LF or CRLF, the last one with or without; numbers may stand in quotes or between
/// blanks; a byte order mark and empty lines at the end are skipped. Throws FileError; FormatError that names the file,
/// line and column (from 1): rows of different length, a field that is not a number, infinity, a missing value unless
/// the options say otherwise, a negative label, one that is not below options.classes, labels that are partly numbers
/// and partly names, numbers that do not begin at first_label if `classes` is not given, no sample at all, text in
/// UTF-16 or with CR alone at its line ends, more columns or names of classes than the limits; OptionError for options
/// that make no sense or do not fit the file. Memory: the text, at most twice as much for the values read from it, and
/// the names of the classes.
[[gnu::cold]] inline Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options = {}) {
  detail::CsvReader reader(path, options);
  return detail::read_csv(reader, path, options);
}

/// {train, test} from two files with the same columns. The training file decides for the test file too: the number of
/// classes and their names, and the column means that fill missing values.
[[gnu::cold]] inline std::pair<Dataset, Dataset> load_csv_train_test(const std::filesystem::path& train_path,
                                                                     const std::filesystem::path& test_path,
                                                                     const CsvOptions& options = {}) {
  detail::CsvReader reader(train_path, options);
  Dataset train = detail::read_csv(reader, train_path, options);
  CsvOptions test_options = options;
  test_options.classes = train.classes();
  test_options.class_names = train.class_names();
  test_options.column_means = reader.column_means();
  Dataset test = load_csv(test_path, test_options);
  if (test.class_names() != train.class_names()) {  // the message shows the names if there are any
    throw FormatError(test_path,
                      concatenate({"labels: names, expected numbers as in ", path_text(train_path.filename())}));
  }
  if (test.feature_count() != train.feature_count()) {
    throw FormatError(test_path, concatenate({"features: ", test.feature_count(), ", expected ", train.feature_count(),
                                              " as in ", path_text(train_path.filename())}));
  }
  return {std::move(train), std::move(test)};
}

/// A dataset with targets in place of labels: `target_columns` in their order, from 0, or from the right where negative
/// (-1 is the last); all other columns are features. Reads and throws as load_csv does; options for labels have no
/// meaning. Throws OptionError for no column, for one twice or one that the file does not have, for no feature beside
/// them, and for CsvMissing::column_mean, since a mean is no target.
[[gnu::cold]] inline Dataset load_csv_with_targets(const std::filesystem::path& path,
                                                   const std::vector<std::ptrdiff_t>& target_columns,
                                                   CsvOptions options = {}) {
  if (options.missing == CsvMissing::column_mean) {
    throw OptionError("missing: column_mean, expected refuse or drop_row beside target_columns: a mean is no target");
  }
  const ImageShape image = std::exchange(options.image, {});
  options.labelled = false;
  const Dataset table = load_csv(path, options);
  const Matrix<float>& values = std::get<Matrix<float>>(table.features());
  std::vector<bool> is_target(values.columns(), false);
  std::vector<std::size_t> targets;
  for (const std::ptrdiff_t column : target_columns) {
    const auto place = static_cast<std::size_t>(column < 0 ? column + std::ssize(is_target) : column);
    if (place >= is_target.size() || is_target[place]) {
      throw OptionError(concatenate({"target_columns: ", column, ", expected different columns of the ",
                                     is_target.size(), " of ", path_text(path)}));
    }
    is_target[place] = true;
    targets.push_back(place);
  }
  std::vector<std::size_t> features;
  for (std::size_t column = 0; column < is_target.size(); ++column) {
    if (!is_target[column]) {
      features.push_back(column);
    }
  }
  if (targets.empty() || features.empty()) {
    throw OptionError(concatenate({"target_columns: ", targets.size(), " of ", is_target.size(), " columns of ",
                                   path_text(path), ", expected at least one target and one feature"}));
  }
  const auto columns_of = [&](const std::vector<std::size_t>& columns) {
    Matrix<float> part(values.rows(), columns.size());
    for (std::size_t row = 0; row < values.rows(); ++row) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        part(row, i) = values(row, columns[i]);
      }
    }
    return part;
  };
  return Dataset{columns_of(features), image, options.normalization}.with_targets(columns_of(targets));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
