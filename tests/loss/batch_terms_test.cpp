// SPDX-License-Identifier: MIT
// Every term on whole batches: its gradient, its formula in plain loops, PyTorch's values, and what it does not see.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "golden/batch_term_golden.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/activation_profile.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/relational.hpp"
#include "retort/loss/similarity_preserving.hpp"

namespace {

using namespace retort;
using test::random_values;
using Values = std::vector<double>;
using Similarity = SimilarityPreserving<1, 2>;
using Relations = Relational<1, 2>;
using Profile = ActivationProfile<1, 2>;

static_assert(BatchTerm<Similarity> && BatchTerm<Relations> && BatchTerm<Dist> && BatchTerm<Profile>);
static_assert(!FeatureTerm<Similarity> && !BatchTerm<Hint<1, 2>> && !Loss<Dist>);
static_assert(ComparesLayers<Similarity> && ComparesLayers<Hint<1, 2>> && !ComparesLayers<Dist>);
static_assert(BatchLoss<WithTerm<HintonLoss, Dist>> && !BatchLoss<WithTerm<HintonLoss, Hint<1, 2>>>);
static_assert(FeatureLoss<WithTerm<HintonLoss, Dist>>);

constexpr std::size_t student_width = 5;
constexpr std::size_t teacher_width = 7;

template <typename Scalar>
struct Result {
  std::vector<Scalar> losses;
  std::vector<Scalar> gradient;

