// SPDX-License-Identifier: MIT
#include "retort/io/safetensors.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "full_disk.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::read_file;
using retort::test::same_bits;
using retort::test::TemporaryFolder;
using retort::test::write_file;

using M = Sequential<Linear<6, 5>, BatchNorm<5>, ReLU, Dropout<0.5>, Linear<5, 3, Bias::no>>;
using Other = Sequential<Linear<6, 5>, BatchNorm<5>, ReLU, Dropout<0.25>, Linear<5, 3, Bias::no>>;

template <typename Scalar = float>
Network<M, backend::Eigen, Scalar> make_network() {
  Network<M, backend::Eigen, Scalar> network{Seed{1}};
  std::ranges::copy(random_values<Scalar>(5, 1), network.parameter(2).begin());
  std::ranges::copy(random_values<Scalar>(5, 2), network.buffer(0).begin());
  std::ranges::copy(random_values<Scalar>(5, 3, 0.5, 2.0), network.buffer(1).begin());
  network.buffer(2)[0] = Scalar{1234};
  return network;
}

template <typename N>
bool same_networks(const N& a, const N& b) {
  return same_bits(a.parameter_arena(), b.parameter_arena()) && same_bits(a.buffer_arena(), b.buffer_arena());
}

/// A file of make_network(), its tensors and metadata open to changes.
struct Parts {
  explicit Parts(const std::filesystem::path& path) : file(io::SafetensorsFile::read(path)) {
    tensors.assign(file.tensors().begin(), file.tensors().end());
    metadata = file.metadata();
  }

  io::Tensor& at(const std::string& name) {
    const auto found = std::ranges::find(tensors, name, &io::Tensor::name);
    REQUIRE(found != tensors.end());
    return *found;
  }

  void erase(const std::string& name) {
    std::erase_if(tensors, [&](const io::Tensor& tensor) { return tensor.name == name; });
  }

  io::SafetensorsFile file;
  std::vector<io::Tensor> tensors;
  io::Metadata metadata;
};

TEMPLATE_TEST_CASE("A network comes back from its file bit for bit", "[io]", float, double) {
  const TemporaryFolder folder;
  const auto network = make_network<TestType>();
  io::save_safetensors(network, folder / "a");
  Network<M, backend::Eigen, TestType> loaded{Seed{2}};
  io::load_safetensors(loaded, folder / "a");
  CHECK(same_networks(network, loaded));
  io::save_safetensors(loaded, folder / "b");
  CHECK(read_file(folder / "a") == read_file(folder / "b"));
}

TEST_CASE("Tensors have PyTorch's names, types and shapes", "[io]") {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  Parts parts(folder / "a");
  CHECK(parts.tensors.size() == 8);
  using Shape = std::vector<std::size_t>;
  CHECK(parts.at("0.weight").shape == Shape{5, 6});  // (out, in)
  CHECK(parts.at("0.bias").shape == Shape{5});
  CHECK(parts.at("1.weight").shape == Shape{5});
  CHECK(parts.at("1.running_var").dtype == io::DType::F32);
  CHECK(parts.at("1.num_batches_tracked").dtype == io::DType::I64);
  CHECK(parts.at("1.num_batches_tracked").shape.empty());
  std::int64_t tracked = 0;
  std::memcpy(&tracked, parts.at("1.num_batches_tracked").bytes.data(), sizeof(tracked));
  CHECK(tracked == 1234);
  CHECK(parts.at("4.weight").shape == Shape{3, 5});
  CHECK(parts.metadata.at("format") == "pt");
}

TEST_CASE("Layers may have names of their own, one for each with tensors", "[io]") {
  const TemporaryFolder folder;
  const auto network = make_network();
  const io::SafetensorsOptions named{.layer_names = {"fc1", "norm", "fc2"}, .metadata = {{"author", "a test"}}};
  io::save_safetensors(network, folder / "a", named);
  Parts parts(folder / "a");
  CHECK(parts.at("fc1.weight").shape == std::vector<std::size_t>{5, 6});
  CHECK(parts.at("norm.running_mean").shape == std::vector<std::size_t>{5});
  CHECK(parts.at("fc2.weight").shape == std::vector<std::size_t>{3, 5});

  Network<M> loaded{Seed{2}};
  CHECK(io::load_safetensors(loaded, folder / "a", named).at("author") == "a test");
  CHECK(same_networks(network, loaded));
  CHECK_THROWS_AS(io::load_safetensors(loaded, folder / "a"), FormatError);
  CHECK_THROWS_AS(io::load_safetensors(loaded, folder / "a", {.layer_names = {"fc1", "norm"}, .metadata = {}}),
                  OptionError);
  CHECK_THROWS_AS(io::save_safetensors(network, folder / "b", {.layer_names = {"a", "b", "c", "d"}, .metadata = {}}),
                  OptionError);
  CHECK_FALSE(std::filesystem::exists(folder / "b"));
}

TEST_CASE("Two layers of one name are refused", "[io]") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(
      io::save_safetensors(make_network(), folder / "a", {.layer_names = {"fc", "norm", "fc"}, .metadata = {}}), Error);
}

