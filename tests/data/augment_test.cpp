// SPDX-License-Identifier: MIT
#include "retort/data/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gather.hpp"
#include "small_datasets.hpp"

using namespace retort;
using namespace retort::test;
using data::Augmentation;
using data::View;

namespace {

using Bytes = data::Matrix<std::uint8_t>;

/// One image of 2 x 5 x 5 pixels, all of them different.
data::Dataset one_image(data::Normalization normalization = {}) {
  Bytes pixels(1, 50);
  for (std::size_t i = 0; i < 50; ++i) {
    pixels(0, i) = static_cast<std::uint8_t>(1 + 5 * i);
  }
  return {pixels, data::Labels{0}, 1, {5, 5, 2}, normalization};
}

std::vector<float> mapped(const data::DatasetView& view, const data::PixelMap& map) {
  std::vector<float> output(view.features);
  data::detail::interpolate_row(view, 0, map, {}, {}, output.data());
  return output;
}

/// Checks all pixels against value(channel, row, column), which reads the image by pixel(channel, row, column).
template <typename Value>
void check_map(const data::PixelMap& map, const Value& value) {
  const data::Dataset image = one_image();
  const auto pixel = [&](std::size_t channel, int row, int column) {
    return row < 0 || row > 4 || column < 0 || column > 4
               ? 0.0f
               : static_cast<float>(image.view().bytes[channel * 25 + static_cast<std::size_t>(row * 5 + column)]);
  };
  const std::vector<float> found = mapped(image.view(), map);
  for (std::size_t channel = 0; channel < 2; ++channel) {
    for (int row = 0; row < 5; ++row) {
      for (int column = 0; column < 5; ++column) {
        CAPTURE(channel, row, column);
        const auto at = [&](int r, int c) { return pixel(channel, r, c); };
        CHECK(found[channel * 25 + static_cast<std::size_t>(row * 5 + column)] == value(at, row, column));
      }
    }
  }
}

std::vector<float> view_of(const data::Dataset& data, const View& view, std::uint32_t sample) {
  std::vector<float> output(data.feature_count());
  data::gather_row(data.view(), data::GatherConstants<float>(data.view()), sample, view, output.data());
  return output;
}

constexpr Augmentation everything{
    .shift = 1, .rotation = 25, .scale = 0.2, .shear = 10, .noise = 0.1, .elastic = 1, .elastic_sigma = 2, .mix = 0.5};

}  // namespace

TEST_CASE("shifts of up to two pixels are equally likely") {
  constexpr std::size_t draws = 50'000;
  std::array<std::array<double, 5>, 5> counts{};
  for (std::uint32_t sample = 0; sample < draws; ++sample) {
    const auto [rows, columns] = View{{2}, Seed{9}, 3}.offset(sample);
    REQUIRE((rows >= -2 && rows <= 2 && columns >= -2 && columns <= 2));
    ++counts[static_cast<std::size_t>(rows + 2)][static_cast<std::size_t>(columns + 2)];
  }
  double chi_squared = 0;
  for (const auto& row : counts) {
    for (const double count : row) {
      chi_squared += (count - draws / 25.0) * (count - draws / 25.0) / (draws / 25.0);
    }
  }
  CHECK(chi_squared < 60);  // 24 degrees of freedom: passed by chance but once in 15,000
}

TEST_CASE("a shift is a pure function of seed, epoch and sample, and depends on each") {
  const auto sequence = [](std::uint64_t seed, std::uint32_t epoch, std::uint64_t first) {
    std::array<data::PixelOffset, 16> offsets;
    for (std::uint64_t i = 0; i < offsets.size(); ++i) {
      offsets[i] = View{{3}, Seed{seed}, epoch}.offset(first + i);
    }
    return offsets;
  };
  CHECK(sequence(1, 1, 1) == sequence(1, 1, 1));
  CHECK(sequence(1, 1, 1) != sequence(2, 1, 1));
  CHECK(sequence(1, 1, 1) != sequence(1, 2, 1));
  CHECK(sequence(1, 1, 1) != sequence(1, 1, 2));
}

TEST_CASE("no pixels, no shift") {
  for (std::uint32_t sample = 0; sample < 100; ++sample) {
    CHECK(View{{0}, Seed{1}, 0}.offset(sample) == data::PixelOffset{});
  }
}

