// SPDX-License-Identifier: MIT
#include "retort/io/safetensors_index.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/io/tensor.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using retort::test::TemporaryFolder;
using retort::test::write_file;

namespace {

const std::vector<float> ones(2, 1.0f);
const std::vector<float> twos(3, 2.0f);

io::Tensor tensor(const std::string& name, const std::vector<float>& values) {
  return io::Tensor::of<float>(name, {values.size()}, std::span<const float>(values));
}

/// Two shards and the index, with this text for "weight_map".
void write_shards(const TemporaryFolder& folder, const std::string& weight_map) {
  io::write_safetensors(folder / "b.safetensors", std::vector{tensor("a", ones)}, {{"format", "pt"}, {"of", "b"}});
  io::write_safetensors(folder / "a.safetensors", std::vector{tensor("z", twos), tensor("c", ones)},
                        {{"format", "pt"}, {"of", "a"}});
  write_file(folder / "i.json", R"({"metadata": {"total_size": 28}, "weight_map": )" + weight_map + "}");
}

constexpr const char* whole = R"({"a": "b.safetensors", "c": "a.safetensors", "z": "a.safetensors"})";

/// The message of the error, without the folder.
std::string refusal(const TemporaryFolder& folder) {
  try {
    io::read_sharded_safetensors(folder / "i.json");
  } catch (const Error& error) {
    const std::string message = error.what();
    const std::string prefix = folder.path().string() + "/";
    CHECK(message.starts_with(prefix));
    return message.substr(prefix.size());
  }
  return "no error";
}

std::string refusal_of_index(const std::string& text) {
  const TemporaryFolder folder;
  write_shards(folder, whole);
  write_file(folder / "i.json", text);
  return refusal(folder);
}

std::string refusal_of_map(const std::string& weight_map) {
  const TemporaryFolder folder;
  write_shards(folder, weight_map);
  return refusal(folder);
}

}  // namespace

TEST_CASE("The shards of an index are read as one file") {
  const TemporaryFolder folder;
  write_shards(folder, whole);
  const io::SafetensorsFile file = io::read_sharded_safetensors(folder / "i.json");
  CHECK(file.path() == folder / "i.json");
  CHECK(file.tensors().size() == 3);
  std::vector<float> values(3);
  file.copy_to(file.at("z"), std::span<float>(values));
  CHECK(values == twos);
  values.resize(2);
  file.copy_to(file.at("a"), std::span<float>(values));
  CHECK(values == ones);
  CHECK(file.find("x") == nullptr);
  CHECK(file.metadata() == io::Metadata{{"format", "pt"}, {"of", "a"}});
}

TEST_CASE("An index may do without metadata, and may have texts there") {
  const std::string map = std::string(R"("weight_map": )") + whole;
  CHECK(refusal_of_index("{" + map + "}") == "no error");
  CHECK(refusal_of_index("{" + map + R"(, "metadata": {"tool": "1.0", "total_size": 28.0}})") == "no error");
}

TEST_CASE("What is no index is refused") {
  CHECK(refusal_of_index("") == "i.json: byte 1: expected an object");
  CHECK(refusal_of_index("[]") == "i.json: byte 1: expected an object");
  CHECK(refusal_of_index("{}") == "i.json: no weight_map, expected the index of a model in several files");
  CHECK(refusal_of_index(R"({"weight_map": {}} x)") == "i.json: byte 20: expected the end");
  CHECK(refusal_of_index(R"({"weight_map": {}, "weights": {}})") ==
        "i.json: byte 30: expected the keys metadata and weight_map, each once");
  CHECK(refusal_of_index(R"({"metadata": {"a": []}})") == "i.json: byte 20: expected a string");
  CHECK(refusal_of_map(R"(["a"])").starts_with("i.json: byte 48: expected an object"));
  CHECK(refusal_of_map(R"({"a": 1})").starts_with("i.json: byte 54: expected a string"));
  CHECK(refusal_of_map(R"({"a": "b.safetensors", "a": "a.safetensors"})") ==
        "i.json: weight_map, tensor \"a\": stands twice, expected once");
  const TemporaryFolder folder;
  CHECK(refusal(folder) == "i.json: cannot be read (No such file or directory)");
  std::filesystem::create_directory(folder / "i.json");
  CHECK(refusal(folder).starts_with("i.json: cannot be read"));
}

TEST_CASE("An index of too many bytes is refused before it is read") {
  const TemporaryFolder folder;
  write_shards(folder, whole);
  std::filesystem::resize_file(folder / "i.json", io::default_header_limit + 1);
  CHECK(refusal(folder) == "i.json: 16777217 bytes, expected at most 16777216");
}

TEST_CASE("A shard lies in the folder of its index") {
  for (const std::string name :
       {"", ".", "..", "../a.safetensors", "/a.safetensors", "b/../a.safetensors", "b/a", "a\\u0000.safetensors"}) {
    CAPTURE(name);
    CHECK_THAT(refusal_of_map(R"({"c": ")" + name + R"("})"),
               Catch::Matchers::StartsWith("i.json: weight_map, tensor \"c\": file \"") &&
                   Catch::Matchers::EndsWith("\", expected the name of a file in the index's own folder"));
  }
}

TEST_CASE("A shard that is missing or damaged is named") {
  CHECK(refusal_of_map(R"({"a": "b.safetensors", "c": "none.safetensors"})") ==
        "none.safetensors: cannot be read (No such file or directory)");
  const TemporaryFolder folder;
  write_shards(folder, whole);
  std::filesystem::resize_file(folder / "b.safetensors", std::filesystem::file_size(folder / "b.safetensors") - 1);
  CHECK(refusal(folder).starts_with("b.safetensors: tensor \"a\": data_offsets"));
}

TEST_CASE("Shards hold what the index says, and nothing else") {
  CHECK(refusal_of_map(R"({"a": "b.safetensors", "c": "a.safetensors", "y": "a.safetensors"})") ==
        "a.safetensors: tensor \"y\": missing, expected among the file's 2 tensors");
  CHECK_THAT(refusal_of_map(R"({"a": "b.safetensors", "c": "a.safetensors"})"),
             Catch::Matchers::StartsWith("a.safetensors: tensor \"z\": not of this file in the index ") &&
                 Catch::Matchers::EndsWith("i.json"));
  // In two shards, of which the index names one.
  const TemporaryFolder folder;
  write_shards(folder, whole);
  io::write_safetensors(folder / "b.safetensors", std::vector{tensor("a", ones), tensor("z", ones)});
  CHECK_THAT(refusal(folder), Catch::Matchers::StartsWith("b.safetensors: tensor \"z\": not of this file"));
}
