// SPDX-License-Identifier: MIT
/// The written graph, read back by the same schema. What it computes is compared with onnxruntime
/// (tests/examples/onnx_interop.py).

#include "retort/io/export_onnx.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "full_disk.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/network.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using retort::test::read_file;
using retort::test::TemporaryFolder;

namespace {

using M = Sequential<AvgPool2d<Shape<1, 4, 6>, 2>, Linear<6, 5>, BatchNorm<5>, Dropout<0.5>, GELU,
                     Linear<5, 3, Bias::no>, LayerNorm<3>, LeakyReLU<0.125>, SiLU, GELUTanh, Dropout<0.25>>;

/// y = x^2, a layer of one's own.
struct Square {
  static constexpr std::string_view name = "Square";
  template <typename T>
  static T value(T x) {
    return x * x;
  }
  template <typename T>
  static T derivative(T x, T /*y*/) {
    return x + x;
  }
  static std::string add_to_onnx(io::OnnxGraph& graph, const std::string& x) { return graph.add("Mul", {x, x}); }
};

template <typename N>
onnx::ModelProto exported(const N& network, const io::OnnxOptions& options = {}) {
  const TemporaryFolder folder;
  io::export_onnx(network, folder / "a.onnx", options);
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(read_file(folder / "a.onnx")));
  return model;
}

std::vector<std::string> operations(const onnx::ModelProto& model) {
  std::vector<std::string> result;
  for (const onnx::NodeProto& node : model.graph().node()) {
    result.push_back(node.op_type());
  }
  return result;
}

const onnx::TensorProto& tensor(const onnx::ModelProto& model, const std::string& name) {
  const auto& tensors = model.graph().initializer();
  const auto found = std::ranges::find(tensors, name, [](const onnx::TensorProto& each) { return each.name(); });
  REQUIRE(found != tensors.end());
  return *found;
}

std::vector<std::int64_t> extents(const onnx::TensorProto& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

template <typename Number = float>
std::vector<Number> numbers(const onnx::TensorProto& tensor) {
  std::vector<Number> values(tensor.raw_data().size() / sizeof(Number));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}

std::optional<std::string> metadata(const onnx::ModelProto& model, const std::string& key) {
  std::optional<std::string> value;
  for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
    if (entry.key() == key) {
      CHECK_FALSE(value);
      value = entry.value();
    }
  }
  return value;
}

/// Each value is made once, before it is used; the last one is the graph's output.
void check_names(const onnx::GraphProto& graph) {
  std::set<std::string> made{graph.input(0).name()};
  for (const onnx::TensorProto& each : graph.initializer()) {
    CHECK(made.insert(each.name()).second);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      CHECK(made.contains(input));
    }
    CHECK(node.output_size() == 1);
    CHECK(made.insert(node.output(0)).second);
  }
  CHECK(made.contains(graph.output(0).name()));
}

using Names = std::vector<std::string>;
using Extents = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("A network is one graph of its layers, with PyTorch's tensors") {
  const Network<M> network{Seed{1}};
  const onnx::ModelProto model = exported(network);
  CHECK(model.ir_version() == 8);
  REQUIRE(model.opset_import_size() == 1);
  CHECK(model.opset_import(0).domain().empty());
  CHECK(model.opset_import(0).version() == io::onnx_opset);
  CHECK(model.producer_name() == "retort");
  CHECK(operations(model) == Names{"Reshape",
                                   "AveragePool",
                                   "Reshape",
                                   "Gemm",
                                   "BatchNormalization",
                                   "Div",
                                   "Erf",
                                   "Add",
                                   "Mul",
                                   "Mul",
                                   "Gemm",
                                   "LayerNormalization",
                                   "LeakyRelu",
                                   "Sigmoid",
                                   "Mul",
                                   "Mul",
                                   "Mul",
                                   "Add",
                                   "Mul",
                                   "Mul",
                                   "Sigmoid",
                                   "Mul"});
  check_names(model.graph());

  CHECK(extents(tensor(model, "1.weight")) == Extents{5, 6});  // (out, in)
  CHECK(extents(tensor(model, "5.weight")) == Extents{3, 5});
  const std::vector<float> bias = numbers(tensor(model, "1.bias"));
  CHECK(std::ranges::equal(bias, network.parameter(1)));
  CHECK(numbers(tensor(model, "2.running_var")) == std::vector<float>(5, 1.0f));
  CHECK(numbers<std::int64_t>(tensor(model, "0.AvgPool2d.image")) == Extents{0, 1, 4, 6});
  CHECK(numbers<std::int64_t>(tensor(model, "0.AvgPool2d.row")) == Extents{0, 6});
  CHECK(model.graph().initializer_size() == 17);  // nothing of num_batches_tracked

  const onnx::NodeProto& linear = model.graph().node(3);
  CHECK(Names(linear.input().begin(), linear.input().end()) == Names{"0.AvgPool2d.2", "1.weight", "1.bias"});
  REQUIRE(linear.attribute_size() == 1);
  CHECK(linear.attribute(0).name() == "transB");
  CHECK(linear.attribute(0).type() == onnx::AttributeProto::INT);
  CHECK(linear.attribute(0).i() == 1);
  const onnx::NodeProto& pool = model.graph().node(1);
  CHECK(Extents(pool.attribute(0).ints().begin(), pool.attribute(0).ints().end()) == Extents{2, 2});
  CHECK(model.graph().node(12).attribute(0).f() == 0.125f);
  CHECK(model.graph().node(11).attribute(1).f() == 1e-5f);
}

