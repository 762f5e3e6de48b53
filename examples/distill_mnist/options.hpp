// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the job can be asked for.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/output_folder.hpp"
#include "common/training_options.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"

namespace distill_mnist {

struct Options {
  std::filesystem::path data = "data/mnist";  ///< a folder, or "synthetic" for the built-in digits
  std::string split = "random";               ///< random | official | validation
  std::string recipe = "original";            ///< few-images | recommended | original
  double student_fraction = 1.0;              ///< share of the training images that the students see, in (0, 1]
  examples::TrainingOptions teacher{};
  examples::TrainingOptions student{};
  std::size_t batch_size = 64;
  std::string initialization = "pytorch";                             ///< pytorch | he | xavier
  retort::Adam adam{.beta1 = 0.5};                                    ///< but for the learning rates
  retort::HintonLoss hinton{.temperature = 7.0, .hard_weight = 0.3};  ///< as-written takes them too
  std::string loss = "as-written";                                    ///< hinton | as-written | cross-entropy
  std::uint64_t seed = 0;
  std::string backend = "eigen";      ///< one of backends.hpp
  std::optional<unsigned> threads{};  ///< empty: as many as suit the backend
  std::optional<int> device{};        ///< the GPU's number, from 0; empty: 0
  std::filesystem::path out = "out";
  std::filesystem::path teacher_file{};                 ///< empty: train the teacher
  std::vector<std::filesystem::path> teacher_logits{};  ///< tables in place of a teacher network; several: their mean
  std::vector<double> teacher_weights{};                ///< of these tables; empty: equal ones
  std::filesystem::path tensorboard{};                  ///< empty: no event files
  std::filesystem::path report{};                       ///< empty: no page
  examples::Continuation continuation{};
  std::size_t checkpoint_epochs = 1;                         ///< epochs from one checkpoint to the next
  double checkpoint_seconds = examples::checkpoint_seconds;  ///< and the least time between them
  bool quiet = false;

  /// As a network is trained with it.
  retort::Adam adam_for(const examples::TrainingOptions& training) const {
    retort::Adam result = adam;
    result.learning_rate = training.learning_rate;
    return result;
  }
};

/// The options of the command line, over those of the recipe it names. Prints help and exits when asked to; throws
/// retort::OptionError, one line, for anything it does not understand, and for options that the backend does not take.
Options parse_options(int argc, char** argv);

/// The options that a checkpoint's setting comes from, "--lr, --beta1, ..." for "optimizer", in the training of
/// the teacher or of a student; empty for a setting without one.
std::string options_of_setting(std::string_view setting, bool of_teacher);

}  // namespace distill_mnist