  double sum() const { return std::accumulate(losses.begin(), losses.end(), 0.0); }
  double mean() const { return sum() / static_cast<double>(losses.size()); }
};

/// A batch's term alone: the losses that it is added to are 0.
template <std::size_t Student, std::size_t Teacher, typename Scalar, typename T>
Result<Scalar> evaluate(const T& term, const std::vector<Scalar>& student, const std::vector<Scalar>& teacher,
                        Scalar gradient_scale = 1) {
  const std::size_t size = student.size() / Student;
  const Scalar garbage = std::numeric_limits<Scalar>::quiet_NaN();
  Result<Scalar> result{std::vector<Scalar>(size), std::vector<Scalar>(student.size(), garbage)};
  std::vector<Scalar> scratch(T::template scratch_size<Student, Teacher>(size), garbage);
  const backend::Eigen eigen;
  term.template evaluate<Student, Teacher>(backend::detail::Passes(eigen),
                                           TermBatch<Scalar>{.student = student.data(),
                                                             .teacher = teacher.data(),
                                                             .size = size,
                                                             .gradient_scale = gradient_scale,
                                                             .gradient = result.gradient.data(),
                                                             .losses = result.losses.data(),
                                                             .scratch = scratch.data()});
  return result;
}

/// Of layers of both widths, or of logits of the student's.
template <typename T>
constexpr std::size_t teacher_width_of = ComparesLayers<T> ? teacher_width : student_width;

template <typename T>
Result<double> evaluate_term_of(const T& term, const Values& student, const Values& teacher,
                                double gradient_scale = 1.0) {
  return evaluate<student_width, teacher_width_of<T>>(term, student, teacher, gradient_scale);
}

template <typename T>
void check_gradient(const T& term, const Values& student, const Values& teacher) {
  const double gradient_scale = -0.37;
  const auto value = [&](const Values& at) { return gradient_scale * evaluate_term_of(term, at, teacher).sum(); };
  const Values gradient = evaluate_term_of(term, student, teacher, gradient_scale).gradient;
  const auto difference = test::worst_gradient_difference(value, student, gradient);
  CAPTURE(describe_settings(term), student.size(), difference.index, difference.analytic, difference.numeric);
  CHECK(difference.relative_error < 1e-6);
}

Values student_values(std::size_t size, std::uint64_t seed = 1) {
  return random_values<double>(size * student_width, seed, -2.0, 2.0);
}
template <typename T>
Values teacher_values(std::size_t size, std::uint64_t seed = 2) {
  return random_values<double>(size * teacher_width_of<T>, seed, -2.0, 2.0);
}

template <typename... Terms, typename Function>
void for_each_term(const Function& function) {
  (function(Terms{}), ...);
}
template <typename Function>
void for_every_term(const Function& function) {
  for_each_term<Similarity, Relations, Dist, Profile>(function);
}

TEST_CASE("A term on a batch has the gradient of its value", "[loss]") {
  const auto check = [](const auto& term, std::size_t size) {
    check_gradient(term, student_values(size), teacher_values<std::remove_cvref_t<decltype(term)>>(size));
  };
  for (const std::size_t size : {3u, 9u}) {
    check(Similarity{.weight = 2.0}, size);
    check(Relations{.distance_weight = 3.0, .angle_weight = 0.0}, size);
    check(Relations{.distance_weight = 0.0, .angle_weight = 2.0}, size);
    check(Relations{}, size);
    check(Dist{.gamma = 0.0}, size);
    check(Dist{.beta = 0.0}, size);
    check(Dist{.temperature = 3.0, .beta = 0.5, .gamma = 2.0}, size);
    check(Profile{.weight = 2.0}, size);
  }
}

TEST_CASE("Nothing to compare adds nothing, and a vector without a direction has no gradient", "[loss]") {
  // A batch of one sample. (A training by Dist refuses it.)
  const Values student = student_values(1);
  CHECK_THAT(evaluate_term_of(Similarity{}, student, teacher_values<Similarity>(1)).sum(), WithinAbs(0.0, 1e-25));
  CHECK(evaluate_term_of(Relations{}, student, teacher_values<Relations>(1)).sum() == 0.0);

  // Samples without activity, and samples at one place.
  for_every_term([](const auto& term) {
    using T = std::remove_cvref_t<decltype(term)>;
    CAPTURE(T::name);
    const Values ones(4 * student_width, 0.25);
    for (const Values& constant : {Values(ones.size(), 0.0), ones}) {
      const auto result = evaluate_term_of(term, constant, teacher_values<T>(4));
      CHECK(std::isfinite(result.sum()));
      const bool has_direction = std::is_same_v<T, Profile> && constant == ones;
      const bool is_alike = std::is_same_v<T, Similarity> && constant == ones;
      for (const double entry : result.gradient) {
        CHECK(std::isfinite(entry));
        CHECK((has_direction || is_alike || entry == 0.0));
      }
    }
  });

  // Two of four samples at one place.
  Values pair = student_values(4);
  std::copy_n(pair.begin(), student_width, pair.begin() + student_width);
  const auto result = evaluate_term_of(Relations{}, pair, teacher_values<Relations>(4));
  for (std::size_t j = 0; j < student_width; ++j) {
    CHECK(std::isfinite(result.gradient[j]));
    CHECK(result.gradient[2 * student_width + j] != 0.0);
  }
}

TEST_CASE("A student that is its teacher is without loss, and without gradient", "[loss]") {
  for_every_term([](const auto& term) {
    using T = std::remove_cvref_t<decltype(term)>;
    CAPTURE(T::name);
    const Values student = student_values(6);
    const auto result = evaluate<student_width, student_width>(term, student, student);
    CHECK_THAT(result.sum(), WithinAbs(0.0, 1e-12));
    for (const double entry : result.gradient) {
      CHECK_THAT(entry, WithinAbs(0.0, 1e-11));
    }
  });
}

/// Each row turned in the plane of its first two entries, then in that of its second and last.
Values rotated(Values rows) {
  const auto turn = [](double& x, double& y, double angle) {
    const double old = x;
    x = std::cos(angle) * x - std::sin(angle) * y;
    y = std::sin(angle) * old + std::cos(angle) * y;
  };
  for (std::size_t row = 0; row < rows.size(); row += student_width) {
    turn(rows[row], rows[row + 1], 0.7);
    turn(rows[row + 1], rows[row + student_width - 1], -1.9);
  }
  return rows;
}

Values mapped(Values values, double factor, double shift) {
  for (double& value : values) {
    value = factor * value + shift;
  }
  return values;
}

TEST_CASE("Terms on batches do not see what they shall not see", "[loss]") {
  const Values student = student_values(6);
  const auto value = [](const auto& term, const Values& at) {
    return evaluate_term_of(term, at, teacher_values<std::remove_cvref_t<decltype(term)>>(6)).sum();
  };
  const auto is_unseen = [&](const auto& term, const Values& changed) {
    const double before = value(term, student);
    return std::abs(value(term, changed) - before) < 1e-11 * before;
  };
  const Values turned = rotated(student);
  const Values scaled = mapped(student, 3.5, 0.0);
  const Values moved = mapped(student, 1.0, 0.75);
  CHECK(is_unseen(Similarity{}, turned));
  CHECK(is_unseen(Similarity{}, scaled));
  CHECK_FALSE(is_unseen(Similarity{}, moved));
  for (const Relations term : {Relations{.angle_weight = 0}, Relations{.distance_weight = 0}}) {
    CAPTURE(describe_settings(term));
    CHECK(is_unseen(term, turned));
    CHECK(is_unseen(term, scaled));
    CHECK(is_unseen(term, moved));
  }
  CHECK(is_unseen(Profile{}, scaled));
  CHECK_FALSE(is_unseen(Profile{}, turned));
  CHECK(is_unseen(Dist{}, moved));  // logits
  CHECK_FALSE(is_unseen(Dist{}, scaled));
}

TEST_CASE("Dist is 0 where probabilities are a multiple of the teacher's plus a constant", "[loss]") {
  const Values teacher = teacher_values<Dist>(6);
  Values student(teacher.size());
  for (std::size_t row = 0; row < teacher.size(); row += student_width) {
    double sum = 0.0;
    for (std::size_t k = 0; k < student_width; ++k) {
      sum += std::exp(teacher[row + k]);
    }
    for (std::size_t k = 0; k < student_width; ++k) {
      student[row + k] = std::log(0.4 * std::exp(teacher[row + k]) / sum + 0.6 / double{student_width});
    }
  }
  CHECK_THAT(evaluate_term_of(Dist{}, student, teacher).sum(), WithinAbs(0.0, 1e-13));
  CHECK(evaluate_term_of(Dist{.temperature = 2.0}, student, teacher).sum() > 1e-4);
}

// Twins in plain loops.

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}
double length(std::span<const double> a) { return std::sqrt(dot(a, a)); }

