// SPDX-License-Identifier: MIT
#include "ptx/operations.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace retort::test::ptx {

namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
__extension__ using u128 = unsigned __int128;
__extension__ using s128 = __int128;

// --- Registers ---

template <typename T>
using Stored = std::conditional_t<sizeof(T) == 2, u16, std::conditional_t<sizeof(T) == 4, u32, u64>>;

/// static_cast where there is something to cast.
template <typename T, typename U>
constexpr T as(U value) {
  if constexpr (std::is_same_v<T, U>) {
    return value;
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
T get(const std::byte* registers, u32 place, unsigned lane) {
  if constexpr (std::is_same_v<T, bool>) {
    return (*reinterpret_cast<const u32*>(registers + place) >> lane & 1u) != 0;
  } else {
    return std::bit_cast<T>(reinterpret_cast<const Stored<T>*>(registers + place)[lane]);
  }
}

template <typename T>
void set(std::byte* registers, u32 place, unsigned lane, T value) {
  reinterpret_cast<Stored<T>*>(registers + place)[lane] = std::bit_cast<Stored<T>>(value);
}

template <typename T>
constexpr char width = std::is_same_v<T, bool> ? 'p'
                       : sizeof(T) == 2        ? 'h'
                       : sizeof(T) == 4        ? 'w'
                                               : 'l';

template <auto function, typename Pointer>
struct Lanewise;
template <auto function, typename Result, typename... Arguments>
struct Lanewise<function, Result (*)(Arguments...)> {
  static constexpr char widths[] = {width<Result>, width<Arguments>..., '\0'};

  static void compute(std::byte* registers, const u32* operands, u32 lanes) {
    const auto at = [&]<std::size_t... i>(unsigned lane, std::index_sequence<i...>) {
      return function(get<Arguments>(registers, operands[1 + i], lane)...);
    };
    constexpr std::index_sequence_for<Arguments...> places;
    if constexpr (std::is_same_v<Result, bool>) {
      u32 bits = 0;
      for (unsigned lane = 0; lane < 32; ++lane) {
        bits |= u32{at(lane, places)} << lane;
      }
      u32& result = *reinterpret_cast<u32*>(registers + operands[0]);
      result = (result & ~lanes) | (bits & lanes);
    } else if (lanes == all_lanes) {
      for (unsigned lane = 0; lane < 32; ++lane) {
        set<Result>(registers, operands[0], lane, at(lane, places));
      }
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const auto lane = static_cast<unsigned>(std::countr_zero(lanes));
        set<Result>(registers, operands[0], lane, at(lane, places));
      }
    }
  }
};

using Table = std::map<std::string, std::vector<Operation>, std::less<>>;

template <auto function>
void add(Table& table, const std::string& mnemonic) {
  using Form = Lanewise<function, decltype(+function)>;
  table[mnemonic].push_back({Form::widths, &Form::compute});
}
template <auto function>
void add(Table& table, std::initializer_list<std::string> mnemonics) {
  for (const std::string& mnemonic : mnemonics) {
    add<function>(table, mnemonic);
  }
}

// --- Integers ---

template <typename T>
using Wide = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, s32, u32>,
                                std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, s64, u64>,
                                                   std::conditional_t<std::is_signed_v<T>, s128, u128>>>;

template <typename T>
void add_integers(Table& table, const std::string& type) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned bits = sizeof(T) * 8;
  add<[](U a, U b) { return as<U>(a + b); }>(table, "add." + type);
  add<[](U a, U b) { return as<U>(a - b); }>(table, "sub." + type);
  add<[](T a, T b) { return as<U>(Wide<T>{a} * Wide<T>{b}); }>(table, "mul.lo." + type);
  add<[](T a, T b) { return as<U>((Wide<T>{a} * Wide<T>{b}) >> bits); }>(table, "mul.hi." + type);
  add<[](T a, T b, U c) { return as<U>(as<U>(Wide<T>{a} * Wide<T>{b}) + c); }>(table, "mad.lo." + type);
  add<[](T a, T b) { return b == 0 ? as<T>(-1) : as<T>(Wide<T>{a} / b); }>(table, "div." + type);
  add<[](T a, T b) { return b == 0 ? as<T>(-1) : as<T>(Wide<T>{a} % b); }>(table, "rem." + type);
  add<[](T a, T b) { return std::min(a, b); }>(table, "min." + type);
  add<[](T a, T b) { return std::max(a, b); }>(table, "max." + type);
  add<[](T a, u32 n) { return n < bits || std::is_signed_v<T> ? as<T>(a >> (n < bits ? n : bits - 1)) : T{0}; }>(
      table, "shr." + type);
  if constexpr (sizeof(T) < 8) {
    using W = Wide<T>;
    add<[](T a, T b) { return as<W>(W{a} * W{b}); }>(table, "mul.wide." + type);
    add<[](T a, T b, W c) {
      using V = std::make_unsigned_t<W>;
      return as<V>(as<V>(W{a} * W{b}) + as<V>(c));
    }>(table, "mad.wide." + type);
  }
  if constexpr (std::is_signed_v<T>) {
    add<[](U a) { return as<U>(U{0} - a); }>(table, "neg." + type);
    add<[](T a) { return as<U>(a < 0 ? U{0} - as<U>(a) : as<U>(a)); }>(table, "abs." + type);
  }
  if constexpr (sizeof(T) > 2) {
    add<[](T a, u32 first, u32 count) {
      first &= 255;
      count &= 255;
      const U field = first < bits ? as<U>(as<U>(a) >> first) : U{0};
      const U mask = count < bits ? (U{1} << count) - 1 : ~U{0};
      const u32 last = (first + count < bits ? first + count : bits) - 1;
      const bool negative = std::is_signed_v<T> && count != 0 && (as<U>(a) >> last & 1) != 0;
      const U sign = ~(count < bits && first + count <= bits ? mask : first < bits ? ~U{0} >> first : U{0});
      return as<U>((field & mask) | (negative ? sign : U{0}));
    }>(table, "bfe." + type);
  }
}

