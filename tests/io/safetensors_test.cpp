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
#include "retort/nn/avg_pool2d.hpp"
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

/// What saving says of make_network() with a change; an older file must stay.
template <typename Scalar = float>
std::string save_refusal(const std::function<void(Network<M, backend::Eigen, Scalar>&)>& change) {
  const TemporaryFolder folder;
  auto network = make_network<Scalar>();
  io::save_safetensors(network, folder / "a");
  const std::string before = read_file(folder / "a");
  change(network);
  std::string message = "no error";
  try {
    io::save_safetensors(network, folder / "a");
  } catch (const FormatError& error) {
    message = error.what();
    CHECK(message.find((folder / "a").string()) == 0);
  }
  CHECK((read_file(folder / "a") == before) == (message != "no error"));
  return message;
}

TEST_CASE("What a load would refuse is not saved, and the older file stays", "[io]") {
  using N = Network<M>;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(save_refusal<float>([](N& network) { network.parameter(0)[7] = 2.0f; }) == "no error");
  CHECK(contains(save_refusal<float>([&](N& network) { network.parameter(0)[7] = nan; }),
                 "\"0.weight\": element 7 is nan, expected a finite number"));
  CHECK(contains(save_refusal<float>([&](N& network) { network.parameter(3)[1] = -infinity; }),
                 "\"1.bias\": element 1 is -inf, expected a finite number"));
  CHECK(contains(save_refusal<float>([](N& network) { network.parameter(4)[2] = 3e38f; }),
                 "\"4.weight\": element 2 is 3e+38, expected a magnitude of at most 9"));
  CHECK(contains(save_refusal<float>([&](N& network) { network.buffer(1)[4] = nan; }),
                 "\"1.running_var\": element 4 is nan, expected a finite number"));
  CHECK(contains(save_refusal<float>([](N& network) { network.buffer(1)[4] = -0.25f; }),
                 "\"1.running_var\": element 4 is -0.25, expected a number of at least 0"));
  for (const float count : {-1.0f, 0.5f, 0x1p25f, 1e30f}) {
    CHECK(contains(
        save_refusal<float>([&](N& network) { network.buffer(2)[0] = count; }),
        "\"1.num_batches_tracked\": element 0 is " + to_text(count) + ", expected a whole number from 0 to 16777216"));
  }
  using Wide = Network<M, backend::Eigen, double>;
  CHECK(save_refusal<double>([](Wide& network) { network.buffer(2)[0] = 0x1p53; }) == "no error");
  for (const double count : {0x1p54, 1e300}) {
    CHECK(contains(save_refusal<double>([&](Wide& network) { network.buffer(2)[0] = count; }),
                   "from 0 to 9007199254740992"));
  }
  CHECK(save_refusal<double>([](Wide& network) { network.parameter(0)[0] = 3e38; }) == "no error");
  // Each within its bounds, but not what they make of an input.
  CHECK(contains(save_refusal<float>([](N& network) {
                   for (const std::size_t index : {0u, 4u}) {
                     std::ranges::fill(network.parameter(index), 9e18f);
                   }
                   std::ranges::fill(network.parameter(1), 0.0f);
                   std::ranges::fill(network.parameter(2), -1.0f);
                 }),
                 "expected a finite number"));
}

TEST_CASE("Weights are real numbers of a sane size, variances not negative, counts whole", "[io]") {
  const std::vector<std::int8_t> quantised(30, 7);
  for (const io::DType dtype : {io::DType::I8, io::DType::U8, io::DType::F8_E4M3, io::DType::BOOL}) {
    CHECK(contains(refusal([&](Parts& parts) {
                     parts.at("0.weight").dtype = dtype;
                     parts.at("0.weight").bytes = std::as_bytes(std::span{quantised});
                   }),
                   "\"0.weight\": dtype " + std::string(io::dtype_name(dtype)) + ", expected F64, F32, F16 or BF16"));
  }
  const auto with = [](const char* name, std::vector<float> values, io::DType dtype = io::DType::F32) {
    return refusal([&](Parts& parts) {
      parts.at(name).dtype = dtype;
      parts.at(name).bytes = std::as_bytes(std::span{values});
    });
  };
  CHECK(contains(with("0.bias", {0, 0, 3e38f, 0, 0}), "\"0.bias\": element 2 is 3e+38"));
  CHECK(
      contains(with("1.running_var", {1, -1, 1, 1, 1}), "\"1.running_var\": element 1 is -1, expected a number of at"));
  CHECK(contains(with("1.num_batches_tracked", {1.5f}), "element 0 is 1.5, expected a whole number"));
  const std::int64_t many = std::numeric_limits<std::int64_t>::max();
  const std::int64_t negative = -1;
  for (const std::int64_t* count : {&many, &negative}) {
    CHECK(contains(
        refusal([&](Parts& parts) { parts.at("1.num_batches_tracked").bytes = std::as_bytes(std::span{count, 1}); }),
        "1.num_batches_tracked"));
  }
}

