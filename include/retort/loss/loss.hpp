// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a loss is: for one sample, its value and its gradient in the student's logits, in one pass.
///
/// Losses take logits only, never probabilities. The value is a sum over classes; a backend averages over the batch by
/// giving every row's gradient the factor 1 / batch. `StudentLogits` and `TeacherLogits` are separate types, so that
/// the two cannot be swapped.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One row of the student's logits, (Classes).
template <typename Scalar>
struct StudentLogits {
  const Scalar* values;
};

/// One row of the teacher's logits, (Classes); null for a loss without a teacher.
template <typename Scalar>
struct TeacherLogits {
  const Scalar* values;
};

/// One row of targets, (Outputs): what a sample has in place of a label.
template <typename Scalar>
struct Targets {
  const Scalar* values;
};

/// The metric that a loss states; accuracy without one.
template <typename L>
inline constexpr Metric metric_of = [] {
  if constexpr (requires { L::metric; }) {
    return Metric{L::metric};
  } else {
    return Metric::accuracy;
  }
}();

/// Whether a loss takes targets in place of labels.
template <typename L>
inline constexpr bool takes_targets = metric_of<L> != Metric::accuracy;

namespace internal {

/// What a loss's row is told of a sample besides the logits.
template <typename L, typename Scalar>
using TruthOf = std::conditional_t<takes_targets<L>, Targets<Scalar>, std::uint32_t>;

}  // namespace internal

/// A loss L has
/// - `L::name`, `L::needs_teacher` (whether the teacher's logits are read),
/// - `L::hyperparameters()`, a table of their names and ranges (core/hyperparameters.hpp), or in place of it
///   `loss.validate()` and `loss.describe()`; see the concept Configured,
/// - `loss.template row<Classes>(student, teacher, label, gradient_scale, gradient)`, callable on host and device: it
///   returns the sample's loss and writes gradient_scale * d loss / d student logits to gradient[0 ... Classes - 1],
///   which must not overlap the logits. Preconditions: valid hyperparameters, label < Classes. Value and gradient are
///   finite wherever the differences between a row's logits, divided by the temperature, are representable; a NaN among
///   the logits gives NaN.
///
/// Scalars are float or double, and the label is a std::uint32_t. A loss whose row also takes SIMD vectors, as scalars
/// and as labels (`select` in place of a branch, `constant` in place of a literal; core/vector_math.hpp), may state
/// `takes_vectors = true`; CPU backends then call it with vectors, a row in each lane. If its row does not take them,
/// it does not compile.
///
/// A loss whose row also takes, as a last argument, the lanes that compute it together (loss/row_lanes.hpp) may state
/// `shares_rows = true`. Then the GPU's blocks that train a model may give each row to two threads: `student`,
/// `teacher` and `gradient` are a thread's half of the classes, and the loss is the same in both. They do so on tensor
/// cores (in float, inputs of bytes), for an even number of classes, where there are threads enough.
///
/// A loss may have `loss.learns_without_label()`, which says whether it learns from a sample without a label. Then its
/// row also takes data::unlabelled for a label, a number above all classes: what depends on the label is 0 for that
/// row, value and gradient, and everything else keeps its weight. Without it, or where it is false, a training refuses
/// samples without labels.
///
/// A loss that takes the softmax of the teacher's logits at a temperature has a member `temperature`, or
/// `loss.teacher_temperatures()` (loss/teacher_temperatures.hpp). A training then refuses a mean of several teachers'
/// probabilities that was made at another one.
///
/// A loss of targets states `static constexpr Metric metric`, Metric::rmse or Metric::exact_match (loss/metric.hpp).
/// Its row takes Targets<Scalar>, (Classes), in place of the label, is called with scalars alone, and trains on
/// datasets with targets (data::Dataset::with_targets), by single operations on every backend. One that may read the
/// teacher alone has `loss.reads_targets()`: where that is false it also trains on samples without labels and targets,
/// and its row is given targets of 0.
///
/// A loss whose hyperparameters can leave it without a teacher has `loss.reads_teacher()`, which says whether its row
/// reads the teacher's logits, and one with hyperparameters that it may not use has `loss.simplified()`. Both keep a
/// sweep from training one student twice (without_repeats).
///
/// A loss that changes during a training may have `loss.at_epoch(epoch)`, a loss of the same type: the one that trains
/// the epoch, counted from 0, in place of `loss` (loss/at_epoch.hpp). Settings, as in checkpoints, are those of `loss`.
template <typename L>
concept Loss = std::copyable<L> && Configured<L> && requires(const L& loss, const float* logits, float* gradient) {
  { L::name } -> std::convertible_to<std::string_view>;
  { L::needs_teacher } -> std::convertible_to<bool>;
  {
    loss.template row<10>(StudentLogits<float>{logits}, TeacherLogits<float>{logits}, internal::TruthOf<L, float>{},
                          1.0f, gradient)
  } -> std::same_as<float>;
};

