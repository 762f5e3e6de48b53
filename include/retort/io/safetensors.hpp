// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network's weights in a safetensors file, with PyTorch's names and layout, so that `safetensors.torch.load_file`
/// and `load_state_dict` of the equivalent nn.Sequential read what is written here, and the other way round.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/io/preprocessing_text.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/io/safetensors_index.hpp"
#include "retort/io/tensor_name_hint.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_values.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// How a file names its tensors, and what else it says.
struct SafetensorsOptions {
  /// One prefix for each layer that has tensors, in order: {"fc1", "fc2", "fc3"} for a PyTorch module with such
  /// attributes. Empty: the layer's index in the Sequential, as an nn.Sequential names them ("0.weight").
  std::vector<std::string> layer_names{};
  /// Written with the weights. Keys that begin with "retort." are the library's.
  Metadata metadata{};
  /// Before every name in the file: "module." in the state_dict of a torch.nn.DataParallel.
  std::string prefix{};
};

namespace detail {

inline constexpr const char* signature_key = "retort.model";
inline constexpr const char* example_key = "retort.example";

/// Throws FormatError naming the tensor and the element for a value that no network may hold.
template <typename Scalar>
void require_values(const std::filesystem::path& path, const std::string& name, const TensorSpec& spec,
                    std::span<const Scalar> values) {
  if (const std::string fault = internal::describe_fault(spec, values); !fault.empty()) {
    throw FormatError(path, concatenate({"tensor ", detail::in_quotes(name), ": ", fault}));
  }
}

/// The names of a model's tensors in a file.
[[gnu::cold]] inline std::vector<std::string> tensor_names(std::span<const TensorInfo* const> tensors,
                                                           const SafetensorsOptions& options) {
  const std::vector<std::string>& layer_names = options.layer_names;
  std::set<std::size_t> layers;  // those with tensors
  for (const TensorInfo* tensor : tensors) {
    layers.insert(tensor->layer);
  }
  if (!layer_names.empty() && layer_names.size() != layers.size()) {
    throw OptionError(concatenate({"safetensors: layer_names has ", layer_names.size(), " names, expected ",
                                   layers.size(), ", one for each layer with tensors"}));
  }
  std::vector<std::string> names;
  for (const TensorInfo* tensor : tensors) {
    if (layer_names.empty()) {
      names.push_back(concatenate({options.prefix, tensor->full_name()}));
    } else {
      const auto position = std::distance(layers.begin(), layers.find(tensor->layer));
      names.push_back(
          concatenate({options.prefix, layer_names[static_cast<std::size_t>(position)], ".", tensor->spec.name}));
    }
  }
  return names;
}

inline std::vector<std::size_t> shape_of(const TensorSpec& spec) {
  return {spec.extents.begin(), spec.extents.begin() + static_cast<std::ptrdiff_t>(spec.rank)};
}

/// The input of a file's example, always the same: random values from -1, -0.5, 0 and 0.5, short to write down.
template <typename Scalar>
std::vector<Scalar> example_input(std::size_t size) {
  std::vector<Scalar> input(size);
  const RandomStream random{Seed{0}, Stream::synthetic, 0};
  for (std::size_t i = 0; i < size; ++i) {
    input[i] = static_cast<Scalar>(random.word(i) >> 30) / Scalar{2} - Scalar{1};
  }
  return input;
}

template <typename Scalar>
void read_tensor(const SafetensorsFile& file, const std::string& name, const TensorSpec& spec,
                 std::span<Scalar> values) {
  const Tensor& tensor = file.at(name);
  if (tensor.shape != shape_of(spec)) {
    throw FormatError(file.path(), concatenate({"tensor ", detail::in_quotes(name), ": shape ",
                                                shape_text(tensor.shape), ", expected ", shape_text(shape_of(spec))}));
  }
  if (!spec.integral && !detail::is_floating_point(tensor.dtype)) {
    throw FormatError(file.path(),
                      concatenate({"tensor ", detail::in_quotes(name), ": dtype ", dtype_name(tensor.dtype),
                                   ", expected F64, F32, F16 or BF16: integers are quantised weights, and "
                                   "the file gives no scale"}));
  }
  file.copy_to(tensor, values);
  require_values(file.path(), name, spec, std::span<const Scalar>(values));
}

/// A network's tensors by name, parameters and then running statistics, with a copy of their values.
template <typename Scalar>
struct NamedTensors {
  AlignedBuffer<Scalar> parameter_arena;  // laid out as in the model
  AlignedBuffer<Scalar> buffer_arena;
  std::vector<const TensorInfo*> tensors;
  std::vector<std::span<Scalar>> values;  // of each tensor, in its arena
  std::vector<std::string> names;

