// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the table can be asked for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "retort/data/augment.hpp"
#include "retort/optim/schedule.hpp"

namespace loss_table {

struct Options {
  std::filesystem::path data = "synthetic";  ///< a folder, or "synthetic" for the built-in digits
  std::filesystem::path teacher_file{};      ///< empty: train the teacher
  std::filesystem::path out{};               ///< of checkpoints; empty: nothing is written
  std::filesystem::path report{};            ///< empty: no page
  std::vector<std::string> students{};       ///< by their names in the table; empty: all
  std::vector<std::string> losses{};         ///< the rows, likewise; the student alone is always there
  std::size_t teacher_epochs = 40;
  std::size_t epochs = 240;
  std::size_t choice_epochs = 40;
  std::size_t seeds = 10;  ///< of the students in the table
  std::size_t choice_seeds = 2;
  std::size_t batch_size = 64;
  std::uint64_t warmup_steps = 800;
  double learning_rate = 5e-3;
  retort::data::Augmentation augmentation{.shift = 1};  ///< of the students' images
  std::size_t views = 32;                               ///< of each image
  bool quick = false;

  /// Of the learning rate, of teacher and students.
  retort::Schedule schedule() const {
    return retort::LinearWarmup{.steps = warmup_steps, .then = retort::CosineSchedule{}};
  }
};

/// The students of the table.
inline constexpr std::array student_names{"784-20-20-10", "196-64-48-10"};

/// The options of the command line. Prints help and exits when asked to; throws retort::OptionError, one line, for
/// anything it does not understand.
Options parse_options(int argc, char** argv);

}  // namespace loss_table
