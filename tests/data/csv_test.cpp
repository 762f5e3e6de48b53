// SPDX-License-Identifier: MIT
#include "retort/data/csv.hpp"

#include <string>

#include "../temporary_folder.hpp"
#include "catch.hpp"
#include "data_test.hpp"

using namespace retort;
using namespace retort::test;
using data::CsvHeader;
using data::CsvOptions;

namespace {

using Reals = data::Matrix<float>;

struct Table {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "table.csv";

  data::Dataset load(const std::string& text, const CsvOptions& options = {}) const {
    write_file(path, text);
    return data::load_csv(path, options);
  }
  std::string refusal(const std::string& text, const CsvOptions& options = {}) const {
    return message_of<Error>([&] { load(text, options); });
  }
};

}  // namespace

TEST_CASE("a table of numbers is a dataset") {
  const Table table;
  const data::Dataset dataset = table.load("2,0.5,-1e3\n0,7,.25\n");
  CHECK((std::get<Reals>(dataset.features()) == Reals{{0.5f, -1000}, {7, 0.25f}}));
  CHECK((dataset.labels() == data::Labels{2, 0}));
  CHECK(dataset.classes() == 3);
  CHECK(dataset.image() == data::ImageShape{});
}

TEST_CASE("one table, written in many ways, is one dataset") {
  const Table table;
  const std::uint64_t expected = table.load("1,2,3\n0,5,6\n").fingerprint();
  const CsvOptions tab{.delimiter = '\t'};
  const CsvOptions last{.label_column = -1};
  const CsvOptions middle{.label_column = 1};
  CHECK(table.load("1,2,3\n0,5,6").fingerprint() == expected);
  CHECK(table.load("1,2,3\r\n0,5,6\r\n").fingerprint() == expected);
  CHECK(table.load("1,2,3\n0,5,6\n\n\r\n").fingerprint() == expected);
  CHECK(table
            .load("\xEF\xBB\xBF"
                  "1,2,3\n0,5,6\n")
            .fingerprint() == expected);
  CHECK(table.load("\"1\",\"2\", \"3\" \n0,\" 5\",6\n").fingerprint() == expected);
  CHECK(table.load("  1 ,\t2,+3.0\n0,5e0,600E-2\n").fingerprint() == expected);
  CHECK(table.load("label,x,y\n1,2,3\n0,5,6\n").fingerprint() == expected);
  CHECK(table.load("label,0,1\n1,2,3\n0,5,6\n").fingerprint() == expected);
  CHECK(table.load("\"the label\",\"x, in m\",y\n1,2,3\n0,5,6\n").fingerprint() == expected);
  CHECK(table.load("9,9,9\n1,2,3\n0,5,6\n", {.header = CsvHeader::present}).fingerprint() == expected);
  CHECK(table.load("1\t2\t3\n0\t5\t6\n", tab).fingerprint() == expected);
  CHECK(table.load("2,3,1\n5,6,0\n", last).fingerprint() == expected);
  CHECK(table.load("2,1,3\n5,0,6\n", middle).fingerprint() == expected);
  CHECK(table.load("2,1,3\n5,0,6\n", {.label_column = -2}).fingerprint() == expected);
  CHECK(table.load(gzip("1,2,3\n0,5,6\n")).fingerprint() == expected);
}

TEST_CASE("options reach the dataset") {
  const Table table;
  const data::Dataset dataset = table.load("1,2,3\n", {.classes = 5, .image = {1, 2}, .normalization = {127.5, 127.5}});
  CHECK(dataset.classes() == 5);
  CHECK(dataset.image() == data::ImageShape{1, 2});
  CHECK(dataset.normalization() == data::Normalization{127.5, 127.5});
}

TEST_CASE("what is wrong in a table is told by line and column") {
  const Table table;
  const auto refused = [&](const std::string& text, const std::string& reason, const CsvOptions& options = {}) {
    write_file(table.path, text);
    const std::string message = message_of<FormatError>([&] { data::load_csv(table.path, options); });
    CAPTURE(text, message);
    CHECK(is_message(message, table.path, {reason}));
  };
  refused("", "no samples");
  refused("\n\n", "no samples");
  refused("label,x\n", "no samples");
  refused("5\n6\n", "line 1: columns: 1, expected at least 2");
  refused("1;2;3\n", "is the delimiter ','?");
  refused("1,2,3\n4,5\n", "line 2: columns: 2, expected 3");
  refused("1,2,3\n4,5,6,7\n", "line 2: columns: 4, expected 3");
  refused("1,2,3\n\n4,5,6\n", "line 2: columns: 1, expected 3");
  refused("1,2,3\n4,5,\n", "line 2, column 3: '', expected a number");
  refused("1,2,3\n4,5x,6\n", "line 2, column 2: '5x', expected a number");
  refused("1,2,x\n4,5,6\n", "line 1, column 3: 'x', expected a number");
  refused("1,0x10\n", "line 1, column 2: '0x10'");
  refused("1,+-2\n", "line 1, column 2: '+-2'");
  refused("1,1 2\n", "line 1, column 2: '1 2'");
  refused("1,nan\n", "line 1, column 2: 'nan', expected a finite number");
  refused("1,2\n1,-inf\n", "line 2, column 2: '-inf', expected a finite number");
  refused("1,1e39\n", "line 1, column 2: '1e39', expected a finite number");
  refused("1,1e999\n", "line 1, column 2: '1e999'");
  refused("0,1\n-1,2\n", "line 2, column 1: label '-1', expected a whole number, 0 or more");
  refused("0,1\n1.5,2\n", "line 2, column 1: label '1.5'");
  refused("0,1\nnan,2\n", "line 2, column 1: label 'nan'");
  refused("0,1\n4294967295,2\n", "line 2, column 1: label '4294967295'");
  refused("0,1\n11,2\n", "line 2, column 1: label '11', expected a whole number, 0 or more and less than 10",
          {.classes = 10});
  refused("label,x\n0,1\n", "line 1, column 1: label 'label'", {.header = CsvHeader::absent});
  refused("1,\"2\n", "line 1, column 2: a quote is not closed");
  refused("1,\"2\"3\n", "line 1, column 2");
  refused(std::string("1,\0\n", 4), "line 1, column 2: '\\x00'");
  refused("1," + std::string(1000, 'y') + "\n", "...'");
}

TEST_CASE("options that cannot be meant are refused") {
  const Table table;
  for (const char delimiter : {'0', '.', '-', '"', '\n', 'e'}) {
    CHECK(contains(table.refusal("1,2\n", {.delimiter = delimiter}), "delimiter"));
  }
  for (const std::ptrdiff_t column : {2, -3}) {
    CHECK(contains(table.refusal("1,2\n", {.label_column = column}), "label_column: " + std::to_string(column)));
  }
  CHECK(contains(table.refusal("1,2\n", {.image = {2, 2}}), "image: 2 x 2"));
  CHECK(contains(message_of<FileError>([&] { data::load_csv(table.folder / "absent.csv"); }), "No such file"));
}

TEST_CASE("no mutation of a table does harm") {
  const Table table;
  const auto write = [&](const std::string& bytes) { write_file(table.path, bytes); };
  CHECK(refused_mutations("label,a,b\r\n1,\"2.5\",3e2\r\n0,-4,5\r\n", 4000, write,
                          [&] { data::load_csv(table.path); }) > 1000);
}
