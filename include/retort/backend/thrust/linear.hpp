// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Linear on Thrust: the system's products, and the bias in one pass with the pointwise layers behind it.

#include <cstddef>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/thrust/chain.hpp"
#include "retort/backend/thrust/elements.hpp"
#include "retort/backend/thrust/product.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The bias of a Linear's parameters, null where it has none.
template <typename L, typename Scalar>
const Scalar* bias_of(const Scalar* parameters) {
  if constexpr (L::has_bias) {
    return parameters + tensor_offset(L::parameters, 1);
  } else {
    return nullptr;
  }
}

template <std::size_t Out, typename Scalar>
struct AddBias {
  const Scalar* bias;  // (Out)
  Scalar* output;      // (batch, Out)

  RETORT_HOST_DEVICE void operator()(std::size_t element) const { output[element] += bias[element % Out]; }
};

/// Of InferArguments or ForwardArguments.
template <typename L, typename System, typename Arguments>
void linear_output(const Thrust<System>& backend, const Arguments& arguments) {
  forward_product(backend.system(), arguments.batch, L::input_size, L::output_size, arguments.input,
                  arguments.parameters, arguments.output);
}

template <typename L, typename System, typename Arguments>
void biased_linear_output(const Thrust<System>& backend, const Arguments& arguments) {
  linear_output<L>(backend, arguments);
  if (const auto* bias = bias_of<L>(arguments.parameters)) {
    for_each_element(backend, arguments.batch * L::output_size,
                     AddBias<L::output_size, std::remove_cvref_t<decltype(*bias)>>{bias, arguments.output});
  }
}

}  // namespace detail

template <typename System, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void infer(const Thrust<System>& backend, Linear<In, Out, bias>, Width<In>, const InferArguments<Scalar>& arguments) {
  detail::biased_linear_output<Linear<In, Out, bias>>(backend, arguments);
}

template <typename System, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void forward(const Thrust<System>& backend, Linear<In, Out, bias>, Width<In>,
             const ForwardArguments<Scalar>& arguments) {
  detail::biased_linear_output<Linear<In, Out, bias>>(backend, arguments);
}

/// With the chain behind it: in place over the product.
template <typename System, typename Scalar, std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void infer(const Thrust<System>& backend, Linear<In, Out, bias>, Chain<Layers...>, Width<In>,
           const InferArguments<Scalar>& arguments) {
  using L = Linear<In, Out, bias>;
  detail::linear_output<L>(backend, arguments);
  const std::size_t size = arguments.batch * Out;
  backend.for_each(
      detail::chain_groups(size),
      detail::ChainValues<Chain<Layers...>, false, Out, Scalar>{
          arguments.output, arguments.output, detail::bias_of<L>(arguments.parameters), nullptr, size, LayerRandom{}});
}

template <typename System, typename Scalar, std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void forward(const Thrust<System>& backend, Linear<In, Out, bias>, Chain<Layers...>, Width<In>,
             const ForwardArguments<Scalar>& arguments, Scalar* chain_output) {
  using L = Linear<In, Out, bias>;
  detail::linear_output<L>(backend, arguments);
  LayerRandom random = arguments.random;
  ++random.layer;
  const std::size_t size = arguments.batch * Out;
  backend.for_each(
      detail::chain_groups(size),
      detail::ChainValues<Chain<Layers...>, true, Out, Scalar>{
          arguments.output, chain_output, detail::bias_of<L>(arguments.parameters), arguments.output, size, random});
}

template <typename System, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void backward(const Thrust<System>& backend, Linear<In, Out, bias>, Width<In>,
              const BackwardArguments<Scalar>& arguments) {
  using L = Linear<In, Out, bias>;
  weight_gradient_product(backend.system(), arguments.batch, In, Out, arguments.input, arguments.output_gradient,
                          arguments.parameter_gradients);
  if constexpr (L::has_bias) {
    column_sums(backend.system(), arguments.batch, Out, arguments.output_gradient,
                arguments.parameter_gradients + tensor_offset(L::parameters, 1));
  }
  if (arguments.input_gradient != nullptr) {
    input_gradient_product(backend.system(), arguments.batch, In, Out, arguments.parameters, arguments.output_gradient,
                           arguments.input_gradient);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
