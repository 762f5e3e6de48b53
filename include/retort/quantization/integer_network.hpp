// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A quantized network in integer arithmetic.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/backend/plan.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/matrix.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/input_scales.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/quantized_linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/byte_layer.hpp"
#include "retort/quantization/folded.hpp"
#include "retort/quantization/integer_layer.hpp"
#include "retort/quantization/make_integer_layer.hpp"
#include "retort/quantization/quantized.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A network of Quantized<M, P> as integers: bytes go through all layers, with sums of 32 bits and no floating-point
/// number, but for the rounding of inputs that are real. The numbers are those of LiteRT's 8-bit scheme (weights
/// without a zero point, a step for each output's weights, sums rescaled as quantization/fixed_point.hpp says), so a
/// model of Linear and ReLU gives what an interpreter of that scheme gives. The same on every machine: a program that
/// io::export_c wrote has these very bits. Fast where the processor has AVX512_VNNI.
class IntegerNetwork {
 public:
  /// Copies the numbers. Throws Error for a network that does not know how its inputs are made
  /// (Network::preprocessing), that was neither trained nor calibrated, that holds a number which is not finite, or
  /// whose sums may need more than 32 bits; for real inputs that are pooled, and for squares of more than 11 x 11
  /// bytes. It counts layers as Quantized<M, P> does, without a BatchNorm behind a Linear.
  template <Model M, typename Backend, typename Scalar>
    requires detail::is_quantized_model<M>
  explicit IntegerNetwork(const Network<M, Backend, Scalar>& network)
      : input_size_(M::input_size), output_size_(M::output_size) {
    static_assert(detail::is_made_by_quantized<M>(),
                  "retort: integers are those of a model that Quantized<Model, P> makes: this one has other layers, or "
                  "QuantizedLinear layers of several formats or places");
    internal::require_finite(network, "integers");
    const auto parameters = network.copy_parameters();
    const auto buffers = network.copy_buffers();
    preprocessing_ = require_known(network.preprocessing());
    if constexpr (detail::is_pool<typename M::template LayerAt<0>>) {
      using Pool = typename M::template LayerAt<0>;
      pool_ = {Pool::columns, Pool::square};
      if (255 * pool_.area() > 32767) {  // instructions of Arm's multiply signed numbers of 16 bits
        throw Error(concatenate({"integers: squares of ", pool_.square, " x ", pool_.square,
                                 " pixels, expected at most 11 x 11, whose sums have 15 bits"}));
      }
    }
    const auto scale_of = [&](std::size_t layer, bool output) {
      const Scalar* range = buffers.data() + M::buffer_offset(layer) + (output ? internal::aligned_extent(2) : 0);
      return byte_scale(range, layer, output ? "output_range" : "input_range");
    };
    internal::for_each_index<M::layer_count>([&]<std::size_t Index>() {
      using L = typename M::template LayerAt<Index>;
      if constexpr (detail::is_quantized_linear<L>) {
        const detail::IntegerScale from = L::place.first ? input_scale<Scalar>([&] { return scale_of(Index, false); })
                                                         : integer_scale(scale_of(Index, false));
        constexpr std::size_t next = next_linear<M>(Index);
        constexpr bool is_last = next == M::layer_count;
        const internal::ByteScale<Scalar> to =
            scale_of(is_last || L::place.table ? Index : next, is_last || L::place.table);
        const Scalar* tensors = parameters.data() + M::parameter_offset(Index);
        const std::string name = to_text(Index);
        detail::QuantizedTensors<Scalar> of{name, {tensors, L::input_size * L::output_size}, {}};
        if constexpr (L::has_bias) {
          of.bias = {tensors + tensor_offset(L::parameters, 1), L::output_size};
        }
        layers_.push_back(detail::integer_layer<typename L::format_type>(of, from, to, L::input_size, L::output_size));
        if constexpr (L::place.table) {
          layers_.back().table = detail::table_behind<M, Index>(to, scale_of(next, false));
        } else if (detail::has_relu_behind<M, Index>()) {
          layers_.back().lowest = layers_.back().zero;
        }
        if (is_last) {
          logit_step_ = static_cast<double>(to.step);
        }
        bits_ = L::format_type::bits;
      }
    });
    for (const internal::IntegerLayer& layer : layers_) {
      byte_layers_.emplace_back(layer, byte_layers_.empty() ? pool_ : internal::Squares{});
    }
  }

