// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A whole backend in plain loops, as somebody outside of the library writes one: docs/write_your_own_backend.md walks
/// through it. One thread, every sum in its plain order; with double it is what the other backends are compared with.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <vector>

#include "plain_backend/handle.hpp"
#include "plain_backend/layers.hpp"
#include "retort/backend/backend.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/loss/batch_term.hpp"

namespace plain {

// Losses, gradients and parameters.

template <typename Scalar, retort::Loss L, std::size_t Classes>
void evaluate_loss(const Plain&, const L& loss, Width<Classes>, const LossArguments<Scalar>& arguments) {
  for (std::size_t row = 0; row < arguments.batch; ++row) {
    const std::size_t sample = arguments.samples[row];
    const Scalar* student = arguments.student + row * Classes;
    const Scalar* teacher = nullptr;
    if (L::needs_teacher) {
      teacher = arguments.teacher.logits + (arguments.teacher.by_sample ? sample : row) * Classes;
    }
    const auto call = [&](auto truth) {
      arguments.losses[row] = loss.template row<Classes>(
          retort::StudentLogits<Scalar>{student}, retort::TeacherLogits<Scalar>{teacher}, truth,
          Scalar{1} / static_cast<Scalar>(arguments.batch), arguments.gradient + row * Classes);
    };
    if constexpr (retort::takes_targets<L>) {
      std::vector<Scalar> targets(Classes);
      arguments.correct[row] = 0;
      if (arguments.targets != nullptr) {
        std::copy_n(arguments.targets + sample * Classes, Classes, targets.begin());
        bool is_right = retort::metric_of<L> == retort::Metric::exact_match;
        for (std::size_t k = 0; k < Classes; ++k) {
          is_right = is_right && (student[k] > 0) == (targets[k] > 0.5);
        }
        arguments.correct[row] = is_right ? 1 : 0;
      }
      call(retort::Targets<Scalar>{targets.data()});
    } else {
      const std::uint32_t label = arguments.labels[sample];
      call(label);
      arguments.correct[row] = std::max_element(student, student + Classes) - student == label ? 1 : 0;
    }
  }
}

template <typename Scalar, retort::FeatureTerm T, std::size_t Features>
void evaluate_term(const Plain&, const T& term, Width<Features>, const TermArguments<Scalar>& arguments) {
  for (std::size_t row = 0; row < arguments.batch; ++row) {
    const std::size_t teacher_row = arguments.teacher.by_sample ? arguments.samples[row] : row;
    arguments.losses[row] += term.template row<Features>(
        retort::StudentFeatures<Scalar>{arguments.student + row * Features},
        retort::TeacherFeatures<Scalar>{arguments.teacher.features + teacher_row * Features},
        Scalar{1} / static_cast<Scalar>(arguments.batch), arguments.gradient + row * Features);
  }
}

/// What a term on whole batches may ask for.
struct PlainPasses {
  template <std::size_t Work = 1, typename Function>
  void for_each(std::size_t count, const Function& function) const {
    for (std::size_t index = 0; index < count; ++index) {
      function(index);
    }
  }

  template <typename Scalar>
  void row_products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const {
    for (std::size_t i = 0; i < result.rows; ++i) {
      for (std::size_t j = 0; j < result.columns; ++j) {
        result(i, j) = std::inner_product(left.row(i), left.row(i) + left.columns, right.row(j), Scalar{0});
      }
    }
  }

  template <typename Scalar>
  void products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const {
    for (std::size_t i = 0; i < result.rows; ++i) {
      for (std::size_t j = 0; j < result.columns; ++j) {
        result(i, j) = 0;
        for (std::size_t k = 0; k < left.columns; ++k) {
          result(i, j) += left(i, k) * right(k, j);
        }
      }
    }
  }
};

template <typename Scalar, retort::BatchTerm T, std::size_t Student, std::size_t Teacher>
void evaluate_term(const Plain&, const T& term, Width<Student>, Width<Teacher>,
                   const TermArguments<Scalar>& arguments) {
  for (std::size_t row = 0; row < arguments.batch; ++row) {
    const std::size_t teacher_row = arguments.teacher.by_sample ? arguments.samples[row] : row;
    std::copy_n(arguments.teacher.features + teacher_row * Teacher, Teacher, arguments.teacher_rows + row * Teacher);
  }
  term.template evaluate<Student, Teacher>(
      PlainPasses{}, retort::TermBatch<Scalar>{arguments.student, arguments.teacher_rows, arguments.batch,
                                               Scalar{1} / static_cast<Scalar>(arguments.batch), arguments.gradient,
                                               arguments.losses, arguments.scratch});
}

template <typename Scalar>
void add(const Plain&, const Scalar* addends, Scalar* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    values[i] += addends[i];
  }
}

