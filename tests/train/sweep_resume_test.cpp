// SPDX-License-Identifier: MIT
// A sweep that is stopped and resumed ends with the students of one that is not, with a student on each thread and with
// all at once.

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/relu.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Student = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;
using OneEach = backend::Eigen;
using AllAtOnce = backend::CudaOn<system::Serial>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

/// Six students, the last two of which diverge.
std::vector<SweepSetting<>> settings() {
  return sweep_grid(SweepSetting<>{.loss = {.temperature = 2}}, SweepAxis{&Adam::learning_rate, {1e-2, 3e-2, 1e30}},
                    SweepAxis{&SweepSetting<>::seed, {Seed{5}, Seed{9}}});
}

/// Counts the students reported, and makes a request after some.
class Counter : public SweepObserver {
 public:
  Counter(StopRequest& request, std::size_t after) : request_(request), after_(after) {}

  void on_student_end(const StudentReport& report, const SweepProgress& progress) override {
    students.insert(report.index);
    if (progress.finished == after_) {
      request_.make();
    }
  }

  std::set<std::size_t> students;

 private:
  StopRequest& request_;
  std::size_t after_;
};

template <typename Results>
void check_same(const Results& found, const Results& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(found[i].network.copy_parameters().span(), expected[i].network.copy_parameters().span()));
    CHECK(found[i].has_diverged() == expected[i].has_diverged());
    CHECK(found[i].history.size() == expected[i].history.size());
    CHECK(found[i].evaluation.has_value() == expected[i].evaluation.has_value());
    if (found[i].evaluation && expected[i].evaluation) {
      CHECK(found[i].evaluation->loss == expected[i].evaluation->loss);
      CHECK(found[i].evaluation->errors == expected[i].evaluation->errors);
    }
  }
}

TEMPLATE_TEST_CASE("A sweep that is asked to stop keeps its students, and resumes to the same", "[train]", OneEach,
                   AllAtOnce) {
  const TestType backend;
  const Network<Student, TestType> teacher{Seed{3}, backend};
  Sweep<Student, TestType> sweep{teacher, settings(), backend};
  const SweepOptions plain{.epochs = 4, .batch_size = 16};
  const auto expected = sweep.fit(images(), images(), plain);
  CHECK(expected[5].has_diverged());

  for (const std::size_t after : {1u, 2u}) {
    CAPTURE(after);
    const test::TemporaryFolder folder;
    StopRequest request;
    Counter counter(request, after);
    SweepOptions options = plain;
    options.checkpoints = SweepCheckpointOptions{.folder = folder / "students", .resume = true};
    options.observers = {&counter};
    options.stop = &request;
    std::size_t kept = 0;
    const auto keep = [&](const typename Sweep<Student, TestType>::Result& result) {
      CHECK(result.network.copy_parameters().size() > 0);
      ++kept;
    };
    std::string message;
    try {
      sweep.fit(images(), images(), options, keep);
    } catch (const StoppedError& error) {
      message = error.what();
    }
    CHECK(message == "sweep stopped as asked, after " + to_text(kept) + " of 6 students");
    CHECK(kept == counter.students.size());
    CHECK(kept >= after);

    // The students that have ended are not trained again: their files stay as they are.
    std::vector<std::string> files;
    for (const std::size_t student : counter.students) {
      if (!expected[student].has_diverged()) {
        files.push_back(test::read_file(options.checkpoints->file(student)));
      }
    }
    request.withdraw();
    Counter again(request, 0);
    options.observers = {&again};
    kept = 0;
    check_same(sweep.fit(images(), images(), options, keep), expected);
    CHECK(kept == 6);
    CHECK(again.students.size() == 6);
    std::size_t file = 0;
    for (const std::size_t student : counter.students) {
      if (!expected[student].has_diverged()) {
        CHECK(test::read_file(options.checkpoints->file(student)) == files[file++]);
      }
    }
    // All have ended now.
    check_same(sweep.fit(images(), images(), options), expected);
  }
}

TEMPLATE_TEST_CASE("A sweep does not resume from the students of another", "[train]", OneEach, AllAtOnce) {
  const test::TemporaryFolder folder;
  const TestType backend;
  const Network<Student, TestType> teacher{Seed{3}, backend};
  auto list = settings();
  list.resize(2);
  SweepOptions options{.epochs = 2, .batch_size = 16};
  options.checkpoints = SweepCheckpointOptions{.folder = folder.path(), .resume = true};
  Sweep<Student, TestType>{teacher, list, backend}.fit(images(), images(), options);

  const auto refusal = [&](const auto& other_settings, const SweepOptions& other) -> std::string {
    try {
      Sweep<Student, TestType>{teacher, other_settings, backend}.fit(images(), images(), other);
    } catch (const OptionError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(refusal(list, options) == "no error");
  auto hotter = list;
  hotter[1].loss.temperature = 7;
  CHECK(refusal(hotter, options).find("1.safetensors") != std::string::npos);
  SweepOptions larger = options;
  larger.batch_size = 32;
  CHECK(refusal(list, larger).find("batch") != std::string::npos);

  SweepOptions nowhere = options;
  nowhere.checkpoints->folder = "/dev/null/students";
  CHECK_THROWS_AS((Sweep<Student, TestType>{teacher, list, backend}.fit(images(), images(), nowhere)), FileError);
}

}  // namespace