TEST_CASE("quarter turns are exact, anticlockwise") {
  check_map({90, 1, 0, {}}, [](const auto& at, int row, int column) { return at(column, 4 - row); });
  check_map({-90, 1, 0, {}}, [](const auto& at, int row, int column) { return at(4 - column, row); });
  check_map({180, 1, 0, {}}, [](const auto& at, int row, int column) { return at(4 - row, 4 - column); });
  check_map({90, 1, 0, {1, -2}}, [](const auto& at, int row, int column) { return at(column + 2, 5 - row); });
}

TEST_CASE("known factors and slants are exact") {
  check_map({0, 2, 0, {}}, [](const auto& at, int row, int column) {
    // Output pixels lie half a pixel apart in the image, from pixel (1, 1) on.
    const auto in_row = [&](int r) { return (at(r, 1 + column / 2) + at(r, 1 + (column + 1) / 2)) / 2; };
    return (in_row(1 + row / 2) + in_row(1 + (row + 1) / 2)) / 2;
  });
  check_map({0, 0.5, 0, {}}, [](const auto& at, int row, int column) { return at(2 * row - 2, 2 * column - 2); });
  check_map({0, 1, 45, {}}, [](const auto& at, int row, int column) { return at(row, column - (row - 2)); });
  // Resized and slanted first, then turned.
  check_map({90, 0.5, 45, {}}, [](const auto& at, int row, int column) {
    const int down = column - 2;
    const int right = 2 - row;
    return at(2 + 2 * down, 2 + 2 * (right - down));
  });
}

TEST_CASE("sine and cosine are the library's") {
  for (double degrees = -360; degrees <= 360; degrees += 3.75) {
    const auto [sine, cosine] = data::detail::sine_cosine(degrees);
    CHECK_THAT(sine, WithinAbs(std::sin(degrees * std::numbers::pi / 180), 3e-9));
    CHECK_THAT(cosine, WithinAbs(std::cos(degrees * std::numbers::pi / 180), 3e-9));
  }
}

TEST_CASE("amounts of 0 leave every bit, with a shift and without") {
  const data::Dataset bytes = one_image({0.1307, 0.3081});
  const data::Dataset reals{data::Matrix<float>{{0.1f, 2, 3, 4, 5, -6.5f}}, data::Labels{0}, 1, {2, 3}, {0.3, 0.7}};
  for (const data::Dataset* dataset : {&bytes, &reals}) {
    const data::DatasetView view = dataset->view();
    const data::GatherConstants<float> constants(view);
    std::vector<float> expected(view.features);
    for (const std::size_t pixels : {0u, 1u}) {
      const View shifted{{pixels}, Seed{3}, 2};
      data::gather_row(view, constants, 0, shifted.offset(0), expected.data());
      CHECK(view_of(*dataset, shifted, 0) == expected);
      CHECK(view_of(*dataset, {{.shift = pixels, .elastic_sigma = 9}, Seed{3}, 2}, 0) == expected);
      // The map of amounts of 0, too, is that shift.
      std::vector<float> raw = mapped(view, shifted.pixel_map(0));
      std::transform(raw.begin(), raw.end(), raw.begin(), constants);
      CHECK(raw == expected);
    }
  }
}

TEST_CASE("a distorted row is its features") {
  const data::Dataset bytes = one_image({0.5, 0.5});
  const data::DatasetView view = bytes.view();
  for (const Augmentation& augmentation :
       {everything, Augmentation{.rotation = 25}, Augmentation{.scale = 0.3}, Augmentation{.shift = 1, .noise = 0.2},
        Augmentation{.elastic = 1}, Augmentation{.shift = 1}}) {
    const View augmented{augmentation, Seed{3}, 2};
    const std::vector<float> row = view_of(bytes, augmented, 0);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const float feature = data::gathered_feature(view, data::GatherConstants<float>(view), 0, augmented, i);
      CHECK_THAT(row[i], WithinAbs(feature, 1e-6));
    }
  }
}

