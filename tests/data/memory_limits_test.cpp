// SPDX-License-Identifier: MIT
/// @file
/// What the readers take for files that are small, or packed small, and ask for much.

#include <cstddef>
#include <cstdint>
#include <string>

#include "allocation_peak.hpp"
#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/idx.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/save_views.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t little = mebibyte / 16;  // for names, headers and messages

std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

// An NPY file whose elements are zero.
std::string npy_zeros(const std::string& type, const std::string& order, const std::string& shape, std::size_t bytes) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + "}";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + header + std::string(bytes, '\0');
}

// Reads what is taken, and checks that it took no more than `bytes`.
template <typename Read>
void check_taken_within(std::size_t bytes, const Read& read) {
  const std::size_t peak = peak_of(read);
  CAPTURE(peak);
  if (measures_peaks) {
    CHECK(peak <= bytes);
  }
}

// Reads what is refused with `reason`, and checks that it took no more than `bytes`.
template <typename Read>
void check_refused_within(std::size_t bytes, const char* reason, const Read& read) {
  std::string message;
  const std::size_t peak = peak_of([&] { message = message_of<FormatError>(read); });
  CAPTURE(message, peak);
  CHECK(contains(message, reason));
  if (measures_peaks) {
    CHECK(peak <= bytes);
  }
}

}  // namespace

TEST_CASE("a megabyte that unpacks to a gigabyte takes what its last member promises, at most") {
  const TemporaryFolder folder;
  const auto path = folder / "bomb.gz";
  std::string bomb;
  for (const std::string member = gzip(std::string(64 * mebibyte, '\0')); bomb.size() < mebibyte;) {
    bomb += member;
  }
  write_file(path, bomb);
  check_refused_within(66 * mebibyte, "unpacks to more than", [&] { data::read_plain_or_gzip(path); });
  check_refused_within(2 * mebibyte, "size limit", [&] { data::read_plain_or_gzip(path, mebibyte); });
  // One member, whose end says what it holds.
  write_file(path, gzip(std::string(65 * mebibyte, '\0')));
  check_refused_within(mebibyte, "unpacks to more than", [&] { data::read_plain_or_gzip(path); });
}

TEST_CASE("what a gzip file holds is all that it takes") {
  const TemporaryFolder folder;
  const auto path = folder / "zeros.gz";
  const std::string half = gzip(std::string(16 * mebibyte, '\0'));
  for (const std::string& bytes : {gzip(std::string(32 * mebibyte, '\0')), half + half}) {
    write_file(path, bytes);
    check_taken_within(33 * mebibyte, [&] { CHECK(data::read_plain_or_gzip(path).size() == 32 * mebibyte); });
  }
  const auto plain = folder / "plain";
  write_file(plain, std::string(32 * mebibyte, 'x'));
  check_taken_within(33 * mebibyte, [&] { CHECK(data::read_plain_or_gzip(plain).size() == 32 * mebibyte); });
}

TEST_CASE("a line of nothing but commas takes its text and a million fields") {
  const TemporaryFolder folder;
  const auto path = folder / "commas.csv";
  write_file(path, gzip(std::string(60'000'000, ',')));
  check_refused_within(100 * mebibyte, "line 1: more than 1048576 columns", [&] { data::load_csv(path); });
  write_file(path, gzip(std::string(100'000'000, ',')));
  check_refused_within(mebibyte, "unpacks to more than", [&] { data::load_csv(path); });
}

TEST_CASE("a table takes its text and twice as much, whatever its first line promises") {
  const TemporaryFolder folder;
  const auto path = folder / "table.csv";
  const std::string rows = repeated("0,1\n", 2 * mebibyte);
  write_file(path, rows);
  check_taken_within(3 * rows.size() + mebibyte, [&] { CHECK(data::load_csv(path).size() == 2 * mebibyte); });
  // A first line of many columns above many empty ones.
  write_file(path, "0" + std::string(mebibyte - 1, ',') + "\n" + std::string(8 * mebibyte, '\n') + "1,2\n");
  check_refused_within(80 * mebibyte, "line 2: columns: 1, expected 1048576",
                       [&] { data::load_csv(path, {.missing = data::CsvMissing::drop_row}); });
}

