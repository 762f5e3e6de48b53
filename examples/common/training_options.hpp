// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How one network is trained, as it is asked for on a command line.

#include <cstddef>
#include <cstdint>
#include <string>

#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/optim/schedule.hpp"

namespace examples {

/// The least time between two checkpoints of a training: an epoch of a moment is not worth a file.
inline constexpr double checkpoint_seconds = 10.0;

struct TrainingOptions {
  std::size_t epochs = 5;
  double learning_rate = 2e-4;
  std::string schedule = "constant";  ///< constant | cosine
  std::uint64_t warmup = 0;           ///< steps in which the learning rate rises linearly first
  retort::data::Augmentation augmentation{};
  std::size_t views = 0;  ///< how many views of each image come again; 0: a new one in every epoch

  /// Throws OptionError, which names the options, for views of images that are not augmented.
  void require_augmented(const char* views_option, const char* amount_options) const {
    if (views > 0 && !augmentation.is_set()) {
      throw retort::OptionError(retort::concatenate(
          {views_option, ": ", views, " views of images that are not augmented, expected ", amount_options, " too"}));
    }
  }

  retort::Schedule schedule_with_warmup() const {
    retort::Schedule chosen;
    if (schedule == "cosine") {
      chosen = retort::CosineSchedule{};
    }
    if (warmup > 0) {
      chosen = retort::LinearWarmup{.steps = warmup, .then = chosen};
    }
    return chosen;
  }
};

/// By the name of --initialization: PyTorch's default, or the distribution of the paper (nn/initialization.hpp).
inline retort::Initialization initialization_of(const std::string& name) {
  return name == "he"       ? retort::Initialization::he_normal
         : name == "xavier" ? retort::Initialization::xavier_uniform
                            : retort::Initialization::pytorch;
}

/// Those with the fewest errors on 10,000 training images held out (see distill_mnist/README.md).
inline TrainingOptions recommended_teacher() {
  return {.epochs = 20, .learning_rate = 1e-3, .schedule = "cosine", .warmup = 800, .augmentation = {.shift = 1}};
}
inline TrainingOptions recommended_student() {
  return {.epochs = 60, .learning_rate = 5e-3, .schedule = "cosine", .warmup = 800};
}

}  // namespace examples
