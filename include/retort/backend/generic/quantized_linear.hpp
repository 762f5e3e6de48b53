// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// QuantizedLinear: rounds weights and inputs, and is then the backend's Linear. The backward pass rounds them again
/// instead of storing them.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/linear.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/quantized_linear.hpp"
#include "retort/nn/weight_format.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// One output's weights, each as the nearest of its steps.
template <WeightFormat P, std::size_t In, typename Scalar>
struct RoundWeights {
  const Scalar* weights;  // (out, In)
  Scalar* rounded;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* from = weights + row * In;
    Scalar* to = rounded + row * In;
    const internal::WeightSteps<Scalar> steps = internal::weight_steps<P>(from, In);
    for (std::size_t i = 0; i < In; ++i) {
      to[i] = steps.template round<P>(from[i]) * steps.step;
    }
  }
};

template <typename Scalar>
struct CopyValue {
  const Scalar* from;
  Scalar* to;

  RETORT_HOST_DEVICE void operator()(std::size_t i) const { to[i] = from[i]; }
};

/// One sample's values, each as the nearest byte's. `from` may be `to`.
template <std::size_t Width, typename Scalar>
struct RoundValues {
  const Scalar* range;  // (2)
  const Scalar* from;   // (batch, Width)
  Scalar* to;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const internal::ByteScale<Scalar> scale(range);
    for (std::size_t i = row * Width; i < (row + 1) * Width; ++i) {
      to[i] = scale.value(scale.byte(from[i]));
    }
  }
};

/// The gradient of one sample's values: 0 where a value is beyond the range.
template <std::size_t Width, typename Scalar>
struct HoldGradient {
  const Scalar* range;   // (2)
  const Scalar* values;  // (batch, Width)
  Scalar* gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const internal::ByteScale<Scalar> scale(range);
    for (std::size_t i = row * Width; i < (row + 1) * Width; ++i) {
      gradient[i] = scale.holds(values[i]) ? gradient[i] : Scalar{0};
    }
  }
};

/// The least and the largest of one sample's values.
template <std::size_t Width, typename Scalar>
struct FindExtremes {
  const Scalar* values;  // (batch, Width)
  Scalar* extremes;      // (batch, 2)

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    Scalar low = values[row * Width];
    Scalar high = low;
    for (std::size_t i = row * Width + 1; i < (row + 1) * Width; ++i) {
      low = values[i] < low ? values[i] : low;
      high = values[i] > high ? values[i] : high;
    }
    extremes[2 * row] = low;
    extremes[2 * row + 1] = high;
  }
};

/// Moves a range towards the extremes of a batch; the only index is 0.
template <typename Scalar>
struct MoveRange {
  const Scalar* extremes;  // (batch, 2)
  std::size_t batch;
  bool only_grows;
  Scalar momentum;
  Scalar* range;  // (2)

  RETORT_HOST_DEVICE void operator()(std::size_t /*index*/) const {
    Scalar low = extremes[0];
    Scalar high = extremes[1];
    for (std::size_t row = 1; row < batch; ++row) {
      low = extremes[2 * row] < low ? extremes[2 * row] : low;
      high = extremes[2 * row + 1] > high ? extremes[2 * row + 1] : high;
    }
    const bool first = range[0] == Scalar{0} && range[1] == Scalar{0};
    if (first) {
      range[0] = low;
      range[1] = high;
    } else if (only_grows) {
      range[0] = low < range[0] ? low : range[0];
      range[1] = high > range[1] ? high : range[1];
    } else {
      range[0] += momentum * (low - range[0]);
      range[1] += momentum * (high - range[1]);
    }
  }
};

/// A QuantizedLinear's tensors and operations on a backend.
template <typename L, typename B, typename Scalar>
struct QuantizedOperations {
  using Float = typename L::Float;
  static constexpr std::size_t in = L::input_size;
  static constexpr std::size_t out = L::output_size;
  static constexpr std::size_t output_range = tensor_offset(L::buffers, 1);
  static constexpr std::size_t parameter_size = tensor_offset(L::parameters, L::parameters.size());

  const B& backend;

  /// Moves the range of `values` (batch, Width).
  template <std::size_t Width>
  void observe(const Scalar* values, std::size_t batch, bool only_grows, Scalar* range) const {
    auto extremes = backend.template scratch<Scalar>(2 * batch);
    for_each_of<Width>(backend, batch, FindExtremes<Width, Scalar>{values, extremes.data()});
    detail::for_each(backend, 1,
                     MoveRange<Scalar>{extremes.data(), batch, only_grows, static_cast<Scalar>(L::momentum), range});
  }

