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
bool allocates_nothing(unsigned threads, std::size_t batch) {
  const Network<M> network{Seed{1}, backend::Eigen{threads}};
  const auto inputs = test::random_values<float>(batch * 784, 2);
  std::vector<float> logits(batch * 10);
  const auto ask = [&] {
    const std::size_t before = allocations;
    network.predict(inputs, logits);
    for (const std::size_t samples : {batch - batch / 3, std::size_t{1}}) {  // smaller ones too
      network.predict(std::span(inputs).first(samples * 784), std::span(logits).first(samples * 10));
    }
    network.predict(std::span<const float, 784>(inputs.data(), 784));
    network.classify(std::span<const float, 784>(inputs.data(), 784));
    return allocations - before;
  };
  network.predict(inputs, logits);
  // Which thread gets which block is left to chance, and one that gets its first allocates: of a busy machine's threads
  // one may sleep for long. Three rounds in a row are to allocate nothing, of one thread the first three.
  constexpr int wanted = 3;
  const int rounds = threads == 1 ? wanted : 1000;
  int quiet = 0;
  for (int round = 0; round < rounds && quiet < wanted; ++round) {
    quiet = ask() == 0 ? quiet + 1 : 0;
  }
  return quiet == wanted;
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
  CHECK(allocates_nothing<Small>(1, 1));
  CHECK(allocates_nothing<Small>(1, 300));
  CHECK(allocates_nothing<Pooled>(1, 1));
  CHECK(allocates_nothing<Pooled>(1, 64));
  constexpr std::size_t some = test::brief ? 16 : 64;
  CHECK(allocates_nothing<Large>(1, some));
  CHECK(allocates_nothing<Large>(2, some));
  CHECK(allocates_nothing<Small>(2, 600));
  // A panel for each thread, and then fewer, whose rows they share.
  CHECK(allocates_nothing<Wide>(3, 3 * simd::tile_width<simd::Vector<float>>));
}

}  // namespace