  template <Model M, typename Backend>
  NamedTensors(const Network<M, Backend, Scalar>& network, const SafetensorsOptions& options)
      : parameter_arena(network.copy_parameters()), buffer_arena(network.copy_buffers()) {
    const auto append = [&](std::span<const TensorInfo> part, std::span<Scalar> arena) {
      for (const TensorInfo& tensor : part) {
        tensors.push_back(&tensor);
        values.push_back(tensor.in(arena));
      }
    };
    append(M::parameters, parameter_arena.span());
    append(M::buffers, buffer_arena.span());
    names = tensor_names(tensors, options);
  }

  NamedTensors(const NamedTensors&) = delete;  // `values` point into the arenas
  NamedTensors& operator=(const NamedTensors&) = delete;

  /// Throws FormatError for values that `read` would refuse.
  [[gnu::cold]] void require_readable(const std::filesystem::path& path) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      require_values<Scalar>(path, names[i], tensors[i]->spec, values[i]);
    }
  }

  /// Writes them. The metadata are complete. Precondition: require_readable.
  [[gnu::cold]] void write(const std::filesystem::path& path, const Metadata& metadata) const {
    std::vector<Tensor> written;
    std::vector<std::int64_t> counts(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const TensorSpec& spec = tensors[i]->spec;
      if (spec.integral) {
        counts[i] = static_cast<std::int64_t>(values[i][0]);
        written.push_back(
            Tensor::of<std::int64_t>(names[i], shape_of(spec), std::span<const std::int64_t>(&counts[i], 1)));
      } else {
        written.push_back(Tensor::of<Scalar>(names[i], shape_of(spec), values[i]));
      }
    }
    write_safetensors(path, written, metadata);
  }

  /// Reads them from a file of the model with this signature. Throws FormatError.
  [[gnu::cold]] void read(const SafetensorsFile& file, const std::string& signature) {
    const auto found = file.metadata().find(signature_key);
    if (found != file.metadata().end() && found->second != signature) {
      throw FormatError(file.path(), concatenate({"holds the model ", retort::in_quotes(found->second, '"', 400),
                                                  ", expected ", signature}));
    }
    for (const Tensor& tensor : file.tensors()) {
      if (std::find(names.begin(), names.end(), tensor.name) == names.end()) {
        throw FormatError(
            file.path(), concatenate({"tensor ", detail::in_quotes(tensor.name), ": no tensor of the model ", signature,
                                      tensor_name_hint(tensor.name, names)}));
      }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!tensors[i]->spec.integral || file.find(names[i]) != nullptr) {
        read_tensor(file, names[i], tensors[i]->spec, values[i]);
      }
    }
  }
};

template <typename Scalar>
[[gnu::cold]] std::string example_text(std::span<const Scalar> input, std::span<const Scalar> logits) {
  return concatenate({"{\"input\":", json_array(input), ",\"logits\":", json_array(logits), "}"});
}

/// Takes at most that many inputs and outputs. Throws JsonError.
template <typename Scalar>
[[gnu::cold]] void read_example(std::string_view text, std::size_t inputs, std::size_t outputs,
                                std::vector<Scalar>& input, std::vector<Scalar>& logits) {
  internal::JsonReader json(text);
  json.read_object({{"input", json.into(input, inputs), false}, {"logits", json.into(logits, outputs), false}},
                   "the keys input and logits, each once");
  json.end();
}

/// The file's preprocessing, or nothing. Throws FormatError.
[[gnu::cold]] inline std::optional<Preprocessing> preprocessing_in(const SafetensorsFile& file, std::size_t inputs,
                                                                   std::size_t outputs) {
  const auto found = file.metadata().find(preprocessing_key);
  if (found == file.metadata().end()) {
    return std::nullopt;
  }
  try {
    return read_preprocessing(found->second, inputs, outputs);
  } catch (const Error& error) {
    throw FormatError(file.path(), concatenate({"metadata ", preprocessing_key, ": ", error.what()}));
  }
}

/// The network's logits for an example. Throws FormatError if they are not finite: weights within their bounds may
/// still multiply to infinity.
template <typename N>
auto example_logits(const N& network, const std::filesystem::path& path,
                    const std::vector<typename N::scalar_type>& input) {
  const auto logits = network.predict_as_batch(std::span<const typename N::scalar_type, N::input_size>(input));
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!is_finite(logits[i])) {
      throw FormatError(path, concatenate({"the weights give an input within -1 and 0.5 the logit ", i, " = ",
                                           logits[i], ", expected a finite number"}));
    }
  }
  return logits;
}

