#pragma once
/// @file
/// A network's weights in a safetensors file, with PyTorch's names and layout, so that `safetensors.torch.load_file`
/// and `load_state_dict` of the equivalent nn.Sequential read what is written here, and the other way round.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/network.hpp"

namespace retort::io {

/// How a file names its tensors, and what is said beside them.
struct SafetensorsOptions {
  /// One prefix for each layer that has tensors, in order: {"fc1", "fc2", "fc3"} for a PyTorch module with such
  /// attributes. Empty: the layer's index in the Sequential, as an nn.Sequential names them ("0.weight").
  std::vector<std::string> layer_names{};
  /// Written beside the weights. Keys that begin with "retort." are the library's.
  Metadata metadata{};
};

namespace detail {

inline constexpr const char* signature_key = "retort.model";
inline constexpr const char* example_key = "retort.example";

/// The names of the tensors of a model in a file, parameters and buffers apart.
template <Model M>
struct TensorNames {
  std::array<std::string, M::parameters.size()> parameters;
  std::array<std::string, M::buffers.size()> buffers;

  explicit TensorNames(const std::vector<std::string>& layer_names) {
    std::vector<std::size_t> layers;  // those with tensors, in order
    for (std::size_t layer = 0; layer < M::layer_count; ++layer) {
      const auto owns = [&](const TensorInfo& tensor) { return tensor.layer == layer; };
      if (std::ranges::any_of(M::parameters, owns) || std::ranges::any_of(M::buffers, owns)) {
        layers.push_back(layer);
      }
    }
    if (!layer_names.empty() && layer_names.size() != layers.size()) {
      throw OptionError("safetensors: layer_names has " + to_text(layer_names.size()) + " names, expected " +
                        to_text(layers.size()) + ", one for each layer with tensors");
    }
    const auto name = [&](const TensorInfo& tensor) {
      if (layer_names.empty()) {
        return std::string(tensor.full_name());
      }
      const auto position = std::ranges::find(layers, tensor.layer) - layers.begin();
      return layer_names[static_cast<std::size_t>(position)] + "." + std::string(tensor.spec.name);
    };
    std::ranges::transform(M::parameters, parameters.begin(), name);
    std::ranges::transform(M::buffers, buffers.begin(), name);
  }
};

inline std::vector<std::size_t> shape_of(const TensorSpec& spec) {
  return {spec.extents.begin(), spec.extents.begin() + static_cast<std::ptrdiff_t>(spec.rank)};
}

/// The input of the example that a file carries, always the same: -1, -0.5, 0 and 0.5 at random, short to write down.
template <typename Scalar, std::size_t N>
std::array<Scalar, N> example_input() {
  std::array<Scalar, N> input{};
  const RandomStream random{Seed{0}, Stream::synthetic, 0};
  for (std::size_t i = 0; i < N; ++i) {
    input[i] = static_cast<Scalar>(random.word(i) >> 30) / Scalar{2} - Scalar{1};
  }
  return input;
}

template <typename Scalar>
void read_tensor(const SafetensorsFile& file, const std::string& name, const TensorSpec& spec,
                 std::span<Scalar> values) {
  const Tensor& tensor = file.at(name);
  if (tensor.shape != shape_of(spec)) {
    throw FormatError(file.path(), "tensor " + in_quotes(name) + ": shape " + shape_text(tensor.shape) + ", expected " +
                                       shape_text(shape_of(spec)));
  }
  file.copy_to(tensor, values);
  const auto bad = std::ranges::find_if(values, [](Scalar value) { return !std::isfinite(value); });
  if (bad != values.end()) {
    throw FormatError(file.path(), "tensor " + in_quotes(name) + ": element " + to_text(bad - values.begin()) + " is " +
                                       to_text(*bad) + ", expected a finite number");
  }
}

/// Throws unless the network gives the file's example the file's logits, up to what another order of addition may
/// change.
template <typename N>
void check_example(const N& network, const SafetensorsFile& file) {
  using Scalar = typename N::scalar_type;
  const auto found = file.metadata().find(example_key);
  if (found == file.metadata().end()) {
    return;
  }
  std::vector<Scalar> input;
  std::vector<Scalar> expected;
  try {
    const nlohmann::json example = nlohmann::json::parse(found->second);
    input = example.at("input").get<std::vector<Scalar>>();
    expected = example.at("logits").get<std::vector<Scalar>>();
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(file.path(), std::string("metadata ") + example_key + ": " + error.what());
  }
  if (input.size() != N::input_size || expected.size() != N::output_size) {
    throw FormatError(file.path(), std::string("metadata ") + example_key + ": " + to_text(input.size()) +
                                       " inputs and " + to_text(expected.size()) + " logits, expected " +
                                       to_text(N::input_size) + " and " + to_text(N::output_size));
  }
  const auto logits = network.predict(std::span<const Scalar, N::input_size>(input));
  Scalar largest{1};
  for (const Scalar value : expected) {
    largest = std::max(largest, std::abs(value));
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!(std::abs(logits[i] - expected[i]) <= Scalar(1e-4) * largest)) {
      throw FormatError(file.path(), "the file's example gives logit " + to_text(i) + " = " + to_text(logits[i]) +
                                         ", expected " + to_text(expected[i]) +
                                         ": the weights are not those it was saved with");
    }
  }
}

}  // namespace detail