TEST_CASE("extents that a file does not hold take nothing") {
  const TemporaryFolder folder;
  const auto path = folder / "array";
  write_file(path, idx_bytes({0x7fffffffu, 0xffffu, 0xffffu}, "abc"));
  check_refused_within(mebibyte, "elements: 3 bytes", [&] { data::read_idx<3>(path); });
  std::string npy = "\x93NUMPY\x01";
  npy.append("\0\x50\0", 3);
  npy += "{'descr': '<f8', 'fortran_order': True, 'shape': (1099511627776, 784)}";
  npy.resize(10 + 0x50, ' ');
  write_file(path, npy);
  check_refused_within(mebibyte, "elements: 0 bytes", [&] { data::load_npy(path, path); });
}

TEST_CASE("a column of names without end is no column of labels") {
  const TemporaryFolder folder;
  const auto path = folder / "table.csv";
  std::string rows;
  for (std::size_t row = 0; row < 10'000; ++row) {
    rows += "id" + std::to_string(row) + ",1\n";
  }
  write_file(path, rows);
  check_refused_within(3 * rows.size() + mebibyte / 2,
                       "line 4097, column 1: label 'id4096' is one name more than 4096, the limit",
                       [&] { data::load_csv(path, {.class_limit = 4096}); });
  check_taken_within(3 * rows.size() + 2 * mebibyte,
                     [&] { CHECK(data::load_csv(path).class_names().size() == 10'000); });
  CHECK(data::CsvOptions{}.class_limit == 65'536);
}

TEST_CASE("a table of pixels takes its text and two and a half times as much") {
  const TemporaryFolder folder;
  const auto path = folder / "pixels.csv";
  const std::string rows = repeated("0,1\n", mebibyte / 8);
  write_file(path, rows);
  check_taken_within(rows.size() / 2 * 7 + little, [&] { CHECK(data::load_csv_images(path).size() == mebibyte / 8); });
  write_file(path, std::string(mebibyte, 'a'));
  check_refused_within(mebibyte + little, "columns: 1", [&] { data::load_csv_images(path); });
}

TEST_CASE("labels of IDX take their file and four bytes each, where there are as many as images") {
  const TemporaryFolder folder;
  const auto images = folder / "images";
  const auto labels = folder / "labels";
  const std::string zeros(mebibyte, '\0');
  write_file(images, idx_bytes({1, 1, 1}, "x"));
  write_file(labels, gzip(idx_bytes({mebibyte}, zeros)));
  check_refused_within(mebibyte + little, "number of labels: 1048576, expected 1",
                       [&] { data::load_idx_images(images, labels); });
  write_file(images, idx_bytes({mebibyte, 1, 1}, zeros));
  check_taken_within(6 * mebibyte + little, [&] { CHECK(data::load_idx_images(images, labels).size() == mebibyte); });
  check_taken_within(5 * mebibyte + little, [&] { CHECK(data::read_idx_labels(labels).size() == mebibyte); });
}

TEST_CASE("an NPY file takes itself and four bytes a number, in Fortran order those twice") {
  const TemporaryFolder folder;
  const auto features = folder / "features.npy";
  const auto labels = folder / "labels.npy";
  const auto load = [&] { return data::load_npy(features, labels).feature_count(); };
  const auto check = [&](std::size_t bytes) {
    check_taken_within(bytes + little, [&] { CHECK(load() == mebibyte / 8); });
  };
  write_file(labels, npy_zeros("|u1", "False", "(2,)", 2));
  const std::size_t numbers = mebibyte / 4;
  for (const char* order : {"False", "True"}) {
    CAPTURE(order);
    write_file(features, npy_zeros("<f8", order, "(2, 131072)", 8 * numbers));
    check(12 * numbers);
    write_file(features, npy_zeros("|i1", order, "(2, 131072)", numbers));
    check((order[0] == 'T' ? 8u : 5u) * numbers);
    write_file(features, npy_zeros("|u1", order, "(2, 131072)", numbers));
    check((order[0] == 'T' ? 2u : 1u) * numbers);
  }
  write_file(labels, npy_zeros("|u1", "False", "(1048576,)", mebibyte));
  check_refused_within(mebibyte + numbers + little, "number of labels: 1048576, expected 2", load);
}

TEST_CASE("views are written in little memory, however many there are") {
  const TemporaryFolder folder;
  const data::Dataset images = noise_images(100, {64, 64}, 2, 1);
  for (const data::Augmentation& augmentation : {data::Augmentation{.shift = 1}, data::Augmentation{.rotation = 5}}) {
    check_taken_within(mebibyte + little,
                       [&] { data::save_views(folder / "views.npy", images, augmentation, {.count = 20}); });
  }
}
