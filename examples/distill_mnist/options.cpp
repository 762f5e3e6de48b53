// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends.hpp"
#include "common/command_line.hpp"
#include "retort/core/error.hpp"
#include "retort/core/text.hpp"

namespace distill_mnist {

namespace {

using examples::not_empty;
using examples::number;
using examples::whole_number;

constexpr const char* student_amounts = "--student-shift, --rotation, --scale, --shear, --noise or --elastic";

/// Every setting of the source pipeline, its loss included: KL divergence given probabilities, and no T^2.
Options original_recipe() { return {}; }

/// The settings with the fewest errors on 10,000 training images held out (see the README beside this file).
Options recommended_recipe() {
  Options options;
  options.recipe = "recommended";
  options.split = "official";
  options.teacher = examples::recommended_teacher();
  options.student = examples::recommended_student();
  options.adam.beta1 = 0.9;
  options.hinton = {.temperature = 2.0, .hard_weight = 0.3};
  options.loss = "hinton";
  return options;
}

/// A teacher of all training images, and students that have one image in twenty: where distillation gains most.
/// Its settings were chosen on held-out training images too.
Options few_images_recipe() {
  Options options = recommended_recipe();
  options.recipe = "few-images";
  options.student_fraction = 0.05;
  options.teacher.epochs = 4;
  options.teacher.augmentation = {};
  options.hinton.temperature = 4.0;
  return options;
}

/// The settings of a recipe; the command line's parser refuses names that are none.
Options recipe(const std::string& name) {
  if (name == "original") {
    return original_recipe();
  }
  return name == "recommended" ? recommended_recipe() : few_images_recipe();
}

/// The recipe's name has to be known before the other options have their defaults.
std::string recipe_name(int argc, char** argv) {
  std::string name = "few-images";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--recipe" && i + 1 < argc) {
      name = argv[i + 1];
    } else if (argument.starts_with("--recipe=")) {
      name = argument.substr(std::string("--recipe=").size());
    }
  }
  return name;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendEntry& backend : backends()) {
    names.emplace_back(backend.name);
  }
  return names;
}

/// The backends that take an option: "eigen, thrust-omp, thrust-tbb".
std::string takers(bool BackendEntry::* takes_option) {
  std::string names;
  for (const BackendEntry& backend : backends()) {
    if (backend.*takes_option) {
      names += (names.empty() ? "" : ", ") + std::string(backend.name);
    }
  }
  return names;
}

/// For --help: what this program was built with.
std::string backend_list() {
  std::string text = "Backends:";
  for (const BackendEntry& backend : backends()) {
    text +=
        "\n  " + (backend.run == nullptr ? not_compiled_in(backend) : std::string(backend.name) + " is compiled in");
  }
  return text;
}

/// An option that would change nothing is a mistake: somebody who gives it expects something of it.
void require_taken(const Options& options) {
  const BackendEntry& backend = find_backend(options.backend);
  const auto require = [&](bool given, const char* option, bool BackendEntry::* takes_option) {
    if (given && !(backend.*takes_option)) {
      throw retort::OptionError(std::string(option) + ": --backend " + backend.name + " does not take it, expected " +
                                takers(takes_option));
    }
  };
  require(options.threads.has_value(), "--threads", &BackendEntry::takes_threads);
  require(options.device.has_value(), "--device", &BackendEntry::takes_device);
}