template <typename U>
void add_bits(Table& table, const std::string& type) {
  constexpr unsigned bits = sizeof(U) * 8;
  add<[](U a, U b) { return as<U>(a & b); }>(table, "and." + type);
  add<[](U a, U b) { return as<U>(a | b); }>(table, "or." + type);
  add<[](U a, U b) { return as<U>(a ^ b); }>(table, "xor." + type);
  add<[](U a) { return as<U>(~a); }>(table, "not." + type);
  add<[](U a, u32 n) { return as<U>(n < bits ? u64{a} << n : u64{0}); }>(table, "shl." + type);
  add<[](U a, u32 n) { return as<U>(n < bits ? a >> n : 0); }>(table, "shr." + type);
  if constexpr (sizeof(U) > 2) {
    add<[](U a) { return as<u32>(std::popcount(a)); }>(table, "popc." + type);
    add<[](U a) { return as<u32>(std::countl_zero(a)); }>(table, "clz." + type);
    add<[](U a, U b, u32 first, u32 count) {
      first &= 255;
      count &= 255;
      const U ones = count < bits ? (U{1} << count) - 1 : ~U{0};
      const U mask = first < bits ? ones << first : U{0};
      return as<U>((b & ~mask) | (first < bits ? a << first & mask : U{0}));
    }>(table, "bfi." + type);
  }
}

/// The middle 32 bits of two registers, shifted.
u32 funnel_left(u32 low, u32 high, u32 n) { return as<u32>((u64{high} << 32 | low) << n >> 32); }
u32 funnel_right(u32 low, u32 high, u32 n) { return as<u32>((u64{high} << 32 | low) >> n); }

u32 permute_bytes(u32 a, u32 b, u32 selector) {
  const u64 bytes = u64{b} << 32 | a;
  u32 result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const u32 choice = selector >> (4 * i) & 15;
    u32 byte = as<u32>(bytes >> (8 * (choice & 7)) & 255);
    if ((choice & 8) != 0) {
      byte = (byte & 128) != 0 ? 255 : 0;  // its sign
    }
    result |= byte << (8 * i);
  }
  return result;
}

u32 any_logic(u32 a, u32 b, u32 c, u32 table) {
  u32 result = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if ((table >> i & 1) != 0) {
      result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
    }
  }
  return result;
}