TEST_CASE("images of every shape are interpolated as pixel by pixel, to the last bit") {
  // One pixel, one line, odd ones, a block wide and a pixel more, the largest that is interpolated in blocks and some
  // beyond it.
  for (const data::ImageShape image :
       {data::ImageShape{1, 1}, data::ImageShape{1, 40}, data::ImageShape{40, 1}, data::ImageShape{7, 5, 3},
        data::ImageShape{2, 16}, data::ImageShape{5, 17, 2}, data::ImageShape{1, 17}, data::ImageShape{3, 61, 2},
        data::ImageShape{61, 61}, data::ImageShape{62, 3}, data::ImageShape{3, 62}}) {
    const std::size_t features = image.rows * image.columns * image.channels;
    Bytes pixels(2, features);
    for (std::size_t i = 0; i < 2 * features; ++i) {
      pixels(i / features, i % features) = static_cast<std::uint8_t>(255 - i * i % 251);
    }
    const data::Dataset images{pixels, data::Labels{0, 0}, 1, image};
    for (const View& view : {View{{.shift = 2, .rotation = 180, .scale = 0.9, .shear = 45}, Seed{1}, 4},
                             View{{.rotation = 10, .scale = 0.1, .shear = 5}, Seed{1}, 5},
                             View{{.shift = 1, .rotation = 10, .elastic = 1.4}, Seed{1}, 6},
                             View{{.elastic = 16, .elastic_sigma = 1}, Seed{1}, 7},
                             View{{.elastic = 0.5, .elastic_sigma = 1000}, Seed{1}, 8}}) {
      CAPTURE(image.rows, image.columns, image.channels, view.index);
      std::vector<float> row(features + 1, -9.0f);
      data::gather_row(images.view(), data::GatherConstants<float>{}, 1, view, row.data());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < features; ++i) {
        wrong += row[i] == data::distorted_feature(images.view(), data::GatherConstants<float>{}, 1, view, i) ? 0u : 1u;
      }
      CHECK(wrong == 0);
      CHECK(row.back() == -9.0f);
    }
  }
}

TEST_CASE("a view is a pure function of seed, index and sample, and depends on each") {
  const data::Dataset data{
      Bytes{{9, 80, 7, 200, 5, 64}, {9, 80, 7, 200, 5, 64}, {90, 8, 70, 20, 50, 6}}, data::Labels{0, 0, 0}, 1, {2, 3}};
  for (const Augmentation& augmentation :
       {Augmentation{.rotation = 90}, Augmentation{.scale = 0.5}, Augmentation{.shear = 45}, Augmentation{.noise = 0.1},
        Augmentation{.elastic = 1, .elastic_sigma = 1}, Augmentation{.mix = 1}, everything}) {
    CAPTURE(describe_settings(augmentation));
    const auto moved = view_of(data, {augmentation, Seed{1}, 4}, 0);
    CHECK(moved == view_of(data, {augmentation, Seed{1}, 4}, 0));
    CHECK(moved != view_of(data, {augmentation, Seed{2}, 4}, 0));
    CHECK(moved != view_of(data, {augmentation, Seed{1}, 5}, 0));
    CHECK(moved != view_of(data, {augmentation, Seed{1}, 4}, 1));
    CHECK(moved != view_of(data, {{}, Seed{1}, 4}, 0));
  }
}

TEST_CASE("each amount is drawn evenly between its limits, whatever the others are") {
  constexpr std::uint32_t draws = 4000;
  const auto angle = [](const data::PixelMap& map) {
    return std::atan2(static_cast<double>(map.row_by_column), static_cast<double>(map.row_by_row)) * 180 /
           std::numbers::pi;
  };
  double sum = 0;
  double squares = 0;
  for (std::uint32_t sample = 0; sample < draws; ++sample) {
    const data::PixelMap map = View{everything, Seed{9}, 3}.pixel_map(sample);
    CHECK(map.shift == View{{.shift = 1}, Seed{9}, 3}.offset(sample));
    REQUIRE(std::abs(angle(map)) <= 25.001);
    CHECK_THAT(angle(map), WithinAbs(angle(View{{.rotation = 25}, Seed{9}, 3}.pixel_map(sample)), 1e-3));
    const auto resized = static_cast<double>(View{{.scale = 0.2}, Seed{9}, 3}.pixel_map(sample).row_by_row);
    REQUIRE((resized > data::PixelMap::one / 1.2001 && resized < data::PixelMap::one / 0.7999));
    sum += angle(map) / 25;
    squares += angle(map) * angle(map) / 625;
  }
  const View view{everything, Seed{9}, 3};
  const RandomStream of_shifts{Seed{9}, Stream::augmentation, 3};
  const RandomStream of_maps{Seed{9}, Stream::augmentation, 3, 1};
  CHECK_FALSE(view.noise_words(0, 25, 0) == of_shifts.block(0));
  CHECK_FALSE(view.noise_words(0, 25, 0) == of_maps.block(0));
  CHECK_THAT(sum / draws, WithinAbs(0, 0.04));             // deviation 0.009
  CHECK_THAT(squares / draws, WithinAbs(1.0 / 3, 0.025));  // deviation 0.005
}

