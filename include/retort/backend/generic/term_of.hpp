// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the term of a training's loss adds to its steps.

#include <cstddef>

#include "retort/backend/generic/batch_term_steps.hpp"
#include "retort/backend/generic/feature_steps.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/generic/term_layers.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/feature_loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// For a loss that takes one row of logits at a time.
struct NoTerm : NoTeacherLayer {
  static constexpr std::size_t parameter_arena_size = 0;

  template <typename Backend, typename Scalar>
  struct Steps {
    Steps(const Backend& /*backend*/, std::size_t /*capacity*/) {}
    void evaluate(auto&&... /*arguments*/) {}
    NothingAdded adder(const Backend& /*backend*/, std::size_t /*batch*/) const { return {}; }
  };
};

namespace detail {

template <typename T>
struct TermOf {
  using type = NoTerm;
};
template <typename T>
  requires BatchLoss<typename T::Loss>
struct TermOf<T> {
  using Term = typename T::Loss::Term;
  static_assert(
      !requires { Term::student_layer; } && !requires { Term::teacher_layer; },
      "retort: a term on batches names student_layer and teacher_layer, or neither: then it compares the logits");
  using type = TermOnBatches<Term, typename T::Model, TermLogits<typename T::Model>>;
};

template <typename T>
struct KnowsTeacher {
  static_assert(
      requires { typename T::Teacher::model_type; },
      "retort: a term on features needs the teacher's type: train with a DistillationTrainer of a teacher network");
  using Term = typename T::Loss::Term;
  using Layers = TermLayers<Term, typename T::Model, typename T::Teacher::model_type>;
};
template <typename T>
  requires BatchLoss<typename T::Loss> && ComparesLayers<typename T::Loss::Term>
struct TermOf<T> : KnowsTeacher<T> {
  using type = TermOnBatches<typename T::Loss::Term, typename T::Model, typename KnowsTeacher<T>::Layers>;
};
template <typename T>
  requires FeatureLoss<typename T::Loss> && FeatureTerm<typename T::Loss::Term>
struct TermOf<T> : KnowsTeacher<T> {
  using type = TermBetween<typename T::Loss::Term, typename T::Model, typename T::Teacher::model_type>;
};

}  // namespace detail

/// TermBetween, TermOnBatches or NoTerm.
template <typename T>
using TermOf = typename detail::TermOf<T>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