void add_words(Table& table) {
  add<[](u32 a, u32 b, u32 n) { return funnel_left(a, b, n & 31); }>(table, "shf.l.wrap.b32");
  add<[](u32 a, u32 b, u32 n) { return funnel_right(a, b, n & 31); }>(table, "shf.r.wrap.b32");
  add<[](u32 a, u32 b, u32 n) { return funnel_left(a, b, std::min(n, 32u)); }>(table, "shf.l.clamp.b32");
  add<[](u32 a, u32 b, u32 n) { return funnel_right(a, b, std::min(n, 32u)); }>(table, "shf.r.clamp.b32");
  add<[](u32 a, u32 b, u32 selector) { return permute_bytes(a, b, selector); }>(table, "prmt.b32");
  add<[](u32 a, u32 b, u32 c, u32 logic) { return any_logic(a, b, c, logic); }>(table, "lop3.b32");
  for (const auto& [name, first] : {std::pair{"dp2a.lo.u32.u32", false}, std::pair{"dp2a.hi.u32.u32", true}}) {
    if (first) {
      add<[](u32 a, u32 b, u32 c) { return c + (a & 0xFFFF) * (b >> 16 & 255) + (a >> 16) * (b >> 24); }>(table, name);
    } else {
      add<[](u32 a, u32 b, u32 c) { return c + (a & 0xFFFF) * (b & 255) + (a >> 16) * (b >> 8 & 255); }>(table, name);
    }
  }
  add<[](u32 a, u32 b, u32 c) {
    for (unsigned i = 0; i < 32; i += 8) {
      c += (a >> i & 255) * (b >> i & 255);
    }
    return c;
  }>(table, "dp4a.u32.u32");
}

// --- Choices and moves ---

template <typename T>
void add_moves(Table& table, std::initializer_list<std::string> types) {
  for (const std::string& type : types) {
    add<[](T a) { return a; }>(table, "mov." + type);
    if constexpr (!std::is_same_v<T, bool>) {
      add<[](T a, T b, bool first) { return first ? a : b; }>(table, "selp." + type);
    }
  }
}

/// mov.b32 d, {low, high} and mov.b32 {low, high}, a.
template <typename Whole, typename Half>
void add_halves(Table& table, const std::string& mnemonic) {
  static constexpr char unpacked[] = {width<Half>, width<Half>, width<Whole>, '\0'};
  add<[](Half low, Half high) { return as<Whole>(as<Whole>(high) << (8 * sizeof(Half)) | low); }>(table, mnemonic);
  table[mnemonic].push_back({unpacked, [](std::byte* registers, const u32* operands, u32 lanes) {
                               for (; lanes != 0; lanes &= lanes - 1) {
                                 const auto lane = static_cast<unsigned>(std::countr_zero(lanes));
                                 const Whole whole = get<Whole>(registers, operands[2], lane);
                                 set<Half>(registers, operands[0], lane, as<Half>(whole));
                                 set<Half>(registers, operands[1], lane, as<Half>(whole >> (8 * sizeof(Half))));
                               }
                             }});
}

template <typename T>
void add_comparisons(Table& table, const std::string& type) {
  const auto name = [&](const char* comparison) { return std::string("setp.") + comparison + "." + type; };
  add<[](T a, T b) { return a == b; }>(table, name("eq"));
  if constexpr (std::is_floating_point_v<T>) {
    add<[](T a, T b) { return a < b || b < a; }>(table, name("ne"));
    add<[](T a, T b) { return !(a < b || b < a); }>(table, name("equ"));
    add<[](T a, T b) { return !(a == b); }>(table, name("neu"));
    add<[](T a, T b) { return !(a >= b); }>(table, name("ltu"));
    add<[](T a, T b) { return !(b < a); }>(table, name("leu"));
    add<[](T a, T b) { return !(a <= b); }>(table, name("gtu"));
    add<[](T a, T b) { return !(a < b); }>(table, name("geu"));
    add<[](T a, T b) { return !std::isnan(a) && !std::isnan(b); }>(table, name("num"));
    add<[](T a, T b) { return std::isnan(a) || std::isnan(b); }>(table, name("nan"));
  } else {
    add<[](T a, T b) { return a != b; }>(table, name("ne"));
  }
  add<[](T a, T b) { return a < b; }>(table, name("lt"));
  add<[](T a, T b) { return a <= b; }>(table, name("le"));
  add<[](T a, T b) { return b < a; }>(table, name("gt"));
  add<[](T a, T b) { return a >= b; }>(table, name("ge"));
}

// --- Floating-point numbers ---

template <typename T>
T flushed(T value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(T{0}, value) : value;
}

enum class Direction { down, up, to_zero };

