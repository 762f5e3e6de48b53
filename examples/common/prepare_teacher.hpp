// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The teacher of an example that compares students.

#include <cstdio>
#include <filesystem>
#include <retort/retort.hpp>

#include "models.hpp"
#include "training_options.hpp"

namespace examples {

/// Loads the teacher from `file`, or trains it if `file` is empty, with its progress on stderr and a checkpoint in the
/// folder `out`, if that is not empty, from which the same call goes on. Throws as load_safetensors,
/// require_preprocessing and fit do.
inline void prepare_teacher(retort::Network<Teacher>& teacher, const std::filesystem::path& file,
                            const retort::data::Dataset& train, retort::FitOptions options,
                            const std::filesystem::path& out) {
  if (!file.empty()) {
    retort::io::load_safetensors(teacher, file);
    retort::require_preprocessing(teacher.preprocessing(), train, file.string());
    return;
  }
  if (!out.empty()) {
    options.checkpoint = retort::CheckpointOptions{
        .path = out / "teacher.checkpoint", .resume = true, .every_seconds = checkpoint_seconds};
  }
  retort::ProgressPrinter progress{"teacher", stderr};
  options.observers = {&progress};
  retort::Trainer{teacher, retort::CrossEntropy{}, retort::Adam{.learning_rate = 1e-3}}.fit(train, options);
}

}  // namespace examples
