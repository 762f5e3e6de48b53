// SPDX-License-Identifier: MIT
#include "retort/train/tabulate_logits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "by_operations.hpp"
#include "catch.hpp"
#include "data/data_test.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/save_views.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::contains;
using retort::test::message_of;
using retort::test::same_bits;

/// It answers a dataset and a gathered batch by the same operations.
using TeacherModel =
    test::ByOperations<Shape<1, 5, 6>, Linear<30, 24>, BatchNorm<24>, Dropout<0.5>, ReLU, Linear<24, 4>>;
using Student = Network<Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

template <typename Scalar = float>
Network<TeacherModel, backend::Eigen, Scalar> trained_teacher() {
  Network<TeacherModel, backend::Eigen, Scalar> teacher{Seed{3}};
  Trainer trainer{teacher, CrossEntropy{}, Adam{.learning_rate = 1e-2}};
  trainer.fit(images(), {.epochs = 3, .batch_size = 25});
  return teacher;
}

/// What another program does: reads the pixels, answers each view, and saves its answers in the views' order.
/// answer(pixels) of a view, (75, 30), gives its logits, (75, 4).
template <typename T, typename Answer>
void answer_outside(const std::filesystem::path& views, const std::filesystem::path& logits, const Answer& answer) {
  const data::Dataset pixels = data::load_unlabelled_npy(views);  // (views, all of a view)
  const auto& rows = std::get<data::Matrix<T>>(pixels.features());
  std::vector<float> answers;
  for (std::size_t view = 0; view < rows.rows(); ++view) {
    const std::vector<float> some = answer(std::vector<T>(rows.row(view).begin(), rows.row(view).end()));
    answers.insert(answers.end(), some.begin(), some.end());
  }
  const std::size_t shape[] = {rows.rows(), 75, 4};
  data::detail::write_npy(logits, "<f4", false, shape, std::as_bytes(std::span<const float>(answers)));
  std::filesystem::copy_file(views.string() + ".json", logits.string() + ".json");
}

TEST_CASE("A network's table holds its answers to a dataset", "[train]") {
  const auto teacher = trained_teacher();
  const auto table = tabulate_logits(teacher, images());
  const std::vector<float> expected = predict_all(teacher, images());
  CHECK(std::ranges::equal(table.logits().values(), expected));
  CHECK(table.views() == 1);
  CHECK_NOTHROW(table.require_made_for(images(), {}, {}, 4));

  // In double, rounded.
  const auto precise = trained_teacher<double>();
  const std::vector<double> answers = predict_all(precise, images());
  const auto rounded = tabulate_logits(precise, images());
  CHECK(std::ranges::equal(rounded.logits().values(), answers, {}, {}, [](double x) { return static_cast<float>(x); }));
}

TEST_CASE("What another program answers to saved views teaches what the network here teaches, bit for bit", "[train]") {
  const test::TemporaryFolder folder;
  const auto teacher = trained_teacher();
  const FitOptions options{
      .epochs = 4, .batch_size = 16, .augmentation = {.shift = 1}, .views = {.count = 2, .seed = Seed{9}}};
  data::save_views(folder / "views.npy", images(), options.augmentation, options.views);
  answer_outside<std::uint8_t>(folder / "views.npy", folder / "logits.npy", [&](std::vector<std::uint8_t> pixels) {
    return predict_all(
        teacher,
        data::Dataset{data::Matrix<std::uint8_t>(75, 30, std::move(pixels)), {5, 6}, images().normalization()});
  });
  const auto table = data::load_teacher_logits(folder / "logits.npy");
  CHECK((table.logits() == tabulate_logits(teacher, images(), options.augmentation, options.views).logits()));

  Student by_network{Seed{1}};
  DistillationTrainer{teacher, by_network, HintonLoss{}, Adam{}}.fit(images(), options);
  Student by_table{Seed{1}};
  DistillationTrainer distiller{table, by_table, HintonLoss{}, Adam{}};
  distiller.fit(images(), options);
  CHECK(same_bits(by_table.parameter_arena(), by_network.parameter_arena()));

  const auto refusal = [&](const data::Dataset& data, const data::Augmentation& augmentation, data::Views views) {
    return message_of<OptionError>(
        [&] { distiller.fit(data, {.epochs = 1, .augmentation = augmentation, .views = views}); });
  };
  const std::string other = "made for other inputs";
  CHECK(contains(refusal(images(), {.shift = 1}, {.count = 2, .seed = Seed{8}}), other));
  CHECK(contains(refusal(images(), {.shift = 2}, options.views), other));
  CHECK(contains(refusal(images(), {.shift = 1, .noise = 0.1}, options.views), other));
  CHECK(contains(refusal(test::noise_images(75, {5, 6}, 4, 2), {.shift = 1}, options.views), other));
}

TEST_CASE("Another program's answers to distorted views are those of the network here but for roundings", "[train]") {
  const test::TemporaryFolder folder;
  const auto teacher = trained_teacher();
  const data::Augmentation augmentation{.shift = 1, .rotation = 15, .noise = 0.1, .elastic = 0.5};
  const data::Views views{.count = 3, .seed = Seed{2}};
  data::save_views(folder / "views.npy", images(), augmentation, views);
  answer_outside<float>(folder / "views.npy", folder / "logits.npy", [&](std::vector<float> pixels) {
    std::vector<float> logits(75 * 4);
    std::ranges::transform(pixels, pixels.begin(), [](float pixel) { return pixel / 127.5f - 1; });
    teacher.predict(pixels, logits);
    return logits;
  });
  const auto outside = data::load_teacher_logits(folder / "logits.npy");
  const auto inside = tabulate_logits(teacher, images(), augmentation, views);
  CHECK(test::largest_difference(outside.logits().values(), inside.logits().values()) < 1e-4);
  CHECK(outside.inputs_fingerprint() == inside.inputs_fingerprint());
  const auto first = inside.logits().values().first(75 * 4);
  CHECK(test::largest_difference(first, inside.logits().values().subspan(75 * 4, 75 * 4)) > 0.1);
}

TEST_CASE("A network tells what it cannot answer", "[train]") {
  const auto teacher = trained_teacher();
  const auto refusal = [&](const data::Augmentation& augmentation, std::size_t count) {
    return message_of<OptionError>([&] { tabulate_logits(teacher, images(), augmentation, {.count = count}); });
  };
  const std::string expected = ", expected 0, or a number from 1 to 2^32 - 1 beside an augmentation";
  CHECK(refusal({.shift = 1}, 0) == "tabulate_logits: views.count is 0" + expected);
  CHECK(refusal({}, 2) == "tabulate_logits: views.count is 2" + expected);
  CHECK(contains(refusal({.shift = 5}, 2), "shift is 5, expected less than the image's extents 5 x 6"));
  CHECK_THROWS_AS(tabulate_logits(teacher, test::clouds(20, 29, 4, 1)), ShapeError);
  CHECK_THROWS_AS(tabulate_logits(teacher, images().with_normalization({.mean = 0.25})), OptionError);
  auto broken = trained_teacher();
  broken.parameter(0)[0] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(tabulate_logits(broken, images()), Error);
}

}  // namespace