/// A matrix by rows.
struct Rows {
  const Values& values;
  std::size_t width;

  std::size_t size() const { return values.size() / width; }
  std::span<const double> operator[](std::size_t row) const { return std::span(values).subspan(row * width, width); }
  Values difference(std::size_t i, std::size_t j) const {
    Values result(width);
    std::ranges::transform((*this)[i], (*this)[j], result.begin(), std::minus<>{});
    return result;
  }
};

double twin(const Similarity& term, const Rows& student, const Rows& teacher) {
  const std::size_t size = student.size();
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    Values row(size);
    Values teacher_row(size);
    for (std::size_t j = 0; j < size; ++j) {
      row[j] = dot(student[i], student[j]);
      teacher_row[j] = dot(teacher[i], teacher[j]);
    }
    for (std::size_t j = 0; j < size; ++j) {
      sum += std::pow(row[j] / length(row) - teacher_row[j] / length(teacher_row), 2);
    }
  }
  return term.weight * sum / static_cast<double>(size * size);
}

double huber(double x) { return std::abs(x) <= 1 ? x * x / 2 : std::abs(x) - 0.5; }

double twin(const Relations& term, const Rows& student, const Rows& teacher) {
  const auto size = static_cast<double>(student.size());
  const auto mean_distance = [&](const Rows& rows) {
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows.size(); ++j) {
        sum += length(rows.difference(i, j));
      }
    }
    return sum / (size * (size - 1));
  };
  const auto cosine = [](const Rows& rows, std::size_t i, std::size_t j, std::size_t k) {
    const Values first = rows.difference(i, j);
    const Values second = rows.difference(k, j);
    return dot(first, second) / (length(first) * length(second));
  };
  double distances = 0.0;
  double angles = 0.0;
  for (std::size_t i = 0; i < student.size(); ++i) {
    for (std::size_t j = 0; j < student.size(); ++j) {
      distances += huber(length(student.difference(i, j)) / mean_distance(student) -
                         length(teacher.difference(i, j)) / mean_distance(teacher));
      for (std::size_t k = 0; k < student.size(); ++k) {
        if (i != j && j != k && i != k) {
          angles += huber(cosine(student, i, j, k) - cosine(teacher, i, j, k));
        }
      }
    }
  }
  return term.distance_weight * distances / (size * size) + term.angle_weight * angles / (size * size * size);
}

double correlation(Values a, Values b) {
  for (Values* values : {&a, &b}) {
    const double mean = std::accumulate(values->begin(), values->end(), 0.0) / static_cast<double>(values->size());
    *values = mapped(*values, 1.0, -mean);
  }
  return dot(a, b) / (length(a) * length(b));
}

