// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress for people: a bar that moves on a terminal, one line an epoch everywhere.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "retort/core/console.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"
#include "retort/train/progress_line.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Prints "teacher  epoch 3/5  loss 0.1234  accuracy 95.80 %  errors 504  2.10 s" after each epoch: the held-out
/// figures if there are any, else those of training, without accuracy and errors where no sample has a label. A loss of
/// yes/no targets has "exact match 91.20 %" in place of the accuracy, one of real targets "RMSE 0.0213" in place of
/// both. On a terminal that line has as many of these fields as fit its width, and wide ones also show samples a second
/// and the time left. While an epoch runs a bar is drawn there, with the time left, unless the terminal is dumb (TERM).
/// No escape codes are written. Time left is the time of the epochs and batches done so far, evaluations included,
/// times the share to come; early stopping may end sooner.
class ProgressPrinter : public Observer {
 public:
  /// `stream` is not owned. Throws OptionError if it is null.
  explicit ProgressPrinter(std::string label, std::FILE* stream = stdout)
      : label_(std::move(label)),
        stream_(internal::require_stream(stream, "ProgressPrinter")),
        terminal_(internal::is_terminal(stream)),
        redraws_(internal::is_redrawable(stream)) {}

  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// A training that ends early leaves no half bar before the message that says why.
  ~ProgressPrinter() override { erase(); }

  void on_fit_begin(const History& restored, std::size_t epochs) override {
    restored_ = restored.size();
    began_ = Clock::now();
    if (!restored.empty()) {
      std::fprintf(stream_, "%s  resumed after epoch %zu/%zu\n", label_.c_str(), restored.size(), epochs);
      std::fflush(stream_);
    }
  }

  void on_batch_end(const BatchProgress& progress) override {
    const auto now = Clock::now();
    if (!redraws_ || now - drawn_at_ < std::chrono::milliseconds(100)) {
      return;
    }
    drawn_at_ = now;
    const double epochs_done = static_cast<double>(progress.epoch - 1) +
                               static_cast<double>(progress.batch) / static_cast<double>(progress.batches);
    const std::string line = detail::batch_line(label_, progress, seconds_left(epochs_done, progress.epochs),
                                                internal::console_columns(stream_) - 1);
    const std::size_t columns = internal::columns_of(line);
    const std::size_t rest = drawn_ > columns ? drawn_ - columns : 0;  // of the bar before this one
    std::fprintf(stream_, "\r%s%*s", line.c_str(), static_cast<int>(rest), "");
    std::fflush(stream_);
    drawn_ = columns;
  }

  void on_epoch_end(const EpochMetrics& metrics, std::size_t epochs) override {
    erase();
    const auto fields =
        detail::epoch_fields(label_, metrics, epochs, seconds_left(static_cast<double>(metrics.epoch), epochs));
    // The last column stays free: some terminals go to the next line there.
    const std::string line = terminal_ ? detail::fitted_line(fields, internal::console_columns(stream_) - 1)
                                       : detail::fitted_line(std::span(fields).first(6), SIZE_MAX);
    std::fprintf(stream_, "%s\n", line.c_str());
    std::fflush(stream_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Below 0 until something is done.
  double seconds_left(double epochs_done, std::size_t epochs) const {
    const double done = epochs_done - static_cast<double>(restored_);
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    return done > 0.0 ? seconds / done * (static_cast<double>(epochs) - epochs_done) : -1.0;
  }

  /// Writes blanks over the bar.
  void erase() {
    if (drawn_ > 0) {
      std::fprintf(stream_, "\r%*s\r", static_cast<int>(drawn_), "");
      drawn_ = 0;
    }
  }

  std::string label_;
  std::FILE* stream_;
  bool terminal_;
  bool redraws_;
  std::size_t restored_ = 0;
  std::size_t drawn_ = 0;  // columns of the bar now on the terminal
  Clock::time_point began_ = Clock::now();
  Clock::time_point drawn_at_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
