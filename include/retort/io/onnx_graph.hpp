// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A graph of ONNX, node by node. Needs onnx's protobuf schema, so retort.hpp does not include it.

#if !__has_include(<onnx/onnx_pb.h>) || !__has_include(<google/protobuf/message.h>)
#error "retort: ONNX needs onnx/onnx_pb.h: apt-get install libonnx-dev libprotobuf-dev, and link retort::onnx"
// An #error alone does not stop a compiler, and hundreds of errors would follow it; a missing file does.
#include "the error above stops here"
#endif
#ifndef ONNX_ML
#define ONNX_ML 1  // the schema that all packages have, a superset of the other
#endif
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_values.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// What a node states besides its inputs: `{"axis", 1}`, `{"epsilon", 1e-5f}`.
struct OnnxAttribute {
  std::string_view name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>> value;
};

/// The nodes of a model and their tensors, layer by layer. export_onnx makes one; layers add to it. A name that it
/// returns stands for a value of the graph, (batch, width) of float32 where layers meet.
class OnnxGraph {
 public:
  /// An arena as float32, and the tensors in it.
  struct Arena {
    std::span<const TensorInfo> tensors;
    std::span<const float> values;
  };

  /// Adds to `graph`. `path` is named in errors. All must outlive it.
  [[gnu::cold]] OnnxGraph(::onnx::GraphProto& graph, const std::filesystem::path& path, const Arena& parameters,
                          const Arena& buffers)
      : graph_(graph), path_(path), arenas_{parameters, buffers} {}

  /// What follows belongs to layer `index`: `tensor` finds its tensors.
  [[gnu::cold]] void begin_layer(std::size_t index, std::string_view name) {
    layer_ = index;
    begin_part(concatenate({index, ".", name}));
  }

  /// The names of all that follows begin with `name`, which no other part may have.
  [[gnu::cold]] void begin_part(std::string name) {
    part_ = std::move(name);
    nodes_in_part_ = 0;
  }

  /// A node: an operator of ONNX's default domain, version onnx_opset. Returns its output.
  [[gnu::cold]] std::string add(std::string_view operation, std::initializer_list<std::string_view> inputs,
                                std::initializer_list<OnnxAttribute> attributes = {}) {
    ::onnx::NodeProto& node = *graph_.add_node();
    std::string name = concatenate({part_, ".", nodes_in_part_++});
    node.set_name(name);
    node.set_op_type(std::string(operation));
    for (const std::string_view input : inputs) {
      node.add_input(std::string(input));
    }
    node.add_output(name);
    for (const OnnxAttribute& attribute : attributes) {
      add_attribute(node, attribute);
    }
    return name;
  }

  /// Gives the value `x`, a node's output, the name of the graph's output.
  [[gnu::cold]] void rename(const std::string& x, const std::string& name) {
    for (::onnx::NodeProto& node : *graph_.mutable_node()) {
      std::replace(node.mutable_input()->begin(), node.mutable_input()->end(), x, name);
      std::replace(node.mutable_output()->begin(), node.mutable_output()->end(), x, name);
    }
  }

  /// The layer's tensor of that name, "weight". Call once for each. Throws FormatError naming it for a value that no
  /// network may hold, Error if the layer has no such tensor.
  [[gnu::cold]] std::string tensor(std::string_view name) {
    for (const Arena& arena : arenas_) {
      for (const TensorInfo& info : arena.tensors) {
        if (info.layer == layer_ && info.spec.name == name) {
          return add_layer_tensor(info, info.in(arena.values));
        }
      }
    }
    throw Error(concatenate({"onnx: layer ", layer_, ": tensor ", in_quotes(name), ": no such tensor"}));
  }

  /// A number, the same for all elements. Call once for each name in a part.
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  [[gnu::cold]] std::string constant(std::string_view name, Number value) {
    return add_tensor(concatenate({part_, ".", name}), {}, std::span<const Number>(&value, 1));
  }

  /// Numbers in a row, one for each column or axis.
  template <typename Number>
  [[gnu::cold]] std::string constant(std::string_view name, const std::vector<Number>& values) {
    const std::size_t size = values.size();
    return add_tensor(concatenate({part_, ".", name}), {&size, 1}, std::span<const Number>(values));
  }

 private:
  static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little-endian, as the host must be");

  [[gnu::cold]] std::string add_layer_tensor(const TensorInfo& info, std::span<const float> values) {
    if (const std::string fault = internal::describe_fault(info.spec, values); !fault.empty()) {
      throw FormatError(path_, concatenate({"tensor ", in_quotes(info.full_name(), '"'), ": ", fault}));
    }
    return add_tensor(std::string(info.full_name()), std::span(info.spec.extents).first(info.spec.rank), values);
  }

  template <typename Number>
  [[gnu::cold]] std::string add_tensor(std::string name, std::span<const std::size_t> extents,
                                       std::span<const Number> values) {
    static_assert(std::is_same_v<Number, float> || std::is_same_v<Number, double> ||
                  std::is_same_v<Number, std::int64_t>);
    ::onnx::TensorProto& tensor = *graph_.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(std::is_same_v<Number, float>    ? ::onnx::TensorProto::FLOAT
                         : std::is_same_v<Number, double> ? ::onnx::TensorProto::DOUBLE
                                                          : ::onnx::TensorProto::INT64);
    for (const std::size_t extent : extents) {
      tensor.add_dims(static_cast<std::int64_t>(extent));
    }
    tensor.set_raw_data(values.data(), values.size_bytes());
    return name;
  }

  [[gnu::cold]] static void add_attribute(::onnx::NodeProto& node, const OnnxAttribute& attribute) {
    ::onnx::AttributeProto& added = *node.add_attribute();
    added.set_name(std::string(attribute.name));
    if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
      added.set_type(::onnx::AttributeProto::INT);
      added.set_i(*integer);
    } else if (const auto* number = std::get_if<float>(&attribute.value)) {
      added.set_type(::onnx::AttributeProto::FLOAT);
      added.set_f(*number);
    } else {
      added.set_type(::onnx::AttributeProto::INTS);
      for (const std::int64_t element : std::get<std::vector<std::int64_t>>(attribute.value)) {
        added.add_ints(element);
      }
    }
  }

  ::onnx::GraphProto& graph_;
  const std::filesystem::path& path_;
  std::array<Arena, 2> arenas_;
  std::string part_;
  std::size_t layer_ = 0;
  std::size_t nodes_in_part_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
