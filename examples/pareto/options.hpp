// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the choice can be asked for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "retort/optim/schedule.hpp"

namespace pareto {

struct Options {
  std::filesystem::path data = "synthetic";  ///< a folder, or "synthetic" for the built-in digits
  std::filesystem::path teacher_file{};      ///< empty: train the teacher
  std::filesystem::path out{};               ///< of C files and checkpoints; empty: nothing is kept
  std::filesystem::path report{};            ///< empty: no page
  std::vector<std::string> students{};       ///< by their names; empty: all
  std::size_t budget = 10'000;               ///< bytes of constants
  std::size_t teacher_epochs = 10;
  std::size_t epochs = 60;
  std::size_t choice_epochs = 15;
  std::size_t seeds = 3;
  std::size_t batch_size = 64;
  std::uint64_t warmup_steps = 800;
  double learning_rate = 5e-3;
  bool quick = false;

  /// Of the learning rate, of teacher and students.
  retort::Schedule schedule() const {
    return retort::LinearWarmup{.steps = warmup_steps, .then = retort::CosineSchedule{}};
  }
};

/// The students to choose from.
inline constexpr std::array student_names{"784-10-10-10", "784-20-20-10", "784-32-32-10", "196-32-32-10",
                                          "196-64-48-10"};

/// The options of the command line. Prints help and exits when asked to; throws retort::OptionError, one line, for
/// anything it does not understand.
Options parse_options(int argc, char** argv);

}  // namespace pareto
