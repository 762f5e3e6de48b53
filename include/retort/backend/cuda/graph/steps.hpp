// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps of models with large layers: each product takes the whole device, and one pass over memory does what
/// comes between two products.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/chain.hpp"
#include "retort/backend/cuda/graph/clip_factor.hpp"
#include "retort/backend/cuda/graph/gather.hpp"
#include "retort/backend/cuda/graph/linear_spec.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/cuda/graph/step_functions.hpp"
#include "retort/backend/cuda/graph/step_key.hpp"
#include "retort/backend/cuda/graph/system_traits.hpp"
#include "retort/backend/cuda/graph/workspace.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Steps of a model of Linear and pointwise layers, as an engine takes them (backend/engine.hpp): docs/design.md, 18.
/// On a host system the same kernels run at once.
///
/// Precision: factors of products are exact (fp32), or rounded to TF32 or bf16; sums, activation functions, loss,
/// gradients of parameters and optimizer are always in Scalar. With bf16 the parameters stay in fp32, and the optimizer
/// also writes them as bf16 for the next step's products. If something else writes parameters (a checkpoint that is
/// restored), this is noticed at an epoch's beginning and when the step's number jumps, not between two steps of an
/// epoch.
///
/// Results equal those of GenericSteps within rounding, and dropout masks are the same. Every sum has one order, so a
/// run repeats bit for bit on one kind of device. One thread at a time.
template <FullyConnectedModel M, typename Scalar, typename System, Precision precision = Precision::fp32>
class GraphSteps {
 public:
  using Backend = Thrust<System>;

  /// Allocates everything, for batches of up to `capacity` samples. Throws std::bad_alloc, on a device DeviceError.
  GraphSteps(const Backend& backend, std::size_t capacity)
      : workspace_(backend, capacity), products_(backend, specs, capacity), runner_(backend) {
    // The optimizer also passes over the padding between tensors.
    fill_zero(backend, workspace_.gradients.data(), M::parameter_arena_size);
  }

  /// Precondition: batch.size is from 1 to the capacity. Throws DeviceError; then only a part of the step may be done.
  template <typename L, typename Rule, std::size_t Moments>
  void step(const Backend& backend, const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state,
            const L& loss, const Rule& rule) {
    using Arguments = StepArguments<Scalar, Moments, L, Rule>;
    auto* arguments = reinterpret_cast<Arguments*>(workspace_.arguments.data());
    products_.prepare(backend, batch.size);
    refresh_weights(backend, batch, state.parameters);
    Arguments values{.samples = batch.samples,
                     .losses = state.losses,
                     .correct = state.correct,
                     .moments = {},
                     .view = batch.view,
                     .seed = batch.seed,
                     .step = batch.step,
                     .clipping = state.clipping.value_or(GradientClipping{}),
                     .loss = loss,
                     .rule = rule};
    std::ranges::copy(state.moments, values.moments);
    backend.for_each(1, WriteArguments<Arguments>{values, arguments});
    const Work<Arguments> work{
        *this, backend, arguments, batch.data, batch.size, state.parameters, batch.view.augmentation.distorts()};
    runner_.run(backend, make_step_key<L, Rule>(batch, state), [&] {
      work.forward();
      work.loss(state.teacher);
      work.backward();
      work.update(state.clipping.has_value());
    });
    last_ = {state.parameters, batch.epoch, batch.step};
  }

 private:
  using FrontChain = ChainAt<Plan<M>, 0>;  // the chain before the first Linear
  using Factor = Operand<Scalar, precision>;
  using Traits = SystemTraits<System, Scalar, precision>;
  static constexpr auto specs = linear_specs<M, Scalar, precision>();
  static constexpr bool copies_weights = !std::is_same_v<Factor, Scalar>;

  /// The step after which the copies of the weights are up to date.
  struct LastStep {
    const Scalar* parameters = nullptr;
    std::uint32_t epoch = 0;
    std::uint32_t step = 0;
  };

  void refresh_weights(const Backend& backend, const TrainingBatch& batch, const Scalar* parameters) {
    if constexpr (copies_weights) {
      if (last_.parameters != parameters || last_.epoch != batch.epoch || last_.step + 1 != batch.step) {
        backend::for_each_of(backend, M::parameter_arena_size,
                             RoundElements<Scalar, Factor>{parameters, workspace_.weights.data()});
      }
    }
    last_ = {};  // none until the step is done
  }

  /// The work of one step: what it launches depends on a StepKey alone.
  template <typename Arguments>
  struct Work {
    GraphSteps& steps;
    const Backend& backend;
    const Arguments* arguments;
    const data::DatasetView& data;
    std::size_t batch;
    Scalar* parameters;
    bool distorted;

    template <std::size_t Index>
    LinearTensors<const Factor, const Scalar> linear() const {
      using S = Stage<M, Index>;
      const Factor* weights = nullptr;
      if constexpr (copies_weights) {
        weights = steps.workspace_.weights.data();
      } else {
        weights = parameters;
      }
      return {{weights + S::weight, S::out, S::in}, S::has_bias ? parameters + S::bias : nullptr};
    }

    template <std::size_t Index>
    LinearTensors<Scalar, Scalar> linear_gradients() const {
      using S = Stage<M, Index>;
      Scalar* gradients = steps.workspace_.gradients.data();
      return {{gradients + S::weight, S::out, S::in}, S::has_bias ? gradients + S::bias : nullptr};
    }

    template <std::size_t Index>
    MatrixView<const Factor> input() const {
      return {steps.workspace_.template input<Index>(), batch, Stage<M, Index>::in};
    }

