// SPDX-License-Identifier: MIT
/// @file
/// What the readers take for files that are small, or packed small, and ask for much.

#include <cstddef>
#include <cstdint>
#include <string>

#include "../temporary_folder.hpp"
#include "allocation_peak.hpp"
#include "catch.hpp"
#include "data_test.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/idx.hpp"
#include "retort/data/npy.hpp"

using namespace retort;
using namespace retort::test;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

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
    const std::size_t peak = peak_of([&] { CHECK(data::read_plain_or_gzip(path).size() == 32 * mebibyte); });
    if (measures_peaks) {
      CHECK(peak <= 33 * mebibyte);
    }
  }
  const auto plain = folder / "plain";
  write_file(plain, std::string(32 * mebibyte, 'x'));
  const std::size_t peak = peak_of([&] { CHECK(data::read_plain_or_gzip(plain).size() == 32 * mebibyte); });
  if (measures_peaks) {
    CHECK(peak <= 33 * mebibyte);
  }
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
  std::string rows;
  while (rows.size() < 8 * mebibyte) {
    rows += "0,1\n";
  }
  write_file(path, rows);
  const std::size_t peak = peak_of([&] { CHECK(data::load_csv(path).size() == rows.size() / 4); });
  if (measures_peaks) {
    CHECK(peak <= 3 * rows.size() + mebibyte);
  }
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
