// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The layers of the plain backend.

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "plain_backend/handle.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/shape.hpp"

namespace plain {

// Linear: y = x W^T + b.

/// One element of the output. `x` (in) is one sample.
template <typename L, typename Scalar>
Scalar linear_element(const Scalar* parameters, const Scalar* x, std::size_t out) {
  Scalar sum = 0;
  for (std::size_t in = 0; in < L::input_size; ++in) {
    sum += x[in] * parameters[out * L::input_size + in];
  }
  if constexpr (L::has_bias) {
    sum += parameters[tensor_offset(L::parameters, 1) + out];
  }
  return sum;
}

template <typename Scalar, std::size_t In, std::size_t Out, retort::Bias bias>
void infer(const Plain&, retort::Linear<In, Out, bias>, Width<In>, const InferArguments<Scalar>& arguments) {
  using L = retort::Linear<In, Out, bias>;
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const Scalar* x = arguments.input + sample * In;
    for (std::size_t out = 0; out < Out; ++out) {
      arguments.output[sample * Out + out] = linear_element<L>(arguments.parameters, x, out);
    }
  }
}

template <typename Scalar, std::size_t In, std::size_t Out, retort::Bias bias>
void forward(const Plain& backend, retort::Linear<In, Out, bias> layer, Width<In> width,
             const ForwardArguments<Scalar>& arguments) {
  infer(backend, layer, width, arguments.inference());
}

template <typename Scalar, std::size_t In, std::size_t Out, retort::Bias bias>
void backward(const Plain&, retort::Linear<In, Out, bias>, Width<In>, const BackwardArguments<Scalar>& arguments) {
  using L = retort::Linear<In, Out, bias>;
  for (std::size_t out = 0; out < Out; ++out) {
    for (std::size_t in = 0; in < In; ++in) {
      Scalar sum = 0;
      for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
        sum += arguments.output_gradient[sample * Out + out] * arguments.input[sample * In + in];
      }
      arguments.parameter_gradients[out * In + in] = sum;
    }
    if constexpr (L::has_bias) {
      Scalar sum = 0;
      for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
        sum += arguments.output_gradient[sample * Out + out];
      }
      arguments.parameter_gradients[tensor_offset(L::parameters, 1) + out] = sum;
    }
  }
  if (arguments.input_gradient == nullptr) {
    return;
  }
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    for (std::size_t in = 0; in < In; ++in) {
      Scalar sum = 0;
      for (std::size_t out = 0; out < Out; ++out) {
        sum += arguments.output_gradient[sample * Out + out] * arguments.parameters[out * In + in];
      }
      arguments.input_gradient[sample * In + in] = sum;
    }
  }
}

// Chains of pointwise layers.

template <typename L, typename Scalar>
Scalar inferred_value(Scalar x) {
  if constexpr (retort::DropoutLayer<L>) {
    return x;
  } else {
    return static_cast<Scalar>(L::value(x));
  }
}

template <typename... Layers, typename Scalar>
Scalar inferred_value(Chain<Layers...>, Scalar x) {
  ((x = inferred_value<Layers>(x)), ...);
  return x;
}

/// One layer of a chain on one element of a training batch: `gradient` is multiplied by its derivative.
template <typename L, typename Scalar>
void pass_layer(const LayerRandom& random, std::size_t element, Scalar& value, Scalar& gradient) {
  if constexpr (retort::DropoutLayer<L>) {
    const bool dropped = random.stream(retort::Stream::dropout).word(element) < L::threshold;
    value = dropped ? Scalar{0} : value * static_cast<Scalar>(L::scale);
    gradient = dropped ? Scalar{0} : gradient * static_cast<Scalar>(L::scale);
  } else {
    const Scalar x = value;
    value = static_cast<Scalar>(L::value(x));
    gradient *= static_cast<Scalar>(L::derivative(x, value));
  }
}

template <typename... Layers, typename Scalar>
void pass_chain(Chain<Layers...>, LayerRandom random, std::size_t element, Scalar& value, Scalar& gradient) {
  ((pass_layer<Layers>(random, element, value, gradient), ++random.layer), ...);
}

template <typename Scalar, typename... Layers, std::size_t N>
void infer(const Plain&, Chain<Layers...> chain, Width<N>, const InferArguments<Scalar>& arguments) {
  for (std::size_t element = 0; element < arguments.batch * N; ++element) {
    arguments.output[element] = inferred_value(chain, arguments.input[element]);
  }
}

template <typename Scalar, typename... Layers, std::size_t N>
void forward(const Plain&, Chain<Layers...> chain, Width<N>, const ForwardArguments<Scalar>& arguments) {
  for (std::size_t element = 0; element < arguments.batch * N; ++element) {
    Scalar value = arguments.input[element];
    Scalar unused = 0;
    pass_chain(chain, arguments.random, element, value, unused);
    arguments.output[element] = value;
  }
}

