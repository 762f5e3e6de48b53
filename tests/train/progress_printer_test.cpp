// SPDX-License-Identifier: MIT
#include "retort/train/progress_printer.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "catch.hpp"

namespace {

using namespace retort;

/// What an observer prints into a file that is no terminal.
template <typename Calls>
std::string printed(const Calls& calls) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  REQUIRE(file != nullptr);
  ProgressPrinter printer("teacher", file.get());
  calls(printer);
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
  return text;
}

const EpochMetrics epoch{.epoch = 3,
                         .learning_rate = 2e-4,
                         .loss = 0.12344,
                         .accuracy = 0.9,
                         .errors = 1200,
                         .seconds = 2.1,
                         .samples_per_second = 22857.4};

TEST_CASE("Into a file progress is one plain line an epoch, and nothing else", "[train]") {
  CHECK(printed([](ProgressPrinter& printer) {
          printer.on_fit_begin({}, 5);
          for (std::size_t batch = 1; batch <= 100; ++batch) {
            printer.on_batch_end({.epoch = 3, .epochs = 5, .batch = batch, .batches = 100, .mean_loss = 0.5});
          }
          printer.on_epoch_end(epoch, 5);
          printer.on_fit_end({epoch});
        }) == "teacher  epoch 3/5  loss 0.1234  accuracy 90.00 %  errors 1200  2.10 s  22857 samples/s\n");
}

TEST_CASE("Held-out figures take the place of training's in the line", "[train]") {
  EpochMetrics validated = epoch;
  validated.validation = Evaluation{.loss = 7.0, .accuracy = 0.958, .errors = 504};
  CHECK(printed([&](ProgressPrinter& printer) { printer.on_epoch_end(validated, 5); }) ==
        "teacher  epoch 3/5  loss 0.1234  accuracy 95.80 %  errors 504  2.10 s  22857 samples/s\n");
}

TEST_CASE("A resumed training says where it goes on", "[train]") {
  CHECK(printed([](ProgressPrinter& printer) { printer.on_fit_begin({epoch, epoch}, 5); }) ==
        "teacher  resumed after epoch 2/5\n");
}

}  // namespace