  std::size_t input_size() const { return input_size_; }
  std::size_t output_size() const { return output_size_; }
  /// Bits of a weight.
  int bits() const { return bits_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }
  /// A logit is step * (integer - zero).
  double logit_step() const { return logit_step_; }
  int logit_zero() const { return layers_.back().zero - 128; }

  const std::vector<internal::IntegerLayer>& layers() const { return layers_; }
  const internal::Squares& pool() const { return pool_; }
  const internal::RealInputs& real_inputs() const { return real_inputs_; }

  /// logits (batch, out) of raw inputs (batch, in), bytes or real numbers as the network was trained on. Throws
  /// ShapeError for other sizes, OptionError for inputs of the other kind.
  void predict(std::span<const std::uint8_t> inputs, std::span<std::int8_t> logits) const {
    require_inputs(true, inputs.size(), logits.size());
    run(logits, [&](std::size_t sample, std::uint8_t* bytes) {
      std::copy_n(inputs.data() + sample * input_size_, input_size_, bytes);
    });
  }
  void predict(std::span<const float> inputs, std::span<std::int8_t> logits) const {
    require_inputs(false, inputs.size(), logits.size());
    run(logits, [&](std::size_t sample, std::uint8_t* bytes) {
      for (std::size_t i = 0; i < input_size_; ++i) {
        bytes[i] = real_inputs_.byte(i, inputs[sample * input_size_ + i]);
      }
    });
  }

 private:
  template <Model M>
  static constexpr std::size_t next_linear(std::size_t index) {
    std::size_t result = M::layer_count;
    internal::for_each_index<M::layer_count>([&]<std::size_t Behind>() {
      if constexpr (detail::is_quantized_linear<typename M::template LayerAt<Behind>>) {
        result = Behind > index && result == M::layer_count ? Behind : result;
      }
    });
    return result;
  }

  [[gnu::cold]] static const Preprocessing& require_known(const std::optional<Preprocessing>& preprocessing) {
    if (!preprocessing) {
      throw Error(
          "integers: the network does not know how its inputs are made, expected one that was trained, or read from a "
          "file that says so (Network::preprocessing)");
    }
    if (preprocessing->bytes && !preprocessing->column_means.empty()) {
      throw Error("integers: the inputs are bytes that are standardised by columns, expected bytes or real numbers");
    }
    return *preprocessing;
  }

  template <typename Scalar>
  static internal::ByteScale<Scalar> byte_scale(const Scalar* range, std::size_t layer, std::string_view name) {
    const internal::ByteScale<Scalar> scale(range);
    if (!(scale.step > Scalar{0})) {
      throw Error(concatenate({"integers: ", layer, ".", name,
                               " is empty, expected a network that was trained, or calibrated by `quantize`"}));
    }
    return scale;
  }

  template <typename Scalar>
  static detail::IntegerScale integer_scale(const internal::ByteScale<Scalar>& scale) {
    return {static_cast<double>(scale.step), 0.0, static_cast<std::int32_t>(scale.zero), 255};
  }

  /// That of the model's inputs. `of_reals()` is asked where they are no bytes.
  template <typename Scalar, typename OfReals>
  detail::IntegerScale input_scale(const OfReals& of_reals) {
    const Preprocessing& from = preprocessing_;
    if (from.bytes) {
      const auto area = static_cast<std::int32_t>(pool_.area());
      return {1 / (255 * from.standard_deviation * area), -from.mean / from.standard_deviation, 0, 255 * area};
    }
    if (pool_.square > 1) {
      throw Error("integers: the inputs are real numbers, expected bytes before an AvgPool2d");
    }
    const internal::ByteScale<Scalar> scale = of_reals();
    real_inputs_ = {internal::input_scales(from, input_size_, 2 / static_cast<double>(scale.step)),
                    static_cast<std::int32_t>(scale.zero)};
    return integer_scale(scale);
  }

