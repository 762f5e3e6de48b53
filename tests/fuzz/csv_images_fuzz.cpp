// SPDX-License-Identifier: MIT
/// Tables of pixels, as Kaggle has MNIST, under options that the first byte chooses: what loads, written out as plain
/// text, loads equal.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/dataset.hpp"

namespace {

using retort::data::Dataset;

std::string written(const Dataset& dataset) {
  std::string text = "label";
  for (std::size_t pixel = 0; pixel < dataset.feature_count(); ++pixel) {
    text += retort::concatenate({",pixel", pixel});
  }
  const auto append_rows = [&](const auto& pixels) {
    for (std::size_t row = 0; row < pixels.rows(); ++row) {
      text += retort::concatenate({"\n", dataset.labels()[row]});
      for (const auto pixel : pixels.row(row)) {
        text += retort::concatenate({",", pixel});
      }
    }
  };
  std::visit(append_rows, dataset.features());
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::fuzz::accepted;
  using retort::fuzz::input_file;
  if (size == 0) {
    return 0;
  }
  const std::string_view text = retort::fuzz::text_of(data + 1, size - 1);
  const unsigned choice = data[0];
  const retort::data::MnistOptions options{
      .first_label = choice >> 1 & 1u, .transposed = (choice & 1u) != 0, .size_limit = retort::fuzz::size_limit};
  const std::optional<Dataset> dataset =
      accepted([&] { return retort::data::load_csv_images(input_file("table", text), options); });
  if (dataset) {
    const Dataset again = retort::data::load_csv_images(input_file("again", written(*dataset)));
    retort::fuzz::require(again.features() == dataset->features() && again.labels() == dataset->labels() &&
                              again.image() == dataset->image(),
                          "a table of pixels written as text loads equal");
  }
  accepted([&] { return retort::data::load_unlabelled_csv_images(input_file("table", text), options); });
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string plain(1, '\0');  // the options' defaults
  return {
      {"labelled", plain + "label,pixel0,pixel1,pixel2,pixel3\n7,0,255,128,1\n0,1,2,3,4\n"},
      {"label_last", plain + "p0,p1,p2,p3,\"Class\"\n0,255,128,1,9\n"},
      {"transposed", "\x01label,p0,p1,p2,p3\n7,0,255,128,1\n"},
      {"first_label", "\x02label,p0\n10,0\n"},
      {"without_header", plain + "1,0\n2,255\n"},
      {"unlabelled", plain + "pixel0,pixel1,pixel2,pixel3\n0,255,128,1\n"},
      {"not_a_square", plain + "label,p0,p1\n1,2,3\n"},
      {"beyond_a_byte", plain + "label,p0\n1,256\n"},
      {"fraction", plain + "label,p0\n1,0.5\n"},
      {"label_beyond_the_classes", plain + "label,p0\n10,1\n"},
      {"byte_order_mark", plain + "\xEF\xBB\xBFp0,label\n1,2\n"},
      {"commas_in_quotes", plain + "p0,p1,\"p2,p3\"\n0,255,9\n"},
      {"semicolons", plain + "label;p0\n1;2\n"},
      {"carriage_returns", plain + "label,p0\r1,2\r"},
      {"one_column", plain + "label\n1\n"},
      {"nothing", plain},
  };
}
