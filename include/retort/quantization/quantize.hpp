// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// From a trained network to one of few bits, without further training.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_values.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/folded.hpp"
#include "retort/quantization/quantized.hpp"
#include "retort/quantization/value_range.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/teacher_views.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// How the ranges of inputs and outputs are chosen.
struct Calibration {
  static constexpr std::string_view name = "Calibration";

  /// A range has that many percent of the values at each end's side: at 99.9 the largest thousandth of a layer's inputs
  /// is cut off, and the least. 100: from the least to the largest value.
  double percentile = 100.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{
        "percentile", &Calibration::percentile,
        Range{"a number above 50, of at most 100", [](const double& x) { return x > 50.0 && x <= 100.0; }}}};
  }
};

namespace internal {

/// What the Linear layers of a network take and give, for all samples of a dataset: entry 2 i is of what enters
/// linear_operation[i] of its plan, entry 2 i + 1 of what leaves it.
template <Model M, typename Backend, typename Scalar>
std::vector<ValueRange> linear_ranges(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  using Plan = backend::Plan<M>;
  const Backend& backend = network.backend();
  const ResidentDataset<Backend> resident(backend, data);
  std::vector<ValueRange> ranges(2 * Plan::linear_count);
  std::vector<Scalar> copy;
  for_each_view<M::input_size, Scalar>(
      backend, resident.view(), {}, [&](const Scalar* inputs, std::size_t /*first*/, std::size_t count) {
        auto one = backend.template allocate<Scalar>(count * Plan::widest);
        auto other = backend.template allocate<Scalar>(count * Plan::widest);
        const Scalar* current = inputs;
        std::size_t range = 0;
        const auto add = [&](const Scalar* values, std::size_t width) {
          copy.resize(count * width);
          copy_to_host(backend, values, std::span(copy));
          ranges[range++].add(std::span<const Scalar>(copy));
        };
        for_each_index<Plan::size>([&]<std::size_t Index>() {
          constexpr std::size_t layer = Plan::first_layer[Index];
          Scalar* output = current == one.data() ? other.data() : one.data();
          infer(
              backend, typename Plan::template Operation<Index>{}, typename Plan::template InputWidth<Index>{},
              backend::InferArguments<Scalar>{network.parameter_data() + M::parameter_offset(layer),
                                              network.buffer_data() + M::buffer_offset(layer), current, output, count});
          if constexpr (Plan::template is_linear<Index>) {
            add(current, Plan::widths[Index]);
            add(output, Plan::widths[Index + 1]);
          }
          current = output;
        });
      });
  return ranges;
}

}  // namespace internal

/// A network of Quantized<M, P> with the numbers of a trained one, its BatchNorm layers folded, and the ranges that the
/// dataset's samples show, not augmented: post-training quantization. The samples may be few and need no labels; they
/// must be like those to come. Training may go on from it: quantization-aware distillation.
///
///     auto small = quantize<Int4>(student, train);
///     DistillationTrainer distiller{teacher, small, HintonLoss{.temperature = 2}, Adam{.learning_rate = 3e-4}};
///
/// Throws OptionError for a percentile outside its range and for data whose inputs are made differently from those that
/// the network was trained on, ShapeError for data that does not fit, Error for a parameter that is not finite, and for
/// a layer whose inputs or outputs are all 0, or are not finite.
template <WeightFormat P, Model M, typename Backend, typename Scalar>
Network<Quantized<M, P>, Backend, Scalar> quantize(const Network<M, Backend, Scalar>& network,
                                                   const data::Dataset& data, const Calibration& calibration = {}) {
  using Q = Quantized<M, P>;
  validate_hyperparameters(calibration);
  internal::require_predictable(network, data);
  internal::require_finite(network, "quantize");
  const auto folded = fold_batch_norm(network);
  internal::require_finite(folded, "quantize");
  const auto parameters = folded.copy_parameters();
  const std::vector<internal::ValueRange> ranges = internal::linear_ranges(folded, data);
  Network<Q, Backend, Scalar> result(Seed{0}, network.backend());
  result.assign_parameters(parameters.span());  // a QuantizedLinear's lie as a Linear's do
  auto buffers = result.copy_buffers();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto range = ranges[i].within(calibration.percentile);
    const TensorInfo& tensor = Q::buffers[i];
    if (range[0] == 0.0f && range[1] == 0.0f) {
      throw Error(concatenate({"quantize: ", tensor.full_name(), ": all values are 0 for each of ", data.size(),
                               " samples, expected a layer that is at work"}));
    }
    const auto values = tensor.in(buffers.span());
    std::copy_n(range.begin(), 2, values.begin());
    if (!(internal::ByteScale<Scalar>(values.data()).step > Scalar{0})) {
      throw Error(concatenate({"quantize: ", tensor.full_name(), ": values reach from ", range[0], " to ", range[1],
                               ", expected a range that floating-point numbers can cut into 255 steps"}));
    }
  }
  result.assign_buffers(buffers.span());
  result.set_preprocessing(network.preprocessing());
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
