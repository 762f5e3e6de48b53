// SPDX-License-Identifier: MIT
#include "ptx/program.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace retort::test::ptx {

namespace {

unsigned bits_of(char width) { return width == 'p' ? 1 : width == 'h' ? 16 : width == 'w' ? 32 : 64; }

class Decoder {
 public:
  Decoder(const Kernel& kernel, Module& module) : module_(module) {
    program_.kernel = kernel;
    const auto special = [&](const char* name) { return place("%" + std::string(name), 32); };
    program_.special = {special("tid.x"),  special("ntid.x"),          special("ctaid.x"),         special("nctaid.x"),
                        special("laneid"), special("cluster_ctarank"), place("%shared_window", 64)};
    for (const char* name : {"tid.y", "tid.z", "ctaid.y", "ctaid.z"}) {
      constant("%" + std::string(name), 0);
    }
    for (const char* name : {"ntid.y", "ntid.z", "nctaid.y", "nctaid.z"}) {
      constant("%" + std::string(name), 1);
    }
  }

  Program decode() {
    const std::vector<Statement>& statements = program_.kernel.statements;
    std::vector<std::uint32_t> first_instructions;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      statement_ = &statements[i];
      first_instructions.push_back(static_cast<std::uint32_t>(program_.instructions.size()));
      decode(*statement_);
    }
    first_instructions.push_back(static_cast<std::uint32_t>(program_.instructions.size()));
    program_.instructions.push_back({.kind = Kind::exit, .statement = static_cast<std::uint32_t>(statements.size())});
    for (Instruction& instruction : program_.instructions) {
      if (instruction.kind == Kind::branch) {
        instruction.target = first_instructions[instruction.target];
      }
    }
    return std::move(program_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw PtxError("PTX line " + std::to_string(statement_->line) + ", kernel " + program_.kernel.name + ": " + what +
                   ": '" + statement_->text() + "'");
  }
  [[noreturn]] void unknown() const { fail(statement_->mnemonic + " is not known in this form"); }

  // --- Registers ---

  /// The place of a register that has so many bits.
  std::uint32_t place(const std::string& name, unsigned bits) {
    const auto [found, is_new] = places_.try_emplace(name, std::uint32_t{0}, bits);
    if (is_new) {
      const std::size_t begin = (program_.registers.size() + 63) / 64 * 64;
      found->second.first = static_cast<std::uint32_t>(begin);
      program_.registers.resize(begin + register_bytes(bits));
    }
    return found->second.first;
  }

  std::uint32_t constant(const std::string& name, std::uint64_t value, unsigned bits = 32) {
    const bool is_known = places_.contains(name);
    const std::uint32_t begin = place(name, bits);
    if (!is_known) {
      std::byte* to = program_.registers.data() + begin;
      if (bits == 1) {
        const std::uint32_t all = value != 0 ? all_lanes : 0;
        std::memcpy(to, &all, sizeof(all));
      }
      for (unsigned lane = 0; bits > 1 && lane < 32; ++lane) {
        std::memcpy(to + lane * (bits / 8), &value, bits / 8);
      }
    }
    return begin;
  }

  /// The bits of a declared or a special register, 0 where there is none of that name.
  unsigned register_bits(const std::string& name) const {
    const auto special = places_.find(name);
    if (special != places_.end()) {
      return special->second.second;
    }
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;
    for (const std::string& declared : {name, name.substr(0, digits)}) {
      const auto found = program_.kernel.registers.find(declared);
      if (found != program_.kernel.registers.end()) {
        return std::max(found->second, found->second == 8 ? 16u : 1u);
      }
    }
    return 0;
  }

  /// Bits of an immediate operand: "12", "-3", "0x7F", "0f3F800000", "0d3FF0000000000000".
  static std::optional<std::uint64_t> immediate(const std::string& text) {
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F' || text[1] == 'd' || text[1] == 'D')) {
      return std::stoull(text.substr(2), nullptr, 16);
    }
    const std::size_t sign = text[0] == '-' ? 1 : 0;
    if (sign == text.size() || text[sign] < '0' || text[sign] > '9') {
      return std::nullopt;
    }
    const std::uint64_t value = std::stoull(text.substr(sign), nullptr, 0);
    return sign == 1 ? 0 - value : value;
  }