  /// Calls use(parameters, input) with the rounded weights, laid out as a Linear's parameters, and the rounded inputs.
  template <typename Use>
  void with_rounded(const Scalar* parameters, const Scalar* buffers, const Scalar* input, std::size_t batch,
                    const Use& use) const {
    auto rounded = backend.template scratch<Scalar>(parameter_size);
    for_each_of<in>(backend, out, RoundWeights<typename L::format_type, in, Scalar>{parameters, rounded.data()});
    if constexpr (L::has_bias) {
      constexpr std::size_t bias = tensor_offset(L::parameters, 1);
      for_each_of(backend, out, CopyValue<Scalar>{parameters + bias, rounded.data() + bias});
    }
    const Scalar* weights = rounded.data();
    if constexpr (L::place.first) {
      use(weights, input);
    } else {
      auto bytes = backend.template scratch<Scalar>(batch * in);
      for_each_of<in>(backend, batch, RoundValues<in, Scalar>{buffers, input, bytes.data()});
      use(weights, static_cast<const Scalar*>(bytes.data()));
    }
  }

  /// `arguments` are those of `infer`.
  void compute(const InferArguments<Scalar>& arguments) const {
    with_rounded(arguments.parameters, arguments.buffers, arguments.input, arguments.batch,
                 [&](const Scalar* parameters, const Scalar* input) {
                   infer(backend, Float{}, Width<in>{},
                         InferArguments<Scalar>{parameters, nullptr, input, arguments.output, arguments.batch});
                 });
  }

  /// Rounds an output that is looked up in a table.
  void round_output(const Scalar* buffers, Scalar* output, std::size_t batch) const {
    if constexpr (L::place.table) {
      for_each_of<out>(backend, batch, RoundValues<out, Scalar>{buffers + output_range, output, output});
    }
  }
};

}  // namespace detail

template <typename B, typename Scalar, std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place, Bias bias>
void infer(const Generic<B>& generic, QuantizedLinear<In, Out, P, Place, bias>, Width<In>,
           const InferArguments<Scalar>& arguments) {
  using L = QuantizedLinear<In, Out, P, Place, bias>;
  const detail::QuantizedOperations<L, B, Scalar> layer{generic.self()};
  layer.compute(arguments);
  layer.round_output(arguments.buffers, arguments.output, arguments.batch);
}

template <typename B, typename Scalar, std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place, Bias bias>
void forward(const Generic<B>& generic, QuantizedLinear<In, Out, P, Place, bias>, Width<In>,
             const ForwardArguments<Scalar>& arguments) {
  using L = QuantizedLinear<In, Out, P, Place, bias>;
  using Operations = detail::QuantizedOperations<L, B, Scalar>;
  const Operations layer{generic.self()};
  layer.template observe<In>(arguments.input, arguments.batch, Place.first, arguments.buffers);
  layer.compute(arguments.inference());
  layer.template observe<Out>(arguments.output, arguments.batch, false, arguments.buffers + Operations::output_range);
  layer.round_output(arguments.buffers, arguments.output, arguments.batch);
}

template <typename B, typename Scalar, std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place, Bias bias>
void backward(const Generic<B>& generic, QuantizedLinear<In, Out, P, Place, bias>, Width<In> width,
              const BackwardArguments<Scalar>& arguments) {
  using L = QuantizedLinear<In, Out, P, Place, bias>;
  const B& backend = generic.self();
  const detail::QuantizedOperations<L, B, Scalar> layer{backend};
  BackwardArguments<Scalar> of_linear = arguments;
  layer.with_rounded(arguments.parameters, arguments.buffers, arguments.input, arguments.batch,
                     [&](const Scalar* parameters, const Scalar* input) {
                       of_linear.parameters = parameters;
                       of_linear.input = input;
                       backward(backend, typename L::Float{}, width, of_linear);
                     });
  if constexpr (!Place.first) {
    if (arguments.input_gradient != nullptr) {
      for_each_of<In>(backend, arguments.batch,
                      detail::HoldGradient<In, Scalar>{arguments.buffers, arguments.input, arguments.input_gradient});
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