/// Writes parameters and running statistics, whole or not at all. Equal networks give equal bytes. The metadata carry
/// the model's signature, and one example input with its logits, which load_safetensors checks. Throws FileError, and
/// OptionError for layer names that are not as many as the layers with tensors.
template <Model M, typename Backend, typename Scalar>
void save_safetensors(const Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                      const SafetensorsOptions& options = {}) {
  const detail::TensorNames<M> names(options.layer_names);
  const AlignedBuffer<Scalar> parameters = network.copy_parameters();
  const AlignedBuffer<Scalar> buffers = network.copy_buffers();
  std::vector<Tensor> tensors;
  tensors.reserve(M::parameters.size() + M::buffers.size());
  for (std::size_t i = 0; i < M::parameters.size(); ++i) {
    tensors.push_back(Tensor::of<Scalar>(names.parameters[i], detail::shape_of(M::parameters[i].spec),
                                         M::parameters[i].in(parameters.span())));
  }
  std::array<std::int64_t, M::buffers.size()> counts{};
  for (std::size_t i = 0; const TensorInfo& tensor : M::buffers) {
    const TensorSpec& spec = tensor.spec;
    const std::span<const Scalar> values = tensor.in(buffers.span());
    if (spec.integral) {
      counts[i] = static_cast<std::int64_t>(values[0]);
      tensors.push_back(Tensor::of<std::int64_t>(names.buffers[i], detail::shape_of(spec), std::span{&counts[i], 1}));
    } else {
      tensors.push_back(Tensor::of<Scalar>(names.buffers[i], detail::shape_of(spec), values));
    }
    ++i;
  }
  Metadata metadata = options.metadata;
  metadata.try_emplace("format", "pt");
  metadata[detail::signature_key] = model_signature<M>();
  const auto input = detail::example_input<Scalar, M::input_size>();
  const auto logits = network.predict(std::span<const Scalar, M::input_size>(input));
  metadata[detail::example_key] = nlohmann::json{{"input", input}, {"logits", logits}}.dump();
  write_safetensors(path, tensors, metadata);
}

/// Reads parameters and running statistics into `network`; returns the file's metadata. Strict: a tensor that is
/// missing, that the model does not have, of another shape or with a number that is not finite is a FormatError naming
/// it, and so is a file that says it holds another model, or whose example gives other logits. The network is then as
/// it was. F64, F32, F16 and BF16 are converted to Scalar. `num_batches_tracked` may be missing, as PyTorch allows.
/// Throws FileError when it cannot be read.
template <Model M, typename Backend, typename Scalar>
Metadata load_safetensors(Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                          const SafetensorsOptions& options = {}) {
  const detail::TensorNames<M> names(options.layer_names);
  const SafetensorsFile file = SafetensorsFile::read(path);
  const auto signature = file.metadata().find(detail::signature_key);
  if (signature != file.metadata().end() && signature->second != model_signature<M>()) {
    throw FormatError(path, "holds the model " + signature->second + ", expected " + model_signature<M>());
  }
  for (const Tensor& tensor : file.tensors()) {
    if (std::ranges::find(names.parameters, tensor.name) == names.parameters.end() &&
        std::ranges::find(names.buffers, tensor.name) == names.buffers.end()) {
      throw FormatError(
          path, "tensor " + detail::in_quotes(tensor.name) + ": no tensor of the model " + model_signature<M>());
    }
  }
  AlignedBuffer<Scalar> parameters = network.copy_parameters();
  AlignedBuffer<Scalar> buffers = network.copy_buffers();
  for (std::size_t i = 0; i < M::parameters.size(); ++i) {
    detail::read_tensor(file, names.parameters[i], M::parameters[i].spec, M::parameters[i].in(parameters.span()));
  }
  for (std::size_t i = 0; const TensorInfo& tensor : M::buffers) {
    if (!tensor.spec.integral || file.find(names.buffers[i]) != nullptr) {
      detail::read_tensor(file, names.buffers[i], tensor.spec, tensor.in(buffers.span()));
    }
    ++i;
  }
  Network<M, Backend, Scalar> loaded = network;
  loaded.assign_parameters(parameters.span());
  loaded.assign_buffers(buffers.span());
  detail::check_example(loaded, file);
  network = std::move(loaded);
  return file.metadata();
}

}  // namespace retort::io
