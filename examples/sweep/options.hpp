// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a sweep can be asked for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/output_folder.hpp"
#include "common/training_options.hpp"

namespace sweep {

/// The students that --students may name.
inline constexpr std::array student_names{"784-10-10-10", "784-20-20-10", "196-64-48-10"};

struct Options {
  std::filesystem::path data = "data/mnist";  ///< a folder, or "synthetic" for the built-in digits
  std::string split = "validation";           ///< random | official | validation
  std::filesystem::path teacher_file{};       ///< empty: train the teacher
  examples::TrainingOptions teacher = examples::recommended_teacher();
  examples::TrainingOptions student = examples::recommended_student();
  std::size_t batch_size = 64;
  std::string initialization = "pytorch";  ///< pytorch | he | xavier, of the students
  std::vector<std::string> students{student_names[1]};
  std::vector<double> temperatures{1, 2, 4};
  std::vector<double> hard_weights{0.3};
  std::vector<double> learning_rates{student.learning_rate};
  std::size_t seeds = 3;                ///< of each combination
  std::uint64_t first_seed = 0;         ///< and those after it
  std::string backend = "eigen";        ///< eigen | cuda
  std::optional<unsigned> threads{};    ///< of eigen; empty: as many as the process may use
  std::optional<int> device{};          ///< of cuda; empty: 0
  std::filesystem::path out{};          ///< empty: nothing is written
  std::filesystem::path tensorboard{};  ///< empty: no event files
  std::filesystem::path report{};       ///< empty: no page
  examples::Continuation continuation{};
  bool save_students = false;
  bool test = false;  ///< count the best setting's errors on the test images
  bool best_first = false;
  bool quiet = false;
};

/// The options of the command line. Prints help and exits when asked to; throws retort::OptionError, one line, for
/// anything it does not understand.
Options parse_options(int argc, char** argv);

/// The options that decide a setting of a checkpoint ("--batch-size"), or "--resume" where none does.
std::string options_of_setting(std::string_view setting);

/// The whole sweep on each backend. A source file each, compiled with what it needs.
void run_eigen(const Options& options);
void run_cuda(const Options& options);

}  // namespace sweep
