// SPDX-License-Identifier: MIT
#include "retort/io/checksum.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "retort/io/safetensors_file.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort::io;
using detail::checksum;

const std::vector<float> weights{1.0f, -2.0f, 3.5f, 0.0f};
const std::vector<std::uint8_t> bytes{1, 2, 3, 4};

std::vector<Tensor> tensors() {
  return {Tensor::of<float>("b", {2, 2}, weights), Tensor::of<std::uint8_t>("a", {4}, bytes),
          Tensor::of<float>("empty", {0}, {})};
}

TEST_CASE("A checksum is of the contents, not of the order in the file", "[io]") {
  const Metadata metadata{{"format", "pt"}, {"author", "a test"}};
  const std::string sum = checksum(metadata, tensors());
  auto turned = tensors();
  std::reverse(turned.begin(), turned.end());
  CHECK(checksum(metadata, turned) == sum);

  Metadata with_sum = metadata;
  with_sum.emplace(detail::checksum_key, "7");
  CHECK(checksum(with_sum, tensors()) == sum);
}

TEST_CASE("A checksum differs by any part of the contents", "[io]") {
  const Metadata metadata{{"format", "pt"}};
  const std::string sum = checksum(metadata, tensors());
  CHECK(checksum({{"format", "pu"}}, tensors()) != sum);
  CHECK(checksum({{"formatp", "t"}}, tensors()) != sum);
  CHECK(checksum({}, tensors()) != sum);
  for (std::size_t i = 0; i < 3; ++i) {
    auto changed = tensors();
    changed[i].name += "x";
    CHECK(checksum(metadata, changed) != sum);
    changed = tensors();
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(checksum(metadata, changed) != sum);
  }
  auto changed = tensors();
  changed[0].shape = {4, 1};
  CHECK(checksum(metadata, changed) != sum);
  changed = tensors();
  changed[1].dtype = DType::I8;
  CHECK(checksum(metadata, changed) != sum);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    changed = tensors();
    changed[1].bytes = std::as_bytes(std::span{flipped});
    CHECK(checksum(metadata, changed) != sum);
  }
}

TEST_CASE("What is written has a checksum, which is verified where there is one", "[io]") {
  const retort::test::TemporaryFolder folder;
  const Metadata metadata{{"a", "b"}};
  write_safetensors(folder / "a", tensors(), metadata);
  std::string contents = retort::test::read_file(folder / "a");
  CHECK(contents.find("\"retort.checksum\":\"" + checksum(metadata, tensors()) + "\"") != std::string::npos);
  const SafetensorsFile file = SafetensorsFile::read(folder / "a");
  CHECK(file.metadata() == metadata);

  // One of the metadata the caller passes on from elsewhere is not believed.
  write_safetensors(folder / "b", tensors(), {{"a", "b"}, {"retort.checksum", "1"}});
  CHECK(retort::test::read_file(folder / "b") == contents);

  contents.back() = static_cast<char>(contents.back() ^ 1);
  retort::test::write_file(folder / "a", contents);
  CHECK_THROWS_AS(SafetensorsFile::read(folder / "a"), retort::FormatError);
  // Another key, and so a file without a checksum.
  contents.replace(contents.find("retort.checksum"), 15, "another.program");
  retort::test::write_file(folder / "a", contents);
  CHECK_NOTHROW(SafetensorsFile::read(folder / "a"));
}

}  // namespace
