// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The arguments of a backend's operations. Every matrix is row-major, one sample a row; widths are template arguments,
/// and only the batch is known at run time. Pointers are into the backend's memory, unless a line says host.

#include <cstddef>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// A width known at compile time, as an argument: the width that enters a layer, the number of classes of a loss.
template <std::size_t N>
struct Width {
  static constexpr std::size_t value = N;
};

/// The random numbers that a layer may draw in one training step: the same in its forward and its backward pass.
struct LayerRandom {
  Seed seed;
  std::uint32_t step = 0;
  std::uint32_t layer = 0;  // of a Chain, the index of its first layer

  RETORT_HOST_DEVICE constexpr RandomStream stream(Stream stream) const { return {seed, stream, step, layer}; }
  /// The random numbers of the layer `layers` after this one.
  constexpr LayerRandom after(std::size_t layers) const {
    return {seed, step, layer + static_cast<std::uint32_t>(layers)};
  }
};

/// A layer, or a whole model, outside of training. `input` and `output` may be the same for a Chain.
template <typename Scalar>
struct InferArguments {
  const Scalar* parameters;  // the layer's or the model's tensors in order, each at its aligned offset
  const Scalar* buffers;
  const Scalar* input;  // (batch, in)
  Scalar* output;       // (batch, out)
  std::size_t batch;
};

/// A layer's forward pass in a training step. `input` and `output` do not overlap, and stay as they are for the
/// backward pass. For a whole model (generic/run_model.hpp) `output` is the arena of all layers' outputs.
template <typename Scalar>
struct ForwardArguments {
  const Scalar* parameters;
  Scalar* buffers;      // running statistics, updated
  const Scalar* input;  // (batch, in)
  Scalar* output;       // (batch, out)
  std::size_t batch;
  LayerRandom random;

  /// For a layer that does the same outside of training.
  constexpr InferArguments<Scalar> inference() const { return {parameters, buffers, input, output, batch}; }
};

/// A layer's or a whole model's backward pass. Gradients are of the loss averaged over the batch, and overwrite what
/// was there. For a whole model `output` is the arena that its forward pass filled.
template <typename Scalar>
struct BackwardArguments {
  const Scalar* parameters;
  const Scalar* input;            // (batch, in), as in the forward pass
  const Scalar* output;           // (batch, out), likewise
  const Scalar* output_gradient;  // (batch, out)
  Scalar* input_gradient;         // (batch, in); null where it is not needed; overlaps nothing
  Scalar* parameter_gradients;    // laid out as the parameters
  std::size_t batch;
  LayerRandom random;
  const Scalar* buffers = nullptr;  // as the forward pass left them
};

/// What samples add to an epoch's metrics.
struct LossSum {
  double loss = 0.0;        ///< summed over the samples
  std::size_t correct = 0;  ///< samples whose largest logit (the first of equals) is the label's

  LossSum& operator+=(const LossSum& other) {
    loss += other.loss;
    correct += other.correct;
    return *this;
  }
};

/// Where a batch's teacher logits stand, and the teacher's features that a loss compares with.
template <typename Scalar>
struct TeacherTable {
  const Scalar* logits = nullptr;    // (batch, classes), or (samples, classes) where by_sample; null for no teacher
  bool by_sample = false;            // whether a batch's row is looked up by its sample's index
  const Scalar* features = nullptr;  // likewise (batch, width) or (samples, width); null where none is asked for

  /// The row that belongs to a row of the batch, which is sample `sample`.
  RETORT_HOST_DEVICE constexpr std::size_t row_of(std::size_t row, std::size_t sample) const {
    return by_sample ? sample : row;
  }
};

/// A loss's term over a batch, with its gradient. A FeatureTerm compares the regressor's output with the teacher's
/// features, a BatchTerm what leaves the student's layer.
template <typename Scalar>
struct TermArguments {
  const Scalar* student;  // (batch, width)
  TeacherTable<Scalar> teacher;
  const std::uint32_t* samples;  // (batch): the samples of this batch
  Scalar* gradient;              // (batch, width): of the mean over the batch
  Scalar* losses;                // (batch): each sample's loss, to which the term is added
  std::size_t batch;
  Scalar* teacher_rows = nullptr;  // for a BatchTerm: (batch, teacher's width), without contents
  Scalar* scratch = nullptr;       // for a BatchTerm: as many elements as its scratch_size says
};

/// A loss over a batch, with its gradient. For a loss of yes/no targets `correct` is 1 where all of a row's answers are
/// right, for one of real targets 0 (internal::evaluate_targets).
template <typename Scalar>
struct LossArguments {
  const Scalar* student;  // (batch, classes)
  TeacherTable<Scalar> teacher;
  const std::uint32_t* samples;  // (batch): the samples of this batch
  const std::uint32_t* labels;   // (samples): of the whole dataset; data::unlabelled for none
  Scalar* gradient;              // (batch, classes): of the mean over the batch
  Scalar* losses;                // (batch): each sample's loss
  std::uint8_t* correct;         // (batch): 1 where the largest logit, the first of equals, is the label's, else 0
  std::size_t batch;
  const float* targets = nullptr;  // (samples, classes): of the whole dataset, for a loss that reads them, else null
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
