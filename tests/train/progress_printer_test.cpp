// SPDX-License-Identifier: MIT
#include "retort/train/progress_printer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "retort/core/console.hpp"
#include "terminal.hpp"

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
        }) == "teacher  epoch 3/5  loss 0.1234  accuracy 90.00 %  errors 1200  2.10 s\n");
}

TEST_CASE("Held-out figures take the place of training's in the line", "[train]") {
  EpochMetrics validated = epoch;
  validated.validation = Evaluation{.loss = 7.0, .accuracy = 0.958, .errors = 504};
  CHECK(printed([&](ProgressPrinter& printer) { printer.on_epoch_end(validated, 5); }) ==
        "teacher  epoch 3/5  loss 0.1234  accuracy 95.80 %  errors 504  2.10 s\n");
}

TEST_CASE("Where no sample has a label a line has no accuracy and no errors", "[train]") {
  EpochMetrics unlabelled = epoch;
  unlabelled.accuracy.reset();
  unlabelled.errors.reset();
  CHECK(printed([&](ProgressPrinter& printer) { printer.on_epoch_end(unlabelled, 5); }) ==
        "teacher  epoch 3/5  loss 0.1234  2.10 s\n");
}

TEST_CASE("A resumed training says where it goes on", "[train]") {
  CHECK(printed([](ProgressPrinter& printer) { printer.on_fit_begin({epoch, epoch}, 5); }) ==
        "teacher  resumed after epoch 2/5\n");
}

/// The pieces between "\r" and "\n": what stands on a line of the terminal at one time.
std::vector<std::string> pieces(const std::string& text) {
  std::vector<std::string> found(1);
  for (const char letter : text) {
    if (letter == '\r' || letter == '\n') {
      found.emplace_back();
    } else {
      found.back() += letter;
    }
  }
  return found;
}

void run_epochs(ProgressPrinter& printer, std::size_t epochs) {
  printer.on_fit_begin({}, epochs);
  for (std::size_t number = 1; number <= epochs; ++number) {
    for (std::size_t batch = 1; batch <= 3; ++batch) {
      std::this_thread::sleep_for(std::chrono::milliseconds(101));
      printer.on_batch_end({.epoch = number, .epochs = epochs, .batch = batch, .batches = 4, .mean_loss = 12345.678});
    }
    EpochMetrics metrics = epoch;
    metrics.epoch = number;
    printer.on_epoch_end(metrics, epochs);
  }
}

TEST_CASE("Nothing wraps on a terminal of 40 columns or more, and the bar tells the time left", "[train]") {
  const test::EnvironmentVariable term("TERM", "xterm");
  for (const unsigned columns : {40u, 60u, 67u, 68u, 80u, 120u}) {
    CAPTURE(columns);
    const test::Terminal terminal(columns);
    ProgressPrinter printer("distilled", terminal.stream());
    run_epochs(printer, 2);
    const std::string text = terminal.printed();
    CHECK(text.find('\033') == std::string::npos);
    std::size_t bars = 0;
    for (const std::string& piece : pieces(text)) {
      CHECK(internal::columns_of(piece) < columns);
      bars += piece.find(" left") != std::string::npos && piece.find("accuracy") == std::string::npos ? 1u : 0u;
    }
    CHECK(bars == 6);
    CHECK(text.find("\rdistilled  epoch 2/2") != std::string::npos);
    CHECK(text.find("accuracy 90.00 %") != std::string::npos);
  }
}

TEST_CASE("A narrower line leaves out the least important", "[train]") {
  const test::EnvironmentVariable term("TERM", "xterm");
  const auto line = [](unsigned columns) {
    const test::Terminal terminal(columns);
    ProgressPrinter("teacher", terminal.stream()).on_epoch_end(epoch, 3);
    return terminal.printed();
  };
  CHECK(line(40) == "teacher  epoch 3/3  accuracy 90.00 %\r\n");
  CHECK(line(60) == "teacher  epoch 3/3  loss 0.1234  accuracy 90.00 %\r\n");
  CHECK(line(80) == "teacher  epoch 3/3  loss 0.1234  accuracy 90.00 %  errors 1200  2.10 s\r\n");
  CHECK(line(120) == "teacher  epoch 3/3  loss 0.1234  accuracy 90.00 %  errors 1200  2.10 s  22857 samples/s\r\n");
}

TEST_CASE("A bar becomes a share, and a line is cut, where there is no room", "[train]") {
  const BatchProgress half{.epoch = 1, .epochs = 2, .batch = 2, .batches = 4, .mean_loss = 0.5};
  CHECK(detail::batch_line("t", half, 61, 79) ==
        "t  epoch 1/2  [===============               ]  loss 0.5000  1:01 left");
  CHECK(detail::batch_line("t", half, 61, 50) == "t  epoch 1/2  [=====     ]  loss 0.5000  1:01 left");
  CHECK(detail::batch_line("t", half, 61, 49) == "t  epoch 1/2  [===========           ]  1:01 left");
  CHECK(detail::batch_line("t", half, 61, 36) == "t  epoch 1/2  50 %  1:01 left");
  CHECK(detail::batch_line("t", half, -1, 79) == "t  epoch 1/2  [===============               ]  loss 0.5000");
  for (std::size_t columns = 0; columns < 200; ++columns) {
    CHECK(internal::columns_of(detail::batch_line("a label of some length", half, 1e9, columns)) <= columns);
  }
}

TEST_CASE("A dumb terminal gets lines alone", "[train]") {
  const test::EnvironmentVariable term("TERM", "dumb");
  const test::Terminal terminal(60);
  ProgressPrinter printer("teacher", terminal.stream());
  run_epochs(printer, 1);
  CHECK(terminal.printed() == "teacher  epoch 1/1  loss 0.1234  accuracy 90.00 %\r\n");
}

TEST_CASE("A printer without a stream is refused", "[train]") {
  CHECK_THROWS_WITH(ProgressPrinter("teacher", nullptr),
                    "ProgressPrinter: stream is null, expected one that is open, such as stdout");
}

TEST_CASE("A training that ends early leaves an empty line, not a part of a bar", "[train]") {
  const test::EnvironmentVariable term("TERM", "xterm");
  const test::Terminal terminal(80);
  {
    ProgressPrinter printer("teacher", terminal.stream());
    printer.on_batch_end({.epoch = 1, .epochs = 2, .batch = 2, .batches = 4, .mean_loss = 0.5});
  }
  const std::string text = terminal.printed();
  REQUIRE(text.size() > 3);
  const std::size_t drawn = text.rfind('\r', text.size() - 2);
  CHECK(text.substr(drawn) == "\r" + std::string(drawn - 1, ' ') + "\r");
}

}  // namespace