    InputScaling<Scalar> input_scaling() const { return {data, scale_waits<Scalar, precision, FrontChain>}; }

    /// The factor of the sums of stage Index's products.
    template <std::size_t Index>
    Scalar scale() const {
      return Index == 0 ? input_scaling().scale : Scalar{1};
    }

    void forward() const {
      const auto gather = [&]<bool distorts>() {
        const std::size_t size = batch * M::input_size;
        backend.for_each(group_count(size),
                         GatherInputs<FrontChain, M::input_size, distorts, Arguments, Factor>{
                             arguments, data, input_scaling().constants, steps.workspace_.template input<0>(), size});
      };
      if (distorted) {
        gather.template operator()<true>();
      } else {
        gather.template operator()<false>();
      }
      internal::for_each_index<Plan<M>::linear_count>([&]<std::size_t Index>() { forward_stage<Index>(); });
    }

    template <std::size_t Index>
    void forward_stage() const {
      using S = Stage<M, Index>;
      constexpr LinearSpec spec = specs[Index];
      constexpr bool done_by_product = spec.applies_relu || (S::is_last && !S::has_chain);
      auto* output = steps.workspace_.template output<Index>();
      Scalar* sums = nullptr;
      if constexpr (done_by_product) {
        sums = output;
      } else {
        sums = steps.workspace_.template sums<Index>();
      }
      steps.products_.forward(backend, Index, input<Index>(), linear<Index>(), scale<Index>(),
                              MatrixView(sums, batch, S::out));
      if constexpr (!done_by_product) {
        const std::size_t size = batch * S::out;
        backend.for_each(
            group_count(size),
            ChainForward<typename S::Chain, S::out, keeps_sums<S>, Arguments, std::remove_pointer_t<decltype(output)>>{
                arguments, sums, linear<Index>().bias, output, size, S::chain_layer});
      }
    }

    void loss(const TeacherTable<Scalar>& teacher) const {
      constexpr std::size_t classes = M::output_size;
      // The loss writes the backward pass's first factor, unless a chain follows the last Linear.
      constexpr bool rounds = copies_weights && !Stage<M, Plan<M>::linear_count - 1>::has_chain;
      Factor* operands = nullptr;
      if constexpr (rounds) {
        operands = steps.workspace_.output_gradient.data();
      }
      backend.for_each(batch,
                       LossRowOfStep<classes, Arguments, Factor>{arguments,
                                                                 {.student = steps.workspace_.logits.data(),
                                                                  .teacher = teacher,
                                                                  .samples = nullptr,
                                                                  .labels = data.labels,
                                                                  .gradient = steps.workspace_.logits_gradient.data(),
                                                                  .losses = nullptr,
                                                                  .correct = nullptr,
                                                                  .batch = batch},
                                                                 operands});
    }

    void backward() const {
      internal::for_each_index_reversed<Plan<M>::linear_count>([&]<std::size_t Index>() { backward_stage<Index>(); });
    }

    template <std::size_t Index>
    void backward_stage() const {
      using S = Stage<M, Index>;
      Workspace<M, Scalar, System, precision>& memory = steps.workspace_;
      const Factor* output_gradient = memory.output_gradient.data();
      if constexpr (S::is_last && !S::has_chain) {
        if constexpr (!copies_weights) {
          output_gradient = memory.logits_gradient.data();
        }
      } else {
        backward_chain<Index>(S::is_last ? memory.logits_gradient.data() : memory.flow.data());
      }
      const MatrixView gradient(output_gradient, batch, S::out);
      steps.products_.gradients(backend, Index, input<Index>(), gradient, scale<Index>(), linear_gradients<Index>());
      if constexpr (Index > 0) {
        steps.products_.input_gradient(backend, Index, linear<Index>().weight, gradient,
                                       MatrixView(memory.flow.data(), batch, S::in));
      }
    }

    /// From the gradient of stage Index's output to that of its Linear's output.
    template <std::size_t Index>
    void backward_chain(const Scalar* gradient) const {
      using S = Stage<M, Index>;
      const std::size_t size = batch * S::out;
      const auto launch = [&]<bool by_output, typename Kept>(const Kept* kept) {
        backend.for_each(group_count(size),
                         ChainBackward<typename S::Chain, by_output, Arguments, Kept, Factor>{
                             arguments, kept, gradient, steps.workspace_.output_gradient.data(), size, S::chain_layer});
      };
      if constexpr (keeps_sums<S>) {
        launch.template operator()<false>(static_cast<const Scalar*>(steps.workspace_.template sums<Index>()));
      } else {
        launch.template operator()<true>(static_cast<const Factor*>(steps.workspace_.template output<Index>()));
      }
    }

    void update(bool clips) const {
      Workspace<M, Scalar, System, precision>& memory = steps.workspace_;
      const Scalar* factor = nullptr;
      if (clips) {
        find_clip_factor(backend, arguments, memory.gradients.data(), M::parameter_arena_size, memory.norm.data(),
                         memory.clip_factor.data());
        factor = memory.clip_factor.data();
      }
      Factor* copies = nullptr;
      if constexpr (copies_weights) {
        copies = memory.weights.data();
      }
      static_assert(M::parameter_arena_size % quad == 0);
      backend.for_each(
          M::parameter_arena_size / quad,
          UpdateParameters<Arguments, Factor>{arguments, parameters, memory.gradients.data(), factor, copies});
    }
  };

  Workspace<M, Scalar, System, precision> workspace_;
  typename Traits::Products products_;
  typename Traits::template Runner<StepKey> runner_;
  LastStep last_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