double twin(const Dist& term, const Rows& student, const Rows& teacher) {
  const auto softmax = [&](std::span<const double> logits) {
    Values result(logits.begin(), logits.end());
    std::ranges::transform(result, result.begin(), [&](double x) { return std::exp(x / term.temperature); });
    return mapped(result, 1.0 / std::accumulate(result.begin(), result.end(), 0.0), 0.0);
  };
  double of_rows = 0.0;
  double of_columns = 0.0;
  for (std::size_t i = 0; i < student.size(); ++i) {
    of_rows += 1 - correlation(softmax(student[i]), softmax(teacher[i]));
  }
  for (std::size_t k = 0; k < student.width; ++k) {
    Values column(student.size());
    Values teacher_column(student.size());
    for (std::size_t i = 0; i < student.size(); ++i) {
      column[i] = softmax(student[i])[k];
      teacher_column[i] = softmax(teacher[i])[k];
    }
    of_columns += 1 - correlation(column, teacher_column);
  }
  return term.temperature * term.temperature *
         (term.beta * of_rows / static_cast<double>(student.size()) +
          term.gamma * of_columns / static_cast<double>(student.width));
}

double twin(const Profile& term, const Rows& student, const Rows& teacher) {
  // Of 7 units 5 means: units 0-1, 1-2, 2-4, 4-5 and 5-6.
  constexpr std::array<std::pair<std::size_t, std::size_t>, 5> runs{{{0, 2}, {1, 3}, {2, 5}, {4, 6}, {5, 7}}};
  double sum = 0.0;
  for (std::size_t i = 0; i < student.size(); ++i) {
    Values pooled;
    for (const auto& [begin, end] : runs) {
      const auto run = teacher[i].subspan(begin, end - begin);
      pooled.push_back(std::accumulate(run.begin(), run.end(), 0.0) / static_cast<double>(run.size()));
    }
    for (std::size_t j = 0; j < student.width; ++j) {
      sum += std::pow(student[i][j] / length(student[i]) - pooled[j] / length(pooled), 2);
    }
  }
  return term.weight * sum / static_cast<double>(student.values.size());
}

TEST_CASE("A term on a batch is its formula in plain loops", "[loss]") {
  for (const std::size_t size : {3u, 8u, 13u}) {
    const auto check = [&](const auto& term) {
      using T = std::remove_cvref_t<decltype(term)>;
      CAPTURE(T::name, size);
      const Values student = student_values(size);
      const Values teacher = teacher_values<T>(size);
      const double expected = twin(term, Rows{student, student_width}, Rows{teacher, teacher_width_of<T>});
      CHECK_THAT(evaluate_term_of(term, student, teacher).mean(), WithinRel(expected, 1e-12));
    };
    for_every_term(check);
    check(Dist{.temperature = 2.5, .beta = 0.25, .gamma = 3.0});
  }
}

template <std::size_t Student, std::size_t Teacher, typename T>
void check_golden(const T& term, std::span<const double> student, std::span<const double> teacher, double value,
                  std::span<const double> gradient) {
  CAPTURE(describe_settings(term));
  const auto result =
      evaluate<Student, Teacher>(term, Values(student.begin(), student.end()), Values(teacher.begin(), teacher.end()),
                                 1.0 / double{golden::batch_term::samples});
  CHECK_THAT(result.mean(), WithinRel(value, 1e-12));
  const double largest = std::abs(*std::ranges::max_element(gradient, {}, [](double x) { return std::abs(x); }));
  CHECK(test::largest_difference(result.gradient, gradient) < 1e-12 * largest);
}

TEST_CASE("Terms on batches and their gradients are PyTorch's", "[loss]") {
  using namespace golden::batch_term;
  const auto of_features = [](const auto& term, const auto& value, const auto& gradient) {
    check_golden<golden::batch_term::student_width, golden::batch_term::teacher_width>(term, student, teacher, value[0],
                                                                                       gradient);
  };
  of_features(Similarity{}, similarity_preserving_value, similarity_preserving_gradient);
  of_features(Relations{.angle_weight = 0}, distances_value, distances_gradient);
  of_features(Relations{.distance_weight = 0}, angles_value, angles_gradient);
  of_features(Profile{}, activation_profile_value, activation_profile_gradient);
  check_golden<classes, classes>(Dist{}, student_logits, teacher_logits, dist_value[0], dist_gradient);
  check_golden<classes, classes>(Dist{.temperature = 4, .beta = 2, .gamma = 0.5}, student_logits, teacher_logits,
                                 dist_softened_value[0], dist_softened_gradient);
}

