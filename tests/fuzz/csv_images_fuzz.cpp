// SPDX-License-Identifier: MIT
/// Tables of pixels, as Kaggle has MNIST: what loads, written out as plain text, loads equal.

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
  const std::string_view text = retort::fuzz::text_of(data, size);
  const retort::data::MnistOptions options{.size_limit = retort::fuzz::size_limit};
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
  return {
      {"labelled", "label,pixel0,pixel1,pixel2,pixel3\n7,0,255,128,1\n0,1,2,3,4\n"},
      {"label_last", "p0,p1,p2,p3,\"Class\"\n0,255,128,1,9\n"},
      {"without_header", "1,0\n2,255\n"},
      {"unlabelled", "pixel0,pixel1,pixel2,pixel3\n0,255,128,1\n"},
      {"not_a_square", "label,p0,p1\n1,2,3\n"},
      {"beyond_a_byte", "label,p0\n1,256\n"},
      {"fraction", "label,p0\n1,0.5\n"},
      {"label_beyond_the_classes", "label,p0\n10,1\n"},
      {"byte_order_mark", "\xEF\xBB\xBFp0,label\n1,2\n"},
      {"one_column", "label\n1\n"},
      {"nothing", ""},
  };
}
