// SPDX-License-Identifier: MIT
#include "retort/data/emnist.hpp"

#include <string>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;
using data::EmnistSplit;

namespace {

// Two images of 2 x 3 pixels, column by column, and one.
void write_split(const std::filesystem::path& folder, const std::string& split, const std::string& labels) {
  const std::string stem = "emnist-" + split;
  write_file(folder / (stem + "-train-images-idx3-ubyte"), idx_bytes({2, 3, 2}, "adbecfgjhkil"));
  write_file(folder / (stem + "-train-labels-idx1-ubyte"), idx_bytes({2}, labels));
  write_file(folder / (stem + "-test-images-idx3-ubyte.gz"), gzip(idx_bytes({1, 3, 2}, "adbecf")));
  write_file(folder / (stem + "-test-labels-idx1-ubyte.gz"), gzip(idx_bytes({1}, labels.substr(0, 1))));
}

}  // namespace

TEST_CASE("EMNIST's images stand upright, and the letters' labels begin at 0") {
  const TemporaryFolder folder;
  write_split(folder.path(), "letters", "\x01\x1a");
  const auto [train, test] = data::load_emnist(folder.path(), EmnistSplit::letters);
  CHECK(train.image() == data::ImageShape{2, 3});
  CHECK((std::get<0>(train.features()) ==
         data::Matrix<std::uint8_t>{{'a', 'b', 'c', 'd', 'e', 'f'}, {'g', 'h', 'i', 'j', 'k', 'l'}}));
  CHECK((train.labels() == data::Labels{0, 25}));
  CHECK(train.classes() == 26);
  CHECK(train.class_names()[25] == "Z");
  CHECK((test.labels() == data::Labels{0}));
  write_split(folder.path(), "letters", "\x01\x1b");
  CHECK(is_message(message_of<FormatError>([&] { data::load_emnist(folder.path(), EmnistSplit::letters); }),
                   folder / "emnist-letters-train-labels-idx1-ubyte",
                   {"label of sample 1: 27, expected less than 27"}));
}

TEST_CASE("every split has its classes") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "gzip");
  const auto names = [&](EmnistSplit split, const char* name, std::size_t classes) {
    write_split(folder / "gzip", name, "\x01\x02");
    const auto train = data::load_emnist(folder.path(), split).first;
    CHECK(train.classes() == classes);
    CHECK(train.labels()[0] == 1);
    return train.class_names();
  };
  CHECK(names(EmnistSplit::balanced, "balanced", 47)[46] == "t");
  CHECK(names(EmnistSplit::byclass, "byclass", 62)[61] == "z");
  CHECK(names(EmnistSplit::bymerge, "bymerge", 47)[36] == "a");
  CHECK(names(EmnistSplit::digits, "digits", 10)[9] == "9");
  CHECK(names(EmnistSplit::mnist, "mnist", 10)[0] == "0");
}

TEST_CASE("EMNIST's tables are read, column by column too") {
  const TemporaryFolder folder;
  write_file(folder / "emnist-letters-train.csv", "26,1,3,2,4\n1,5,7,6,8\n");
  write_file(folder / "emnist-letters-test.csv", "2,1,3,2,4\n");
  const auto [train, test] = data::load_emnist(folder.path(), EmnistSplit::letters);
  CHECK((std::get<0>(train.features()) == data::Matrix<std::uint8_t>{{1, 2, 3, 4}, {5, 6, 7, 8}}));
  CHECK((train.labels() == data::Labels{25, 0}));
  CHECK((test.labels() == data::Labels{1}));
}

TEST_CASE("a folder without the split is named with what was looked for") {
  const TemporaryFolder folder;
  write_split(folder.path(), "digits", "\x01\x02");
  CHECK(is_message(message_of<FileError>([&] { data::load_emnist(folder.path(), EmnistSplit::letters); }),
                   folder.path(), {"emnist-letters-train-images-idx3-ubyte", "emnist-letters-train.csv", "gzip"}));
  std::filesystem::remove(folder / "emnist-digits-train-labels-idx1-ubyte");
  CHECK(is_message(message_of<FileError>([&] { data::load_emnist(folder.path(), EmnistSplit::digits); }), folder.path(),
                   {"has emnist-digits-train-images-idx3-ubyte, but none of emnist-digits-train-labels-idx1-ubyte"}));
}