  /// A variable's address within its space, of a constant the host's.
  std::uint64_t address_of(const std::string& name) {
    for (const Area* area : {&program_.kernel.parameters, &program_.kernel.shared, &program_.kernel.local}) {
      const auto found = area->places.find(name);
      if (found != area->places.end()) {
        return found->second;
      }
    }
    const auto found = module_.constants.find(name);
    if (found == module_.constants.end()) {
      fail("there is no " + name);
    }
    return reinterpret_cast<std::uintptr_t>(found->second.bytes.data());
  }

  /// The place of an operand of that width; none where a register has another one.
  std::optional<std::uint32_t> operand(const std::string& text, unsigned bits) {
    if (text == "_") {
      return place("_" + std::to_string(bits), bits);
    }
    if (text.front() == '%') {
      const unsigned declared = register_bits(text);
      if (declared == 0) {
        fail("there is no register " + text);
      }
      return declared == bits ? std::optional(place(text, bits)) : std::nullopt;
    }
    const auto value = immediate(text);
    const std::string key = std::to_string(bits) + ":" + text;
    return constant(key, value ? *value : address_of(text), bits);
  }

  std::uint32_t needed(const std::string& text, unsigned bits) {
    const auto found = operand(text, bits);
    if (!found) {
      fail(text + " is no operand of " + std::to_string(bits) + " bits");
    }
    return *found;
  }

  // --- Statements ---

  Instruction begin(Kind kind) {
    Instruction result;
    result.kind = kind;
    result.statement = static_cast<std::uint32_t>(statement_ - program_.kernel.statements.data());
    if (!statement_->guard.empty()) {
      result.guarded = true;
      result.guard_negated = statement_->guard.front() == '!';
      result.guard = needed(statement_->guard.substr(result.guard_negated ? 1 : 0), 1);
    }
    return result;
  }
  void push(const Instruction& instruction) { program_.instructions.push_back(instruction); }

  std::size_t label(const std::string& name) {
    const auto found = program_.kernel.labels.find(name);
    if (found == program_.kernel.labels.end()) {
      fail("there is no label " + name);
    }
    return found->second;
  }

  void expect_operands(std::size_t count) {
    if (statement_->operands.size() != count) {
      unknown();
    }
  }

  void decode(const Statement& statement) {
    const std::vector<std::string> words = split(statement.mnemonic, '.');
    const std::string& base = words.front();
    if (statement.mnemonic == "bra" || statement.mnemonic == "bra.uni") {
      expect_operands(1);
      Instruction branch = begin(Kind::branch);
      branch.target = static_cast<std::uint32_t>(label(statement.operands[0]));
      push(branch);
    } else if (statement.mnemonic == "ret" || statement.mnemonic == "exit") {
      push(begin(Kind::exit));
    } else if (statement.mnemonic == "trap") {
      push(begin(Kind::trap));
    } else if (base == "ld" || base == "st") {
      decode_access(words);
    } else if (base == "cvta") {
      decode_cvta(words);
    } else if (base == "cp") {
      decode_copy();
    } else if (base == "shfl") {
      decode_shuffle(words);
    } else if (base == "bar" || base == "barrier") {
      decode_barrier();
    } else if (statement.mnemonic == "mapa.u64") {
      expect_operands(3);
      Instruction mapa = begin(Kind::block_address);
      mapa.operands = {needed(statement.operands[0], 64), needed(statement.operands[1], 64),
                       needed(statement.operands[2], 32)};
      push(mapa);
    } else if (statement.mnemonic == "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32") {
      Instruction mma = begin(Kind::multiply_add);
      place_all("wwwwwwwwwwwwww", statement.operands, mma);
      push(mma);
    } else if (base == "setp" && words.size() == 4 && statement.operands.size() == 4) {
      decode_combined_setp(words);
    } else {
      decode_compute(statement.mnemonic, statement.operands);
    }
  }

  static std::vector<std::string> flattened(const std::vector<std::string>& operands) {
    std::vector<std::string> result;
    for (const std::string& text : operands) {
      if (text.front() == '{') {
        std::ranges::copy(split(std::string_view(text).substr(1, text.size() - 2)), std::back_inserter(result));
      } else {
        result.push_back(text);
      }
    }
    return result;
  }