TEST_CASE("elastic displacements have the stated deviation and change as smoothly as a Gaussian makes them") {
  constexpr data::ImageShape image{28, 28};
  constexpr double one = 1 << 21;
  for (const double sigma : {2.0, 4.0}) {
    CAPTURE(sigma);
    const View view{{.elastic = 1.5, .elastic_sigma = sigma}, Seed{9}, 3};
    const auto apart = static_cast<std::size_t>(2 * sigma);
    double sum = 0;
    double squares = 0;
    double down_by_right = 0;
    double products = 0;
    double largest_step = 0;
    double count = 0;
    for (std::uint32_t sample = 0; sample < 60; ++sample) {
      const data::ElasticField field = view.elastic_field(sample, image);
      for (std::size_t row = 0; row < 28 - apart; row += 5) {
        for (std::size_t column = 0; column < 28 - apart; column += 3) {
          const auto [rows, columns] = field(row, column);
          const double down = rows / one;
          const double right = columns / one;
          sum += down + right;
          squares += down * down + right * right;
          down_by_right += down * right;
          products += down * field(row + apart, column).rows / one + right * field(row, column + apart).columns / one;
          largest_step = std::max(largest_step, std::abs(down - field(row, column + 1).rows / one));
          count += 2;
        }
      }
    }
    CHECK_THAT(sum / count, WithinAbs(0, 0.12));
    CHECK_THAT(std::sqrt(squares / count), WithinRel(1.5, 0.05));
    CHECK_THAT(down_by_right / squares, WithinAbs(0, 0.04));
    CHECK_THAT(products / squares, WithinAbs(std::exp(-1.0), 0.06));  // exp(-(distance / (2 sigma))^2)
    CHECK(largest_step < 6 / sigma);                                  // without smoothing some are above 5
  }
}

TEST_CASE("a mixture is what its two samples give, each under the view, by its share") {
  const data::Dataset images = noise_images(9, {5, 6}, 3, 1, {.mean = 0.5, .standard_deviation = 0.5});
  const data::Dataset reals = clouds(9, 7, 3, 2);
  for (const Augmentation& unmixed :
       {Augmentation{}, Augmentation{.shift = 2}, Augmentation{.rotation = 30, .elastic = 1}}) {
    for (const data::Dataset* dataset : {&images, &reals}) {
      if (dataset == &reals && unmixed.is_set()) {
        continue;
      }
      Augmentation augmentation = unmixed;
      augmentation.mix = 0.8;
      const View mixing{augmentation, Seed{3}, 2};
      for (std::uint32_t sample = 0; sample < 9; ++sample) {
        const auto [other, share] = mixing.mixing(sample, dataset->size());
        const std::vector<float> own = view_of(*dataset, {unmixed, Seed{3}, 2}, sample);
        const std::vector<float> added = view_of(*dataset, {unmixed, Seed{3}, 2}, other);
        const std::vector<float> found = view_of(*dataset, mixing, sample);
        for (std::size_t i = 0; i < own.size(); ++i) {
          CHECK_THAT(double{found[i]}, WithinAbs((1 - share) * double{own[i]} + share * double{added[i]}, 1e-5));
        }
      }
    }
  }
}

TEST_CASE("each sample, and each share up to the limit, is as likely to be mixed in") {
  constexpr std::uint32_t draws = 10'000;
  const View view{{.mix = 0.6}, Seed{9}, 3};
  std::vector<std::size_t> drawn(10);
  double sum = 0;
  double squares = 0;
  for (std::uint32_t sample = 0; sample < draws; ++sample) {
    const auto [other, share] = view.mixing(sample, drawn.size());
    REQUIRE(other < drawn.size());
    REQUIRE((share >= 0 && share < 0.6));
    ++drawn[other];
    sum += share / 0.6;
    squares += share * share / 0.36;
  }
  for (const std::size_t count : drawn) {
    CHECK_THAT(static_cast<double>(count), WithinAbs(1000, 130));  // deviation 30
  }
  CHECK_THAT(sum / draws, WithinAbs(0.5, 0.013));          // deviation 0.003
  CHECK_THAT(squares / draws, WithinAbs(1.0 / 3, 0.013));  // deviation 0.003
  CHECK_FALSE(view.noise_words(0, 1, 0) == RandomStream{Seed{9}, Stream::augmentation, 3, 4}.block(0));
}

