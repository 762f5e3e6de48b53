// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network as an ONNX file, for onnxruntime and the tools that read ONNX. Format: onnx/onnx.proto3 and
/// docs/Operators.md of onnx/onnx. Needs onnx's protobuf schema (Debian: libonnx-dev, libprotobuf-dev), so retort.hpp
/// does not include it; with CMake link retort::onnx, by hand -lonnx_proto -lprotobuf.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"
#include "retort/io/onnx_graph.hpp"
#include "retort/io/safetensors_header.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/version.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// The version of ONNX's operators that a file asks for: the first with LayerNormalization, of onnx 1.12 (2022).
inline constexpr std::int64_t onnx_opset = 17;

struct OnnxOptions {
  /// For people; empty: the layers of the model.
  std::string description{};
  /// Written as metadata_props, with the keys below, which are the library's.
  Metadata metadata{};
};

/// A layer of one's own that says what it is in ONNX: `static std::string add_to_onnx(io::OnnxGraph& graph, const
/// std::string& x)` adds its nodes and returns the name of their result.
template <typename L>
concept OnnxLayer = requires(OnnxGraph& graph, const std::string& x) {
  { L::add_to_onnx(graph, x) } -> std::same_as<std::string>;
};

namespace detail {

// What each layer is to the rest of the graph: the name of its output, where `x` is that of its input.

template <Layer L>
std::string add_layer(OnnxGraph& graph, const std::string& x, const L&) {
  static_assert(OnnxLayer<L>,
                "retort: export_onnx knows the library's layers; one of your own needs a function static std::string "
                "add_to_onnx(retort::io::OnnxGraph& graph, const std::string& x)");
  return L::add_to_onnx(graph, x);
}

template <std::size_t In, std::size_t Out, Bias bias>
std::string add_layer(OnnxGraph& graph, const std::string& x, const Linear<In, Out, bias>&) {
  if constexpr (bias == Bias::yes) {
    return graph.add("Gemm", {x, graph.tensor("weight"), graph.tensor("bias")}, {{"transB", 1}});
  } else {
    return graph.add("Gemm", {x, graph.tensor("weight")}, {{"transB", 1}});
  }
}

template <std::size_t N>
std::string add_layer(OnnxGraph& graph, const std::string& x, const LayerNorm<N>&) {
  return graph.add("LayerNormalization", {x, graph.tensor("weight"), graph.tensor("bias")},
                   {{"axis", -1}, {"epsilon", static_cast<float>(LayerNorm<N>::epsilon)}});
}

template <std::size_t N>
std::string add_layer(OnnxGraph& graph, const std::string& x, const BatchNorm<N>&) {
  return graph.add(
      "BatchNormalization",
      {x, graph.tensor("weight"), graph.tensor("bias"), graph.tensor("running_mean"), graph.tensor("running_var")},
      {{"epsilon", static_cast<float>(BatchNorm<N>::epsilon)}});
}

/// Nothing: a network that answers drops no element.
template <double Rate>
std::string add_layer(OnnxGraph& /*graph*/, const std::string& x, const Dropout<Rate>&) {
  return x;
}

template <std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
std::string add_layer(OnnxGraph& graph, const std::string& x, const AvgPool2d<Shape<Channels, Rows, Columns>, K>&) {
  using Layer = AvgPool2d<Shape<Channels, Rows, Columns>, K>;
  // An extent of 0 is that of the input, here the batch's.
  const std::vector<std::int64_t> image{0, Channels, Rows, Columns};
  const std::vector<std::int64_t> row{0, Layer::output_size};
  const std::vector<std::int64_t> square{K, K};
  const std::string images = graph.add("Reshape", {x, graph.constant("image", image)});
  const std::string pooled = graph.add("AveragePool", {images}, {{"kernel_shape", square}, {"strides", square}});
  return graph.add("Reshape", {pooled, graph.constant("row", row)});
}

[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const ReLU&) {
  return graph.add("Relu", {x});
}

template <double slope>
std::string add_layer(OnnxGraph& graph, const std::string& x, const LeakyReLU<slope>&) {
  return graph.add("LeakyRelu", {x}, {{"alpha", static_cast<float>(slope)}});
}

[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const Sigmoid&) {
  return graph.add("Sigmoid", {x});
}

[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const Tanh&) {
  return graph.add("Tanh", {x});
}

[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const SiLU&) {
  return graph.add("Mul", {x, graph.add("Sigmoid", {x})});
}

/// Gelu is an operator from version 20 on.
[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const GELU&) {
  const std::string scaled = graph.add("Div", {x, graph.constant("sqrt2", std::numbers::sqrt2_v<float>)});
  const std::string erf = graph.add("Erf", {scaled});
  const std::string sum = graph.add("Add", {erf, graph.constant("one", 1.0f)});
  const std::string product = graph.add("Mul", {x, sum});
  return graph.add("Mul", {product, graph.constant("half", 0.5f)});
}

[[gnu::cold]] inline std::string add_layer(OnnxGraph& graph, const std::string& x, const GELUTanh&) {
  const std::string square = graph.add("Mul", {x, x});
  const std::string cubic = graph.add("Mul", {square, graph.constant("cubic", 0.044715f)});
  const std::string sum = graph.add("Add", {cubic, graph.constant("one", 1.0f)});
  const std::string product = graph.add("Mul", {x, sum});
  constexpr float twice = 2 * std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  const std::string scaled = graph.add("Mul", {product, graph.constant("twice_scale", twice)});
  return graph.add("Mul", {x, graph.add("Sigmoid", {scaled})});
}

/// The network's inputs from raw features, as data::Standardization and data::GatherConstants make them.
[[gnu::cold]] inline std::string add_preprocessing(OnnxGraph& graph, const std::string& raw,
                                                   const std::filesystem::path& path,
                                                   const Preprocessing& preprocessing) {
  const auto cast = [&](const std::string& x, ::onnx::TensorProto::DataType type) {
    return graph.add("Cast", {x}, {{"to", std::int64_t{type}}});
  };
  graph.begin_part("preprocessing");
  std::string x = raw;
  if (!preprocessing.column_means.empty()) {
    const std::string wide = cast(x, ::onnx::TensorProto::DOUBLE);
    const std::string centred = graph.add("Sub", {wide, graph.constant("means", preprocessing.column_means)});
    x = graph.add("Div", {centred, graph.constant("deviations", preprocessing.column_deviations)});
  }
  if (preprocessing.bytes || !preprocessing.column_means.empty()) {
    x = cast(x, ::onnx::TensorProto::FLOAT);
  }
  const auto scale = static_cast<float>(1 / (preprocessing.standard_deviation * (preprocessing.bytes ? 255.0 : 1.0)));
  const auto offset = static_cast<float>(-preprocessing.mean / preprocessing.standard_deviation);
  if (!is_finite(scale) || !is_finite(offset)) {
    throw FormatError(path, concatenate({"preprocessing: inputs are ", describe_inputs(preprocessing),
                                         ", expected a factor and an offset within float's range"}));
  }
  if (scale != 1.0f) {
    x = graph.add("Mul", {x, graph.constant("scale", scale)});
  }
  if (offset != 0.0f) {
    x = graph.add("Add", {x, graph.constant("offset", offset)});
  }
  return x;
}

/// Throws FormatError for text that is not UTF-8, which no string of the format may be.
[[gnu::cold]] inline void require_utf8(const std::filesystem::path& path, std::string_view what,
                                       std::string_view text) {
  if (!internal::is_utf8(text)) {
    throw FormatError(path, concatenate({what, " is ", in_quotes(text), ", expected UTF-8"}));
  }
}

[[gnu::cold]] inline void add_metadata(::onnx::ModelProto& model, const std::filesystem::path& path,
                                       const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    require_utf8(path, "a metadata key", key);
    require_utf8(path, concatenate({"metadata ", in_quotes(key)}), value);
    ::onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
}

/// (batch, width)
[[gnu::cold]] inline void describe_value(::onnx::ValueInfoProto& value, std::string_view name,
                                         ::onnx::TensorProto::DataType type, std::size_t width) {
  value.set_name(std::string(name));
  ::onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  tensor.mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(width));
}

