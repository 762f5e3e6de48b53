// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Finds the hidden units that a training has lost.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/teacher_views.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What count_dead_units found behind one ReLU.
struct DeadUnits {
  std::size_t layer;  ///< the ReLU's index in the model, from 0
  std::size_t units;
  std::size_t dead;  ///< of these

  friend bool operator==(const DeadUnits&, const DeadUnits&) = default;
};

namespace internal {

/// Whether a layer is a ReLU between two layers with sizes.
template <Model M, std::size_t Index>
constexpr bool is_hidden_relu() {
  if constexpr (std::is_same_v<typename M::template LayerAt<Index>, ReLU>) {
    bool before = false;
    bool after = false;
    for_each_index<M::layer_count>([&]<std::size_t Other>() {
      if constexpr (SizedLayer<typename M::template LayerAt<Other>>) {
        (Other < Index ? before : after) = true;
      }
    });
    return before && after;
  }
  return false;
}

}  // namespace internal

/// For each hidden ReLU of the network, in order, how many of its units are 0 for every sample of the dataset. No
/// gradient flows through such a unit, so on these samples it neither acts nor learns: Lu, Shin, Su and Karniadakis,
/// "Dying ReLU and initialization", arXiv:1903.06733. If many are dead on the training data, try a smaller learning
/// rate, or another Initialization. One pass over the data for each ReLU, not augmented and without dropout. Throws
/// like predict_all.
template <Model M, typename Backend, typename Scalar>
std::vector<DeadUnits> count_dead_units(const Network<M, Backend, Scalar>& network, const data::Dataset& data) {
  internal::require_predictable(network, data);
  const Backend& backend = network.backend();
  const internal::ResidentDataset<Backend> resident(backend, data);
  std::vector<DeadUnits> result;
  internal::for_each_index<M::layer_count>([&]<std::size_t Index>() {
    if constexpr (internal::is_hidden_relu<M, Index>()) {
      using Part = FirstLayers<M, Index + 1>;
      constexpr std::size_t width = Part::output_size;
      std::vector<std::uint8_t> alive(width);
      std::vector<Scalar> copy;
      typename Backend::template Buffer<Scalar> outputs{};
      internal::for_each_view<M::input_size, Scalar>(
          backend, resident.view(), {}, [&](const Scalar* inputs, std::size_t /*first*/, std::size_t count) {
            copy.resize(count * width);
            if (outputs.size() < copy.size()) {
              outputs = backend.template allocate<Scalar>(copy.size());
            }
            predict_batch(backend, Part{},
                          backend::InferArguments<Scalar>{network.parameter_data(), network.buffer_data(), inputs,
                                                          outputs.data(), count});
            copy_to_host(backend, std::as_const(outputs).data(), std::span(copy));
            for (std::size_t i = 0; i < copy.size(); ++i) {
              if (copy[i] > Scalar{0}) {
                alive[i % width] = 1;
              }
            }
          });
      const auto dead = std::ranges::count(alive, std::uint8_t{0});
      result.push_back({Index, width, static_cast<std::size_t>(dead)});
    }
  });
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