TEST_CASE("noise is normal, of the stated deviation in the features' own units") {
  const data::Dataset grey{Bytes(30, 601), data::Labels(30), 1, {}, {0.5, 0.5}};
  const data::Dataset reals{data::Matrix<float>(30, 601), data::Labels(30), 1};
  for (const data::Dataset* dataset : {&grey, &reals}) {
    const double mean = dataset == &grey ? -1 : 0;           // a byte of 0, normalised
    const double deviation = dataset == &grey ? 0.5 : 0.25;  // 0.25, normalised
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    for (std::uint32_t sample = 0; sample < 30; ++sample) {
      for (const float value : view_of(*dataset, {{.noise = 0.25}, Seed{5}, 0}, sample)) {
        const double x = (double{value} - mean) / deviation;
        sum += x;
        squares += x * x;
        fourths += x * x * x * x;
      }
    }
    constexpr double count = 30 * 601;
    CHECK_THAT(sum / count, WithinAbs(0, 0.04));      // deviation 0.0075
    CHECK_THAT(squares / count, WithinAbs(1, 0.05));  // 0.011
    CHECK_THAT(fourths / count, WithinAbs(3, 0.4));   // 0.07
  }
}

TEST_CASE("amounts must be in their ranges and fit the samples") {
  const auto refusal = [](const Augmentation& augmentation, data::ImageShape image = {28, 28}) {
    return message_of<OptionError>([&] { augmentation.validate(image); });
  };
  CHECK(refusal(everything) == "<no exception>");
  CHECK(refusal({.shift = 27, .rotation = 180, .scale = 0.9, .shear = 45, .noise = 1, .elastic = 16}) ==
        "<no exception>");
  CHECK(refusal({}, {}) == "<no exception>");
  CHECK(refusal({.noise = 1, .mix = 1}, {}) == "<no exception>");
  CHECK(refusal({.rotation = 180}, {1, 1}) == "<no exception>");
  CHECK(refusal({.rotation = -1}) == "augmentation: rotation is -1, expected a number of degrees in [0, 180]");
  CHECK(refusal({.scale = 1}) == "augmentation: scale is 1, expected a number in [0, 0.9]");
  CHECK(refusal({.shear = 46}) == "augmentation: shear is 46, expected a number of degrees in [0, 45]");
  CHECK(refusal({.elastic = 16.5}) == "augmentation: elastic is 16.5, expected a number of pixels in [0, 16]");
  CHECK(refusal({.elastic_sigma = 0.9}) ==
        "augmentation: elastic_sigma is 0.9, expected a number of pixels in [1, 1000]");
  CHECK(refusal({.elastic = 1}, {}) == "augmentation: elastic is 1, expected 0, as the samples are no images");
  CHECK(refusal({.mix = 1.5}) == "augmentation: mix is 1.5, expected a number in [0, 1]");
  CHECK(refusal({.noise = -0.5}, {}) == "augmentation: noise is -0.5, expected a number in [0, 1000000]");
  for (double Augmentation::* const amount :
       {&Augmentation::rotation, &Augmentation::scale, &Augmentation::shear, &Augmentation::noise,
        &Augmentation::elastic, &Augmentation::elastic_sigma, &Augmentation::mix}) {
    for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      Augmentation augmentation;
      augmentation.*amount = value;
      CHECK(contains(refusal(augmentation), "expected a number"));
    }
  }
  CHECK(refusal({.shift = std::size_t{1} << 31}, {std::size_t{1} << 32, std::size_t{1} << 32}) ==
        "augmentation: shift is 2147483648, expected a number of pixels below 2^31");
  CHECK(refusal({.shift = 28}) == "augmentation: shift is 28, expected less than the image's extents 28 x 28");
  CHECK(contains(refusal({.shift = 3}, {28, 3}), "28 x 3"));
  CHECK(refusal({.shift = 1}, {}) == "augmentation: shift is 1, expected 0, as the samples are no images");
  CHECK(refusal({.rotation = 10}, {}) == "augmentation: rotation is 10, expected 0, as the samples are no images");
}