void require_use_for_tables(const Options& options) {
  if (options.teacher_logits.empty()) {
    return;
  }
  if (!options.teacher_weights.empty()) {
    const std::size_t tables = options.teacher_logits.size();
    if (tables == 1) {
      throw retort::OptionError("--teacher-weight: --teacher-logits names one table, expected several to be averaged");
    }
    if (options.teacher_weights.size() != tables) {
      throw retort::OptionError(
          retort::concatenate({"--teacher-weight: ", options.teacher_weights.size(),
                               " given, expected one for each of the ", tables, " tables of --teacher-logits"}));
    }
  }
  if (options.loss == "cross-entropy") {
    throw retort::OptionError("--teacher-logits: --loss cross-entropy asks no teacher, expected hinton or as-written");
  }
  if (options.student.augmentation.is_set() && options.student.views == 0) {
    throw retort::OptionError(retort::concatenate(
        {"--student-views: 0, views that are new in every epoch, expected those that --teacher-logits answers (or no ",
         student_amounts, ")"}));
  }
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options = recipe(recipe_name(argc, argv));

  CLI::App app{
      "Trains a 784-1200-1200-10 teacher on MNIST (or loads it, or its logits), and a 784-20-20-10 student twice\n"
      "from the same initial weights: alone, and distilled from the teacher. Reports accuracy after each epoch.",
      "distill_mnist"};
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option(
         "--recipe", options.recipe,
         "few-images: the students have one training image in twenty; recommended: they have all, and take the\n"
         "best settings found; original: every setting of the source, its mistakes included")
      ->check(CLI::IsMember({"few-images", "recommended", "original"}));
  app.add_option("--data", options.data, "folder with the four MNIST files, or 'synthetic' for the built-in digits")
      ->check(not_empty());
  app.add_option(
         "--split", options.split,
         "random: 80/20 of the 60,000 training images; official: 60,000/10,000; validation: 50,000/10,000 of the\n"
         "training images, for choosing settings without the test images")
      ->check(CLI::IsMember({"random", "official", "validation"}));
  app.add_option("--student-fraction", options.student_fraction,
                 "share of the training images that the students see, drawn by the seed, in (0, 1]")
      ->check(number());
  app.add_option("--out", options.out, "folder for the weights, metrics.jsonl and the checkpoints")->check(not_empty());
  app.add_option("--tensorboard", options.tensorboard,
                 "folder for TensorBoard's event files: a run for each network that is trained")
      ->check(not_empty());
  app.add_option("--report", options.report,
                 "page of HTML about the run: curves, tables, the student's mistakes [none is written]")
      ->check(examples::page_name());
  app.add_option("--teacher", options.teacher_file, "load this teacher instead of training one")->check(not_empty());
  CLI::Option* const teacher_logits =
      app.add_option("--teacher-logits", options.teacher_logits,
                     "a .npy table of any teacher's logits instead of a network: a row for each training image, in "
                     "the files' order; several tables are averaged, as probabilities at the loss's temperature")
          ->check(not_empty())
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
          ->default_str("");
  app.add_option("--teacher-weight", options.teacher_weights,
                 "the weight of a table in that mean, one for each, in their order; only their ratios matter [equal]")
      ->check(number())
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("")
      ->needs(teacher_logits);
  app.add_option("--epochs", options.student.epochs, "epochs of each student")->check(whole_number(1));
  app.add_option("--teacher-epochs", options.teacher.epochs, "epochs of the teacher")->check(whole_number(1));
  app.add_option("--batch-size", options.batch_size, "samples in a batch")->check(whole_number(1));
  app.add_option(
         "--initialization", options.initialization,
         "the first weights, of teacher and students: pytorch, as it draws them; he, normal with variance 2 / in, for "
         "ReLU; or xavier, uniform")
      ->check(CLI::IsMember({"pytorch", "he", "xavier"}));
  std::optional<double> learning_rate;
  app.add_option("--lr", learning_rate, "Adam's learning rate, of teacher and students [the recipe's]")
      ->check(number());
  examples::add_hyperparameters(app, options.adam, {"learning_rate"});
  std::optional<std::string> schedule;
  app.add_option("--schedule", schedule, "constant or cosine, of teacher and students [the recipe's]")
      ->check(CLI::IsMember({"constant", "cosine"}));
  std::optional<std::uint64_t> warmup;
  app.add_option("--warmup", warmup,
                 "steps in which the learning rate rises first, of teacher and students [the recipe's]")
      ->check(whole_number(0));
  app.add_option("--teacher-shift", options.teacher.augmentation.shift,
                 "move the teacher's training images at random, in pixels")
      ->check(whole_number(0));
  app.add_option("--student-shift", options.student.augmentation.shift,
                 "move the students' training images at random, in pixels")
      ->check(whole_number(0));
  examples::add_hyperparameters(app, options.student.augmentation, {"shift", "mix"});  // the images have labels
  app.add_option(
         "--student-views", options.student.views,
         "views of each augmented image, that come again and that the teacher answers once; 0: a new one in every "
         "epoch, answered as it comes")
      ->check(whole_number(0, std::numeric_limits<std::uint32_t>::max()));
  app.add_option("--loss", options.loss,
                 "the distilled student's loss: hinton, hard_weight * hard + (1 - hard_weight) * soft; cross-entropy; "
                 "or as-written, the source's mistaken one")
      ->check(CLI::IsMember({"hinton", "as-written", "cross-entropy"}));
  examples::add_hyperparameters(app, options.hinton);
  app.add_option("--seed", options.seed, "of everything random")
      ->check(whole_number(0, std::numeric_limits<std::uint64_t>::max()));
  app.add_option("--backend", options.backend, "where it runs; see below")->check(CLI::IsMember(backend_names()));
  app.add_option("--threads", options.threads,
                 "threads of " + takers(&BackendEntry::takes_threads) +
                     "; results do not depend on them [as the process may use; eigen at most 8]")
      ->check(whole_number(1, 1024));
  app.add_option("--device", options.device, "the GPU of " + takers(&BackendEntry::takes_device) + ", from 0 [0]")
      ->check(whole_number(0, 1023));
  examples::add_continuation(app, options.continuation);
  app.add_option("--checkpoint-epochs", options.checkpoint_epochs, "epochs from one checkpoint to the next")
      ->check(whole_number(1));
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "and the least time between them, in seconds")
      ->check(number());
  app.add_flag("--quiet", options.quiet, "print the closing table only");
  for (const char* of_network : {"--teacher", "--teacher-epochs", "--teacher-shift"}) {
    teacher_logits->excludes(app.get_option(of_network));
  }
  app.footer(backend_list());

  examples::parse_command_line(app, argc, argv);
  require_taken(options);
  options.student.require_augmented("--student-views", student_amounts);
  require_use_for_tables(options);
  if (learning_rate) {
    options.teacher.learning_rate = options.student.learning_rate = *learning_rate;
  }
  if (warmup) {
    options.teacher.warmup = options.student.warmup = *warmup;
  }
  if (schedule) {
    options.teacher.schedule = options.student.schedule = *schedule;
  }
  return options;
}

std::string options_of_setting(std::string_view setting, bool of_teacher) {
  constexpr std::string_view data = "--data, --split or --seed";
  const std::array<examples::SettingOptions, 15> options{{
      {"backend", "--backend"},
      {"processor", "--any-processor"},
      {"loss", "--loss, --temperature or --hard-weight"},
      {"optimizer", "--lr, --beta1, --beta2, --epsilon or --weight-decay"},
      {"teacher", "--teacher, --teacher-logits, --teacher-weight, --teacher-epochs or --seed"},
      {"epochs", of_teacher ? "--teacher-epochs" : "--epochs"},
      {"batch_size", "--batch-size"},
      {"seed", "--seed"},
      {"augmentation", of_teacher ? "--teacher-shift" : student_amounts},
      {"views", "--student-views"},
      {"views' seed", "--seed"},
      {"schedule", "--schedule or --warmup"},
      {"initial weights", "--seed or --initialization"},
      {"training data", of_teacher ? data : "--data, --split, --seed or --student-fraction"},
      {"validation data", data},
  }};
  return examples::options_of(options, setting);
}

}  // namespace distill_mnist
