// SPDX-License-Identifier: MIT
#include "retort/core/philox.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <tuple>
#include <type_traits>
#include <vector>

#include "catch.hpp"

using retort::PhiloxBlock;
using retort::RandomSequence;
using retort::RandomStream;
using retort::Seed;
using retort::Stream;
using retort::internal::philox4x32;

// Known answers: kat_vectors of Random123, philox4x32 with 10 rounds. Evaluated by the compiler and at run time.
static_assert(philox4x32({0, 0, 0, 0}, 0, 0) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});

TEST_CASE("Philox gives the known answers") {
  struct Answer {
    PhiloxBlock counter;
    std::uint32_t key0;
    std::uint32_t key1;
    PhiloxBlock words;
  };
  const std::vector<Answer> answers{{{0, 0, 0, 0}, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                                    {{~0u, ~0u, ~0u, ~0u}, ~0u, ~0u, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                                    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                     0xa4093822,
                                     0x299f31d0,
                                     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Answer& answer : answers) {
    REQUIRE(philox4x32(answer.counter, answer.key0, answer.key1) == answer.words);
  }
}

TEST_CASE("a stream is the generator at its counter: element, step, stream and substream, keyed by the seed") {
  const Seed seed{0x299f31d0a4093822u};
  const RandomStream stream{seed, Stream::dropout, 77, 5};
  const std::uint64_t far = (std::uint64_t{3} << 32) + 9;
  REQUIRE(stream.block(far) == philox4x32({9, 3, 77, 2 | 5 << 8}, 0xa4093822, 0x299f31d0));
  for (std::uint64_t element = 0; element < 64; ++element) {
    REQUIRE(stream.word(element) == stream.block(element / 4)[static_cast<std::uint32_t>(element % 4)]);
  }
  const auto [w0, w1, w2, w3] = stream.block(0);
  REQUIRE(stream.word(0) == w0);
  REQUIRE(stream.word(1) == w1);
  REQUIRE(stream.word(2) == w2);
  REQUIRE(stream.word(3) == w3);
}

TEST_CASE("blocks drawn side by side are the blocks drawn one by one") {
  const RandomStream stream{Seed{0x123456789abcdefu}, Stream::augmentation, 8, 9};
  // The second start makes the counter carry into its second word.
  for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 3, std::uint64_t{12345}}) {
    std::array<std::uint32_t, 32> words{};
    stream.fill_blocks<8>(first, words);
    for (std::size_t index = 0; index < words.size(); ++index) {
      REQUIRE(words[index] == stream.block(first + index / 4)[index % 4]);
    }
  }
}

TEST_CASE("blocks at a stride are the blocks drawn one by one") {
  const RandomStream stream{Seed{0x123456789abcdefu}, Stream::dropout, 8, 9};
  for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 300, std::uint64_t{12345}}) {
    for (const std::uint64_t stride : {std::uint64_t{1}, std::uint64_t{5}, std::uint64_t{300}}) {
      std::array<std::array<std::uint32_t, 16>, 4> words{};
      stream.fill_strided_blocks<16>(first, stride, words);
      for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t word = 0; word < 4; ++word) {
          REQUIRE(words[word][i] == stream.block(first + i * stride)[word]);
        }
      }
    }
  }
}

TEST_CASE("streams that differ in seed, stream, step or substream share no block") {
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>> seen;
  std::size_t blocks = 0;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
    for (const Stream stream : {Stream::initialization, Stream::shuffle, Stream::dropout, Stream::augmentation,
                                Stream::split, Stream::synthetic}) {
      for (const std::uint32_t step : {0u, 1u, 2u, 1u << 31}) {
        for (const std::uint32_t substream : {0u, 1u, 2u, 255u, (1u << 24) - 1}) {
          for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
            const auto [w0, w1, w2, w3] = RandomStream(Seed{seed}, stream, step, substream).block(index);
            seen.emplace(w0, w1, w2, w3);
            ++blocks;
          }
        }
      }
    }
  }
  REQUIRE(seen.size() == blocks);
}

