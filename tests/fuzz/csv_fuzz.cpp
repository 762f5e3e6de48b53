// SPDX-License-Identifier: MIT
/// CSV files under options that the first byte chooses: what loads, written out as plain text, loads equal.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
/// missing values.
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
  options.size_limit = retort::fuzz::size_limit;
  return options;
}

std::string written(const Dataset& dataset) {
  const auto& features = std::get<retort::data::Matrix<float>>(dataset.features());
  std::string text;
  for (std::size_t row = 0; row < features.rows(); ++row) {
    text += retort::to_text(dataset.labels()[row]);
    for (const float value : features.row(row)) {
      text += retort::concatenate({",", value});
    }
    text += '\n';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::fuzz::input_file;
  if (size == 0) {
    return 0;
  }
  const CsvOptions options = options_of(data[0]);
  const std::string_view text = retort::fuzz::text_of(data + 1, size - 1);
  const std::optional<Dataset> dataset =
      retort::fuzz::accepted([&] { return retort::data::load_csv(input_file("table", text), options); });
  if (dataset) {
    const Dataset again = retort::data::load_csv(input_file("again", written(*dataset)),
                                                 {.header = CsvHeader::absent, .classes = dataset->classes()});
    retort::fuzz::require(again.features() == dataset->features() && again.labels() == dataset->labels(),
                          "a table written as text loads equal");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string plain(1, '\0');  // the options' defaults
  return {
      {"plain", plain + "1,0.5,-2\n0,1e3,+4\n"},
      {"header", plain + "label,a,b\n1,2,3\n"},
      {"crlf_and_mark", plain + "\xEF\xBB\xBFlabel,a\r\n1,2\r\n\r\n"},
      {"quotes", plain + "\"label\", \"a, b\"\n \"1\" ,\"2.5\"\n"},
      {"semicolons_label_last",
       "\x16"
       "0.5;1\n0.25;0"},
      {"tabs", std::string("\x0A") + "1\t2\t3\n"},
      {"beyond_float", plain + "1,1e39\n"},
      {"below_double", plain + "1,1e-400\n"},
      {"below_float", plain + "1,1e-60\n"},
      {"highest_label", plain + "4294967294,1\n"},
      {"label_with_a_point", plain + "5.0,1\n"},
      {"not_a_number", plain + "1,nan\n2,inf\n"},
      {"missing_value", plain + "1,,3\n2,?,4\n"},
      {"missing_row",
       "\x40"
       "1,,3\n2,5,4\n"},
      {"missing_mean",
       "\x80"
       "1,,3\n2,5,4\n"},
      {"quote_not_closed", plain + "1,\"2\n3,4\n"},
      {"only_commas", plain + ",,,,,,,,\n,,,\n"},
      {"zero_byte", plain + std::string("1,2\0\n", 5)},
  };
}