template <typename Scalar>
LossSum sum_losses(const Plain&, const Scalar* losses, const std::uint8_t* correct, std::size_t count) {
  LossSum sum;
  for (std::size_t i = 0; i < count; ++i) {
    sum += {static_cast<double>(losses[i]), correct[i]};
  }
  return sum;
}

template <typename Scalar>
void clip_gradients(const Plain&, const retort::GradientClipping& clipping, Scalar* gradients, std::size_t size) {
  double squares = 0;
  for (std::size_t i = 0; i < size; ++i) {
    squares += static_cast<double>(gradients[i]) * static_cast<double>(gradients[i]);
  }
  const auto factor = static_cast<Scalar>(clipping.clip_factor(std::sqrt(squares)));
  for (std::size_t i = 0; i < size; ++i) {
    gradients[i] *= factor;
  }
}

/// For any number of moments.
template <typename Rule, typename Scalar, std::size_t Count>
void update_parameters(const Plain&, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Count>& moments, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    std::apply([&](auto*... moment) { rule(parameters[i], gradients[i], moment[i]...); }, moments);
  }
}

template <typename Scalar, std::size_t In, std::size_t Out, retort::Bias bias>
void limit_weights(const Plain&, retort::Linear<In, Out, bias>, const retort::WeightLimit& limit, Scalar* parameters) {
  for (std::size_t out = 0; out < Out; ++out) {
    double squares = 0;
    for (std::size_t in = 0; in < In; ++in) {
      const double weight = parameters[out * In + in];
      squares += weight * weight;
    }
    for (std::size_t in = 0; in < In; ++in) {
      parameters[out * In + in] *= static_cast<Scalar>(limit.factor(std::sqrt(squares)));
    }
  }
}

template <typename Scalar>
bool all_finite(const Plain&, const Scalar* values, std::size_t size) {
  return std::all_of(values, values + size, [](Scalar value) { return retort::is_finite(value); });
}

// Data.

inline void shuffle_samples(const Plain&, const retort::RandomPermutation& permutation, std::uint32_t* order) {
  for (std::uint32_t position = 0; position < permutation.size(); ++position) {
    order[position] = permutation(position);
  }
}

template <typename Scalar>
void gather_batch(const Plain&, const retort::data::DatasetView& data, const std::uint32_t* samples, std::size_t count,
                  const retort::data::View& view, Scalar* inputs) {
  const retort::data::GatherConstants<Scalar> constants(data);
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t feature = 0; feature < data.features; ++feature) {
      inputs[row * data.features + feature] = gathered_feature(data, constants, samples[row], view, feature);
    }
  }
}

// Whole models outside of training.

template <retort::Model M, typename Scalar>
void predict_batch(const Plain& backend, M, const InferArguments<Scalar>& arguments) {
  std::vector<Scalar> scratch(retort::backend::pass_scratch_size<M>(arguments.batch));
  retort::backend::run_inference<M>(backend, arguments, scratch.data());
}

template <retort::Model M, typename Scalar>
void predict_dataset(const Plain& backend, M model, const Scalar* parameters, const Scalar* buffers,
                     const retort::data::DatasetView& data, Scalar* logits) {
  std::vector<Scalar> inputs(M::input_size);
  for (std::uint32_t sample = 0; sample < data.size; ++sample) {
    gather_batch(backend, data, &sample, 1, {}, inputs.data());
    predict_batch(backend, model,
                  InferArguments<Scalar>{parameters, buffers, inputs.data(), logits + sample * M::output_size, 1});
  }
}

static_assert(retort::backend::Backend<Plain, float> && retort::backend::Backend<Plain, double>);

}  // namespace plain