template <typename Scalar, typename... Layers, std::size_t N>
void backward(const Plain&, Chain<Layers...> chain, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  for (std::size_t element = 0; element < arguments.batch * N; ++element) {
    Scalar value = arguments.input[element];
    Scalar gradient = arguments.output_gradient[element];
    pass_chain(chain, arguments.random, element, value, gradient);
    arguments.input_gradient[element] = gradient;
  }
}

/// Optional: a Linear and the chain after it in one pass over memory.
template <typename Scalar, std::size_t In, std::size_t Out, retort::Bias bias, typename... Layers>
void infer(const Plain&, retort::Linear<In, Out, bias>, Chain<Layers...> chain, Width<In>,
           const InferArguments<Scalar>& arguments) {
  using L = retort::Linear<In, Out, bias>;
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const Scalar* x = arguments.input + sample * In;
    for (std::size_t out = 0; out < Out; ++out) {
      arguments.output[sample * Out + out] = inferred_value(chain, linear_element<L>(arguments.parameters, x, out));
    }
  }
}

// AvgPool2d: each element adds its share to the mean of its square.

template <std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
using Pool = retort::AvgPool2d<retort::Shape<Channels, Rows, Columns>, K>;

/// The output that input `index` of a batch is part of: images and channels are rows behind one another.
template <std::size_t Columns, std::size_t K>
std::size_t pooled_into(std::size_t index) {
  return index / Columns / K * (Columns / K) + index % Columns / K;
}

template <typename Scalar, std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
void infer(const Plain&, Pool<Channels, Rows, Columns, K>, Width<Channels * Rows * Columns>,
           const InferArguments<Scalar>& arguments) {
  const std::size_t inputs = arguments.batch * Channels * Rows * Columns;
  std::fill_n(arguments.output, inputs / (K * K), Scalar{0});
  for (std::size_t i = 0; i < inputs; ++i) {
    arguments.output[pooled_into<Columns, K>(i)] += arguments.input[i] / static_cast<Scalar>(K * K);
  }
}

template <typename Scalar, std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
void forward(const Plain& backend, Pool<Channels, Rows, Columns, K> layer, Width<Channels * Rows * Columns> width,
             const ForwardArguments<Scalar>& arguments) {
  infer(backend, layer, width, arguments.inference());
}

template <typename Scalar, std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
void backward(const Plain&, Pool<Channels, Rows, Columns, K>, Width<Channels * Rows * Columns>,
              const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  for (std::size_t i = 0; i < arguments.batch * Channels * Rows * Columns; ++i) {
    arguments.input_gradient[i] = arguments.output_gradient[pooled_into<Columns, K>(i)] / static_cast<Scalar>(K * K);
  }
}

// LayerNorm over the features of a sample, BatchNorm over the samples of a feature.

/// Of `count` values that lie `stride` apart; the variance is the biased one.
template <typename Scalar>
struct Moments {
  Scalar mean = 0;
  Scalar variance = 0;

  Moments(const Scalar* values, std::size_t count, std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i) {
      mean += values[i * stride];
    }
    mean /= static_cast<Scalar>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Scalar centred = values[i * stride] - mean;
      variance += centred * centred;
    }
    variance /= static_cast<Scalar>(count);
  }

  Scalar deviation(double epsilon) const { return std::sqrt(variance + static_cast<Scalar>(epsilon)); }
};

template <typename Scalar, std::size_t N>
void infer(const Plain&, retort::LayerNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = retort::LayerNorm<N>;
  const Scalar* weight = arguments.parameters;
  const Scalar* bias = arguments.parameters + tensor_offset(L::parameters, 1);
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const Scalar* x = arguments.input + sample * N;
    const Moments<Scalar> moments(x, N, 1);
    for (std::size_t i = 0; i < N; ++i) {
      arguments.output[sample * N + i] = (x[i] - moments.mean) / moments.deviation(L::epsilon) * weight[i] + bias[i];
    }
  }
}

template <typename Scalar, std::size_t N>
void forward(const Plain& backend, retort::LayerNorm<N> layer, Width<N> width,
             const ForwardArguments<Scalar>& arguments) {
  infer(backend, layer, width, arguments.inference());
}