[[gnu::cold]] inline void write_onnx(const std::filesystem::path& path, const ::onnx::ModelProto& model) {
  constexpr std::size_t limit = std::numeric_limits<std::int32_t>::max();  // Protocol Buffers' own
  const std::size_t size = model.ByteSizeLong();
  if (size > limit) {
    throw FormatError(path, concatenate({"the model takes ", size, " bytes as ONNX, expected at most ", limit}));
  }
  // There are no maps in the schema, so equal models have equal bytes.
  const std::string bytes = model.SerializeAsString();
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

/// A model around an empty graph.
[[gnu::cold]] inline ::onnx::ModelProto make_onnx_model(const std::string& description) {
  ::onnx::ModelProto model;
  model.set_ir_version(8);  // that of onnx 1.12
  model.add_opset_import()->set_version(onnx_opset);
  model.set_producer_name("retort");
  model.set_producer_version(std::string(version));
  model.set_doc_string(description);
  model.mutable_graph()->set_name("network");
  return model;
}

template <Layer... Layers>
std::string add_layers(OnnxGraph& graph, std::string x, const Sequential<Layers...>&) {
  std::size_t index = 0;
  const auto add = [&]<Layer L>(const L& layer) {
    graph.begin_layer(index++, L::name);
    x = add_layer(graph, x, layer);
  };
  (add(Layers{}), ...);
  return x;
}

}  // namespace detail

