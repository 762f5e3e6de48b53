// SPDX-License-Identifier: MIT
#include "retort/backend/generic/loss_row.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t classes = 4;
constexpr std::size_t batch = 3;
constexpr std::size_t dataset_size = 7;
// Not in order, and the last is the batch's first row's neighbour in the dataset.
const std::vector<std::uint32_t> samples{5, 0, 6};
const std::vector<std::uint32_t> labels{1, 0, 0, 0, 0, 3, 2};  // of the dataset
const std::vector<double> student = random_values<double>(batch * classes, 1, -3, 3);

/// What a loss writes for a batch; memory that it must fill begins as garbage.
struct Written {
  std::vector<double> gradient = std::vector<double>(batch * classes, std::numeric_limits<double>::quiet_NaN());
  std::vector<double> losses = std::vector<double>(batch, std::numeric_limits<double>::quiet_NaN());
  std::vector<std::uint8_t> correct = std::vector<std::uint8_t>(batch, 99);
};

template <typename L>
Written evaluate(const L& loss, backend::TeacherTable<double> teacher, const std::vector<std::size_t>& order) {
  Written written;
  const backend::LossRow<L, classes, double> row(loss, {.student = student.data(),
                                                        .teacher = teacher,
                                                        .samples = samples.data(),
                                                        .labels = labels.data(),
                                                        .gradient = written.gradient.data(),
                                                        .losses = written.losses.data(),
                                                        .correct = written.correct.data(),
                                                        .batch = batch});
  for (const std::size_t index : order) {
    row(index);
  }
  return written;
}

/// `teacher` (batch, classes).
template <typename L>
Written expected_of(const L& loss, const std::vector<double>& teacher) {
  Written expected;
  for (std::size_t i = 0; i < batch; ++i) {
    expected.losses[i] = loss.template row<classes>(
        StudentLogits<double>{student.data() + i * classes}, TeacherLogits<double>{teacher.data() + i * classes},
        labels[samples[i]], 1.0 / 3.0, expected.gradient.data() + i * classes);
    const double* logits = student.data() + i * classes;
    expected.correct[i] = std::max_element(logits, logits + classes) - logits == labels[samples[i]] ? 1 : 0;
  }
  return expected;
}

void check_same(const Written& a, const Written& b) {
  CHECK(same_bits(a.gradient, b.gradient));
  CHECK(same_bits(a.losses, b.losses));
  CHECK(a.correct == b.correct);
}

TEST_CASE("A row has the label of its sample, and a gradient of the batch's mean", "[backend]") {
  const std::vector<double> no_teacher(batch * classes, std::numeric_limits<double>::quiet_NaN());
  const CrossEntropy loss{.label_smoothing = 0.1};
  check_same(evaluate(loss, {}, {0, 1, 2}), expected_of(loss, no_teacher));
}

TEST_CASE("Rows are computed in any order", "[backend]") {
  check_same(evaluate(CrossEntropy{}, {}, {2, 0, 1}), evaluate(CrossEntropy{}, {}, {0, 1, 2}));
}

TEST_CASE("A row alone writes nothing of another", "[backend]") {
  const Written all = evaluate(CrossEntropy{}, {}, {0, 1, 2});
  Written expected;
  std::copy_n(all.gradient.begin() + classes, classes, expected.gradient.begin() + classes);
  expected.losses[1] = all.losses[1];
  expected.correct[1] = all.correct[1];
  check_same(evaluate(CrossEntropy{}, {}, {1}), expected);
}

TEST_CASE("A teacher's logits are looked up by row, or by sample where they are of the dataset", "[backend]") {
  const HintonLoss loss{.temperature = 3, .hard_weight = 0.25};
  const auto of_dataset = random_values<double>(dataset_size * classes, 2, -3, 3);
  std::vector<double> of_batch;
  for (const std::uint32_t sample : samples) {
    of_batch.insert(of_batch.end(), of_dataset.begin() + sample * classes,
                    of_dataset.begin() + sample * classes + classes);
  }
  const Written expected = expected_of(loss, of_batch);
  check_same(evaluate(loss, {of_batch.data(), false}, {0, 1, 2}), expected);
  check_same(evaluate(loss, {of_dataset.data(), true}, {0, 1, 2}), expected);
}

}  // namespace
