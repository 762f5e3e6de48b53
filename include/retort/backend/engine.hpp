// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Engines: they take the steps of a training. Each states what it accepts; where a backend's own engines decline, the
/// generic one (generic/engine.hpp) takes the step as the backend's single operations, with every model and loss.

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>

#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// The types of a training that an engine is asked about. The teacher may have a `model_type`.
template <typename B, Model M, Loss L, Optimizer O, typename S, typename T>
struct TrainingTypes {
  using Backend = B;
  using Model = M;
  using Loss = L;
  using Optimizer = O;
  using Scalar = S;
  using Teacher = T;
};

/// Why an engine does not take a training. Like a std::error_code it is false where there is nothing to say: the engine
/// takes it.
struct Refusal {
  std::string_view reason{};
  std::string_view layer{};  ///< the name of the layer that the reason is about, if any
  std::size_t index = 0;     ///< of that layer

  constexpr explicit operator bool() const { return !reason.empty(); }
  /// "LayerNorm (layer 1) is neither Linear nor pointwise"
  [[gnu::cold]] std::string describe() const {
    return layer.empty() ? std::string(reason) : concatenate({layer, " (layer ", index, ") ", reason});
  }
};

/// The engines of a backend's own, the best first: a std::tuple. A backend that has some specialises it. An engine is a
/// class with
///
/// - `name`,
/// - `template <typename T> static constexpr Refusal refusal()` for TrainingTypes T,
/// - if what it takes also depends on the device that a program finds, `template <typename T> static std::string
///   refusal_on(const Backend&)`: why not on this one, or nothing. Such an engine takes runs (see below); runs of
///   several models are the same for all such engines of a backend. On a device that it refuses, the next engine after
///   it that takes the training there takes the steps,
/// - `template <typename T> using Steps`, a class with
///   - a constructor (backend, capacity), which allocates for batches of up to `capacity` samples,
///   - `step(backend, batch, state, loss, rule)`, which gathers the batch, and updates parameters and buffers,
///     moments, losses and answers (training_step.hpp). It limits the weights where the rule has a `weight_limit`
///     (internal::limit_hidden_weights), or the engine refuses such an optimizer.
///
/// Steps may also take many steps in one call, which they say by `static constexpr bool takes_runs = true`:
/// `run(backend, batches, batch_size, state, loss, rules)`, where `batches` are the samples of several batches, one
/// after another, `batches.step` is the number of the first, and `rules`, in the backend's memory, has one for each
/// batch. Then they also take the runs of several models in one call: `job(...)` makes a value of a run's arguments,
/// and `run_jobs(backend, jobs, count, data, like)`, a static function, carries out jobs in the backend's memory. All
/// are on data that lie as `data` does, and have the batch size and clipping of the job `like`, which is in the host's
/// memory. A job whose `report` is not null writes a RunReport there, and evaluates the model on `evaluate(data)`.
template <typename Backend>
struct Engines {
  using type = std::tuple<>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// For an engine that takes losses of logits and labels alone.
template <typename T>
constexpr backend::Refusal loss_refusal() {
  if constexpr (BatchLoss<typename T::Loss>) {
    return {"the loss has a term on whole batches"};
  } else if constexpr (FeatureLoss<typename T::Loss>) {
    return {"the loss has a term on hidden layers"};
  } else if constexpr (takes_targets<typename T::Loss>) {
    return {"the loss takes targets"};
  } else {
    return {};
  }
}

/// For an engine that takes only operations of which `Takes::takes<Operation>` is true: the first layer of another,
/// which `reason` describes. `M` is the model, or what follows the first layers that the engine takes besides.
template <typename T, typename Takes, Model M = typename T::Model>
constexpr backend::Refusal layer_refusal(std::string_view reason) {
  using Plan = backend::Plan<M>;
  backend::Refusal refusal;
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    if (!refusal && !Takes::template takes<typename Plan::template Operation<Index>>) {
      refusal = {reason, M::layer_names[Plan::first_layer[Index]],
                 Plan::first_layer[Index] + T::Model::layer_count - M::layer_count};
    }
  });
  return refusal;
}

struct TakesLinearAndPointwise {
  template <typename Operation>
  static constexpr bool takes = backend::detail::is_linear<Operation> || backend::detail::is_chain<Operation>;
};

/// For an engine that takes models of Linear and pointwise layers, and losses of logits and labels alone.
template <typename T>
constexpr backend::Refusal fully_connected_refusal() {
  const backend::Refusal of_loss = loss_refusal<T>();
  return of_loss ? of_loss : layer_refusal<T, TakesLinearAndPointwise>("is neither Linear nor pointwise");
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
