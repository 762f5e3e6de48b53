// SPDX-License-Identifier: MIT
#include "ptx/module.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <regex>

namespace retort::test::ptx {

namespace {

[[noreturn]] void fail(std::size_t line, const std::string& what) {
  throw PtxError("PTX line " + std::to_string(line) + ": " + what);
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' || c == '.';
  });
}

/// Comments, and directives that stand on a line of their own, become spaces.
std::string without_comments(std::string_view text) {
  std::string result(text);
  for (std::size_t i = 0; i + 1 < result.size(); ++i) {
    if (result.compare(i, 2, "/*") == 0) {
      const std::size_t end = std::min(result.find("*/", i), result.size() - 2) + 2;
      std::replace_if(
          result.begin() + static_cast<std::ptrdiff_t>(i), result.begin() + static_cast<std::ptrdiff_t>(end),
          [](char c) { return c != '\n'; }, ' ');
    } else if (result.compare(i, 2, "//") == 0 ||
               ((i == 0 || result[i - 1] == '\n') &&
                (result.compare(i, 8, ".version") == 0 || result.compare(i, 7, ".target") == 0 ||
                 result.compare(i, 13, ".address_size") == 0))) {
      while (i < result.size() && result[i] != '\n') {
        result[i++] = ' ';
      }
    }
  }
  return result;
}

std::size_t number(const std::string& text, std::size_t line) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(line, "expected a number, found '" + text + "'");
  }
  return value;
}

/// A variable's declaration behind its state space: ".align 8 .b8 name[400] = {1, 2}".
struct Variable {
  std::string name;
  std::size_t alignment = 1;
  std::size_t element = 1;  // bytes
  std::size_t count = 1;    // 0 where that is left open
  std::string values;

  Variable(const std::string& text, std::size_t line) {
    static const std::regex form(
        R"(^(?:\.align (\d+) )?\.(\w+) (?:\.ptr (?:\.\w+ )?(?:\.align \d+ )?)?([\w$]+)(\[\d*\])?$)");
    const std::size_t equals = text.find('=');
    const std::string declared = trimmed(text.substr(0, equals));
    std::smatch parts;
    if (!std::regex_match(declared, parts, form) || type_bits(parts[2].str()) < 8) {
      fail(line, "unknown declaration '" + declared + "'");
    }
    name = parts[3];
    element = type_bits(parts[2].str()) / 8;
    alignment = parts[1].matched ? number(parts[1], line) : element;
    if (parts[4].matched) {
      const std::string extent = parts[4];
      count = extent == "[]" ? 0 : number(extent.substr(1, extent.size() - 2), line);
    }
    if (equals != std::string::npos) {
      values = trimmed(text.substr(equals + 1));
      if (values.front() == '{') {
        values = values.substr(1, values.size() - 2);
      }
    }
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(without_comments(text)) {}

  Module read() {
    for (std::string head = next(); !head.empty(); head = next()) {
      if (end_ != '{') {
        declare(head);
      } else if (head.find(".entry ") != std::string::npos) {
        read_kernel(head);
      } else if (head.find(".func ") != std::string::npos) {
        skip_body();  // a call is an unknown instruction
      } else {
        fail(line_, "unknown '" + head + "'");
      }
    }
    for (auto& [name, kernel] : module_.kernels) {
      kernel.shared.bytes = (kernel.shared.bytes + 15) / 16 * 16;
      for (const std::string& dynamic : dynamic_) {
        kernel.shared.places[dynamic] = kernel.shared.bytes;
      }
    }
    return std::move(module_);
  }

 private:
  /// What stands before the next ';', '{' or '}' or behind a label, in single spaces; end_ is that character.
  std::string next() {
    std::string found;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      line_ += c == '\n' ? 1 : 0;
      if (is_space(c)) {
        if (!found.empty() && found.back() != ' ') {
          found += ' ';
        }
        continue;
      }
      if (found.empty()) {
        first_line_ = line_;
      }
      const bool opens_body =
          c == '{' && (found.empty() || found.find(".entry ") < found.size() || found.find(".func ") < found.size());
      if (depth == 0 && (c == ';' || opens_body || (c == '}' && found.empty()))) {
        end_ = c;
        return found.empty() ? std::string(1, c) : trimmed(found);
      }
      if (c == ':' && is_name(found) && at_ < text_.size() && text_[at_] != ':') {
        end_ = c;
        return found;
      }
      depth += c == '{' || c == '(' || c == '[' ? 1 : c == '}' || c == ')' || c == ']' ? -1 : 0;
      found += c;
    }
    if (!trimmed(found).empty()) {
      fail(line_, "the module ends within '" + found.substr(0, 60) + "'");
    }
    return {};
  }

