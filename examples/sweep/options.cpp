// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/command_line.hpp"
#include "retort/core/error.hpp"

namespace sweep {

using examples::not_empty;
using examples::number;
using examples::whole_number;

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Distils a 784-1200-1200-10 teacher into small students on MNIST: every combination of the students, "
      "temperatures,\n"
      "hard weights and learning rates given, each with several seeds, one student on each core, or all at once on a\n"
      "GPU. Reports mean and standard deviation over the seeds. Where nothing else is said, all is as in "
      "distill_mnist\n"
      "--recipe recommended.",
      "sweep"};
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--data", options.data, "folder with the four MNIST files, or 'synthetic' for the built-in digits")
      ->check(not_empty());
  app.add_option("--split", options.split,
                 "validation: 50,000/10,000 of the training images, so that the test images choose nothing; official:\n"
                 "60,000/10,000; random: 80/20 of the training images")
      ->check(CLI::IsMember({"validation", "official", "random"}));
  app.add_option("--teacher", options.teacher_file, "load this teacher instead of training one")->check(not_empty());
  app.add_option("--teacher-epochs", options.teacher.epochs, "epochs of the teacher")->check(whole_number(1));

  const auto list = [&](const char* name, std::vector<double>& values, const char* description) {
    app.add_option(name, values, description)->check(number())->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  examples::add_students(app, options.students, student_names,
                         "one or more; 196-64-48-10 sees the mean of each 2 x 2 pixels");
  list("--temperature", options.temperatures, "of the softmax over the logits: one or more");
  list("--hard-weight", options.hard_weights,
       "a in a * hard + (1 - a) * soft, in [0, 1]: one or more; with 1 a student learns from labels alone");
  list("--learning-rate,--lr", options.learning_rates, "Adam's: one or more");
  app.add_option("--seeds", options.seeds, "students of each combination, with seeds one after another")
      ->check(whole_number(1, 100'000));
  app.add_option("--seed", options.first_seed, "the first seed; the teacher's and a random split's too")
      ->check(whole_number(0, std::numeric_limits<std::uint32_t>::max()));
  app.add_option("--epochs", options.student.epochs, "epochs of each student")->check(whole_number(1));
  app.add_option("--batch-size", options.batch_size, "samples in a batch")->check(whole_number(1));
  app.add_option(
         "--initialization", options.initialization,
         "the students' first weights: pytorch, as it draws them; he, normal with variance 2 / in, for ReLU; or "
         "xavier, uniform")
      ->check(CLI::IsMember({"pytorch", "he", "xavier"}));
  app.add_option("--schedule", options.student.schedule, "of the students' learning rate: constant or cosine")
      ->check(CLI::IsMember({"constant", "cosine"}));
  app.add_option("--warmup", options.student.warmup, "steps in which the students' learning rate rises first")
      ->check(whole_number(0));
  examples::add_hyperparameters(app, options.student.augmentation, {"mix"});  // the images have labels
  app.add_option("--views", options.student.views,
                 "views of each augmented image, that come again and that the teacher answers once; 0: a new one in "
                 "every epoch, answered as it comes")
      ->check(whole_number(0, std::numeric_limits<std::uint32_t>::max()));

  app.add_option("--backend", options.backend, "where it runs: eigen (CPU) or cuda (GPU)")
      ->check(CLI::IsMember({"eigen", "cuda"}));
  app.add_option("--threads", options.threads,
                 "eigen's students at once; results do not depend on it [as the process may use]")
      ->check(whole_number(1, 1024));
  app.add_option("--device", options.device, "the GPU of cuda, from 0 [0]")->check(whole_number(0, 1023));
  app.add_option("--out", options.out,
                 "folder for runs.jsonl, the checkpoints, and the teacher if it is trained [nothing is written]")
      ->check(not_empty());
  app.add_option("--tensorboard", options.tensorboard,
                 "folder for TensorBoard's event files: a run for the teacher if it is trained, and for each student")
      ->check(not_empty());
  app.add_option("--report", options.report, "page of HTML about the sweep: chart and tables [none is written]")
      ->check(examples::page_name());
  examples::add_continuation(app, options.continuation);
  app.add_flag("--save-students", options.save_students, "write each student's weights to --out too");
  app.add_flag("--test", options.test,
               "in the end count the errors of the best setting's students on the test images, which chose nothing");
  app.add_flag("--best-first", options.best_first, "order the table by mean errors, not as the options are given");
  app.add_flag("--quiet", options.quiet, "print the closing table only, and what --test finds");

  examples::parse_command_line(app, argc, argv);
  options.student.require_augmented("--views", "--shift, --rotation, --scale, --shear, --noise or --elastic");
  if (options.test && options.split == "official") {
    throw retort::OptionError(
        "--test: with --split official the test images choose the best setting, expected --split validation or random");
  }
  if (options.threads && options.backend != "eigen") {
    throw retort::OptionError("--threads: --backend " + options.backend + " does not take it, expected eigen");
  }
  if (options.device && options.backend != "cuda") {
    throw retort::OptionError("--device: --backend " + options.backend + " does not take it, expected cuda");
  }
  if (options.save_students && options.out.empty()) {
    throw retort::OptionError("--save-students: there is no folder for them, expected --out");
  }
  if ((options.continuation.resume || options.continuation.overwrite) && options.out.empty()) {
    throw retort::OptionError(std::string(options.continuation.resume ? "--resume" : "--overwrite") +
                              ": there is no folder of an earlier run, expected --out");
  }
  return options;
}

std::string options_of_setting(std::string_view setting) {
  constexpr std::string_view data = "--data, --split or --seed";
  constexpr std::array<examples::SettingOptions, 16> options{{
      {"backend", "--backend"},
      {"processor", "--any-processor"},
      {"model", "--students"},
      {"loss", "--temperature or --hard-weight"},
      {"optimizer", "--learning-rate"},
      {"teacher", "--teacher, --teacher-epochs or --seed"},
      {"epochs", "--epochs or --teacher-epochs"},
      {"batch_size", "--batch-size"},
      {"seed", "--seed or --seeds"},
      {"schedule", "--schedule or --warmup"},
      {"initial weights", "--seed, --seeds or --initialization"},
      {"augmentation", "--shift, --rotation, --scale, --shear, --noise, --elastic or --teacher"},
      {"views", "--views"},
      {"views' seed", "--seed"},
      {"training data", data},
      {"validation data", data},
  }};
  const std::string found = examples::options_of(options, setting);
  return found.empty() ? "--resume" : found;
}

}  // namespace sweep
