// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An observer that writes down what it is told, and one that interrupts a training.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/text.hpp"
#include "retort/train/observer.hpp"

namespace retort::test {

class Recorder : public Observer {
 public:
  explicit Recorder(std::vector<std::string>& events, std::string name = "")
      : events_(events), name_(std::move(name)) {}

  void on_fit_begin(const History& restored, std::size_t epochs) override {
    add("begin " + to_text(restored.size()) + "/" + to_text(epochs));
  }
  void on_batch_end(const BatchProgress& progress) override {
    add("batch " + to_text(progress.batch) + "/" + to_text(progress.batches) + " of epoch " + to_text(progress.epoch) +
        "/" + to_text(progress.epochs));
  }
  void on_epoch_end(const EpochMetrics& metrics, std::size_t epochs) override {
    add("epoch " + to_text(metrics.epoch) + "/" + to_text(epochs));
  }
  void on_fit_end(const History& history) override { add("end " + to_text(history.size())); }

 private:
  void add(const std::string& event) { events_.push_back(name_ + event); }

  std::vector<std::string>& events_;
  std::string name_;
};

/// Something that stops a training from outside: a signal, a full disk, a lost machine.
struct Interruption : std::runtime_error {
  Interruption() : std::runtime_error("interrupted") {}
};

/// Throws in the given epoch (from 1): at its end, or after its batch `batch` where that is not 0.
class Interrupter : public Observer {
 public:
  explicit Interrupter(std::size_t epoch, std::size_t batch = 0) : epoch_(epoch), batch_(batch) {}

  void on_batch_end(const BatchProgress& progress) override {
    if (progress.epoch == epoch_ && progress.batch == batch_) {
      throw Interruption();
    }
  }
  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override {
    if (metrics.epoch == epoch_ && batch_ == 0) {
      throw Interruption();
    }
  }

 private:
  std::size_t epoch_;
  std::size_t batch_;
};

/// Equal in everything but the time it took.
inline bool same_results(const History& a, const History& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    const EpochMetrics& x = a[i];
    const EpochMetrics& y = b[i];
    if (x.epoch != y.epoch || x.learning_rate != y.learning_rate || x.loss != y.loss || x.accuracy != y.accuracy ||
        x.errors != y.errors || x.validation.has_value() != y.validation.has_value()) {
      return false;
    }
    if (x.metric != y.metric) {
      return false;
    }
    if (x.validation && (x.validation->loss != y.validation->loss || x.validation->errors != y.validation->errors ||
                         x.validation->metric != y.validation->metric ||
                         (x.metric != Metric::rmse && x.validation->accuracy != y.validation->accuracy))) {
      return false;
    }
  }
  return true;
}

}  // namespace retort::test