/// sum + error, of which the sum is much the larger, rounded in a direction.
template <Direction direction>
float directed(double sum, double error) {
  const auto nearest = static_cast<float>(sum);
  if (!std::isfinite(nearest) || !std::isfinite(sum)) {
    return nearest;
  }
  const double above = (static_cast<double>(nearest) - sum) - error;  // of `nearest` over the exact value
  const bool falls = direction == Direction::down || (direction == Direction::to_zero && nearest > 0);
  const bool rises = direction == Direction::up || (direction == Direction::to_zero && nearest < 0);
  if (falls && above > 0) {
    return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
  }
  if (rises && above < 0) {
    return std::nextafter(nearest, std::numeric_limits<float>::infinity());
  }
  return nearest;
}
template <Direction direction>
float directed_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);  // exact
  const auto other = static_cast<double>(c);
  const double sum = product + other;
  const double part = sum - product;
  return directed<direction>(sum, (product - (sum - part)) + (other - part));
}

template <Direction direction>
void add_directed(Table& table, const std::string& mode) {
  add<[](float a, float b) { return directed_fma<direction>(a, 1, b); }>(table, "add." + mode + ".f32");
  add<[](float a, float b) { return directed_fma<direction>(a, 1, -b); }>(table, "sub." + mode + ".f32");
  add<[](float a, float b) { return directed_fma<direction>(a, b, 0); }>(table, "mul." + mode + ".f32");
  add<[](float a, float b, float c) { return directed_fma<direction>(a, b, c); }>(table, "fma." + mode + ".f32");
}

template <typename T>
void add_floats(Table& table, const std::string& type) {
  for (const std::string rounding : {"", ".rn"}) {
    add<[](T a, T b) { return a + b; }>(table, "add" + rounding + type);
    add<[](T a, T b) { return a - b; }>(table, "sub" + rounding + type);
    add<[](T a, T b) { return a * b; }>(table, "mul" + rounding + type);
  }
  add<[](T a, T b, T c) { return std::fma(a, b, c); }>(table, "fma.rn" + type);
  add<[](T a, T b) { return a / b; }>(table, "div.rn" + type);
  add<[](T a) { return 1 / a; }>(table, "rcp.rn" + type);
  add<[](T a) { return std::sqrt(a); }>(table, "sqrt.rn" + type);
  add<[](T a) { return -a; }>(table, "neg" + type);
  add<[](T a) { return std::fabs(a); }>(table, "abs" + type);
  add<[](T a, T b) { return std::fmin(a, b); }>(table, "min" + type);
  add<[](T a, T b) { return std::fmax(a, b); }>(table, "max" + type);
  add<[](T a, T b) { return std::copysign(b, a); }>(table, "copysign" + type);
}

/// Exact where the GPU is off by an ulp or two.
void add_approximations(Table& table) {
  add<[](float a) { return std::exp2(a); }>(table, "ex2.approx.f32");
  add<[](float a) { return flushed(std::exp2(flushed(a))); }>(table, "ex2.approx.ftz.f32");
  add<[](float a) { return std::log2(a); }>(table, "lg2.approx.f32");
  add<[](float a) { return flushed(std::log2(flushed(a))); }>(table, "lg2.approx.ftz.f32");
  add<[](float a) { return flushed(1 / flushed(a)); }>(table, "rcp.approx.ftz.f32");
  add<[](float a) { return flushed(std::sqrt(flushed(a))); }>(table, "sqrt.approx.ftz.f32");
  add<[](double a) {  // of the upper half alone
    return std::bit_cast<double>(std::bit_cast<u64>(flushed(1 / flushed(a))) & 0xFFFFFFFF00000000u);
  }>(table, "rcp.approx.ftz.f64");
}

// --- Conversions ---

/// To an integer: NaN is 0, and what is too large the largest.
template <typename Integer, typename Real>
Integer saturated(Real value) {
  using Limits = std::numeric_limits<Integer>;
  if (std::isnan(value)) {
    return 0;
  }
  if (value <= static_cast<Real>(Limits::min())) {
    return Limits::min();
  }
  return value >= static_cast<Real>(Limits::max()) ? Limits::max() : static_cast<Integer>(value);
}

