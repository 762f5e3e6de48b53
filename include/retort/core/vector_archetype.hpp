// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Formulas that say `takes_vectors = true` are called with SIMD vectors too, a number in each lane. Checks that they
/// allow it.

#include <initializer_list>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Whether a layer, a loss or an optimizer's rule states `static constexpr bool takes_vectors = true`.
template <typename Formula>
inline constexpr bool takes_vectors = requires {
  requires bool { Formula::takes_vectors };
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Fails to compile if an archetype is used in a way that only a scalar allows.
template <typename Used>
RETORT_HOST_DEVICE constexpr void refuse_on_vectors() {
  static_assert(
      !std::is_same_v<Used, Used>,
      "retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose "
      "otherwise: write retort::select(condition, yes, no) for a branch and retort::constant<T>(number) for a "
      "number, or leave takes_vectors out to be called with scalars");
}

/// The result of comparing two VectorArchetypes: `select` takes it, and it is no bool.
struct MaskArchetype {
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  RETORT_HOST_DEVICE constexpr operator Number() const {  // NOLINT(google-explicit-constructor): so that it is found
    refuse_on_vectors<Number>();
    return Number{};
  }
};

/// Stands for every SIMD vector of Scalars when a formula is checked, and is never computed with. It has what a formula
/// may use, and nothing that vectors of two instruction sets read differently: numbers enter only by retort::constant,
/// comparisons are only for retort::select. A formula that compiles with it means the same for scalars and vectors.
template <typename Scalar>
class VectorArchetype {
 public:
  using value_type = Scalar;

  VectorArchetype() = default;
  RETORT_HOST_DEVICE constexpr explicit VectorArchetype(Scalar) {}
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  RETORT_HOST_DEVICE constexpr VectorArchetype(Number) {  // NOLINT(google-explicit-constructor): so that it is found
    refuse_on_vectors<Number>();
  }
  /// `T{2}` would be the first lane of a vector.
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  RETORT_HOST_DEVICE constexpr VectorArchetype(std::initializer_list<Number>) {
    refuse_on_vectors<Number>();
  }

  RETORT_HOST_DEVICE friend constexpr VectorArchetype operator+(const VectorArchetype& a, const VectorArchetype&) {
    return a;
  }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype operator-(const VectorArchetype& a, const VectorArchetype&) {
    return a;
  }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype operator*(const VectorArchetype& a, const VectorArchetype&) {
    return a;
  }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype operator/(const VectorArchetype& a, const VectorArchetype&) {
    return a;
  }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype operator-(const VectorArchetype& a) { return a; }
  RETORT_HOST_DEVICE constexpr VectorArchetype& operator+=(const VectorArchetype&) { return *this; }
  RETORT_HOST_DEVICE constexpr VectorArchetype& operator-=(const VectorArchetype&) { return *this; }
  RETORT_HOST_DEVICE constexpr VectorArchetype& operator*=(const VectorArchetype&) { return *this; }
  RETORT_HOST_DEVICE constexpr VectorArchetype& operator/=(const VectorArchetype&) { return *this; }

  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator<(const VectorArchetype&, const VectorArchetype&) {
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator>(const VectorArchetype&, const VectorArchetype&) {
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator<=(const VectorArchetype&, const VectorArchetype&) {
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator>=(const VectorArchetype&, const VectorArchetype&) {
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator==(const VectorArchetype&, const VectorArchetype&) {
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr MaskArchetype operator!=(const VectorArchetype&, const VectorArchetype&) {
    static_assert(!std::is_same_v<Scalar, Scalar>,
                  "retort: a formula with takes_vectors = true does not compare by !=, which is false of a NaN on some "
                  "instruction sets: write retort::select(a == b, no, yes)");
    return {};
  }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype select(const MaskArchetype&, const VectorArchetype& yes,
                                                             const VectorArchetype&) {
    return yes;
  }

  RETORT_HOST_DEVICE friend constexpr VectorArchetype sqrt(const VectorArchetype& a) { return a; }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype exp(const VectorArchetype& a) { return a; }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype log(const VectorArchetype& a) { return a; }
  RETORT_HOST_DEVICE friend constexpr VectorArchetype tanh(const VectorArchetype& a) { return a; }
};

/// True, once the compiler has compiled `Call`: a function that calls a formula with archetypes.
template <auto Call>
inline constexpr bool compiles_with_vectors = (static_cast<void>(Call), true);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
