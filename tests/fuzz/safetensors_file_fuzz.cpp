// SPDX-License-Identifier: MIT
/// Whole safetensors files: what loads, saves and loads equal, and its tensors convert to other types or say why not.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/io/safetensors_file.hpp"
#include "safetensors_mutator.hpp"

namespace {

using retort::io::SafetensorsFile;
using retort::io::Tensor;

template <typename Scalar>
void convert(const SafetensorsFile& file, const Tensor& tensor) {
  std::vector<Scalar> values(tensor.count());
  retort::fuzz::accepted([&] {
    file.copy_to(tensor, std::span<Scalar>(values));
    return true;
  });
}

bool equal(const Tensor& left, const Tensor& right) {
  return left.name == right.name && left.dtype == right.dtype && left.shape == right.shape &&
         std::ranges::equal(left.bytes, right.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::fuzz::require;
  const std::filesystem::path path = retort::fuzz::input_file("input.safetensors", retort::fuzz::text_of(data, size));
  const std::optional<SafetensorsFile> file = retort::fuzz::accepted([&] { return SafetensorsFile::read(path); });
  if (!file) {
    return 0;
  }
  for (const Tensor& tensor : file->tensors()) {
    require(tensor.bytes.size() <= size, "a tensor lies in its file");
    convert<float>(*file, tensor);
    convert<double>(*file, tensor);
    convert<std::int64_t>(*file, tensor);
    convert<std::uint8_t>(*file, tensor);
  }
  const std::filesystem::path copy = retort::fuzz::input_file("again.safetensors", "");
  retort::io::write_safetensors(copy, file->tensors(), file->metadata());
  const SafetensorsFile again = SafetensorsFile::read(copy);
  require(again.metadata() == file->metadata(), "metadata save and load equal");
  require(std::ranges::equal(again.tensors(), file->tensors(), equal), "tensors save and load equal");
  return 0;
}

namespace {

std::string file_of(std::string_view header, std::string_view values) {
  return retort::fuzz::bytes_of(std::uint64_t{header.size()}).append(header).append(values);
}

std::string one_tensor(std::string_view dtype, std::string_view values) {
  std::string header = R"({"t":{"dtype":")";
  header.append(dtype).append(R"(","shape":[2],"data_offsets":[0,)").append(std::to_string(values.size()));
  return file_of(header.append("]}}"), values);
}

}  // namespace

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string two(16, '\x42');
  std::vector<Seed> seeds{
      {"two_tensors", file_of(R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                              R"("n":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})",
                              two)},
      {"nothing", file_of("{}", "")},
      {"spaces_after_the_header", file_of("{}      ", "")},
      {"bytes_after_the_data", one_tensor("U8", "ab") + "c"},
      {"longest_header", bytes_of(std::uint64_t{100'000'000}) + "{}"},
      {"header_beyond_64_bits", bytes_of(~std::uint64_t{0}) + "{}"},
      {"cut_in_the_length", "\x10"},
      {"shape_beyond_the_data_of_nothing",
       file_of(R"({"a":{"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[0,0]}})", "")},
  };
  for (const std::string_view dtype : {"F64", "I64", "U64"}) {
    seeds.push_back({std::string(dtype), one_tensor(dtype, two)});
  }
  for (const std::string_view dtype : {"F32", "I32", "U32"}) {
    seeds.push_back({std::string(dtype), one_tensor(dtype, std::string_view(two).substr(0, 8))});
  }
  for (const std::string_view dtype : {"F16", "BF16", "I16", "U16"}) {
    seeds.push_back({std::string(dtype), one_tensor(dtype, "abcd")});
  }
  for (const std::string_view dtype : {"BOOL", "U8", "I8", "F8_E4M3"}) {
    seeds.push_back({std::string(dtype), one_tensor(dtype, "\x01\x02")});
  }
  return seeds;
}
