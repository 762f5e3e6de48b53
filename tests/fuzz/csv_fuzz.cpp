// SPDX-License-Identifier: MIT
/// CSV files under options that the first two bytes choose, alone or as training and test table: what loads, written
/// out as plain text, loads equal.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/dataset.hpp"

namespace {

using retort::data::CsvHeader;
using retort::data::CsvMissing;
using retort::data::CsvOptions;
using retort::data::Dataset;

/// Bits: two for the header, two for the delimiter, one for the label column, one for the number of classes, two for
/// missing values; then one each for a table without labels, names of classes, labels from 1, images, means of columns,
/// a low limit of names, and two tables in one input.
CsvOptions options_of(unsigned choice) {
  constexpr CsvHeader headers[] = {CsvHeader::automatic, CsvHeader::present, CsvHeader::absent, CsvHeader::automatic};
  constexpr CsvMissing missing[] = {CsvMissing::refuse, CsvMissing::drop_row, CsvMissing::column_mean,
                                    CsvMissing::refuse};
  CsvOptions options;
  options.header = headers[choice & 3u];
  options.delimiter = ",;\t "[choice >> 2 & 3u];
  options.label_column = (choice >> 4 & 1u) != 0 ? -1 : 0;
  options.classes = (choice >> 5 & 1u) != 0 ? 10 : 0;
  options.missing = missing[choice >> 6 & 3u];
  const auto has = [&](unsigned bit) { return (choice >> bit & 1u) != 0; };
  options.labelled = !has(8);
  if (has(9)) {
    options.class_names = {"b", "a", "1"};
  }
  options.first_label = has(10) ? 1 : 0;
  if (has(11)) {
    options.image = {1, 2};
  }
  if (has(12)) {
    options.column_means = {0.5, -3};
  }
  options.class_limit = has(13) ? 1 : 3;
  options.size_limit = retort::fuzz::size_limit;
  return options;
}

std::string written(const Dataset& dataset) {
  const auto& features = std::get<retort::data::Matrix<float>>(dataset.features());
  std::string text;
  for (std::size_t row = 0; row < features.rows(); ++row) {
    if (dataset.labelled_count() > 0) {
      text += retort::concatenate({dataset.labels()[row], ","});
    }
    for (std::size_t column = 0; column < features.columns(); ++column) {
      text += retort::concatenate({column == 0 ? "" : ",", features(row, column)});
    }
    text += '\n';
  }
  return text;
}

void check(const Dataset& dataset) {
  const Dataset again = retort::data::load_csv(
      retort::fuzz::input_file("again", written(dataset)),
      {.labelled = dataset.labelled_count() > 0, .header = CsvHeader::absent, .classes = dataset.classes()});
  retort::fuzz::require(again.features() == dataset.features() && again.labels() == dataset.labels(),
                        "a table written as text loads equal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::fuzz::accepted;
  using retort::fuzz::input_file;
  if (size < 2) {
    return 0;
  }
  const unsigned choice = data[0] | static_cast<unsigned>(data[1]) << 8;
  const CsvOptions options = options_of(choice);
  const std::string_view text = retort::fuzz::text_of(data + 2, size - 2);
  if ((choice >> 14 & 1u) == 0) {
    const std::optional<Dataset> dataset =
        accepted([&] { return retort::data::load_csv(input_file("table", text), options); });
    if (dataset) {
      check(*dataset);
    }
    return 0;
  }
  const auto [first, second] = retort::fuzz::split(text);
  const std::optional<std::pair<Dataset, Dataset>> both = accepted([&] {
    return retort::data::load_csv_train_test(input_file("table", first), input_file("test", second), options);
  });
  if (both) {
    check(both->first);
    check(both->second);
    retort::fuzz::require(both->first.classes() == both->second.classes() &&
                              both->first.class_names() == both->second.class_names() &&
                              both->first.feature_count() == both->second.feature_count(),
                          "training and test table have the same classes and columns");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string plain(2, '\0');  // the options' defaults
  const auto under = [](unsigned choice) { return bytes_of(static_cast<std::uint16_t>(choice)); };
  return {
      {"plain", plain + "1,0.5,-2\n0,1e3,+4\n"},
      {"header", plain + "label,a,b\n1,2,3\n"},
      {"crlf_and_mark", plain + "\xEF\xBB\xBFlabel,a\r\n1,2\r\n\r\n"},
      {"quotes", plain + "\"label\", \"a, b\"\n \"1\" ,\"2.5\"\n"},
      {"semicolons_label_last", under(0x16) + "0.5;1\n0.25;0"},
      {"tabs", under(0x0A) + "1\t2\t3\n"},
      {"beyond_float", plain + "1,1e39\n"},
      {"below_double", plain + "1,1e-400\n"},
      {"below_float", plain + "1,1e-60\n"},
      {"highest_label", plain + "4294967294,1\n"},
      {"label_with_a_point", plain + "5.0,1\n"},
      {"not_a_number", plain + "1,nan\n2,inf\n"},
      {"missing_value", plain + "1,,3\n2,?,4\n"},
      {"missing_row", under(0x40) + "1,,3\n2,5,4\n"},
      {"missing_mean", under(0x80) + "1,,3\n2,5,4\n"},
      {"names", plain + "owl,1\ncat,2\nowl,3\n"},
      {"without_labels", under(0x100) + "p,q\n1,2\n3,4\n"},
      {"class_names", under(0x200) + "a,1\n1,2\nb,3\n"},
      {"first_label", under(0x400) + "1,1\n3,2\n"},
      {"images", under(0x800) + "0,1,2\n1,3,4\n"},
      {"column_means", under(0x1080) + "0,1,\n1,,4\n"},
      {"too_many_names", under(0x2000) + "a,1\nb,2\n"},
      {"two_tables", under(0x4080) + joined("a,1\nb,\n", "b,2\na,?\n")},
      {"two_tables_without_labels", under(0x4100) + joined("1,2\n", "3,4\n5,6\n")},
      {"names_in_the_test_table_alone", under(0x4000) + joined("0,1\n1,2\n", "a,3\n")},
      {"another_class_in_the_test_table", under(0x4000) + joined("0,1\n1,2\n", "2,3\n")},
      {"quote_not_closed", plain + "1,\"2\n3,4\n"},
      {"only_commas", plain + ",,,,,,,,\n,,,\n"},
      {"zero_byte", plain + std::string("1,2\0\n", 5)},
  };
}