  bool place_if_all(std::string_view widths, const std::vector<std::string>& texts, Instruction& instruction) {
    const std::vector<std::string> flat = flattened(texts);
    if (flat.size() != widths.size()) {
      return false;
    }
    for (std::size_t i = 0; i < flat.size(); ++i) {
      const auto found = operand(flat[i], bits_of(widths[i]));
      if (!found) {
        return false;
      }
      instruction.operands[i] = *found;
    }
    return true;
  }
  void place_all(std::string_view widths, const std::vector<std::string>& texts, Instruction& instruction) {
    if (!place_if_all(widths, texts, instruction)) {
      unknown();
    }
  }

  Instruction& decode_compute(const std::string& mnemonic, const std::vector<std::string>& operands) {
    const auto forms = find_operations(mnemonic);
    if (forms.empty()) {
      fail(mnemonic + " is not known");
    }
    Instruction instruction = begin(Kind::compute);
    for (const Operation& form : forms) {
      if (place_if_all(form.operands, operands, instruction)) {
        instruction.compute = form.compute;
        push(instruction);
        return program_.instructions.back();
      }
    }
    unknown();
  }

  /// setp.lt.and.f32 p, a, b, q: p = a < b, then p = p and q, where q may be a negated predicate.
  void decode_combined_setp(const std::vector<std::string>& words) {
    const std::vector<std::string>& operands = statement_->operands;
    std::string other = operands[3];
    const std::string compared = "%compared";
    place(compared, 1);
    decode_compute("setp." + words[1] + "." + words[3], {compared, operands[1], operands[2]});
    if (other.front() == '!') {
      place("%negated", 1);
      decode_compute("not.pred", {"%negated", other.substr(1)}).is_counted = false;
      other = "%negated";
    }
    decode_compute(words[2] + ".pred", {operands[0], compared, other}).is_counted = false;
  }

  /// "[%rd1+8]", "[name]".
  void decode_address(const std::string& text, std::uint32_t& base, bool& is_wide, std::int64_t& offset) {
    const std::string inner(text, 1, text.size() - 2);
    const std::size_t plus = inner.find('+');
    std::string name = inner.substr(0, plus);
    name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
    const std::string behind = plus == std::string::npos ? "0" : inner.substr(plus + 1);
    const auto [end, error] = std::from_chars(behind.data(), behind.data() + behind.size(), offset);
    if (error != std::errc() || end != behind.data() + behind.size()) {
      unknown();
    }
    is_wide = name.front() != '%' || register_bits(name) == 64;
    base = needed(name, is_wide ? 64 : 32);
  }

