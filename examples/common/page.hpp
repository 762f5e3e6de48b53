// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A page of HTML that is one file: it loads nothing and runs nothing. "Markup" is text with elements in it, made by
/// these functions; any other text goes through `escaped`. All of it is well-formed XML too.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/quote.hpp"

namespace examples {

/// Markup that shows `text`, whatever is in it: also where it is an attribute's value in quotation marks.
std::string escaped(std::string_view text);

/// `<name attributes>content</name>`; the attributes are as they are to stand there, the content is markup.
std::string element(std::string_view name, std::string_view attributes, std::string_view content);

/// A part of the page with a heading, which is text.
std::string section(std::string_view heading, std::string_view content);

/// A paragraph of text.
std::string paragraph(std::string_view text);

struct Column {
  /// What its cells hold. Seconds are what differs from one run to an equal one.
  enum class Kind { text, number, seconds };

  std::string heading;
  Kind kind = Kind::number;
};

/// A table that scrolls by itself where it is wider than the screen. All that it shows is text; the first cell of a row
/// is the row's heading.
class Table {
 public:
  Table(std::string_view caption, std::vector<Column> columns);

  /// Precondition: a cell for each column.
  void add_row(const std::vector<std::string>& cells);
  std::string markup() const;

 private:
  std::string caption_;
  std::vector<Column> columns_;
  std::string rows_;
};

/// `content`, a table's markup, in a box that scrolls sideways. `name` says to a screen reader what it is.
std::string scrolling(std::string_view name, std::string_view content);

/// What is wrong with a page's name: other endings are those of results, which the page would replace. Empty for
/// nothing.
inline std::string page_name_fault(const std::string& name) {
  return name.ends_with(".html") ? "" : retort::in_quotes(name) + ", expected a name that ends in .html";
}

/// For a program that writes its page after hours: throws retort::OptionError, which names the option, for such a name,
/// and retort::FileError where the page could not be written.
void require_page(const char* option, const std::filesystem::path& path);

/// The document, in a file that is there whole or not at all. Throws retort::FileError.
void write_page(const std::filesystem::path& path, std::string_view title, std::string_view body);

}  // namespace examples
