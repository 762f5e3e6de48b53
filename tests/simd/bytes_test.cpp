#include "retort/simd/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"

namespace {

using namespace retort;

template <std::size_t Count, typename Scalar>
void check_all_bytes() {
  for (std::size_t first = 0; first < 256; first += 16) {
    std::vector<std::uint8_t> bytes(16);
    for (std::size_t i = 0; i < 16; ++i) {
      bytes[i] = static_cast<std::uint8_t>(first + i);
    }
    std::vector<Scalar> output(Count + 1, Scalar{99});
    simd::convert_bytes<Count>(bytes.data(), Scalar(0.0078125), Scalar(-1.5), output.data());
    for (std::size_t i = 0; i < Count; ++i) {
      // Both numbers are exact, so it does not matter whether product and sum are rounded once or twice.
      CHECK(output[i] == Scalar(0.0078125) * static_cast<Scalar>(first + i) - Scalar(1.5));
    }
    CHECK(output.back() == Scalar{99});
  }
}

TEMPLATE_TEST_CASE("Every byte becomes its number", "[simd]", float, double) {
  check_all_bytes<16, TestType>();
  check_all_bytes<8, TestType>();
  check_all_bytes<3, TestType>();
}

}  // namespace
