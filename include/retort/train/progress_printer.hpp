// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress for people: a bar that moves on a terminal, one line an epoch everywhere.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Prints "teacher  epoch 3/5  loss 0.1234  accuracy 95.80 %  errors 504  2.1 s  22857 samples/s" after each epoch: the
/// held-out figures where there are any, else those of training. While an epoch runs, a bar is drawn if `stream` is a
/// terminal.
class ProgressPrinter : public Observer {
 public:
  explicit ProgressPrinter(std::string label, std::FILE* stream = stdout)
      : label_(std::move(label)), stream_(stream), terminal_(::isatty(::fileno(stream)) == 1) {}

  void on_fit_begin(const History& restored, std::size_t epochs) override {
    if (!restored.empty()) {
      std::fprintf(stream_, "%s  resumed after epoch %zu/%zu\n", label_.c_str(), restored.size(), epochs);
      std::fflush(stream_);
    }
  }

  void on_batch_end(const BatchProgress& progress) override {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) {
      return;
    }
    drawn_ = now;
    constexpr std::size_t width = 30;
    const std::size_t filled = progress.batch * width / std::max<std::size_t>(progress.batches, 1);
    const std::string bar = std::string(filled, '=') + std::string(width - filled, ' ');
    std::fprintf(stream_, "\r%s  epoch %zu/%zu  [%s]  loss %.4f", label_.c_str(), progress.epoch, progress.epochs,
                 bar.c_str(), progress.mean_loss);
    std::fflush(stream_);
  }

  void on_epoch_end(const EpochMetrics& metrics, std::size_t epochs) override {
    if (terminal_) {
      std::fprintf(stream_, "\r\033[K");  // back to the line's beginning, and erase the bar
    }
    const double accuracy = metrics.validation ? metrics.validation->accuracy : metrics.accuracy;
    const std::size_t errors = metrics.validation ? metrics.validation->errors : metrics.errors;
    std::fprintf(stream_, "%s  epoch %zu/%zu  loss %.4f  accuracy %.2f %%  errors %zu  %.2f s  %.0f samples/s\n",
                 label_.c_str(), metrics.epoch, epochs, metrics.loss, 100.0 * accuracy, errors, metrics.seconds,
                 metrics.samples_per_second);
    std::fflush(stream_);
  }

 private:
  std::string label_;
  std::FILE* stream_;
  bool terminal_;
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