TEST_CASE("Inputs and logits have a symbolic batch, and without preprocessing inputs are the network's own") {
  const onnx::ModelProto model = exported(Network<M>{Seed{1}});
  const auto check = [](const onnx::ValueInfoProto& value, const std::string& name, std::int64_t width) {
    CHECK(value.name() == name);
    const onnx::TypeProto::Tensor& type = value.type().tensor_type();
    CHECK(type.elem_type() == onnx::TensorProto::FLOAT);
    REQUIRE(type.shape().dim_size() == 2);
    CHECK(type.shape().dim(0).dim_param() == "batch");
    CHECK(type.shape().dim(1).dim_value() == width);
  };
  REQUIRE(model.graph().input_size() == 1);
  check(model.graph().input(0), "input", 24);
  REQUIRE(model.graph().output_size() == 1);
  check(model.graph().output(0), "logits", 3);
  CHECK(model.graph().node(0).input(0) == "input");
  CHECK(metadata(model, "retort.inputs") == "the network's own");
  CHECK_FALSE(metadata(model, "class_names"));
}

TEST_CASE("A network of bytes takes bytes") {
  Network<M> network{Seed{1}};
  network.set_preprocessing(Preprocessing{.bytes = true, .mean = 0.25, .standard_deviation = 0.5});
  const onnx::ModelProto model = exported(network);
  CHECK(model.graph().input(0).type().tensor_type().elem_type() == onnx::TensorProto::UINT8);
  const Names all = operations(model);
  CHECK(Names(all.begin(), all.begin() + 4) == Names{"Cast", "Mul", "Add", "Reshape"});
  CHECK(numbers(tensor(model, "preprocessing.scale")) == std::vector{static_cast<float>(1 / 127.5)});
  CHECK(numbers(tensor(model, "preprocessing.offset")) == std::vector{-0.5f});
  CHECK(extents(tensor(model, "preprocessing.scale")).empty());
  check_names(model.graph());
}

TEST_CASE("Columns are standardised in double, and a plain normalisation adds nothing") {
  Network<M> network{Seed{1}};
  network.set_preprocessing(Preprocessing{});
  CHECK(operations(exported(network)).front() == "Reshape");
  network.set_preprocessing(
      Preprocessing{.column_means = std::vector<double>(24, 1e9), .column_deviations = std::vector<double>(24, 0.1)});
  const onnx::ModelProto model = exported(network);
  CHECK(model.graph().input(0).type().tensor_type().elem_type() == onnx::TensorProto::FLOAT);
  const Names all = operations(model);
  CHECK(Names(all.begin(), all.begin() + 5) == Names{"Cast", "Sub", "Div", "Cast", "Reshape"});
  CHECK(numbers<double>(tensor(model, "preprocessing.means")) == std::vector<double>(24, 1e9));
  CHECK(extents(tensor(model, "preprocessing.deviations")) == Extents{24});
}