/// Writes `network` as ONNX, whole or not at all: opset 17 (onnx_opset), IR version 8, float32, as it answers outside
/// of training. A network of double is rounded to float32. Input "input" (batch, in), output "logits" (batch, out), the
/// batch's extent symbolic. If the network has a preprocessing, the input is raw features (uint8 where it was trained
/// on bytes, else float32) and the graph makes the network's inputs of them; else it is those. In metadata_props:
/// "class_names", a JSON array, if they are known; "description"; "retort.model", the layers, and "retort.inputs", how
/// inputs are made, in words. Tensors have PyTorch's names. Equal networks and options give equal bytes.
///
/// Throws FileError if the file cannot be written; FormatError naming the tensor for a value that no file of a network
/// may hold (nn/tensor_values.hpp), for a normalisation beyond float's range, for text that is not UTF-8, and for a
/// model of more than 2 GiB. An older file then stays as it was. A layer of one's own that is no OnnxLayer does not
/// compile.
template <Model M, typename Backend, typename Scalar>
void export_onnx(const Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                 const OnnxOptions& options = {}) {
  const auto parameters = network.copy_parameters();
  const auto buffers = network.copy_buffers();
  const auto to_floats = [](std::span<const Scalar> arena) {
    std::vector<float> floats(arena.size());
    std::transform(arena.begin(), arena.end(), floats.begin(), [](Scalar value) { return static_cast<float>(value); });
    return floats;
  };
  const std::vector<float> parameter_floats = to_floats(parameters.span());
  const std::vector<float> buffer_floats = to_floats(buffers.span());
  const std::optional<Preprocessing>& preprocessing = network.preprocessing();

  const std::string signature = internal::model_signature<M>();
  Metadata metadata = options.metadata;
  metadata["description"] = options.description.empty() ? signature : options.description;
  metadata["retort.model"] = signature;
  metadata["retort.inputs"] = preprocessing ? describe_inputs(*preprocessing) : "the network's own";
  metadata.erase("class_names");
  if (preprocessing && !preprocessing->class_names.empty()) {
    metadata["class_names"] = json_array(preprocessing->class_names);
  }
  ::onnx::ModelProto model = detail::make_onnx_model(metadata["description"]);
  detail::add_metadata(model, path, metadata);

  ::onnx::GraphProto& proto = *model.mutable_graph();
  const bool bytes = preprocessing && preprocessing->bytes;
  detail::describe_value(*proto.add_input(), "input", bytes ? ::onnx::TensorProto::UINT8 : ::onnx::TensorProto::FLOAT,
                         M::input_size);
  detail::describe_value(*proto.add_output(), "logits", ::onnx::TensorProto::FLOAT, M::output_size);
  OnnxGraph graph(proto, path, {M::parameters, parameter_floats}, {M::buffers, buffer_floats});
  std::string x = "input";
  if (preprocessing) {
    x = detail::add_preprocessing(graph, x, path, *preprocessing);
  }
  graph.rename(detail::add_layers(graph, std::move(x), M{}), "logits");
  detail::write_onnx(path, model);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
