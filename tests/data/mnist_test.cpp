// SPDX-License-Identifier: MIT
#include "retort/data/mnist.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

// Five training and two test images of 2 x 3 pixels.
void write_small_set(const TemporaryFolder& folder) {
  write_file(folder / "train-images-idx3-ubyte", idx_bytes({5, 2, 3}, "aaaaaabbbbbbccccccddddddeeeeee"));
  write_file(folder / "train-labels-idx1-ubyte", idx_bytes({5}, std::string{"\x00\x09\x03\x01\x02", 5}));
  write_file(folder / "t10k-images-idx3-ubyte", idx_bytes({2, 2, 3}, "yyyyyyzzzzzz"));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_bytes({2}, "\x04\x05"));
}

template <typename Expected>
std::string refusal(const TemporaryFolder& folder, const data::MnistOptions& options = {}) {
  return message_of<Expected>([&] { data::load_mnist(folder.path(), options); });
}

}  // namespace

TEST_CASE("four IDX files of any size become two datasets") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const auto [train, test] = data::load_mnist(folder.path());
  CHECK(train.size() == 5);
  CHECK(test.size() == 2);
  CHECK(train.feature_count() == 6);
  CHECK(train.image() == data::ImageShape{2, 3});
  CHECK(train.classes() == 10);
  CHECK(train.normalization() == data::Normalization{0.5, 0.5});
  CHECK(train.labels()[1] == 9);
  CHECK(std::get<0>(train.features())(4, 5) == 'e');
  CHECK(std::get<0>(test.features())(1, 0) == 'z');
  CHECK(test.labels()[0] == 4);
}

TEST_CASE("the names may have a dot, and each file may be compressed") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const auto expected = data::load_mnist(folder.path()).first.fingerprint();
  std::filesystem::rename(folder / "train-images-idx3-ubyte", folder / "train-images.idx3-ubyte");
  const std::string labels = read_file(folder / "train-labels-idx1-ubyte");
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  write_file(folder / "train-labels.idx1-ubyte.gz", gzip(labels));
  CHECK(data::load_mnist(folder.path()).first.fingerprint() == expected);
}

TEST_CASE("files may be in folders of their own names, as in Kaggle's copy") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const auto expected = data::load_mnist(folder.path());
  for (const char* name : {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte"}) {
    std::string hyphened = name;
    hyphened.replace(hyphened.find('.'), 1, "-");
    const std::string bytes = read_file(folder / hyphened);
    std::filesystem::remove(folder / hyphened);
    std::filesystem::create_directory(folder / hyphened);
    // Kaggle has the file beside the folder and inside; either is enough.
    write_file(folder / hyphened / (name[0] == 't' && name[1] == 'r' ? hyphened : std::string(name)), bytes);
  }
  const auto found = data::load_mnist(folder.path());
  CHECK(found.first.fingerprint() == expected.first.fingerprint());
  CHECK(found.second.fingerprint() == expected.second.fingerprint());
  write_file(folder / "train-images.idx3-ubyte", idx_bytes({5, 2, 3}, std::string(30, 'x')));
  CHECK(std::get<0>(data::load_mnist(folder.path()).first.features())(0, 0) == 'x');
}

TEST_CASE("QMNIST's names and labels of eight fields are read") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const auto expected = data::load_mnist(folder.path());
  const auto extended = [](std::initializer_list<char> labels) {
    std::string bytes{"\0\0\x0c\x02\0\0\0", 7};
    bytes += static_cast<char>(labels.size());
    bytes += std::string{"\0\0\0\x08", 4};
    for (const char label : labels) {
      bytes += std::string{"\0\0\0", 3} + label + std::string(28, '\x7f');  // the writer, the place in NIST's files
    }
    return bytes;
  };
  std::filesystem::rename(folder / "train-images-idx3-ubyte", folder / "qmnist-train-images-idx3-ubyte");
  std::filesystem::rename(folder / "t10k-images-idx3-ubyte", folder / "qmnist-test-images-idx3-ubyte");
  write_file(folder / "qmnist-train-labels-idx2-int", extended({0, 9, 3, 1, 2}));
  write_file(folder / "qmnist-test-labels-idx2-int.gz", gzip(extended({4, 5})));
  const auto found = data::load_mnist(folder.path());
  CHECK(found.first.fingerprint() == expected.first.fingerprint());
  CHECK(found.second.fingerprint() == expected.second.fingerprint());
  write_file(folder / "qmnist-train-labels-idx2-int", extended({0, 9, 3, 1, 11}));
  CHECK(is_message(refusal<FormatError>(folder), folder / "qmnist-train-labels-idx2-int", {"label of sample 4: 11"}));
  std::string negative = extended({0, 9, 3, 1, 2});
  negative.replace(12, 4, 4, '\xff');
  write_file(folder / "qmnist-train-labels-idx2-int", negative);
  CHECK(is_message(refusal<FormatError>(folder), folder / "qmnist-train-labels-idx2-int",
                   {"label of sample 0: -1, expected at least 0"}));
}

