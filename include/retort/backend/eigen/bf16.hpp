// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Mixed precision on the CPU: `retort::backend::EigenBf16`.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/inference.hpp"
#include "retort/backend/eigen/panel/bf16_inference.hpp"
#include "retort/backend/eigen/panel/bf16_products.hpp"
#include "retort/backend/eigen/panel/inference.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
#include "retort/backend/eigen/panel/steps.hpp"
#include "retort/backend/engine.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/simd/bfloat16.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// The Eigen backend with products in bfloat16: the three of a training step (Micikevicius et al., "Mixed precision
/// training", arXiv:1710.03740; Kalamkar et al., "A study of bfloat16 for deep learning training", arXiv:1905.12322)
/// round weights, activations and gradients to bfloat16 and sum in float. Parameters, optimizer, activation functions
/// and loss stay in float, and no loss scaling is needed, as bfloat16 has the range of float. Whatever its panels
/// decline (other layers, losses with a term on features, double) trains as on plain Eigen; a trainer's describe() says
/// so.
///
/// Outside of training, batches of samples are answered with bf16 products too where the processor has them. A sample
/// alone, the few behind a batch's last full vectors, and processors without such products have the answers of Eigen.
///
/// It pays where the processor multiplies bfloat16 (AVX512_BF16: -march=znver4, cooperlake or newer) and layers are
/// wide. Elsewhere the products are computed in float on rounded factors, more slowly than Eigen's. Results have the
/// same bits for every number of threads, but not on every processor.
class EigenBf16 : public Eigen {
 public:
  static constexpr const char* name = "eigen-bf16";
  /// Answers to batches are rounded more than those to a few samples.
  static constexpr bool rounds_batches = true;

  /// See Eigen's constructors.
  explicit EigenBf16(unsigned threads = 1) : Eigen(threads) {}
  explicit EigenBf16(AvailableThreads threads) : Eigen(threads) {}

  std::string describe() const {
    return Eigen::describe() + ", panels with bf16 products " +
           (simd::has_bfloat16_products ? "(AVX512_BF16)" : "(emulated: this build's processor has none)");
  }
};

/// output (batch, out), the logits, of input (batch, in).
template <Model M>
void predict_batch(const EigenBf16& backend, M model, const InferArguments<float>& arguments) {
  if constexpr (simd::has_bfloat16_products && panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer<M, panel::Bf16Words>(backend, panel::InferenceTensors<float>{arguments.parameters, arguments.buffers},
                                      arguments.input, arguments.output, arguments.batch);
  } else {
    predict_batch(static_cast<const Eigen&>(backend), model, arguments);
  }
}

/// The same for Network::predict; a few samples are answered by Eigen's products.
template <Model M>
void predict_samples(const EigenBf16& backend, M model, const InferArguments<float>& arguments) {
  if constexpr (simd::has_bfloat16_products && panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer_with_few<M, panel::Bf16Words>(backend,
                                               panel::InferenceTensors<float>{arguments.parameters, arguments.buffers},
                                               arguments.input, arguments.output, arguments.batch);
  } else {
    predict_samples(static_cast<const Eigen&>(backend), model, arguments);
  }
}

/// logits (data.size, out) of every sample of a dataset, normalised but not augmented.
template <Model M>
void predict_dataset(const EigenBf16& backend, M model, const float* parameters, const float* buffers,
                     const data::DatasetView& data, float* logits) {
  if constexpr (simd::has_bfloat16_products && panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer<M, panel::Bf16Words>(backend, panel::InferenceTensors<float>{parameters, buffers}, data, logits);
  } else {
    predict_dataset(static_cast<const Eigen&>(backend), model, parameters, buffers, data, logits);
  }
}

/// See Eigen's function of this name (eigen.hpp).
template <std::same_as<EigenBf16> Backend, typename Work>
void for_each_on_one_thread(const Backend& backend, std::size_t count, const Work& work) {
  const EigenBf16 alone(1);
  backend.pool().for_each_piece(count, [&](std::size_t index) { work(index, alone); });
}

namespace panel {

/// Takes in float what PanelEngine takes.
struct Bf16Engine {
  static constexpr std::string_view name = "panels with bf16 products";
  template <typename T>
  static constexpr Refusal refusal() {
    return std::same_as<typename T::Scalar, float> ? panel_refusal<T>() : Refusal{"it computes in float"};
  }
  template <typename T>
  using Steps = PanelSteps<typename T::Model, float, Bf16Products<typename T::Model>>;
};

}  // namespace panel

template <>
struct Engines<EigenBf16> {
  using type = std::tuple<panel::Bf16Engine, panel::PanelEngine>;
};

static_assert(Backend<EigenBf16, float>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
