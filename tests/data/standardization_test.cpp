// SPDX-License-Identifier: MIT
#include "retort/data/standardization.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/dataset.hpp"

using namespace retort;
using namespace retort::test;
using data::Dataset;
using data::Standardization;

namespace {

using Bytes = data::Matrix<std::uint8_t>;
using Reals = data::Matrix<float>;

Dataset metres_and_grams() { return {Reals{{1, 4000}, {2, 1000}, {3, 1000}, {6, 2000}}, {0, 1, 0, 1}, 2}; }

}  // namespace

TEST_CASE("a standardization has each column's mean and deviation by the number of samples") {
  const Standardization found = Standardization::fit(metres_and_grams());
  CHECK(found.means == std::vector<double>{3, 2000});
  REQUIRE(found.deviations.size() == 2);
  CHECK_THAT(found.deviations[0], WithinAbs(std::sqrt(14.0 / 4), 1e-15));
  CHECK_THAT(found.deviations[1], WithinAbs(std::sqrt(6e6 / 4), 1e-12));
  CHECK(Standardization::fit({Bytes{{0}, {255}}, {0, 0}, 1}) == Standardization{{127.5}, {127.5}});
}

TEST_CASE("what was standardised has mean 0 and deviation 1, and remembers how") {
  const Dataset raw = metres_and_grams().with_class_names({"light", "heavy"});
  const Standardization fitted = Standardization::fit(raw);
  const Dataset done = fitted.apply(raw);
  CHECK(done.standardization() == fitted);
  CHECK(raw.standardization().empty());
  CHECK(done.labels() == raw.labels());
  CHECK(done.class_names() == raw.class_names());
  CHECK(done.subset(std::vector<std::uint32_t>{1}).standardization() == fitted);
  CHECK(done.with_class_names({"a", "b"}).standardization() == fitted);
  const auto& values = std::get<Reals>(done.features());
  for (std::size_t column = 0; column < 2; ++column) {
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < 4; ++row) {
      sum += double{values(row, column)};
      squares += double{values(row, column)} * double{values(row, column)};
    }
    CHECK_THAT(sum, WithinAbs(0, 1e-6));
    CHECK_THAT(squares / 4, WithinAbs(1, 1e-6));
  }
  const Dataset other = fitted.apply({Reals{{3, 2000}}, {0}, 1});
  CHECK(std::get<Reals>(other.features()) == Reals{{0, 0}});
}

TEST_CASE("a constant column becomes zeros, whatever its value") {
  // The mean of ten times 0.1f is not 0.1f in double where it is summed and divided.
  const Dataset dataset{Reals(10, 1, std::vector<float>(10, 0.1f)), data::Labels(10), 1};
  const Standardization fitted = Standardization::fit(dataset);
  CHECK(fitted == Standardization{{double{0.1f}}, {1}});
  CHECK(std::get<Reals>(fitted.apply(dataset).features()) == Reals(10, 1));
}

TEST_CASE("bytes become real numbers, normalised no further") {
  const Dataset images{Bytes{{0, 255}, {10, 245}}, {0, 1}, 2, {1, 2}, {0.5, 0.5}};
  const Dataset done = Standardization::fit(images).apply(images);
  CHECK(std::get<Reals>(done.features()) == Reals{{-1, 1}, {1, -1}});
  CHECK(done.normalization() == data::Normalization{});
  CHECK(done.image() == images.image());
}

TEST_CASE("a standardization that cannot be applied is refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto refused = [](const Standardization& standardization) {
    return message_of<OptionError>([&] { standardization.apply(metres_and_grams()); });
  };
  CHECK(contains(refused({{1, 2}, {1}}), "2 means and 1 deviations"));
  CHECK(contains(refused({{1, infinity}, {1, 1}}), "mean of column 1 is inf"));
  CHECK(contains(refused({{1, std::nan("")}, {1, 1}}), "mean of column 1 is nan"));
  for (const double wrong : {0.0, -1.0, infinity, std::nan("")}) {
    CHECK(contains(refused({{1, 2}, {wrong, 1}}), "deviation of column 0"));
  }
  const Standardization fitted = Standardization::fit(metres_and_grams());
  CHECK(
      contains(message_of<ShapeError>([&] { fitted.apply({Reals{{1}}, {0}, 1}); }), "of 2 columns, the dataset has 1"));
  CHECK(contains(message_of<ShapeError>([&] { Standardization({0, 0}, {1, 1e-38}).apply(metres_and_grams()); }),
                 "feature 1 of sample 0 becomes"));
  const Dataset done = fitted.apply(metres_and_grams());
  CHECK(contains(message_of<OptionError>([&] { fitted.apply(done); }), "standardised already"));
  CHECK(contains(message_of<OptionError>([&] { Standardization::fit(done); }), "standardised already"));
}
