// SPDX-License-Identifier: MIT
#include "retort/data/csv_images.hpp"

#include <string>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

struct Table {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "digits.csv";

  data::Dataset load(const std::string& text, const data::MnistOptions& options = {}) const {
    write_file(path, text);
    return data::load_csv_images(path, options);
  }
  std::string refusal(const std::string& text, const data::MnistOptions& options = {}) const {
    return message_of<FormatError>([&] { load(text, options); });
  }
};

}  // namespace

TEST_CASE("the label's column is the first, or the one that the header names") {
  const Table table;
  const std::uint64_t expected = table.load("3,1,2,3,4\n").fingerprint();
  CHECK(table.load("label,1x1,1x2,2x1,2x2\r\n3,1,2,3,4\r\n").fingerprint() == expected);
  CHECK(table.load("pixel1,pixel2,pixel3,pixel4,class\n1,2,3,4,3\n").fingerprint() == expected);
  CHECK(table.load("\"pixel1\",\"pixel2\",\"pixel3\",\"pixel4\",\"Label\"\n1,2,3,4,\"3\"\n").fingerprint() == expected);
  CHECK(table.load(gzip("3,1,2,3,4\n")).fingerprint() == expected);
  CHECK(table.load("\"pixel 1, at the left\",\"class\",x,y,z\n1,3,2,3,4\n").fingerprint() == expected);
  CHECK(table.load("\xEF\xBB\xBF\"pixel1\",class,labels,x,y\n1,3,2,3,4\n").fingerprint() == expected);
  CHECK(table.load("3,1,3,2,4\n", {.transposed = true}).fingerprint() == expected);
  CHECK(table.load("4,1,2,3,4\n", {.first_label = 1}).fingerprint() == expected);
}

TEST_CASE("a table without labels is read for predictions, by its own function") {
  const Table table;
  write_file(table.path, "pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n");
  const data::Dataset dataset = data::load_unlabelled_csv_images(table.path);
  CHECK((std::get<0>(dataset.features()) == data::Matrix<std::uint8_t>{{1, 2, 3, 4}}));
  CHECK(dataset.image() == data::ImageShape{2, 2});
  CHECK(dataset.labelled_count() == 0);
  CHECK(
      contains(message_of<UnlabelledError>([&] { data::load_csv_images(table.path); }), "load_unlabelled_csv_images"));
  write_file(table.path, "3,1,2,3,4\n");
  CHECK(contains(message_of<FormatError>([&] { data::load_unlabelled_csv_images(table.path); }),
                 "columns: 5, expected the pixels of a square image without a label (it has labels"));
}

TEST_CASE("what is no table of pixels is refused") {
  const Table table;
  const auto refused = [&](const std::string& text, const char* reason) {
    CHECK(is_message(table.refusal(text), table.path, {reason}));
  };
  refused("3,1,2,3\n", "columns: 4, expected the pixels of a square image and a label");
  refused("3,1,2,3,4,5,6\n", "columns: 7, expected the pixels of a square image and a label");
  refused("3,1,2,3,4\n3,1,256,3,4\n", "pixel 1 of image 1: 256, expected a whole number from 0 to 255");
  refused("3,1,2,0.5,4\n", "pixel 2 of image 0: 0.5");
  refused("3,1,2,-1,4\n", "pixel 2 of image 0: -1");
  refused("3,1,2,nan,4\n", "line 1, column 4: 'nan'");
  refused("10,1,2,3,4\n", "line 1, column 1: label '10'");
}
