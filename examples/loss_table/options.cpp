// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>

#include "candidates.hpp"
#include "common/command_line.hpp"
#include "retort/core/error.hpp"

namespace loss_table {

using examples::not_empty;
using examples::number;
using examples::set_unless_given;
using examples::whole_number;

namespace {

std::vector<std::string> loss_names() {
  std::vector<std::string> names;
  for (const Candidate& candidate : all_candidates(1)) {
    names.emplace_back(candidate.name);
  }
  return names;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Every loss and scheme, for two students, over many seeds", "loss_table");
  app.option_defaults()->always_capture_default();
  app.add_option("data", options.data, "folder with the files of MNIST, or synthetic for the built-in digits");
  app.add_option("--teacher", options.teacher_file, "weights of a trained teacher [one is trained]")
      ->check(not_empty());
  app.add_option("--out", options.out,
                 "folder of checkpoints, from which the same command goes on [nothing is written]")
      ->check(not_empty());
  app.add_option("--report", options.report, "page of HTML with the table [none is written]")
      ->check(examples::page_name());
  examples::add_students(app, options.students, student_names, "students of the table: one or more [all]");
  app.add_option("--losses", options.losses,
                 "losses and schemes that are compared with the student alone: one or more [all]")
      ->check(CLI::IsMember(loss_names()));
  app.add_option("--teacher-epochs", options.teacher_epochs, "epochs of the teacher, if it is trained")
      ->check(whole_number(1));
  app.add_option("--epochs", options.epochs, "epochs of each student in the table")->check(whole_number(1));
  app.add_option("--choice-epochs", options.choice_epochs, "epochs of the students that choose a setting")
      ->check(whole_number(1));
  app.add_option("--seeds", options.seeds, "students of each row")->check(whole_number(1, 20));
  app.add_option("--learning-rate", options.learning_rate, "of the students' Adam")->check(number());
  examples::add_hyperparameters(app, options.augmentation, {"mix"});  // the images have labels
  app.add_option("--views", options.views,
                 "views of each image, that come again and that the teacher answers once; 0: a new one in every epoch, "
                 "answered as it comes")
      ->check(whole_number(0));
  app.add_flag("--quick", options.quick,
               "2,000 images, two seeds and few epochs, unless others are given: does it run?");
  examples::parse_command_line(app, argc, argv);
  if (options.quick) {
    set_unless_given(app, "--teacher-epochs", options.teacher_epochs, 5);
    set_unless_given(app, "--epochs", options.epochs, 6);
    set_unless_given(app, "--choice-epochs", options.choice_epochs, 2);
    options.choice_seeds = 1;
    set_unless_given(app, "--seeds", options.seeds, 2);
    options.batch_size = 16;
    options.warmup_steps = 30;
    set_unless_given(app, "--views", options.views, 2);
  }
  return options;
}

}  // namespace loss_table