TEST_CASE("tables of pixels are read from a folder, and one without labels is named") {
  const TemporaryFolder folder;
  write_file(folder / "train.csv", "label,pixel0,pixel1,pixel2,pixel3\n7,0,255,3,4\n1,5,6,7,8\n");
  write_file(folder / "test.csv", "label,pixel0,pixel1,pixel2,pixel3\n9,1,2,3,4\n");
  const auto [train, test] = data::load_mnist(folder.path());
  CHECK(train.image() == data::ImageShape{2, 2});
  CHECK(train.classes() == 10);
  CHECK((train.labels() == data::Labels{7, 1}));
  CHECK((std::get<0>(train.features()) == data::Matrix<std::uint8_t>{{0, 255, 3, 4}, {5, 6, 7, 8}}));
  CHECK(train.normalization() == data::Normalization{0.5, 0.5});
  CHECK((test.labels() == data::Labels{9}));
  // Kaggle's Digit Recognizer keeps the labels of its test images.
  write_file(folder / "test.csv", "pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n");
  CHECK(is_message(refusal<FormatError>(folder), folder / "test.csv",
                   {"columns: 4, expected the pixels of a square image and a label (it has no labels"}));
  CHECK(data::load_mnist_train(folder.path()).fingerprint() == train.fingerprint());
  std::filesystem::rename(folder / "train.csv", folder / "fashion-mnist_train.csv");
  CHECK(data::load_mnist_train(folder.path()).fingerprint() == train.fingerprint());
}

TEST_CASE("both parts are of one dataset") {
  const TemporaryFolder folder;
  const auto write = [&](const char* name, int label) {
    write_file(folder / name, std::to_string(label) + ",1,2,3,4\n");
  };
  write("mnist_train.csv", 1);
  write("fashion-mnist_test.csv", 2);
  CHECK(is_message(refusal<FileError>(folder), folder.path(), {"has mnist_train.csv, but none of mnist_test.csv"}));
  write("mnist_test.csv", 3);
  write("fashion-mnist_train.csv", 4);
  CHECK((data::load_mnist(folder.path()).second.labels() == data::Labels{3}));
  write("train.csv", 5);
  CHECK(is_message(refusal<FileError>(folder), folder.path(), {"has train.csv, but none of test.csv, test.csv.gz"}));
  CHECK((data::load_mnist_train(folder.path()).labels() == data::Labels{5}));
  write("test.csv", 6);
  write_small_set(folder);
  CHECK(data::load_mnist(folder.path()).second.size() == 2);
  std::filesystem::remove(folder / "t10k-images-idx3-ubyte");
  CHECK(is_message(refusal<FileError>(folder), folder.path(),
                   {"has train-images-idx3-ubyte, but none of t10k-images-idx3-ubyte", "test-images.idx3-ubyte.gz"}));
  write_file(folder / "test-images-idx3-ubyte", idx_bytes({1, 2, 3}, "wwwwww"));
  write_file(folder / "test-labels-idx1-ubyte", idx_bytes({1}, "\x07"));
  CHECK((data::load_mnist(folder.path()).second.labels() == data::Labels{7}));
}

TEST_CASE("EMNIST's tables, whose images lie on their side, are not taken for MNIST's") {
  const TemporaryFolder folder;
  write_file(folder / "emnist-mnist-train.csv", "1,1,3,2,4\n");
  write_file(folder / "emnist-mnist-test.csv", "2,1,3,2,4\n");
  CHECK(is_message(refusal<FileError>(folder), folder.path(), {"has none of train-images-idx3-ubyte"}));
}

TEST_CASE("tables of another form are told what to do") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const char* reason) {
    write_file(folder / "train.csv", text);
    write_file(folder / "test.csv", text);
    CHECK(is_message(refusal<FormatError>(folder), folder / "train.csv", {reason}));
  };
  refused("label,p0,p1,p2,p3\r3,1,2,3,4\r", "ends its lines with CR alone, expected LF or CRLF: convert it");
  refused("\xFF\xFE" + std::string("3\0,\0", 4), "UTF-16, expected UTF-8 or ASCII: convert it");
  for (const char* line : {"label;p0;p1;p2;p3\n3;1;2;3;4\n", "3;1;2;3;4\n"}) {
    refused(line, "columns: 1, expected the pixels of a square image and a label (is the delimiter ';'?)");
  }
  refused("3\t1\t2\t3\t4\n", "a label (is the delimiter a tab?)");
  refused("", "no samples");
}

TEST_CASE("a missing folder and a missing file are named with what was looked for") {
  const TemporaryFolder folder;
  CHECK(is_message(message_of<FileError>([&] { data::load_mnist(folder / "absent"); }), folder / "absent",
                   {"no such folder", "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train.csv"}));
  write_small_set(folder);
  for (const char* name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    std::filesystem::rename(folder / name, folder / "aside");
    CHECK(is_message(refusal<FileError>(folder), folder.path(), {name, (std::string(name) + ".gz")}));
    std::filesystem::rename(folder / "aside", folder / name);
  }
}

