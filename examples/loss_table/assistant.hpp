// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The network that passes the teacher's answers on, for the row of the teacher assistant.

#include <filesystem>
#include <retort/retort.hpp>

#include "common/models.hpp"
#include "common/training_options.hpp"
#include "students.hpp"

namespace loss_table {

/// Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", arXiv:1902.03393. It learns from the same
/// images as the students, for as long. Goes on from `checkpoint` where there is one; writes none if it is empty.
inline retort::Network<Assistant> train_assistant(const retort::Network<examples::Teacher>& teacher,
                                                  const retort::data::Dataset& images, retort::FitOptions options,
                                                  const retort::Adam& adam, const std::filesystem::path& checkpoint) {
  retort::Network<Assistant> assistant{retort::Seed{1}, teacher.backend()};
  if (!checkpoint.empty()) {
    options.checkpoint =
        retort::CheckpointOptions{.path = checkpoint, .resume = true, .every_seconds = examples::checkpoint_seconds};
  }
  const retort::HintonLoss loss{.temperature = 2, .hard_weight = 0.1};
  retort::DistillationTrainer{teacher, assistant, loss, adam}.fit(images, options);
  return assistant;
}

}  // namespace loss_table
