// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The text of a PTX module (PTX ISA, "Syntax") as kernels made of statements.

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace retort::test::ptx {

/// What is wrong with a module, in one line that names it.
class PtxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An instruction as it is written.
struct Statement {
  std::string guard{};                  // "%p1", "!%p1"; empty for none
  std::string mnemonic{};               // "add.s32"
  std::vector<std::string> operands{};  // "%r1", "[%rd2+4]", "{%f1, %f2}"
  std::size_t line = 0;

  std::string text() const;
};

/// Names and where each is, of those that lie one behind the other.
struct Area {
  std::map<std::string, std::size_t, std::less<>> places;
  std::size_t bytes = 0;

  void add(const std::string& name, std::size_t alignment, std::size_t size);
};

struct Kernel {
  std::string name;
  std::vector<Statement> statements;
  std::map<std::string, std::size_t, std::less<>> labels;  // of the statement behind each
  std::map<std::string, unsigned, std::less<>> registers;  // bits of those that begin so ("%rd"); 1: predicates
  Area parameters;
  Area shared;  // without what a launch adds; that begins at shared.bytes on a multiple of 16
  Area local;
};

/// An array of the module's own, in global memory.
struct Constant {
  std::size_t alignment = 1;
  std::vector<std::byte> bytes;
};

struct Module {
  std::map<std::string, Kernel, std::less<>> kernels;
  std::map<std::string, Constant, std::less<>> constants;
};

/// Throws PtxError that names the line.
Module read_module(std::string_view text);

/// Splits at the separators that stand outside of brackets, without spaces around the parts.
std::vector<std::string> split(std::string_view text, char separator = ',');

/// The bits of a type's name ("u32"), 0 where there is none such.
unsigned type_bits(std::string_view type);

}  // namespace retort::test::ptx
