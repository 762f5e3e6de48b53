// SPDX-License-Identifier: MIT
#include "retort/data/idx.hpp"

#include <array>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

template <std::size_t Rank>
std::string refusal(const std::filesystem::path& path, const std::string& bytes) {
  write_file(path, bytes);
  return message_of<FormatError>([&] { data::read_idx<Rank>(path); });
}

}  // namespace

TEST_CASE("an array written as IDX reads back, with the bytes the format prescribes") {
  const TemporaryFolder folder;
  const auto path = folder / "array";
  data::IdxArray<3> array{{2, 3, 4}, {}};
  for (std::size_t i = 0; i < 24; ++i) {
    array.elements.push_back(static_cast<std::uint8_t>(11 * i));
  }
  data::write_idx(path, array);
  CHECK((data::read_idx<3>(path) == array));
  CHECK(read_file(path) == idx_bytes({2, 3, 4}, std::string(array.elements.begin(), array.elements.end())));
  write_file(folder / "array.gz", gzip(read_file(path)));
  CHECK((data::read_idx<3>(folder / "array.gz") == array));
}

TEST_CASE("extents are big-endian") {
  const TemporaryFolder folder;
  write_file(folder / "row", idx_bytes({1, 258}, std::string(258, 'x')));
  const auto array = data::read_idx<2>(folder / "row");
  CHECK(array.extents == std::array<std::size_t, 2>{1, 258});
  CHECK(array.elements.size() == 258);
}

TEST_CASE("an IDX file cut at any byte is refused") {
  const TemporaryFolder folder;
  const auto path = folder / "cut";
  const std::string whole = idx_bytes({3, 2, 2}, "abcdefghijkl");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(is_message(refusal<3>(path, whole.substr(0, size)), path,
                     {size < 4    ? "magic number"
                      : size < 16 ? "header"
                                  : "elements",
                      "expected"}));
  }
  CHECK(is_message(refusal<3>(path, whole + "m"), path, {"elements: 13 bytes, expected 12", "3 x 2 x 2"}));
}

TEST_CASE("each field of the header is checked") {
  const TemporaryFolder folder;
  const auto path = folder / "bad";
  const std::string good = idx_bytes({2}, "ab");
  const auto with = [&](std::size_t position, char byte) {
    std::string bytes = good;
    bytes[position] = byte;
    return refusal<1>(path, bytes);
  };
  CHECK(is_message(with(0, 'P'), path, {"magic number", "0x50 0x00"}));
  CHECK(is_message(with(1, '\x01'), path, {"magic number", "0x00 0x01"}));
  CHECK(is_message(with(2, '\x0d'), path, {"element type: 0x0d, expected 0x08"}));
  CHECK(is_message(with(3, '\x03'), path, {"rank: 3, expected 1"}));
  CHECK(is_message(with(3, '\0'), path, {"rank: 0, expected 1"}));
  CHECK(is_message(with(7, '\0'), path, {"extent 0: 0"}));
  CHECK(is_message(with(7, '\x03'), path, {"elements: 2 bytes, expected 3"}));
  CHECK(is_message(with(4, '\xff'), path, {"elements: 2 bytes, expected 4278190082"}));
}

TEST_CASE("labels are whole numbers of one to four bytes, alone or before other fields") {
  const TemporaryFolder folder;
  const auto path = folder / "labels";
  const auto labels = [&](const std::string& bytes) {
    write_file(path, bytes);
    return data::read_idx_labels(path);
  };
  using Found = std::vector<std::int32_t>;
  CHECK(labels(idx_bytes({2}, "\x07\xff")) == Found{7, 255});
  CHECK(labels(std::string{"\0\0\x09\x01\0\0\0\x02\x07\xff", 10}) == Found{7, -1});
  CHECK(labels(std::string{"\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe", 12}) == Found{258, -2});
  CHECK(labels(std::string{"\0\0\x0c\x02\0\0\0\x01\0\0\0\x02\0\x01\0\x03\x7f\0\0\0", 20}) == Found{65539});
  const auto refused = [&](const std::string& bytes, const char* reason) {
    CHECK(is_message(message_of<FormatError>([&] { labels(bytes); }), path, {reason}));
  };
  refused(std::string{"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", 12}, "element type: 0x0d, expected 0x08");
  refused(std::string{"\0\0\x0c\x01\0\0\0\x01\0\0\0", 11}, "elements: 3 bytes, expected 4");
  refused(idx_bytes({1, 1, 1}, "a"), "rank: 3, expected 1 to 2");
}

TEST_CASE("extents whose product wraps around are refused") {
  const TemporaryFolder folder;
  // (2^32 - 1)^4 and 2^16 * 2^16 * 2^16 * 2^16 = 2^64, which is 0 in 64 bits: no bytes at all would "fit".
  CHECK(contains(refusal<4>(folder / "wide", idx_bytes({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, "")),
                 "more than any file can hold"));
  CHECK(contains(refusal<4>(folder / "zero", idx_bytes({0x10000u, 0x10000u, 0x10000u, 0x10000u}, "")),
                 "more than any file can hold"));
}

TEST_CASE("what does not fit the format is not written") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> six(6);
  const auto refused = [&](std::vector<std::size_t> extents) {
    return contains(message_of<ShapeError>([&] { data::write_idx(folder / "out", extents, six); }), "write_idx");
  };
  CHECK(refused({}));
  CHECK(refused({1, 1, 1, 1, 6}));
  CHECK(refused({5}));
  CHECK(refused({2, 4}));
  CHECK(refused({6, 0}));
  CHECK(refused({6, 1, std::size_t{1} << 32}));
  CHECK(contains(message_of<FileError>([&] { data::write_idx(folder / "out.gz", std::array<std::size_t, 1>{6}, six); }),
                 ".gz"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("no mutation of an IDX file does harm") {
  const TemporaryFolder folder;
  const auto path = folder / "mutated";
  CHECK(refused_mutations(
            idx_bytes({2, 3}, "abcdef"), 2000, [&](const std::string& bytes) { write_file(path, bytes); },
            [&] { data::read_idx<2>(path); }) > 1000);
}
