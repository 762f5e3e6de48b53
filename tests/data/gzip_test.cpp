// SPDX-License-Identifier: MIT
#include "retort/data/gzip.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

std::string text_of(const std::filesystem::path& path, std::uint64_t limit = data::default_size_limit,
                    std::uint64_t expansion = data::default_expansion_limit) {
  const auto bytes = data::read_plain_or_gzip(path, limit, expansion);
  return {bytes.begin(), bytes.end()};
}

// Compresses badly, so that the deflate stream is long.
std::string sample(std::size_t size) {
  RandomSequence random{RandomStream{Seed{1}, Stream::synthetic, 0}};
  std::string result;
  for (std::size_t i = 0; i < size; ++i) {
    result += static_cast<char>('a' + random.below(20));
  }
  return result;
}

}  // namespace

TEST_CASE("a file reads the same plain and compressed, whatever its size") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 2u, 65'535u, 65'536u, 65'537u, 300'000u}) {
    const std::string text = sample(size);
    write_file(folder / "plain", text);
    write_file(folder / "packed.gz", gzip(text));
    write_file(folder / "packed_without_suffix", gzip(text));
    CHECK(text_of(folder / "plain") == text);
    CHECK(text_of(folder / "packed.gz") == text);
    CHECK(text_of(folder / "packed_without_suffix") == text);
  }
}

TEST_CASE("gzip members one after another read as one file") {
  const TemporaryFolder folder;
  write_file(folder / "two.gz", gzip("first ") + gzip("") + gzip("second"));
  CHECK(text_of(folder / "two.gz") == "first second");
}

TEST_CASE("a gzip file cut at any byte is refused") {
  const TemporaryFolder folder;
  const auto path = folder / "cut.gz";
  const std::string whole = gzip(sample(300));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    CAPTURE(size);
    const std::string message = message_of<FormatError>([&] { text_of(path); });
    CHECK(is_message(message, path, {size < 2 ? "not a gzip file" : "truncated"}));
  }
}

TEST_CASE("a changed byte in the compressed data, the checksum or the length is found") {
  const TemporaryFolder folder;
  const auto path = folder / "changed.gz";
  const std::string original = sample(300);
  const std::string whole = gzip(original);
  constexpr std::size_t header = 10;  // its time stamp and system byte may be anything
  for (std::size_t position = header; position < whole.size(); ++position) {
    std::string changed = whole;
    changed[position] = static_cast<char>(changed[position] ^ 0x10);
    write_file(path, changed);
    CAPTURE(position);
    std::string text;
    const std::string message = message_of<FormatError>([&] { text = text_of(path); });
    if (position == whole.size() - 9 && text == original) {
      continue;  // the unused bits of the last compressed byte may be anything, too
    }
    const bool in_checksum = position >= whole.size() - 8 && position < whole.size() - 4;
    const bool in_length = position >= whole.size() - 4;
    CHECK(is_message(message, path, {in_checksum ? "CRC-32" : in_length ? "length" : "gzip"}));
  }
}

TEST_CASE("bytes after the gzip stream are refused") {
  const TemporaryFolder folder;
  write_file(folder / "tail.gz", gzip("text") + "xyz");
  CHECK(is_message(message_of<FormatError>([&] { text_of(folder / "tail.gz"); }), folder / "tail.gz",
                   {"bytes after the end of the gzip stream: 3"}));
}

TEST_CASE("a file named .gz must be one") {
  const TemporaryFolder folder;
  write_file(folder / "page.gz", "<html>not found</html>");
  CHECK(is_message(message_of<FormatError>([&] { text_of(folder / "page.gz"); }), folder / "page.gz",
                   {"not a gzip file", "0x3c 0x68"}));
}

TEST_CASE("the size limit holds to the byte, plain and compressed") {
  const TemporaryFolder folder;
  const std::string text = sample(100'000);
  write_file(folder / "plain", text);
  write_file(folder / "packed.gz", gzip(text));
  for (const char* name : {"plain", "packed.gz"}) {
    CHECK(text_of(folder / name, text.size()) == text);
    CHECK(is_message(message_of<FormatError>([&] { text_of(folder / name, text.size() - 1); }), folder / name,
                     {"size limit of 99999 bytes"}));
    CHECK(contains(message_of<FormatError>([&] { text_of(folder / name, 0); }), "size limit of 0 bytes"));
  }
}

TEST_CASE("a decompression bomb ends at the limit") {
  const TemporaryFolder folder;
  write_file(folder / "bomb.gz", gzip(std::string(std::size_t{64} << 20, '\0')));
  CHECK(contains(message_of<FormatError>([&] { text_of(folder / "bomb.gz", 1 << 20); }), "size limit of 1048576"));
}

TEST_CASE("a file that unpacks to far more than its size is refused, unless it is small or asked for") {
  const TemporaryFolder folder;
  const std::string zeros(static_cast<std::size_t>(data::always_unpacked), '\0');
  write_file(folder / "small.gz", gzip(zeros));
  CHECK(text_of(folder / "small.gz") == zeros);
  write_file(folder / "bomb.gz", gzip(zeros + '1'));
  CHECK(is_message(message_of<FormatError>([&] { text_of(folder / "bomb.gz"); }), folder / "bomb.gz",
                   {"unpacks to more than 67108864 bytes, expected at most 100 times its", "expansion_limit"}));
  CHECK(text_of(folder / "bomb.gz", data::default_size_limit, 1100) == zeros + '1');
  // What it promises at its end may be a lie, to either side, or of the last member only.
  write_file(folder / "members.gz", gzip(zeros.substr(0, 1 << 20)) + gzip("end"));
  CHECK(text_of(folder / "members.gz") == zeros.substr(0, 1 << 20) + "end");
}

TEST_CASE("an archive in the place of data is named, with what to do") {
  const TemporaryFolder folder;
  const auto refused = [&](std::string_view begin, const char* name) {
    const std::string bytes = std::string(begin) + std::string(40, 'x');
    for (const std::string& stored : {bytes, gzip(bytes)}) {
      write_file(folder / "data", stored);
      CHECK(is_message(message_of<FormatError>([&] { text_of(folder / "data"); }), folder / "data", {name}));
    }
  };
  refused("PK\x03\x04", "is a ZIP archive, as .npz and .xlsx files are too, which is not read: unpack it");
  refused({"\xFD\x37\x7A\x58\x5A\0", 6}, "packed by xz");
  refused("\x28\xB5\x2F\xFD", "packed by zstd");
  refused("\x89HDF\r\n\x1A\n", "an HDF5 file");
  refused("PAR1", "a Parquet file");
}

TEST_CASE("a missing file, a folder and a forbidden file are file errors") {
  const TemporaryFolder folder;
  CHECK(is_message(message_of<FileError>([&] { text_of(folder / "absent"); }), folder / "absent",
                   {"No such file or directory"}));
  CHECK(is_message(message_of<FileError>([&] { text_of(folder.path()); }), folder.path(), {"Is a directory"}));
  if (::geteuid() != 0) {  // root may read everything
    write_file(folder / "secret", "text");
    ::chmod((folder / "secret").c_str(), 0);
    CHECK(is_message(message_of<FileError>([&] { text_of(folder / "secret"); }), folder / "secret",
                     {"Permission denied"}));
  }
}

TEST_CASE("no mutation of a gzip file does harm") {
  const TemporaryFolder folder;
  const auto path = folder / "mutated";
  CHECK(refused_mutations(
            gzip(sample(200)), 2000, [&](const std::string& bytes) { write_file(path, bytes); },
            [&] { text_of(path, 1 << 16); }) > 1000);
}
