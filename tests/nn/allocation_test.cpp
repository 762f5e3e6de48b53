// SPDX-License-Identifier: MIT
// A program may not allocate where it answers in a microsecond: predict takes nothing from the heap once warmed up.

#include "allocation_count.hpp"

#include <cstddef>
#include <span>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/network.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace {

using namespace retort;
using retort::test::allocations;

using Small = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, LayerNorm<20>, GELU, Linear<20, 10>>;
// Its products need packing buffers far above what Eigen keeps on the stack.
using Large =
    Sequential<Linear<784, 1200>, Dropout<0.5>, ReLU, Linear<1200, 1200>, Dropout<0.5>, ReLU, Linear<1200, 10>>;
using Pooled = Sequential<AvgPool2d<Shape<1, 28, 28>, 2>, Linear<196, 20>, ReLU, Linear<20, 10>>;
using Wide = Sequential<Linear<784, 100>, ReLU, Linear<100, 10>>;

template <Model M>
std::size_t allocations_of_predict(unsigned threads, std::size_t batch) {
  const Network<M> network{Seed{1}, backend::Eigen{threads}};
  const auto inputs = test::random_values<float>(batch * 784, 2);
  std::vector<float> logits(batch * 10);
  // Which thread gets which block is left to chance: each must have had the chance to get one.
  for (int round = 0; round < (threads == 1 ? 1 : 50); ++round) {
    network.predict(inputs, logits);
  }
  const std::size_t before = allocations;
  for (int round = 0; round < 3; ++round) {
    network.predict(inputs, logits);
    for (const std::size_t samples : {batch - batch / 3, std::size_t{1}}) {  // smaller ones too
      network.predict(std::span(inputs).first(samples * 784), std::span(logits).first(samples * 10));
    }
    network.predict(std::span<const float, 784>(inputs.data(), 784));
    network.classify(std::span<const float, 784>(inputs.data(), 784));
  }
  return allocations - before;
}

TEST_CASE("predict allocates nothing once warmed up", "[nn]") {
  if (!test::counts_allocations) {
    retort::test::skip("allocations cannot be counted under a sanitizer");
    return;
  }
  {
    const std::size_t before = allocations;
    const std::vector<float> seen(1000);
    asm volatile("" : : "r"(seen.data()) : "memory");  // a compiler may leave out memory that nobody sees
    const std::size_t counted = allocations - before;
    REQUIRE(counted == 1);
  }
  CHECK(allocations_of_predict<Small>(1, 1) == 0);
  CHECK(allocations_of_predict<Small>(1, 300) == 0);
  CHECK(allocations_of_predict<Pooled>(1, 1) == 0);
  CHECK(allocations_of_predict<Pooled>(1, 64) == 0);
  constexpr std::size_t some = test::brief ? 16 : 64;
  CHECK(allocations_of_predict<Large>(1, some) == 0);
  CHECK(allocations_of_predict<Large>(2, some) == 0);
  CHECK(allocations_of_predict<Small>(2, 600) == 0);
  // A panel for each thread, and then fewer, whose rows they share.
  CHECK(allocations_of_predict<Wide>(3, 3 * simd::tile_width<simd::Vector<float>>) == 0);
}

}  // namespace