/// `Held`: the register that has the source, which may be wider.
template <typename Source, typename Held>
void add_conversions_of(Table& table, const std::string& source) {
  add<[](Held a) { return as<u16>(as<u8>(as<Source>(a))); }>(table, "cvt.u8." + source);
  add<[](Held a) { return as<s16>(as<s8>(as<Source>(a))); }>(table, "cvt.s8." + source);
  add<[](Held a) { return as<u16>(as<Source>(a)); }>(table, {"cvt.u16." + source, "cvt.s16." + source});
  add<[](Held a) { return as<u32>(as<Source>(a)); }>(table, {"cvt.u32." + source, "cvt.s32." + source});
  add<[](Held a) { return as<u64>(as<Source>(a)); }>(table, {"cvt.u64." + source, "cvt.s64." + source});
  add<[](Held a) { return static_cast<float>(as<Source>(a)); }>(table, "cvt.rn.f32." + source);
  add<[](Held a) { return static_cast<double>(as<Source>(a)); }>(table, "cvt.rn.f64." + source);
}

template <typename Integer, typename Real>
void add_roundings(Table& table, const std::string& types) {
  add<[](Real a) { return saturated<Integer>(std::nearbyint(a)); }>(table, "cvt.rni." + types);
  add<[](Real a) { return saturated<Integer>(std::trunc(a)); }>(table, "cvt.rzi." + types);
  add<[](Real a) { return saturated<Integer>(std::floor(a)); }>(table, "cvt.rmi." + types);
  add<[](Real a) { return saturated<Integer>(std::ceil(a)); }>(table, "cvt.rpi." + types);
}
template <typename Real>
void add_real_conversions(Table& table, const std::string& real) {
  add_roundings<u32, Real>(table, "u32." + real);
  add_roundings<s32, Real>(table, "s32." + real);
  add_roundings<u64, Real>(table, "u64." + real);
  add_roundings<s64, Real>(table, "s64." + real);
  add<[](Real a) { return std::nearbyint(a); }>(table, "cvt.rni." + real + "." + real);
  add<[](Real a) { return std::trunc(a); }>(table, "cvt.rzi." + real + "." + real);
  add<[](Real a) { return std::floor(a); }>(table, "cvt.rmi." + real + "." + real);
  add<[](Real a) { return std::ceil(a); }>(table, "cvt.rpi." + real + "." + real);
}

// --- Pairs of bfloat16 numbers ---