  /// A variable outside of kernels.
  void declare(const std::string& text) {
    static const std::regex form(R"(^(?:\.(extern|visible|weak|common) )?\.(shared|global|const) (.*)$)");
    std::smatch parts;
    if (text == ";" || text.find(".func ") != std::string::npos) {
      return;
    }
    if (!std::regex_match(text, parts, form)) {
      fail(first_line_, "unknown declaration '" + text + "'");
    }
    const Variable variable(parts[3], first_line_);
    if (parts[2] == "shared") {
      if (variable.count != 0) {
        fail(first_line_, "shared memory outside of a kernel: '" + text + "'");
      }
      dynamic_.push_back(variable.name);
      return;
    }
    Constant& constant = module_.constants[variable.name];
    constant.alignment = variable.alignment;
    constant.bytes.resize(variable.element * variable.count);
    std::byte* to = constant.bytes.data();
    for (const std::string& value : split(variable.values)) {
      const std::uint64_t bits = std::stoull(value, nullptr, 0);
      std::memcpy(to, &bits, variable.element);
      to += variable.element;
    }
  }

  void skip_body() {
    for (int depth = 1; depth > 0;) {
      const std::string part = next();
      depth += part == "{" ? 1 : part == "}" ? -1 : 0;
      if (part.empty()) {
        fail(line_, "a body has no end");
      }
    }
  }

  void read_kernel(const std::string& head) {
    static const std::regex form(R"(^.*\.entry ([\w$]+) ?\(([^)]*)\).*$)");
    std::smatch parts;
    if (!std::regex_match(head, parts, form)) {
      fail(first_line_, "unknown kernel '" + head + "'");
    }
    Kernel& kernel = module_.kernels[parts[1]];
    kernel.name = parts[1];
    for (const std::string& parameter : split(parts[2].str())) {
      const Variable variable(parameter.substr(std::string_view(".param ").size()), first_line_);
      kernel.parameters.add(variable.name, variable.alignment, variable.element * variable.count);
    }
    for (int depth = 1; depth > 0;) {
      const std::string part = next();
      if (part.empty()) {
        fail(line_, "kernel " + kernel.name + " has no end");
      }
      if (part == "{" || part == "}") {
        depth += part == "{" ? 1 : -1;
      } else if (end_ == ':') {
        kernel.labels[part] = kernel.statements.size();
      } else if (part.front() == '.') {
        declare_in(kernel, part);
      } else {
        kernel.statements.push_back(statement(part));
      }
    }
  }

  void declare_in(Kernel& kernel, const std::string& text) {
    static const std::regex form(R"(^\.(reg|local|shared|pragma|loc) (.*)$)");
    static const std::regex names(R"(^\.(\w+) (.*)$)");
    std::smatch parts;
    if (!std::regex_match(text, parts, form)) {
      fail(first_line_, "unknown directive '" + text + "'");
    }
    if (parts[1] == "reg") {
      const std::string rest = parts[2];
      std::smatch type;
      if (!std::regex_match(rest, type, names) || type_bits(type[1].str()) == 0) {
        fail(first_line_, "unknown registers '" + text + "'");
      }
      for (const std::string& name : split(type[2].str())) {
        kernel.registers[name.substr(0, name.find('<'))] = type_bits(type[1].str());
      }
    } else if (parts[1] == "local" || parts[1] == "shared") {
      const Variable variable(parts[2], first_line_);
      (parts[1] == "local" ? kernel.local : kernel.shared)
          .add(variable.name, variable.alignment, variable.element * variable.count);
    }
  }

  Statement statement(const std::string& text) const {
    Statement result;
    result.line = first_line_;
    std::string_view rest = text;
    if (rest.front() == '@') {
      const std::size_t end = rest.find(' ');
      result.guard = rest.substr(1, end - 1);
      rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
    }
    const std::size_t end = std::min(rest.find(' '), rest.size());
    result.mnemonic = rest.substr(0, end);
    result.operands = split(rest.substr(end));
    return result;
  }

  std::string text_;
  Module module_;
  std::vector<std::string> dynamic_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t first_line_ = 1;
  char end_ = ';';
};

}  // namespace

std::string Statement::text() const {
  std::string result = guard.empty() ? mnemonic : "@" + guard + " " + mnemonic;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    result += (i == 0 ? " " : ", ") + operands[i];
  }
  return result;
}

void Area::add(const std::string& name, std::size_t alignment, std::size_t size) {
  bytes = (bytes + alignment - 1) / alignment * alignment;
  places[name] = bytes;
  bytes += size;
}

Module read_module(std::string_view text) { return Reader(text).read(); }

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == separator && depth == 0)) {
      std::string part = trimmed(text.substr(first, i - first));
      if (!part.empty()) {
        parts.push_back(std::move(part));
      }
      first = i + 1;
    } else {
      depth += text[i] == '{' || text[i] == '[' ? 1 : text[i] == '}' || text[i] == ']' ? -1 : 0;
    }
  }
  return parts;
}

unsigned type_bits(std::string_view type) {
  if (type == "pred") {
    return 1;
  }
  for (const std::string_view name : {"b", "u", "s", "f"}) {
    for (const unsigned bits : {8u, 16u, 32u, 64u}) {
      if (type == std::string(name) + std::to_string(bits) && !(name == "f" && bits < 32)) {
        return bits;
      }
    }
  }
  return 0;
}

}  // namespace retort::test::ptx