/// Throws unless the network gives the file's logits for the file's example, within the effect of another order of
/// addition; without an example, unless its logits are finite.
template <typename N>
void check_example(const N& network, const SafetensorsFile& file) {
  using Scalar = typename N::scalar_type;
  const auto found = file.metadata().find(example_key);
  if (found == file.metadata().end()) {
    example_logits(network, file.path(), example_input<Scalar>(N::input_size));
    return;
  }
  std::vector<Scalar> input;
  std::vector<Scalar> expected;
  try {
    read_example(found->second, N::input_size, N::output_size, input, expected);
  } catch (const JsonError& error) {
    throw FormatError(file.path(), concatenate({"metadata ", example_key, ": ", error.what()}));
  }
  if (input.size() != N::input_size || expected.size() != N::output_size) {
    throw FormatError(file.path(),
                      concatenate({"metadata ", example_key, ": ", input.size(), " inputs and ", expected.size(),
                                   " logits, expected ", N::input_size, " and ", N::output_size}));
  }
  const auto logits = example_logits(network, file.path(), input);
  Scalar largest{1};
  for (const Scalar value : expected) {
    largest = std::max(largest, std::abs(value));
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!is_finite(logits[i]) || !(std::abs(logits[i] - expected[i]) <= Scalar(1e-4) * largest)) {
      throw FormatError(file.path(), concatenate({"the file's example gives logit ", i, " = ", logits[i], ", expected ",
                                                  expected[i], ": the weights are not those it was saved with"}));
    }
  }
}

}  // namespace detail

/// Writes parameters and running statistics, whole or not at all. Equal networks give equal bytes. The metadata carry
/// the model's signature, the network's preprocessing if it is known, one example input with its logits, and a
/// checksum, which load_safetensors checks. Throws FileError; OptionError unless there are as many layer names as
/// layers with tensors; and FormatError naming the tensor for values that load_safetensors would refuse, such as a
/// weight that is not finite: an older file then stays as it was.
template <Model M, typename Backend, typename Scalar>
void save_safetensors(const Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                      const SafetensorsOptions& options = {}) {
  const detail::NamedTensors<Scalar> tensors(network, options);
  tensors.require_readable(path);
  const std::vector<Scalar> input = detail::example_input<Scalar>(M::input_size);
  const auto logits = detail::example_logits(network, path, input);
  Metadata metadata = options.metadata;
  metadata.try_emplace("format", "pt");
  metadata[detail::signature_key] = internal::model_signature<M>();
  metadata[detail::example_key] = detail::example_text(std::span<const Scalar>(input), std::span<const Scalar>(logits));
  metadata.erase(detail::preprocessing_key);
  if (network.preprocessing()) {
    metadata[detail::preprocessing_key] = detail::preprocessing_text(*network.preprocessing());
  }
  tensors.write(path, metadata);
}

/// Reads parameters, running statistics and preprocessing into `network`; returns the file's metadata. A path that ends
/// with ".json" is the index of several files (io/safetensors_index.hpp). Strict: FormatError names a tensor that is
/// missing, that the model does not have, that has another shape or dtype, or that holds a number no network may hold
/// (nn/tensor_values.hpp); it also refuses a file that claims another model, whose example gives other logits, or that
/// does not match its checksum. The network then stays as it was. F64, F32, F16 and BF16 are converted to Scalar;
/// integers are not weights. `num_batches_tracked` may be missing, as PyTorch allows. A file without preprocessing,
/// such as PyTorch's, leaves the network without. Throws FileError if it cannot be read.
template <Model M, typename Backend, typename Scalar>
Metadata load_safetensors(Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                          const SafetensorsOptions& options = {}) {
  detail::NamedTensors<Scalar> tensors(network, options);
  const SafetensorsFile file =
      path.extension() == ".json" ? read_sharded_safetensors(path) : SafetensorsFile::read(path);
  tensors.read(file, internal::model_signature<M>());
  Network<M, Backend, Scalar> loaded = network;
  loaded.assign_parameters(tensors.parameter_arena.span());
  loaded.assign_buffers(tensors.buffer_arena.span());
  loaded.set_preprocessing(detail::preprocessing_in(file, M::input_size, M::output_size));
  detail::check_example(loaded, file);
  network = std::move(loaded);
  return file.metadata();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
