// SPDX-License-Identifier: MIT
#include "common/page.hpp"

#include <utility>

#include "common/page_style.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"

namespace examples {

namespace {

std::string attributes_of(Column::Kind kind) {
  switch (kind) {
    case Column::Kind::text:
      return "class=\"text\"";
    case Column::Kind::seconds:
      return "class=\"seconds\"";
    case Column::Kind::number:
      break;
  }
  return "";
}

}  // namespace

std::string escaped(std::string_view text) {
  constexpr std::size_t longest = 4000;
  std::string result;
  for (const char letter : retort::printable(text, longest)) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string element(std::string_view name, std::string_view attributes, std::string_view content) {
  return retort::concatenate({"<", name, attributes.empty() ? "" : " ", attributes, ">", content, "</", name, ">\n"});
}

std::string section(std::string_view heading, std::string_view content) {
  return element("section", "", "\n" + element("h2", "", escaped(heading)) + std::string(content));
}

std::string paragraph(std::string_view text) { return element("p", "", escaped(text)); }

Table::Table(std::string_view caption, std::vector<Column> columns) : caption_(caption), columns_(std::move(columns)) {}

void Table::add_row(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    row += i == 0 ? element("th", "scope=\"row\"", escaped(cells[i]))
                  : element("td", attributes_of(columns_[i].kind), escaped(cells[i]));
  }
  rows_ += element("tr", "", row);
}

std::string Table::markup() const {
  std::string headings;
  for (const Column& column : columns_) {
    const bool text = &column == &columns_.front() || column.kind == Column::Kind::text;
    headings += element("th", text ? "scope=\"col\" class=\"text\"" : "scope=\"col\"", escaped(column.heading));
  }
  return scrolling(
      caption_, element("table", "",
                        element("caption", "", escaped(caption_)) + element("thead", "", element("tr", "", headings)) +
                            element("tbody", "", rows_)));
}

std::string scrolling(std::string_view name, std::string_view content) {
  return element(
      "div", retort::concatenate({"class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"", escaped(name), "\""}),
      content);
}

void require_page(const char* option, const std::filesystem::path& path) {
  if (const std::string fault = page_name_fault(path.string()); !fault.empty()) {
    throw retort::OptionError(retort::concatenate({option, ": ", fault}));
  }
  retort::require_writable(path);
}

void write_page(const std::filesystem::path& path, std::string_view title, std::string_view body) {
  const std::string heading = escaped(title);
  retort::AtomicFile file(path);
  file.write(retort::concatenate({"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n",
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
                                  "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>", heading,
                                  "</title>\n<style>\n", page_style, "</style>\n</head>\n<body>\n<main>\n<h1>", heading,
                                  "</h1>\n", body, "</main>\n</body>\n</html>\n"}));
  file.commit();
}

}  // namespace examples