TEST_CASE("In float a term on a batch is that of double, at extreme logits too", "[loss]") {
  for_every_term([](const auto& term) {
    using T = std::remove_cvref_t<decltype(term)>;
    CAPTURE(T::name);
    const Values student = student_values(8);
    const Values teacher = teacher_values<T>(8);
    const auto narrow = evaluate<student_width, teacher_width_of<T>>(
        term, std::vector<float>(student.begin(), student.end()), std::vector<float>(teacher.begin(), teacher.end()));
    const auto wide = evaluate_term_of(term, student, teacher);
    CHECK_THAT(narrow.sum(), WithinRel(wide.sum(), 1e-5));
    const double largest = test::largest_difference(wide.gradient, Values(wide.gradient.size(), 0.0));
    CHECK(test::largest_difference(narrow.gradient, wide.gradient) < 1e-5 * largest);
  });
  std::vector<float> logits(4 * student_width);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    logits[i] = i % 3 == 0 ? 1e4f : -1e4f;
  }
  std::vector<float> others = logits;
  std::ranges::reverse(others);
  for (const auto& [student, teacher] :
       {std::pair{logits, others}, std::pair{others, logits}, std::pair{logits, logits}}) {
    const auto result = evaluate<student_width, student_width>(Dist{}, student, teacher);
    CHECK(std::isfinite(result.sum()));
    CHECK(test::largest_difference(result.gradient, std::vector<float>(logits.size())) < 1e4);
  }
}

TEST_CASE("A NaN in the student goes on into the term", "[loss]") {
  for_every_term([](const auto& term) {
    using T = std::remove_cvref_t<decltype(term)>;
    CAPTURE(T::name);
    Values student = student_values(4);
    student[7] = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(evaluate_term_of(term, student, teacher_values<T>(4)).sum()));
  });
}

/// A term whose weight falls to 0 in four epochs.
struct FadingSimilarity : Similarity {
  FadingSimilarity at_epoch(std::size_t epoch) const {
    FadingSimilarity faded = *this;
    faded.weight *= epoch < 4 ? 1.0 - 0.25 * static_cast<double>(epoch) : 0.0;
    return faded;
  }
};

TEST_CASE("Settings of terms on batches are described and checked, and may change with the epoch", "[loss]") {
  CHECK(describe_settings(WithTerm{CrossEntropy{}, Similarity{}}) ==
        "CrossEntropy(label_smoothing=0) + SimilarityPreserving(weight=3000) of layer 1 beside the teacher's layer 2");
  CHECK(describe_settings(WithTerm{CrossEntropy{}, Dist{.gamma = 2}}) ==
        "CrossEntropy(label_smoothing=0) + Dist(temperature=1, beta=1, gamma=2)");
  CHECK(describe_settings(Relations{}) == "Relational(distance_weight=25, angle_weight=50)");
  CHECK(describe_settings(Profile{}) == "ActivationProfile(weight=1000)");
  const auto is_refused = [](const auto& term) {
    try {
      validate_in<float>(WithTerm{CrossEntropy{}, term});
      return false;
    } catch (const OptionError&) {
      return true;
    }
  };
  CHECK_FALSE(is_refused(Relations{.distance_weight = 0}));
  for (const double wrong : {-1.0, HUGE_VAL, std::numeric_limits<double>::quiet_NaN(), 1e-42}) {
    CAPTURE(wrong);
    CHECK(is_refused(Similarity{.weight = wrong}));
    CHECK(is_refused(Relations{.distance_weight = wrong}));
    CHECK(is_refused(Relations{.angle_weight = wrong}));
    CHECK(is_refused(Profile{.weight = wrong}));
    CHECK(is_refused(Dist{.temperature = wrong}));
    CHECK(is_refused(Dist{.beta = wrong}));
    CHECK(is_refused(Dist{.gamma = wrong}));
  }
  CHECK_THROWS_WITH(validate_in<float>(WithTerm{CrossEntropy{}, Dist{.temperature = 0}}),
                    "Dist: temperature is 0, expected a finite number above 0");

  const WithTerm fading{CrossEntropy{}, FadingSimilarity{{.weight = 8}}};
  CHECK(loss_at_epoch(fading, 0).term.weight == 8.0);
  CHECK(loss_at_epoch(fading, 3).term.weight == 2.0);
  CHECK(loss_at_epoch(fading, 9).term.weight == 0.0);
  CHECK(fading.learns_without_label());
}

}  // namespace
