// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Linear: the backend's products, and the bias in one pass with the pointwise layers after it. The products are
/// forward_product, weight_gradient_product, input_gradient_product and column_sums (product.hpp).

#include <cstddef>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/generic/chain.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/product.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The bias of a Linear's parameters, null where it has none.
template <typename L, typename Scalar>
const Scalar* bias_of(const Scalar* parameters) {
  return L::has_bias ? parameters + tensor_offset(L::parameters, 1) : nullptr;
}

/// One element of a Linear's output, on a device: neighbouring threads take neighbouring elements.
template <std::size_t Out, typename Scalar>
struct AddBias {
  const Scalar* bias;  // (Out)
  Scalar* output;      // (batch, Out)

  RETORT_HOST_DEVICE void operator()(std::size_t element) const { output[element] += bias[element % Out]; }
};

/// `arguments` are those of `infer` or `forward`. The product goes to arguments.output, and through bias and chain to
/// `output`; with `keeps_biased` the Linear's own output is then in arguments.output.
template <typename L, typename C, bool training, typename B, typename Arguments, typename Scalar>
void compute_linear(const B& backend, const Arguments& arguments, Scalar* output, LayerRandom random,
                    bool keeps_biased) {
  forward_product(backend, MatrixView{arguments.input, arguments.batch, L::input_size},
                  MatrixView{arguments.parameters, L::output_size, L::input_size},
                  MatrixView{arguments.output, arguments.batch, L::output_size});
  constexpr bool has_chain = !std::is_same_v<C, Chain<>>;
  [[maybe_unused]] const std::size_t size = arguments.batch * L::output_size;
  if constexpr (has_chain || (L::has_bias && B::host_memory)) {
    for_each_group(backend, size,
                   ChainValues<C, training, typename B::ChainKernel, L::output_size, Scalar>{
                       arguments.output, output, size, random, bias_of<L>(arguments.parameters),
                       keeps_biased ? arguments.output : nullptr});
  } else if constexpr (L::has_bias) {
    for_each(backend, size, AddBias<L::output_size, Scalar>{bias_of<L>(arguments.parameters), output});
  }
}

}  // namespace detail

template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void infer(const Generic<B>& generic, Linear<In, Out, bias>, Width<In>, const InferArguments<Scalar>& arguments) {
  detail::compute_linear<Linear<In, Out, bias>, Chain<>, false>(generic.self(), arguments, arguments.output, {}, false);
}

template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void forward(const Generic<B>& generic, Linear<In, Out, bias>, Width<In>, const ForwardArguments<Scalar>& arguments) {
  detail::compute_linear<Linear<In, Out, bias>, Chain<>, true>(generic.self(), arguments, arguments.output, {}, false);
}

/// With the chain after it, in place over the product.
template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void infer(const Generic<B>& generic, Linear<In, Out, bias>, Chain<Layers...>, Width<In>,
           const InferArguments<Scalar>& arguments) {
  detail::compute_linear<Linear<In, Out, bias>, Chain<Layers...>, false>(generic.self(), arguments, arguments.output,
                                                                         {}, false);
}

template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias, PointwiseLayer... Layers>
void forward(const Generic<B>& generic, Linear<In, Out, bias>, Chain<Layers...>, Width<In>,
             const ForwardArguments<Scalar>& arguments, Scalar* chain_output) {
  LayerRandom random = arguments.random;
  ++random.layer;
  detail::compute_linear<Linear<In, Out, bias>, Chain<Layers...>, true>(generic.self(), arguments, chain_output, random,
                                                                        Linear<In, Out, bias>::has_bias);
}

template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void backward(const Generic<B>& generic, Linear<In, Out, bias>, Width<In>, const BackwardArguments<Scalar>& arguments) {
  using L = Linear<In, Out, bias>;
  const B& backend = generic.self();
  const MatrixView output_gradient{arguments.output_gradient, arguments.batch, Out};
  weight_gradient_product(backend, MatrixView{arguments.input, arguments.batch, In}, output_gradient,
                          MatrixView{arguments.parameter_gradients, Out, In});
  if constexpr (L::has_bias) {
    column_sums(backend, output_gradient, arguments.parameter_gradients + tensor_offset(L::parameters, 1));
  }
  if (arguments.input_gradient != nullptr) {
    input_gradient_product(backend, MatrixView{arguments.parameters, Out, In}, output_gradient,
                           MatrixView{arguments.input_gradient, arguments.batch, In});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