TEST_CASE("A flipped bit anywhere in the arrays is an error", "[io]") {
  const TemporaryFolder folder;
  io::save_safetensors(make_network(), folder / "a");
  const std::string whole = read_file(folder / "a");
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, whole.data(), sizeof(header_size));
  Network<M> network{Seed{7}};
  const Network<M> before = network;
  for (std::size_t at = sizeof(header_size) + header_size; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1u << at % 8));
    write_file(folder / "b", changed);
    try {
      io::load_safetensors(network, folder / "b");
      FAIL("no error");
    } catch (const FormatError& error) {
      CHECK(contains(error.what(), (folder / "b").string() + ": checksum: "));
    }
  }
  CHECK(same_networks(network, before));
}

TEST_CASE("A network's preprocessing travels with its file", "[io]") {
  const TemporaryFolder folder;
  auto network = make_network();
  const Preprocessing images{.bytes = true, .mean = 0.1307, .standard_deviation = 0.3081};
  Preprocessing table{.column_means = {1, 2, 3, 4, 5, 1e-300},
                      .column_deviations = {1, 1, 1, 1, 1, 0.1},
                      .class_names = {"iris setosa", "\xC3\xA9\"", "c"}};
  for (const Preprocessing& preprocessing : {images, table}) {
    network.set_preprocessing(preprocessing);
    io::save_safetensors(network, folder / "a");
    Network<M> loaded{Seed{2}};
    const io::Metadata metadata = io::load_safetensors(loaded, folder / "a");
    CHECK(loaded.preprocessing() == preprocessing);
    // The metadata of one file are not to be taken over by another.
    io::save_safetensors(make_network(), folder / "b", {.layer_names = {}, .metadata = metadata});
    io::load_safetensors(loaded, folder / "b");
    CHECK_FALSE(loaded.preprocessing().has_value());
  }
  // As PyTorch's, which say nothing of it.
  network.set_preprocessing(images);
  io::write_safetensors(folder / "c", Parts(folder / "b").tensors, {{"format", "pt"}});
  CHECK_NOTHROW(io::load_safetensors(network, folder / "c"));
  CHECK_FALSE(network.preprocessing().has_value());

  const std::string start = R"({"raw":"real","mean":0,"standard_deviation":)";
  for (const std::string& text :
       {std::string("{}"), std::string("7"), start + "0}", start + "-1}", start + "1,\"mean\":0}", start + "1,\"x\":0}",
        start + "1,\"column_means\":[1,2,3,4,5,6]}", start + "1,\"column_means\":[1],\"column_deviations\":[1]}",
        start + "1,\"column_means\":[1,2,3,4,5,6],\"column_deviations\":[1,2,3,4,5,0]}",
        start + "1,\"class_names\":[\"a\",\"b\",\"c\",\"d\"]}", start + "1,\"class_names\":[1,2,3]}", start + "1} 2",
        std::string(R"({"raw":"int8","mean":0,"standard_deviation":1})")}) {
    CAPTURE(text);
    CHECK(contains(refusal([&](Parts& parts) { parts.metadata["retort.preprocessing"] = text; }),
                   "metadata retort.preprocessing: "));
  }
  CHECK(refusal([&](Parts& parts) { parts.metadata["retort.preprocessing"] = start + "1}"; }) == "no error");
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

TEST_CASE("A layer without tensors counts in the names of those behind it, and its extents are the model's", "[io]") {
  using Wide = Sequential<AvgPool2d<Shape<1, 2, 6>, 2>, Linear<3, 2>>;
  using High = Sequential<AvgPool2d<Shape<1, 6, 2>, 2>, Linear<3, 2>>;
  const TemporaryFolder folder;
  const Network<Wide> network{Seed{1}};
  io::save_safetensors(network, folder / "a");
  Parts parts(folder / "a");
  CHECK(parts.tensors.size() == 2);
  CHECK(parts.at("1.weight").shape == std::vector<std::size_t>{2, 3});
  Network<Wide> loaded{Seed{2}};
  io::load_safetensors(loaded, folder / "a");
  CHECK(same_networks(network, loaded));
  Network<High> other{Seed{1}};
  CHECK_THROWS_WITH(io::load_safetensors(other, folder / "a"), Catch::Matchers::Contains("AvgPool2d(1x2x6, 2)"));
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

TEST_CASE("Weights of 16 bits and of double are converted, and one beyond float's range is named", "[io]") {
  const auto with_bias = [](io::DType dtype, const auto& values) {
    const TemporaryFolder folder;
    io::save_safetensors(make_network(), folder / "a");
    Parts parts(folder / "a");
    parts.at("0.bias").dtype = dtype;
    parts.at("0.bias").bytes = std::as_bytes(std::span(values));
    io::write_safetensors(folder / "b", parts.tensors);
    Network<M> network{Seed{7}};
    io::load_safetensors(network, folder / "b");
    return std::vector<float>(network.parameter(1).begin(), network.parameter(1).end());
  };
  using Words = std::vector<std::uint16_t>;
  using Doubles = std::vector<double>;
  CHECK(with_bias(io::DType::F16, Words{0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000}) ==
        std::vector<float>{1.0f, -2.0f, 65504.0f, 0x1p-24f, 0.0f});
  CHECK(with_bias(io::DType::BF16, Words{0x3F80, 0xC000, 0x5F00, 0x0001, 0x8000}) ==
        std::vector<float>{1.0f, -2.0f, 0x1p63f, 0x1p-133f, 0.0f});
  CHECK(with_bias(io::DType::F64, Doubles{0.1, 1 + 0x1p-24, 1 + 0x1.8p-23, -1e-60, 16777217.0}) ==
        std::vector<float>{0.1f, 1.0f, 1 + 0x1p-22f, 0.0f, 16777216.0f});
  CHECK_THROWS_WITH(
      with_bias(io::DType::F64, Doubles{0, 0, 0, 1e39, 0}),
      Catch::Matchers::Contains("tensor \"0.bias\": element 3 is 1e+39, expected a number that fits F32"));
  CHECK_THROWS_WITH(with_bias(io::DType::F16, Words{0, 0xFC00, 0, 0, 0}),
                    Catch::Matchers::Contains("tensor \"0.bias\": element 1 is -inf, expected a finite number"));
}

TEST_CASE("A network is read from the shards that an index names", "[io]") {
  const TemporaryFolder folder;
  const auto network = make_network();
  io::save_safetensors(network, folder / "a");
  Parts parts(folder / "a");
  const auto middle = parts.tensors.begin() + 3;
  io::write_safetensors(folder / "1", std::vector(parts.tensors.begin(), middle), parts.metadata);
  io::write_safetensors(folder / "2", std::vector(middle, parts.tensors.end()));
  const auto write_index = [&](const std::string& without) {
    std::string map;
    for (const io::Tensor& tensor : parts.tensors) {
      if (tensor.name != without) {
        map += concatenate({map.empty() ? "" : ",", "\"", tensor.name, "\":\"", &tensor < &*middle ? "1" : "2", "\""});
      }
    }
    write_file(folder / "model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  };
  write_index("");
  Network<M> loaded{Seed{2}};
  io::load_safetensors(loaded, folder / "model.safetensors.index.json");
  CHECK(same_networks(network, loaded));
  write_index("4.weight");
  CHECK_THROWS_AS(io::load_safetensors(loaded, folder / "model.safetensors.index.json"), FormatError);
  CHECK(same_networks(network, loaded));
  CHECK_THROWS_AS(io::load_safetensors(loaded, folder / "no.index.json"), FileError);
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