  void decode_access(const std::vector<std::string>& words) {
    expect_operands(2);
    const bool loads = words[0] == "ld";
    Instruction access = begin(loads ? Kind::load : Kind::store);
    for (std::size_t i = 1; i + 1 < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "shared" || word == "global" || word == "local" || word == "param") {
        access.space = word == "shared"   ? Space::shared
                       : word == "global" ? Space::global
                       : word == "local"  ? Space::local
                                          : Space::parameter;
      } else if (word == "v2" || word == "v4") {
        access.elements = word == "v2" ? 2 : 4;
      } else if (word != "nc" || access.space != Space::global) {
        unknown();
      }
    }
    const unsigned bits = type_bits(words.back());
    if (bits < 8 || (!loads && access.space == Space::parameter)) {
      unknown();
    }
    access.bytes = static_cast<std::uint8_t>(bits / 8);
    access.is_signed = words.back().front() == 's';
    decode_address(statement_->operands[loads ? 1 : 0], access.operands[0], access.is_wide, access.offset);
    const std::vector<std::string> values = flattened({statement_->operands[loads ? 0 : 1]});
    if (values.size() != access.elements) {
      unknown();
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool is_register = values[i].front() == '%';
      const unsigned held = is_register ? register_bits(values[i]) : std::max(bits, 16u);
      if (held < std::max(bits, 16u) || (i > 0 && held != access.register_size * 8u)) {
        unknown();
      }
      access.register_size = static_cast<std::uint8_t>(held / 8);
      access.operands[1 + i] = needed(values[i], held);
    }
    push(access);
  }

  void decode_cvta(const std::vector<std::string>& words) {
    expect_operands(2);
    const bool from_generic = words.size() == 4 && words[1] == "to";
    if (words.back() != "u64" || words.size() != (from_generic ? 4u : 3u)) {
      unknown();
    }
    const std::string& space = words[words.size() - 2];
    std::string window;
    if (space == "shared") {
      window = "%shared_window";
    } else if (space == "local" || space == "param") {
      window = std::to_string((space == "local" ? local_tag : parameter_tag) << tag_shift);
    } else if (space == "global" || space == "const") {
      window = "0";
    } else {
      unknown();
    }
    decode_compute(from_generic ? "sub.u64" : "add.u64", {statement_->operands[0], statement_->operands[1], window});
  }

  void decode_copy() {
    const std::string& mnemonic = statement_->mnemonic;
    if (mnemonic == "cp.async.wait_all") {
      push(begin(Kind::await_copies));
      return;
    }
    if (mnemonic != "cp.async.ca.shared.global" && mnemonic != "cp.async.cg.shared.global") {
      fail(mnemonic + " is not known");
    }
    expect_operands(3);
    Instruction copy = begin(Kind::copy_async);
    bool source_is_wide = true;
    decode_address(statement_->operands[0], copy.operands[0], copy.is_wide, copy.offset);
    decode_address(statement_->operands[1], copy.operands[1], source_is_wide, copy.source_offset);
    const std::string& bytes = statement_->operands[2];
    const bool is_known = bytes == "16" || (mnemonic == "cp.async.ca.shared.global" && (bytes == "4" || bytes == "8"));
    if (!source_is_wide || !is_known) {
      unknown();
    }
    copy.bytes = static_cast<std::uint8_t>(std::stoi(bytes));
    push(copy);
  }

  void decode_shuffle(const std::vector<std::string>& words) {
    static const std::map<std::string, Shuffle, std::less<>> modes{
        {"up", Shuffle::up}, {"down", Shuffle::down}, {"bfly", Shuffle::butterfly}, {"idx", Shuffle::index}};
    expect_operands(5);
    if (words.size() != 4 || words[1] != "sync" || !modes.contains(words[2]) || words[3] != "b32") {
      unknown();
    }
    const std::vector<std::string>& operands = statement_->operands;
    const std::vector<std::string> results = split(operands[0], '|');
    Instruction shuffle = begin(Kind::shuffle);
    shuffle.shuffle = modes.at(words[2]);
    shuffle.operands = {
        needed(operands[4], 32), needed(results[0], 32),  needed(results.size() > 1 ? results[1] : "_", 1),
        needed(operands[1], 32), needed(operands[2], 32), needed(operands[3], 32)};
    push(shuffle);
  }

  void decode_barrier() {
    const std::string& mnemonic = statement_->mnemonic;
    const std::vector<std::string>& operands = statement_->operands;
    const bool is_of_all = operands.size() == 1;
    if ((mnemonic == "bar.sync" || mnemonic == "barrier.sync") && is_of_all && operands[0] == "0") {
      push(begin(Kind::block_barrier));
    } else if (mnemonic == "bar.warp.sync" && is_of_all) {
      Instruction barrier = begin(Kind::warp_barrier);
      barrier.operands[0] = needed(operands[0], 32);
      push(barrier);
    } else if ((mnemonic == "barrier.cluster.arrive.release" || mnemonic == "barrier.cluster.arrive.relaxed") &&
               operands.empty()) {
      Instruction arrive = begin(Kind::cluster_arrive);
      arrive.is_relaxed = mnemonic.ends_with("relaxed");
      push(arrive);
    } else if (mnemonic == "barrier.cluster.wait.acquire" && operands.empty()) {
      push(begin(Kind::cluster_wait));
    } else {
      unknown();
    }
  }

  Module& module_;
  Program program_;
  const Statement* statement_ = nullptr;
  std::map<std::string, std::pair<std::uint32_t, unsigned>> places_;  // and bits
};

}  // namespace

Program make_program(const Kernel& kernel, Module& module) { return Decoder(kernel, module).decode(); }

}  // namespace retort::test::ptx