template <typename Scalar, std::size_t N>
void backward(const Plain& backend, retort::LayerNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = retort::LayerNorm<N>;
  const Scalar* weight = arguments.parameters;
  const auto features = static_cast<Scalar>(N);
  Scalar* weight_gradient = arguments.parameter_gradients;
  Scalar* bias_gradient = arguments.parameter_gradients + tensor_offset(L::parameters, 1);
  fill_zero(backend, weight_gradient, N);
  fill_zero(backend, bias_gradient, N);
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const Scalar* x = arguments.input + sample * N;
    const Scalar* dy = arguments.output_gradient + sample * N;
    const Moments<Scalar> moments(x, N, 1);
    const Scalar deviation = moments.deviation(L::epsilon);
    Scalar sum = 0;         // of dy * weight
    Scalar sum_normal = 0;  // of dy * weight * normalised x
    for (std::size_t i = 0; i < N; ++i) {
      const Scalar normal = (x[i] - moments.mean) / deviation;
      weight_gradient[i] += dy[i] * normal;
      bias_gradient[i] += dy[i];
      sum += dy[i] * weight[i];
      sum_normal += dy[i] * weight[i] * normal;
    }
    for (std::size_t i = 0; i < N && arguments.input_gradient != nullptr; ++i) {
      const Scalar normal = (x[i] - moments.mean) / deviation;
      arguments.input_gradient[sample * N + i] =
          (dy[i] * weight[i] - (sum + normal * sum_normal) / features) / deviation;
    }
  }
}

/// With the running statistics.
template <typename Scalar, std::size_t N>
void infer(const Plain&, retort::BatchNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = retort::BatchNorm<N>;
  const Scalar* weight = arguments.parameters;
  const Scalar* bias = arguments.parameters + tensor_offset(L::parameters, 1);
  const Scalar* mean = arguments.buffers;
  const Scalar* variance = arguments.buffers + tensor_offset(L::buffers, 1);
  for (std::size_t element = 0; element < arguments.batch * N; ++element) {
    const std::size_t i = element % N;
    const Scalar deviation = std::sqrt(variance[i] + static_cast<Scalar>(L::epsilon));
    arguments.output[element] = (arguments.input[element] - mean[i]) / deviation * weight[i] + bias[i];
  }
}

/// With the batch's statistics; the running ones move towards them.
template <typename Scalar, std::size_t N>
void forward(const Plain&, retort::BatchNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  using L = retort::BatchNorm<N>;
  const Scalar* weight = arguments.parameters;
  const Scalar* bias = arguments.parameters + tensor_offset(L::parameters, 1);
  Scalar* running_mean = arguments.buffers;
  Scalar* running_variance = arguments.buffers + tensor_offset(L::buffers, 1);
  Scalar* batches_tracked = arguments.buffers + tensor_offset(L::buffers, 2);
  const auto samples = static_cast<Scalar>(arguments.batch);
  constexpr auto momentum = static_cast<Scalar>(L::momentum);
  for (std::size_t i = 0; i < N; ++i) {
    const Moments<Scalar> moments(arguments.input + i, arguments.batch, N);
    for (std::size_t element = i; element < arguments.batch * N; element += N) {
      const Scalar normal = (arguments.input[element] - moments.mean) / moments.deviation(L::epsilon);
      arguments.output[element] = normal * weight[i] + bias[i];
    }
    const Scalar unbiased = moments.variance * samples / (samples - 1);
    running_mean[i] = (1 - momentum) * running_mean[i] + momentum * moments.mean;
    running_variance[i] = (1 - momentum) * running_variance[i] + momentum * unbiased;
  }
  *batches_tracked += 1;
}

template <typename Scalar, std::size_t N>
void backward(const Plain&, retort::BatchNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = retort::BatchNorm<N>;
  const Scalar* weight = arguments.parameters;
  const auto samples = static_cast<Scalar>(arguments.batch);
  for (std::size_t i = 0; i < N; ++i) {
    const Moments<Scalar> moments(arguments.input + i, arguments.batch, N);
    const Scalar deviation = moments.deviation(L::epsilon);
    Scalar sum = 0;
    Scalar sum_normal = 0;
    for (std::size_t element = i; element < arguments.batch * N; element += N) {
      const Scalar normal = (arguments.input[element] - moments.mean) / deviation;
      sum += arguments.output_gradient[element];
      sum_normal += arguments.output_gradient[element] * normal;
    }
    arguments.parameter_gradients[i] = sum_normal;
    arguments.parameter_gradients[tensor_offset(L::parameters, 1) + i] = sum;
    for (std::size_t element = i; element < arguments.batch * N && arguments.input_gradient != nullptr; element += N) {
      const Scalar normal = (arguments.input[element] - moments.mean) / deviation;
      const Scalar centred = arguments.output_gradient[element] - (sum + normal * sum_normal) / samples;
      arguments.input_gradient[element] = weight[i] / deviation * centred;
    }
  }
}

}  // namespace plain
