// SPDX-License-Identifier: MIT
/// Schemes of distillation beyond one teacher and one student, each beside the student alone and the student of the
/// teacher, with the same images, epochs and seeds.
///
///     schemes born_again|mutual_learning|teacher_assistant|all [--quick] [--report PAGE.html] [data/mnist]
///
/// Without a folder of MNIST's files it learns digits that the library draws itself. --quick: few images, one seed.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <retort/retort.hpp>
#include <string_view>
#include <utility>

#include "born_again.hpp"
#include "common/arguments.hpp"
#include "common/comparison.hpp"
#include "common/data.hpp"
#include "common/page.hpp"
#include "common/program.hpp"
#include "mutual_learning.hpp"
#include "task.hpp"
#include "teacher_assistant.hpp"

namespace rt = retort;

constexpr std::array<std::string_view, 4> names{"born_again", "mutual_learning", "teacher_assistant", "all"};

constexpr std::string_view made =
    "Every student has the same shape, recipe and images, and learns from the labels and from what its row names, but "
    "for the student alone, which has the labels only. Assistants are larger. The differences are between students of "
    "equal seeds; p is that of their exact sign-flip test, two-sided.";

/// The teacher learns from all images, the students from one in twenty.
schemes::Task prepare(const std::filesystem::path& folder, bool quick) {
  auto [train, test] = examples::load_data(folder, "official", 0);
  if (quick && train.size() > 2'000) {
    train = rt::data::random_split(train, 2'000.0 / static_cast<double>(train.size()), rt::Seed{1}).first;
  }
  schemes::Task task{.images = rt::data::random_split(train, quick ? 0.5 : 0.05, rt::Seed{0}).first,
                     .test = std::move(test),
                     .teacher = schemes::Teacher{rt::Seed{0}, rt::backend::Eigen{rt::AvailableThreads{}}},
                     .epochs = quick ? 20u : 60u,
                     .warmup_steps = quick ? 20u : 800u,
                     .seeds = quick ? 1u : 3u};
  rt::FitOptions options = task.recipe(0);
  options.epochs = quick ? 12 : 4;
  rt::Trainer{task.teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(train, options);
  task.report("teacher, of all images", task.teacher);
  return task;
}

schemes::Task compare(std::string_view scheme, schemes::Task task) {
  for (std::uint64_t seed = 0; seed < task.seeds; ++seed) {
    schemes::Student alone{rt::Seed{2 * seed + 1}, task.cpu()};
    rt::Trainer{alone, rt::CrossEntropy{}, schemes::adam}.fit(task.images, task.recipe(seed));
    task.report("student alone", alone);

    schemes::Student distilled{rt::Seed{2 * seed + 1}, task.cpu()};
    schemes::distil(task.teacher, distilled, task.recipe(seed), task.images);
    task.report("student of the teacher", distilled);

    if (scheme == "born_again" || scheme == "all") {
      schemes::born_again(task, seed, alone);
    }
    if (scheme == "mutual_learning" || scheme == "all") {
      schemes::mutual_learning(task, seed);
    }
    if (scheme == "teacher_assistant" || scheme == "all") {
      schemes::teacher_assistant(task, seed);
    }
  }
  task.print_table();
  return task;
}

int main(int argc, char** argv) {
  constexpr const char* usage =
      "usage: schemes born_again|mutual_learning|teacher_assistant|all [--quick] [--report PAGE.html] "
      "[FOLDER_WITH_MNIST]";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "schemes", usage)) {
      return 0;
    }
    examples::Arguments arguments(argc, argv);
    const bool quick = arguments.take("--quick");
    const auto page = arguments.take_value("--report");
    const auto& left = arguments.left();
    if (left.empty() || left.size() > 2 || std::ranges::find(names, left[0]) == names.end() ||
        arguments.has_unknown_option()) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    if (page) {
      examples::require_page("--report", *page);
    }
    rt::allocate_for("the trainings", 0, [&] {
      const schemes::Task task = compare(left[0], prepare(left.size() > 1 ? left[1] : "synthetic", quick));
      if (page) {
        examples::write_comparison_page(*page, "schemes", task.errors, task.caption(), made);
      }
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "schemes: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}
