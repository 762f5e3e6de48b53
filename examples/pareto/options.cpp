// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>

#include "common/command_line.hpp"

namespace pareto {

using examples::not_empty;
using examples::number;
using examples::set_unless_given;
using examples::whole_number;

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("A choice of size: students of several widths and forms, and the most accurate that fits", "pareto");
  app.option_defaults()->always_capture_default();
  app.add_option("data", options.data, "folder with the files of MNIST, or synthetic for the built-in digits");
  app.add_option("--budget", options.budget, "bytes of flash for a student's constants")->check(whole_number(1));
  app.add_option("--teacher", options.teacher_file, "weights of a trained teacher [one is trained]")
      ->check(not_empty());
  app.add_option("--out", options.out,
                 "folder of C files, and of checkpoints from which the same command goes on [nothing is kept]")
      ->check(not_empty());
  app.add_option("--report", options.report, "page of HTML with charts and the table [none is written]")
      ->check(examples::page_name());
  examples::add_students(app, options.students, student_names, "widths to choose from: one or more [all]");
  app.add_option("--teacher-epochs", options.teacher_epochs, "epochs of the teacher, if it is trained")
      ->check(whole_number(1));
  app.add_option("--epochs", options.epochs, "epochs of each student")->check(whole_number(1));
  app.add_option("--choice-epochs", options.choice_epochs, "epochs of the students that choose a setting")
      ->check(whole_number(1));
  app.add_option("--seeds", options.seeds, "students of each width and form")->check(whole_number(1, 20));
  app.add_option("--learning-rate", options.learning_rate, "of the students' Adam")->check(number());
  app.add_flag("--quick", options.quick,
               "2,000 images, two seeds and few epochs, unless others are given: does it run?");
  examples::parse_command_line(app, argc, argv);
  if (options.quick) {
    set_unless_given(app, "--teacher-epochs", options.teacher_epochs, 5);
    set_unless_given(app, "--epochs", options.epochs, 8);
    set_unless_given(app, "--choice-epochs", options.choice_epochs, 4);
    set_unless_given(app, "--seeds", options.seeds, 2);
    options.batch_size = 16;
    options.warmup_steps = 30;
  }
  return options;
}

}  // namespace pareto
