#include "data.hpp"

#include <utility>

#include "retort/core/philox.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/split.hpp"
#include "retort/data/synthetic_digits.hpp"

namespace distill_mnist {

std::pair<retort::data::Dataset, retort::data::Dataset> load_data(const Options& options) {
  auto [train, test] = options.data == "synthetic"
                           ? retort::data::random_split(retort::data::synthetic_digits(70'000, retort::Seed{0}),
                                                        6.0 / 7.0, retort::Seed{0})
                           : retort::data::load_mnist(options.data);
  if (options.split == "random") {
    return retort::data::random_split(train, 0.8, retort::Seed{options.seed});
  }
  if (options.split == "validation") {
    // The same images for every seed, so that a teacher trained once has never seen them.
    return retort::data::random_split(train, 5.0 / 6.0, retort::Seed{0});
  }
  return {std::move(train), std::move(test)};
}

}  // namespace distill_mnist