/// A loss whose row takes samples without labels.
template <typename L>
concept TakesUnlabelled = Loss<L> && requires(const L& loss) {
  { loss.learns_without_label() } -> std::same_as<bool>;
};

/// Whether a loss of targets reads them.
template <Loss L>
constexpr bool reads_targets(const L& loss) {
  if constexpr (requires { loss.reads_targets(); }) {
    return loss.reads_targets();
  }
  return true;
}

/// Whether the loss reads the teacher's logits in any epoch.
template <Loss L>
constexpr bool reads_teacher(const L& loss) {
  if constexpr (requires { loss.reads_teacher(); }) {
    return loss.reads_teacher();
  }
  return L::needs_teacher;
}

/// The loss with its defaults for hyperparameters that it does not use, by `loss.simplified()` if it has that: equal
/// for losses that train alike because they differ in such alone.
template <Loss L>
constexpr L simplified(const L& loss) {
  if constexpr (requires { loss.simplified(); }) {
    return loss.simplified();
  }
  return loss;
}

/// Whether the loss learns from a sample without a label.
template <Loss L>
constexpr bool learns_without_label(const L& loss) {
  if constexpr (TakesUnlabelled<L>) {
    return loss.learns_without_label();
  }
  return false;
}

namespace internal {

/// Whether the label is a class, and not data::unlabelled; in each lane of vectors.
template <std::size_t Classes, typename Label>
RETORT_HOST_DEVICE constexpr auto is_class(const Label& label) {
  return label < constant<Label>(Classes);
}

}  // namespace internal

namespace detail {

/// For HalfRow: what the other lane has.
struct SameValue {
  template <typename T>
  RETORT_HOST_DEVICE T operator()(const T& own) const {
    return own;
  }
};

template <Loss L, std::size_t Classes>
void call_loss_with_vectors(const L& loss) {
  using V = internal::VectorArchetype<float>;
  const V logits[Classes];
  V gradient[Classes];
  static_cast<void>(loss.template row<Classes>(StudentLogits<V>{logits}, TeacherLogits<V>{logits}, V{}, V{}, gradient));
}

}  // namespace detail

/// True; does not compile for a loss that states `shares_rows` and whose row takes no lanes.
template <Loss L, std::size_t Classes>
consteval bool check_lanes_of_loss() {
  if constexpr (shares_rows<L>) {
    constexpr bool takes_them =
        requires(const L& loss, const float* logits, float* gradient, const HalfRow<detail::SameValue>& lanes) {
          {
            loss.template row<Classes>(StudentLogits<float>{logits}, TeacherLogits<float>{logits},
                                       internal::TruthOf<L, float>{}, 1.0f, gradient, lanes)
          } -> std::same_as<float>;
        };
    static_assert(takes_them,
                  "retort: a loss with shares_rows = true needs a row that also takes, as a last argument of any type, "
                  "the lanes that compute it together");
  }
  return true;
}

/// True; does not compile for a loss that states `takes_vectors` and does not take them.
template <Loss L, std::size_t Classes>
consteval bool check_vectors_of_loss() {
  static_assert(!takes_vectors<L> || !takes_targets<L>,
                "retort: a loss of targets is called with scalars alone: leave takes_vectors out");
  if constexpr (takes_vectors<L>) {
    using V = internal::VectorArchetype<float>;
    constexpr bool takes_them = requires(const L& loss, const V* logits, const V& value, V* gradient) {
      {
        loss.template row<Classes>(StudentLogits<V>{logits}, TeacherLogits<V>{logits}, value, value, gradient)
      } -> std::same_as<V>;
    };
    static_assert(takes_them,
                  "retort: a loss with takes_vectors = true needs a row that is a template over the types of scalars "
                  "and of the label, and returns a scalar");
    return internal::compiles_with_vectors<&detail::call_loss_with_vectors<L, Classes>>;
  }
  return true;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