TEST_CASE("Metadata have the classes, a description and what the program adds") {
  Network<M> network{Seed{1}};
  network.set_preprocessing(Preprocessing{.bytes = true, .class_names = {"cat", "\"dog\"", "\xC3\xA9"}});
  onnx::ModelProto model = exported(
      network, {.description = "pets", .metadata = {{"author", "a test"}, {"class_names", "x"}, {"description", "x"}}});
  CHECK(metadata(model, "class_names") == "[\"cat\",\"\\\"dog\\\"\",\"\xC3\xA9\"]");
  CHECK(metadata(model, "description") == "pets");
  CHECK(model.doc_string() == "pets");
  CHECK(metadata(model, "author") == "a test");
  CHECK(metadata(model, "retort.inputs") == "bytes / 255, minus 0, divided by 1");
  model = exported(network);
  CHECK(metadata(model, "description") == metadata(model, "retort.model"));
  CHECK(metadata(model, "retort.model").value().starts_with("AvgPool2d(1x4x6, 2), Linear(6, 5), "));
}

TEST_CASE("Equal networks give equal bytes, also one of double") {
  const TemporaryFolder folder;
  io::export_onnx(Network<M>{Seed{1}}, folder / "a");
  io::export_onnx(Network<M>{Seed{1}}, folder / "b");
  CHECK(read_file(folder / "a") == read_file(folder / "b"));
  CHECK_FALSE(read_file(folder / "a").empty());
  Network<M, backend::Eigen, double> wide{Seed{2}};
  const Network<M> narrow{Seed{1}};
  std::ranges::copy(narrow.parameter_arena(), wide.parameter_arena().begin());
  io::export_onnx(wide, folder / "b");
  CHECK(read_file(folder / "a") == read_file(folder / "b"));
}

TEST_CASE("A layer of one's own says what it is, wherever it stands") {
  const Network<Sequential<Square, Linear<2, 2, Bias::no>, Square>> network{Seed{1}};
  const onnx::ModelProto model = exported(network);
  CHECK(operations(model) == Names{"Mul", "Gemm", "Mul"});
  CHECK(model.graph().node(0).input(1) == "input");
  CHECK(model.graph().node(2).output(0) == "logits");
  check_names(model.graph());
}

TEST_CASE("What no file of a network may hold is refused by tensor, and the older file stays") {
  const TemporaryFolder folder;
  const auto refusal = [&](const auto& network, const io::OnnxOptions& options = {}) {
    test::write_file(folder / "a", "old");
    std::string message;
    try {
      io::export_onnx(network, folder / "a", options);
    } catch (const FormatError& error) {
      message = error.what();
    }
    CHECK(read_file(folder / "a") == "old");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    const std::string prefix = (folder / "a").string() + ": ";
    CHECK(message.starts_with(prefix));
    return message.substr(std::min(prefix.size(), message.size()));
  };
  Network<M> network{Seed{1}};
  network.parameter(0)[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal(network) == "tensor \"1.weight\": element 7 is nan, expected a finite number");
  network = Network<M>{Seed{1}};
  network.buffer(1)[2] = -1.0f;
  CHECK(refusal(network) == "tensor \"2.running_var\": element 2 is -1, expected a number of at least 0");
  Network<M, backend::Eigen, double> wide{Seed{1}};
  wide.parameter(1)[0] = 1e39;
  CHECK(refusal(wide) == "tensor \"1.bias\": element 0 is inf, expected a finite number");
  network = Network<M>{Seed{1}};
  network.set_preprocessing(Preprocessing{.standard_deviation = 1e-300});
  CHECK(refusal(network) ==
        "preprocessing: inputs are real numbers, minus 0, divided by 1e-300, expected a factor and an offset within "
        "float's range");
  network.set_preprocessing({});
  CHECK(refusal(network, {.description = "\xFF"}) == R"(metadata "description" is "\xff", expected UTF-8)");
  CHECK(refusal(network, {.metadata = {{"\xFF", ""}}}) == R"(a metadata key is "\xff", expected UTF-8)");
}

TEST_CASE("A full disk leaves the older file") {
  const TemporaryFolder folder;
  const Network<M> network{Seed{1}};
  test::write_file(folder / "a", "old");
  {
    const test::FullDisk full(100);
    CHECK_THROWS_AS(io::export_onnx(network, folder / "a"), FileError);
  }
  CHECK(read_file(folder / "a") == "old");
  CHECK_THROWS_AS(io::export_onnx(network, folder / "missing/a"), FileError);
}