  [[gnu::cold]] void require_inputs(bool bytes, std::size_t inputs, std::size_t logits) const {
    if (bytes != preprocessing_.bytes) {
      throw OptionError(concatenate({"predict: the inputs are ", bytes ? "bytes" : "real numbers", ", expected ",
                                     bytes ? "real numbers" : "bytes", " as in training"}));
    }
    if (inputs % input_size_ != 0 || logits != inputs / input_size_ * output_size_) {
      throw ShapeError(
          concatenate({"predict: ", inputs, " inputs and ", logits, " logits, expected a whole number of samples of ",
                       input_size_, " inputs and ", output_size_, " logits"}));
    }
  }

  std::size_t widest() const {
    std::size_t widest = input_size_;
    for (const internal::IntegerLayer& layer : layers_) {
      widest = std::max(widest, layer.outputs);
    }
    return widest;
  }

  /// `fill(sample, bytes)` writes the inputs of a sample.
  template <typename Fill>
  void run(std::span<std::int8_t> logits, const Fill& fill) const {
    constexpr std::size_t at_once = internal::byte_layer_samples;
    const std::size_t row = internal::byte_layer_row(widest());
    struct BytesTag;
    std::uint8_t* current = internal::thread_scratch<std::uint8_t, BytesTag>(2 * at_once * row);
    std::uint8_t* next = current + at_once * row;
    const std::size_t samples = logits.size() / output_size_;
    for (std::size_t first = 0; first < samples; first += at_once) {
      const std::size_t count = std::min(at_once, samples - first);
      for (std::size_t sample = 0; sample < count; ++sample) {
        fill(first + sample, current + sample * row);
      }
      for (const internal::ByteLayer& layer : byte_layers_) {
        layer.compute(current, count, row, next);
        std::swap(current, next);
      }
      for (std::size_t sample = 0; sample < count; ++sample) {
        std::transform(current + sample * row, current + sample * row + output_size_,
                       logits.begin() + static_cast<std::ptrdiff_t>((first + sample) * output_size_),
                       [](std::uint8_t byte) { return static_cast<std::int8_t>(int{byte} - 128); });
      }
    }
  }

  std::size_t input_size_;
  std::size_t output_size_;
  int bits_ = 8;
  Preprocessing preprocessing_{};
  internal::Squares pool_{};
  internal::RealInputs real_inputs_{};
  std::vector<internal::IntegerLayer> layers_{};
  std::vector<internal::ByteLayer> byte_layers_{};  // the same, for several samples
  double logit_step_ = 0.0;
};

/// The logits (data.size(), out) of every sample in integer arithmetic, bit-equal to those of the program that
/// io::export_c writes. As that program it takes raw features: the dataset's normalization is not read. Throws
/// ShapeError for samples of another size, OptionError for bytes in place of real numbers or the reverse, and for
/// features that are standardised already.
inline data::Matrix<std::int8_t> predict_integer(const IntegerNetwork& network, const data::Dataset& data) {
  data.require_samples();
  if (!data.standardization().empty()) {
    throw OptionError("predict_integer: the features are standardised, expected raw ones: the network does it itself");
  }
  if (data.feature_count() != network.input_size()) {
    throw ShapeError(concatenate(
        {"predict_integer: the dataset has ", data.feature_count(), " features, expected ", network.input_size()}));
  }
  data::Matrix<std::int8_t> logits(data.size(), network.output_size());
  const data::DatasetView view = data.view();
  if (view.bytes != nullptr) {
    network.predict(std::span(view.bytes, view.size * view.features), logits.values());
  } else {
    network.predict(std::span(view.reals, view.size * view.features), logits.values());
  }
  return logits;
}

/// The same from the network itself; throws like IntegerNetwork, too.
template <Model M, typename Backend, typename Scalar>
data::Matrix<std::int8_t> predict_integer(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  return predict_integer(IntegerNetwork(network), data);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
