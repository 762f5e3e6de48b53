// SPDX-License-Identifier: MIT
/// Numbers as text: what to_text and json_number write reads back to the same bits.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"

namespace {

using retort::fuzz::require;
using retort::internal::JsonReader;

template <typename Real, typename Bits>
void check_real(Bits bits) {
  const Real value = std::bit_cast<Real>(bits);
  const std::string text = retort::to_text(value);
  if (std::isfinite(value)) {
    require(std::bit_cast<Bits>(JsonReader(text).number<Real>()) == bits, "a real number reads back to the same bits");
    require(retort::json_number(value) == text, "a finite number is a JSON number");
  } else {
    require(retort::json_number(value) == "null", "what is not finite is null");
  }
}

template <typename Integer>
void check_integer(Integer value) {
  require(JsonReader(retort::to_text(value)).number<Integer>() == value, "an integer reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t word = 0;
  for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
    std::memcpy(&word, data, sizeof(word));
    check_real<double>(word);
    check_real<float>(static_cast<std::uint32_t>(word));
    check_integer(word);
    check_integer(static_cast<std::int64_t>(word));
    check_integer(static_cast<std::int32_t>(word));
    check_integer(static_cast<std::uint8_t>(word));
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  using Limits = std::numeric_limits<double>;
  return {
      {"zeros", bytes_of(0.0) + bytes_of(-0.0)},
      {"limits", bytes_of(Limits::max()) + bytes_of(Limits::lowest()) + bytes_of(Limits::min())},
      {"subnormal", bytes_of(Limits::denorm_min()) + bytes_of(-4 * Limits::denorm_min())},
      {"not_finite", bytes_of(Limits::infinity()) + bytes_of(Limits::quiet_NaN())},
      {"floats",
       bytes_of(std::numeric_limits<float>::denorm_min()) + bytes_of(0.1f) + bytes_of(1e-3f) + bytes_of(1e9f)},
      {"decimals", bytes_of(0.1) + bytes_of(2e-4) + bytes_of(1e21) + bytes_of(1.0 / 3)},
  };
}