TEMPLATE_TEST_CASE("uniform01 is at least 0 and below 1", "", float, double) {
  using retort::internal::uniform01;
  STATIC_REQUIRE(uniform01<TestType>(0) == TestType(0));
  STATIC_REQUIRE(uniform01<TestType>(~0u) < TestType(1));
  STATIC_REQUIRE(uniform01<TestType>(~0u) == TestType(1) - TestType(1) / 16777216);
  STATIC_REQUIRE(uniform01<TestType>(1u << 31) == TestType(0.5));
  const RandomStream stream{Seed{7}, Stream::synthetic, 0};
  double sum = 0.0;
  double sum_of_squares = 0.0;
  constexpr std::uint64_t draws = 100000;
  for (std::uint64_t element = 0; element < draws; ++element) {
    const TestType value = stream.uniform<TestType>(element);
    REQUIRE((value >= TestType(0) && value < TestType(1)));
    sum += static_cast<double>(value);
    sum_of_squares += static_cast<double>(value) * static_cast<double>(value);
  }
  // Mean 1/2 and second moment 1/3, each within five standard errors.
  CHECK_THAT(sum / draws, WithinAbs(0.5, 5 * 0.289 / 316.2));
  CHECK_THAT(sum_of_squares / draws, WithinAbs(1.0 / 3.0, 5 * 0.298 / 316.2));
}

TEST_CASE("float and double draw the same numbers") {
  const RandomStream stream{Seed{7}, Stream::synthetic, 0};
  for (std::uint64_t element = 0; element < 1000; ++element) {
    REQUIRE(static_cast<double>(stream.uniform<float>(element)) == stream.uniform<double>(element));
  }
}

TEST_CASE("a sequence is its stream, element after element") {
  const RandomStream stream{Seed{3}, Stream::shuffle, 4};
  RandomSequence sequence{stream};
  for (std::uint64_t element = 0; element < 1000; ++element) {
    REQUIRE(sequence.next_word() == stream.word(element));
  }
}

TEST_CASE("uniform(low, high) stays between its ends") {
  RandomSequence sequence{RandomStream{Seed{3}, Stream::synthetic, 0}};
  for (int draw = 0; draw < 10000; ++draw) {
    const float value = sequence.uniform(-0.25f, 0.75f);
    REQUIRE((value >= -0.25f && value <= 0.75f));
  }
  REQUIRE(sequence.uniform(2.0, 2.0) == 2.0);
}

TEST_CASE("below stays below its bound, for every size of bound") {
  RandomSequence sequence{RandomStream{Seed{3}, Stream::synthetic, 1}};
  for (const std::uint32_t bound : {1u, 2u, 3u, 10u, 1000u, (1u << 31) + 1, ~0u}) {
    for (int draw = 0; draw < 2000; ++draw) {
      REQUIRE(sequence.below(bound) < bound);
    }
  }
}

TEST_CASE("below is without bias") {
  // Chi-squared over 7 cells: 99.9 % of fair draws stay under 22.46 (6 degrees of freedom).
  RandomSequence sequence{RandomStream{Seed{11}, Stream::synthetic, 2}};
  std::array<double, 7> counts{};
  constexpr int draws = 70000;
  for (int draw = 0; draw < draws; ++draw) {
    counts[sequence.below(7)] += 1.0;
  }
  double chi_squared = 0.0;
  for (const double count : counts) {
    chi_squared += (count - draws / 7.0) * (count - draws / 7.0) / (draws / 7.0);
  }
  CHECK(chi_squared < 22.46);

  // With 3 * 2^30 as bound, a draw that rejects nothing would give every third number twice as often as the others.
  constexpr std::uint32_t bound = 3u << 30;
  std::array<double, 3> thirds{};
  for (int draw = 0; draw < 30000; ++draw) {
    thirds[sequence.below(bound) % 3] += 1.0;
  }
  for (const double count : thirds) {
    CHECK_THAT(count, WithinAbs(10000.0, 5 * 81.7));
  }
}

namespace {

constexpr std::uint32_t sum_of_draws() {
  RandomSequence sequence{RandomStream{Seed{1}, Stream::split, 0}};
  std::uint32_t sum = 0;
  for (int draw = 0; draw < 10; ++draw) {
    sum += sequence.below(100);
  }
  return sum;
}

}  // namespace

TEST_CASE("random numbers can be had at compile time, and are the same") {
  constexpr std::uint32_t at_compile_time = sum_of_draws();
  const auto at_run_time = sum_of_draws;
  REQUIRE(at_run_time() == at_compile_time);
  STATIC_REQUIRE(std::is_trivially_copyable_v<RandomStream>);
}
