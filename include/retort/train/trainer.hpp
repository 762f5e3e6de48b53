// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training a network on labels.

#include <memory>
#include <string>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// A training, and the loop that drives it. Both come from the file that instantiates the training (extern.hpp).
struct Training {
  std::unique_ptr<TrainerInterface> epoch_trainer;
  History (*fit)(TrainerInterface& trainer, const data::Dataset& train, const data::Dataset* validation,
                 const FitOptions& options);
};

/// The only place where a trainer instantiates its training. `Given` is its teacher: NoTeacher, a pointer to a network,
/// or a table of logits.
template <typename N, Loss L, Optimizer O, typename Given>
struct TrainingOf;
template <Model M, typename Backend, typename Scalar, Loss L, Optimizer O, typename Given>
struct TrainingOf<Network<M, Backend, Scalar>, L, O, Given> {
  static Training make(Network<M, Backend, Scalar>& network, L loss, O optimizer, Given teacher);
};

// Not inline, so that an explicit instantiation elsewhere spares a file all that it calls.
template <Model M, typename Backend, typename Scalar, Loss L, Optimizer O, typename Given>
Training TrainingOf<Network<M, Backend, Scalar>, L, O, Given>::make(Network<M, Backend, Scalar>& network, L loss,
                                                                    O optimizer, Given teacher) {
  return {std::make_unique<EpochTrainer<M, Backend, Scalar, L, O, typename TeacherSourceOf<Given>::type>>(
              network, std::move(loss), std::move(optimizer), std::move(teacher)),
          &retort::detail::fit};
}

template <typename N, Loss L, Optimizer O, typename Given>
Training make_training(N& network, L loss, O optimizer, Given teacher) {
  return TrainingOf<N, L, O, Given>::make(network, std::move(loss), std::move(optimizer), std::move(teacher));
}

}  // namespace internal

/// What all trainers have: a network that `fit` trains.
class TrainerBase {
 public:
  /// Trains from the network's present parameters, with the optimizer's moments at zero; with its first step the
  /// network notes how the training inputs are made and the names of the classes (Network::preprocessing). A network
  /// that already has these takes only such data: apply `preprocess_for` to other data, or call set_preprocessing({})
  /// to learn them anew. Under a WeightAverage the network ends with the average. Returns one entry an epoch. Throws
  /// ShapeError for data that does not fit the model, OptionError for options out of range and for validation data, or
  /// data of a later training, whose inputs are made differently, for samples without labels that the loss does not
  /// learn from, for labels where the loss takes targets and the reverse, and for validation data without any label,
  /// DivergenceError when loss, parameters, running statistics or moments are no longer finite, StoppedError if it was
  /// asked to stop, FileError and FormatError from checkpoints, any exception of an observer, and Error for a network,
  /// a dataset or a trainer that was moved from.
  History fit(const data::Dataset& train, const FitOptions& options) {
    return training_.fit(epoch_trainer(), train, nullptr, options);
  }
  /// The same, with an evaluation after each epoch on samples that are not trained on.
  History fit(const data::Dataset& train, const data::Dataset& validation, const FitOptions& options) {
    return training_.fit(epoch_trainer(), train, &validation, options);
  }

  /// Which engine takes the steps, and why faster ones do not: "single operations in float, not panels: the loss has a
  /// term on hidden layers".
  std::string describe() const { return epoch_trainer().describe(); }

 protected:
  explicit TrainerBase(internal::Training training) : training_(std::move(training)) {}
  TrainerBase(TrainerBase&&) = default;
  TrainerBase& operator=(TrainerBase&&) = default;
  ~TrainerBase() = default;

 private:
  [[gnu::cold]] internal::TrainerInterface& epoch_trainer() const {
    if (training_.epoch_trainer == nullptr) {
      throw Error("trainer: it was moved to another, expected one that was not");
    }
    return *training_.epoch_trainer;
  }

  internal::Training training_;
};

/// Trains a Network with a loss and an optimizer: `Trainer trainer{network, CrossEntropy{}, Adam{}}`. The network stays
/// the user's, must outlive the trainer, and holds the result.
///
/// Deterministic: the same seeds, data and settings give the same bits, for every number of threads.
template <Model M, typename Backend = backend::Eigen, typename Scalar = float>
class Trainer : public TrainerBase {
 public:
  /// Throws OptionError for a hyperparameter outside its range.
  template <Loss L, Optimizer O>
  Trainer(Network<M, Backend, Scalar>& network, L loss, O optimizer)
      : TrainerBase(internal::make_training(network, std::move(loss), std::move(optimizer), internal::NoTeacher{})) {}
};

template <Model M, typename Backend, typename Scalar, Loss L, Optimizer O>
Trainer(Network<M, Backend, Scalar>&, L, O) -> Trainer<M, Backend, Scalar>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