TEST_CASE("labels outside the classes are refused, with the sample's number") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const auto path = folder / "train-labels-idx1-ubyte";
  write_file(path, idx_bytes({5}, std::string{"\x00\x09\x0b\x01\x02", 5}));
  CHECK(is_message(refusal<FormatError>(folder), path, {"label of sample 2: 11, expected less than 10"}));
  CHECK(data::load_mnist(folder.path(), {.classes = 12}).first.classes() == 12);
  write_file(path, idx_bytes({5}, "\x01\x09\x0a\x01\x02"));
  CHECK(data::load_idx_images(folder / "train-images-idx3-ubyte", path, {.first_label = 1}).labels()[2] == 9);
}

TEST_CASE("counts, ranks and extents that disagree are refused, with the file's name") {
  const TemporaryFolder folder;
  write_small_set(folder);
  SECTION("fewer labels than images") {
    write_file(folder / "train-labels-idx1-ubyte", idx_bytes({4}, "\1\2\3\4"));
    CHECK(is_message(refusal<FormatError>(folder), folder / "train-labels-idx1-ubyte",
                     {"number of labels: 4, expected 5", "train-images-idx3-ubyte"}));
  }
  SECTION("images and labels changed places") {
    write_file(folder / "train-images-idx3-ubyte", idx_bytes({5}, "\1\2\3\4\5"));
    CHECK(is_message(refusal<FormatError>(folder), folder / "train-images-idx3-ubyte", {"rank: 1, expected 3"}));
  }
  SECTION("test images of other extents") {
    write_file(folder / "t10k-images-idx3-ubyte", idx_bytes({2, 3, 2}, "yyyyyyzzzzzz"));
    CHECK(is_message(refusal<FormatError>(folder), folder / "t10k-images-idx3-ubyte",
                     {"image extents: 3 x 2, expected 2 x 3"}));
  }
  SECTION("a truncated gzip file") {
    const std::string packed = gzip(read_file(folder / "train-images-idx3-ubyte"));
    std::filesystem::remove(folder / "train-images-idx3-ubyte");
    write_file(folder / "train-images-idx3-ubyte.gz", packed.substr(0, packed.size() / 2));
    CHECK(is_message(refusal<FormatError>(folder), folder / "train-images-idx3-ubyte.gz", {"truncated"}));
  }
}

TEST_CASE("options reach the dataset and are checked") {
  const TemporaryFolder folder;
  write_small_set(folder);
  const data::Normalization normalization{0.1307, 0.3081};
  CHECK(data::load_mnist(folder.path(), {.normalization = normalization}).second.normalization() == normalization);
  CHECK(contains(refusal<OptionError>(folder, {.normalization = {0, 0}}), "standard deviation 0"));
  CHECK(contains(refusal<FormatError>(folder, {.size_limit = 20}), "size limit"));
}

TEST_CASE("datasets written as IDX load again with the same fingerprint") {
  const TemporaryFolder folder;
  const data::Dataset train = data::synthetic_digits(30, Seed{1});
  const data::Dataset test = data::synthetic_digits(20, Seed{2});
  data::save_mnist(train, test, folder.path());
  const auto [train_again, test_again] = data::load_mnist(folder.path());
  CHECK(train_again.fingerprint() == train.fingerprint());
  CHECK(test_again.fingerprint() == test.fingerprint());
}

TEST_CASE("what IDX cannot hold is not written") {
  const TemporaryFolder folder;
  const data::Dataset reals{data::Matrix<float>{{1}}, data::Labels{0}, 2, {1, 1}};
  const data::Dataset many{data::Matrix<std::uint8_t>{{1}}, data::Labels{256}, 300, {1, 1}};
  for (const data::Dataset* dataset : {&reals, &many}) {
    CHECK(contains(message_of<ShapeError>([&] { data::save_idx_images(*dataset, folder / "i", folder / "l"); }),
                   "save_idx_images"));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("the real MNIST has its published shapes and label counts") {
  const char* folder = std::getenv("MNIST_DIR");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    retort::test::skip("MNIST_DIR names no folder");
    return;
  }
  const auto [train, test] = data::load_mnist(folder);
  const auto histogram = [](const data::Dataset& dataset) {
    std::array<std::size_t, 10> counts{};
    for (const std::uint32_t label : dataset.labels()) {
      ++counts[label];
    }
    return counts;
  };
  CHECK(train.size() == 60'000);
  CHECK(test.size() == 10'000);
  CHECK(train.image() == data::ImageShape{28, 28});
  CHECK(histogram(train) == std::array<std::size_t, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(histogram(test) == std::array<std::size_t, 10>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}
