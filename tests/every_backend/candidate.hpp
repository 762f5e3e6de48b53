// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the tests ask of a backend, without its type: each backend is compiled in a file of its own (the one for CUDA
/// by nvcc), and one body of tests runs over all of them. Numbers go in and come out as the host's.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/train/metrics.hpp"

namespace retort::test {

using Numbers = std::vector<double>;

/// A model on one batch, forward and backward. Tensors stand behind one another, without an arena's padding.
struct PassResult {
  Numbers outputs;    // (batch, out), in a training step
  Numbers inferred;   // (batch, out), by run_inference
  Numbers predicted;  // (batch, out), by Network::predict
  Numbers parameter_gradients;
  Numbers input_gradients;  // (batch, in)
  Numbers buffers;          // running statistics after the step
};

/// A loss on one batch.
struct LossResult {
  Numbers losses;    // (batch)
  Numbers correct;   // (batch)
  Numbers gradient;  // (batch, classes)
  double loss_sum = 0.0;
  std::size_t correct_sum = 0;
};

/// A few steps of an optimizer.
struct UpdateResult {
  Numbers parameters;
  Numbers moments;  // one behind the other
};

struct TrainResult {
  Numbers parameters;
  Numbers buffers;
  History history;
};

/// What is trained: the recipes of the main job, a narrow teacher with the same recipe for slow builds, and one that
/// leaves nothing out.
enum class Recipe {
  teacher,         ///< 784-1200-1200-10, dropout 0.5, cross-entropy, Adam(2e-4, 0.5, 0.999)
  narrow_teacher,  ///< the same with 64 in place of 1200
  alone,           ///< 784-20-20-10 on the labels
  as_written,      ///< distilled with the source's loss, temperature 7, hard weight 0.3
  hinton,          ///< distilled with HintonLoss
  everything,      ///< pooling, normalisation layers, shifted images, online teacher, clipping, AdamW, warm-up, odd
                   ///< batches, Hinton with a hint
};

/// Precondition of distillation: `teacher` holds the parameters of a narrow teacher.
struct TrainingTask {
  Recipe recipe = Recipe::alone;
  const data::Dataset* train = nullptr;
  const data::Dataset* validation = nullptr;
  std::size_t epochs = 1;
  bool in_double = false;
  const Numbers* teacher = nullptr;
};

/// A backend's operations, one at a time.
class Operations {
 public:
  Operations() = default;
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;
  virtual ~Operations() = default;

  /// Model `index` of models.hpp with random parameters.
  virtual PassResult pass(std::size_t model, std::size_t batch) const = 0;
  virtual LossResult loss(std::size_t index, std::size_t batch, bool teacher_by_sample) const = 0;
  /// A term on a batch; of the result only losses, and the gradient times the batch.
  virtual LossResult batch_term(std::size_t index, std::size_t batch, bool teacher_by_sample) const = 0;
  virtual UpdateResult update(std::size_t optimizer, std::size_t size, std::size_t steps) const = 0;
  virtual Numbers clip(const std::vector<float>& gradients, double max_norm) const = 0;
  /// The parameters of LimitedLayer.
  virtual Numbers limit(const std::vector<float>& parameters, double max_norm) const = 0;
  virtual bool finite(const std::vector<float>& values) const = 0;
  virtual std::vector<std::uint32_t> shuffle(std::uint32_t size, std::uint64_t seed, std::uint32_t epoch) const = 0;
  virtual Numbers gather(const data::Dataset& data, const std::vector<std::uint32_t>& samples,
                         const data::View& view) const = 0;
};

/// Whole trainings on a backend.
class Trainings {
 public:
  Trainings() = default;
  Trainings(const Trainings&) = delete;
  Trainings& operator=(const Trainings&) = delete;
  virtual ~Trainings() = default;

  virtual std::string describe() const = 0;
  virtual TrainResult train(const TrainingTask& task) const = 0;
};

/// A backend under test, or why it is not there.
struct Candidate {
  std::unique_ptr<Operations> operations;  ///< null where they are another candidate's
  std::unique_ptr<Trainings> trainings;
  std::string absence{};
};

Candidate eigen_candidate();
Candidate thrust_cpp_candidate();
Candidate thrust_omp_candidate();
Candidate thrust_tbb_candidate();
Candidate thrust_cuda_candidate();
Candidate cuda_on_host_candidate();
Candidate cuda_candidate();
Candidate cluster_on_host_candidate();
Candidate cluster_candidate();

/// In double, plain loops: what the others are compared with.
const Operations& reference_operations();
const Trainings& reference_trainings();

}  // namespace retort::test