/// Loads a changed file: the message of the FormatError; the network must be as it was.
std::string refusal(const std::function<void(Parts&)>& change) {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  Parts parts(folder / "a");
  change(parts);
  io::write_safetensors(folder / "b", parts.tensors, parts.metadata);
  Network<M> network{Seed{7}};
  const Network<M> before = network;
  std::string message = "no error";
  try {
    io::load_safetensors(network, folder / "b");
  } catch (const FormatError& error) {
    message = error.what();
    CHECK(message.find((folder / "b").string()) == 0);
  }
  if (message != "no error") {
    CHECK(same_networks(network, before));
  }
  return message;
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("What the model needs must be there, and nothing else", "[io]") {
  CHECK(refusal([](Parts&) {}) == "no error");
  for (const std::string name :
       {"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "4.weight"}) {
    CHECK(contains(refusal([&](Parts& parts) { parts.erase(name); }), "\"" + name + "\": missing"));
  }
  // As PyTorch, which wrote none before version 0.4.1.
  CHECK(refusal([](Parts& parts) { parts.erase("1.num_batches_tracked"); }) == "no error");
  CHECK(contains(refusal([](Parts& parts) {
                   parts.tensors.push_back(parts.at("0.bias"));
                   parts.tensors.back().name = "4.bias";
                 }),
                 "4.bias"));
}

TEST_CASE("A tensor of another shape is refused, also one with as many elements", "[io]") {
  CHECK(contains(refusal([](Parts& parts) { parts.at("0.weight").shape = {6, 5}; }), "0.weight"));
  CHECK(contains(refusal([](Parts& parts) { parts.at("0.weight").shape = {30}; }), "0.weight"));
  CHECK(contains(refusal([](Parts& parts) { parts.at("0.bias").shape = {1, 5}; }), "0.bias"));
  CHECK(
      contains(refusal([](Parts& parts) { parts.at("1.num_batches_tracked").shape = {1}; }), "1.num_batches_tracked"));
}

TEST_CASE("A number that is not finite is refused by tensor and element", "[io]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(5, 0.5f);
    values[3] = bad;
    const std::string text =
        refusal([&](Parts& parts) { parts.at("1.running_var").bytes = std::as_bytes(std::span{values}); });
    CHECK(contains(text, "1.running_var"));
    CHECK(contains(text, "element 3"));
  }
}

TEST_CASE("A file that says it holds another model is refused", "[io]") {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  Network<Other> other{Seed{1}};
  const Network<Other> before = other;
  CHECK_THROWS_AS(io::load_safetensors(other, folder / "a"), FormatError);
  CHECK(same_networks(other, before));
  // PyTorch's files say nothing of that kind.
  CHECK(refusal([](Parts& parts) { parts.metadata = {{"format", "pt"}}; }) == "no error");
}

TEST_CASE("Weights that do not give the file's example its logits are refused", "[io]") {
  std::vector<float> values(30, 0.25f);
  const auto exchange = [&](Parts& parts) { parts.at("0.weight").bytes = std::as_bytes(std::span{values}); };
  CHECK(contains(refusal(exchange), "example gives logit"));
  CHECK(refusal([&](Parts& parts) {
          exchange(parts);
          parts.metadata.erase("retort.example");
        }) == "no error");
  for (const std::string example : {"", "{}", "[1]", R"({"input": [1, 2], "logits": [1, 2, 3]})",
                                    R"({"input": "x", "logits": 3})", R"({"input": [null], "logits": []})"}) {
    CHECK(contains(refusal([&](Parts& parts) { parts.metadata["retort.example"] = example; }), "retort.example"));
  }
}

TEST_CASE("Numbers of other widths are converted", "[io]") {
  const TemporaryFolder folder;
  const auto network = make_network<float>();
  io::save_safetensors(network, folder / "a");
  Network<M, backend::Eigen, double> wide{Seed{2}};
  io::load_safetensors(wide, folder / "a");
  CHECK(test::largest_difference(wide.parameter_arena(), network.parameter_arena()) == 0.0);
  io::save_safetensors(wide, folder / "b");
  Network<M> narrow{Seed{3}};
  io::load_safetensors(narrow, folder / "b");
  CHECK(same_networks(narrow, network));
}

TEST_CASE("A file cut off anywhere is refused, and the network is as it was", "[io]") {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  const std::string whole = read_file(folder / "a");
  Network<M> network{Seed{7}};
  const Network<M> before = network;
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    write_file(folder / "b", whole.substr(0, size));
    CHECK_THROWS_AS(io::load_safetensors(network, folder / "b"), FormatError);
  }
  CHECK_THROWS_AS(io::load_safetensors(network, folder / "missing"), FileError);
  CHECK(same_networks(network, before));
}

TEST_CASE("A file that cannot be replaced stays as it was", "[io]") {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  const std::string before = read_file(folder / "a");
  {
    const test::FullDisk full(before.size() / 2);
    CHECK_THROWS_AS(io::save_safetensors(Network<M>{Seed{5}}, folder / "a"), FileError);
  }
  CHECK(read_file(folder / "a") == before);
  CHECK_THROWS_AS(io::save_safetensors(Network<M>{Seed{5}}, folder / "missing/a"), FileError);
}

}  // namespace
