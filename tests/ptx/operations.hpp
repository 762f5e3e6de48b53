// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What instructions compute of their operands, lane by lane (PTX ISA, "Instruction Set"). Only whole mnemonics are
/// known: one with another modifier is another instruction.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace retort::test::ptx {

inline constexpr std::uint32_t all_lanes = 0xFFFFFFFFu;

/// A warp's registers are an array of bytes: of each register 32 values, of a predicate 32 bits. An operand is the
/// place where its values begin.
struct Operation {
  using Compute = void (*)(std::byte* registers, const std::uint32_t* operands, std::uint32_t lanes);

  /// Of each operand, results first: p a predicate, h 16 bits, w 32, l 64.
  std::string_view operands;
  Compute compute;
};

/// The forms of an instruction, which differ by the widths of their registers; none where it is not known.
std::span<const Operation> find_operations(std::string_view mnemonic);

/// How the sum of C and 16 products is rounded: the PTX ISA promises little.
enum class SumRounding : std::uint8_t {
  once,      ///< the exact sum, toward zero
  at_terms,  ///< each term is cut off 25 bits below the first bit of the largest, then the sum as above
};

/// D = A B + C of mma.m16n8k16 with bfloat16 factors: where the four registers of D, four of A, two of B and four of C
/// are.
void multiply_add_matrices(std::byte* registers, const std::uint32_t* operands, SumRounding rounding);

/// Bytes that 32 values of a register take.
constexpr std::size_t register_bytes(unsigned bits) { return bits == 1 ? 4 : bits / 8 * 32; }

}  // namespace retort::test::ptx
