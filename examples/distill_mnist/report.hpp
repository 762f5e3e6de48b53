// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The closing table, and what it says about distillation.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "retort/train/metrics.hpp"

namespace distill_mnist {

struct ReportRow {
  std::string name;
  std::size_t parameters = 0;
  retort::Evaluation evaluation{};
  double seconds = 0.0;  ///< of training; 0 for a network that was loaded
  std::uintmax_t bytes = 0;
  double microseconds_per_image = 0.0;
  retort::History history{};    ///< empty for a network that was loaded
  std::vector<float> logits{};  ///< of the images held out, (images, classes); empty unless a page is asked for
};

struct Report {
  std::string recipe;
  std::size_t training_images = 0;
  std::size_t student_images = 0;
  std::size_t held_out = 0;
  std::string loss;           ///< of the distilled student, with its settings
  double last_loss = 0.0;     ///< its mean over the last epoch
  std::string teacher_table;  ///< what there is in place of a teacher network, in words; empty where there is one
  std::optional<ReportRow> teacher{};  ///< empty where it is a table
  ReportRow alone{};
  ReportRow distilled{};
  std::string deviation{};  ///< of the teacher's mean probabilities, in a sentence for the page; may be empty
};

/// "In this run distillation helped: 140 errors fewer than alone (-15.8 %)."
std::string comparison(const Report& report);

/// Prints the recipe, the loss, one line for each network, and the two students compared, in lines of at most 80
/// columns. The speed-up is of inference, over the teacher; over a table there is none.
void print_report(const Report& report);

}  // namespace distill_mnist