/// Rounded to the nearest even.
u16 to_bf16(float value) {
  const u32 bits = std::bit_cast<u32>(value);
  return std::isnan(value) ? u16{0x7FFF} : as<u16>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
double from_bf16(u32 pair, unsigned half) {
  return static_cast<double>(std::bit_cast<float>(pair >> (16 * half) << 16));
}

/// Products of bfloat16 numbers, and their sums, are exact as doubles. They are rounded twice only if rounding to float
/// ends on half a bfloat16.
u32 fma_bf16_pairs(u32 a, u32 b, u32 c) {
  u32 result = 0;
  for (unsigned half = 0; half < 2; ++half) {
    const double exact = from_bf16(a, half) * from_bf16(b, half) + from_bf16(c, half);
    result |= u32{to_bf16(static_cast<float>(exact))} << (16 * half);
  }
  return result;
}

void add_bf16(Table& table) {
  add<[](u32 a, u32 b, u32 c) { return fma_bf16_pairs(a, b, c); }>(table, "fma.rn.bf16x2");
  add<[](float a) { return to_bf16(a); }>(table, "cvt.rn.bf16.f32");
  add<[](float high, float low) { return u32{to_bf16(high)} << 16 | to_bf16(low); }>(table, "cvt.rn.bf16x2.f32");
}

// --- Products of matrices ---

double sum_of(std::span<double, 17> terms, SumRounding rounding) {
  if (rounding == SumRounding::at_terms) {
    double largest = 0;
    for (const double term : terms) {
      largest = std::max(largest, std::fabs(term));
    }
    const double unit = largest > 0 ? std::ldexp(1.0, std::ilogb(largest) - 25) : 1;
    for (double& term : terms) {
      term = std::trunc(term / unit) * unit;
    }
  }
  double products = 0;
  for (std::size_t k = 0; k < 16; ++k) {
    products += terms[k];
  }
  return terms[16] + products;
}

Table make_table() {
  Table table;
  add_integers<u16>(table, "u16");
  add_integers<s16>(table, "s16");
  add_integers<u32>(table, "u32");
  add_integers<s32>(table, "s32");
  add_integers<u64>(table, "u64");
  add_integers<s64>(table, "s64");
  add_bits<u16>(table, "b16");
  add_bits<u32>(table, "b32");
  add_bits<u64>(table, "b64");
  add_words(table);
  add<[](bool a, bool b) { return a && b; }>(table, "and.pred");
  add<[](bool a, bool b) { return a || b; }>(table, "or.pred");
  add<[](bool a, bool b) { return a != b; }>(table, "xor.pred");
  add<[](bool a) { return !a; }>(table, "not.pred");

  add_moves<bool>(table, {"pred"});
  add_moves<u16>(table, {"b16", "u16", "s16"});
  add_moves<u32>(table, {"b32", "u32", "s32", "f32"});
  add_moves<u64>(table, {"b64", "u64", "s64", "f64"});
  add_halves<u32, u16>(table, "mov.b32");
  add_halves<u64, u32>(table, "mov.b64");

  for (const std::string type : {"u16", "b16"}) {
    add_comparisons<u16>(table, type);
  }
  for (const std::string type : {"u32", "b32"}) {
    add_comparisons<u32>(table, type);
  }
  for (const std::string type : {"u64", "b64"}) {
    add_comparisons<u64>(table, type);
  }
  add_comparisons<s16>(table, "s16");
  add_comparisons<s32>(table, "s32");
  add_comparisons<s64>(table, "s64");
  add_comparisons<float>(table, "f32");
  add_comparisons<double>(table, "f64");

  add_floats<float>(table, ".f32");
  add_floats<double>(table, ".f64");
  add_directed<Direction::down>(table, "rm");
  add_directed<Direction::up>(table, "rp");
  add_directed<Direction::to_zero>(table, "rz");
  add_approximations(table);

  add_conversions_of<u8, u16>(table, "u8");
  add_conversions_of<u8, u32>(table, "u8");
  add_conversions_of<s8, u16>(table, "s8");
  add_conversions_of<s8, u32>(table, "s8");
  add_conversions_of<u16, u16>(table, "u16");
  add_conversions_of<u16, u32>(table, "u16");
  add_conversions_of<s16, u16>(table, "s16");
  add_conversions_of<s16, u32>(table, "s16");
  add_conversions_of<u32, u32>(table, "u32");
  add_conversions_of<u32, u64>(table, "u32");
  add_conversions_of<s32, u32>(table, "s32");
  add_conversions_of<s32, u64>(table, "s32");
  add_conversions_of<u64, u64>(table, "u64");
  add_conversions_of<s64, u64>(table, "s64");
  add_real_conversions<float>(table, "f32");
  add_real_conversions<double>(table, "f64");
  add<[](float a) { return static_cast<double>(a); }>(table, "cvt.f64.f32");
  add<[](double a) { return static_cast<float>(a); }>(table, "cvt.rn.f32.f64");
  add<[](float a) { return std::fmin(std::fmax(a, 0.0f), 1.0f); }>(table, "cvt.sat.f32.f32");
  add_bf16(table);
  return table;
}

}  // namespace

std::span<const Operation> find_operations(std::string_view mnemonic) {
  static const Table table = make_table();
  const auto found = table.find(mnemonic);
  return found == table.end() ? std::span<const Operation>() : std::span<const Operation>(found->second);
}

void multiply_add_matrices(std::byte* registers, const u32* operands, SumRounding rounding) {
  double left[16][16];
  double right[16][8];
  // Which lane has which element: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned group = lane / 4;
    const unsigned member = lane % 4;
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned row = i / 2 % 2 == 0 ? group : group + 8;
      const unsigned column = member * 2 + i % 2 + (i < 4 ? 0 : 8);
      left[row][column] = from_bf16(get<u32>(registers, operands[4 + i / 2], lane), i % 2);
    }
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = member * 2 + i % 2 + (i < 2 ? 0 : 8);
      right[row][group] = from_bf16(get<u32>(registers, operands[8 + i / 2], lane), i % 2);
    }
  }
  float sums[4][32];  // a result's register may be another sum's
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < 4; ++i) {
      double terms[17];
      terms[16] = static_cast<double>(get<float>(registers, operands[10 + i], lane));
      for (unsigned k = 0; k < 16; ++k) {
        terms[k] = left[lane / 4 + (i < 2 ? 0 : 8)][k] * right[k][lane % 4 * 2 + i % 2];
      }
      sums[i][lane] = directed<Direction::to_zero>(sum_of(terms, rounding), 0);
    }
  }
  for (unsigned i = 0; i < 4; ++i) {
    for (unsigned lane = 0; lane < 32; ++lane) {
      set<float>(registers, operands[i], lane, sums[i][lane]);
    }
  }
}

}  // namespace retort::test::ptx
