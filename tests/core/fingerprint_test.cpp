// SPDX-License-Identifier: MIT
#include "retort/core/fingerprint.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"

using retort::Fingerprint;

namespace {

std::uint64_t of(std::string_view text) { return Fingerprint{}.add(std::span<const char>(text)).value(); }

}  // namespace

// Test vectors of the FNV reference (draft-eastlake-fnv).
TEST_CASE("the fingerprint is FNV-1a with 64 bits") {
  CHECK(of("") == 0xcbf29ce484222325u);
  CHECK(of("a") == 0xaf63dc4c8601ec8cu);
  CHECK(of("foobar") == 0x85944171f73967e8u);
}

TEST_CASE("parts add up to the whole") {
  CHECK(Fingerprint{}.add(std::span<const char>("foo", 3)).add(std::span<const char>("bar", 3)).value() ==
        of("foobar"));
}

TEST_CASE("values count by their bytes") {
  const std::vector<float> values{1.5f, -2.0f};
  CHECK(Fingerprint{}.add(std::span<const float>(values)).value() ==
        Fingerprint{}.add(std::as_bytes(std::span(values))).value());
}

TEST_CASE("any changed bit and any swap changes the fingerprint") {
  std::vector<std::uint8_t> bytes(100);
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    bytes[index] = static_cast<std::uint8_t>(index);
  }
  const auto fingerprint = [&] { return Fingerprint{}.add(std::span<const std::uint8_t>(bytes)).value(); };
  const std::uint64_t original = fingerprint();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const std::uint8_t mask = static_cast<std::uint8_t>(1u << bit % 8);
    bytes[bit / 8] ^= mask;
    REQUIRE(fingerprint() != original);
    bytes[bit / 8] ^= mask;
  }
  std::swap(bytes[3], bytes[90]);
  REQUIRE(fingerprint() != original);
}
