// SPDX-License-Identifier: MIT
#include "retort/data/csv.hpp"

#include <string>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "temporary_folder.hpp"

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
  CHECK(table.load("label,0,1\n1,2,3\n0,5,6\n", {.header = CsvHeader::present}).fingerprint() == expected);
  CHECK(table.load("label,1x1,1x2\n1,2,3\n0,5,6\n").fingerprint() == expected);
  CHECK(table.load("1.0,2,3\n0.000e+00,5,6\n").fingerprint() == expected);
  CHECK(table.load("+1,2,3\n-0.0,5,6\n").fingerprint() == expected);
  CHECK(table.load("2,2,3\n1,5,6\n", {.first_label = 1}).fingerprint() == expected);
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
  refused("1;2;3\n", "is the delimiter ';'?");
  refused("1\t2\t3\n", "is the delimiter a tab?");
  refused("1,2,3\n", "is the delimiter ','?", {.delimiter = ';'});
  refused("1;2,5;3,5\n", "line 1, column 2: '5;3', expected a number (is the delimiter ';'?)");
  refused("1;2,5;3,5\n", "line 1, column 2: '2,5', expected a number with a decimal point: replace the commas",
          {.delimiter = ';'});
  refused("1,2,3\n4,5\n", "line 2: columns: 2, expected 3");
  refused("1,2,3\n4,5,6,7\n", "line 2: columns: 4, expected 3");
  refused("1,2,3\n\n4,5,6\n", "line 2: columns: 1, expected 3");
  refused("1,2,3\n4,5,\n", "line 2, column 3: '', expected a number; it is missing, and CsvOptions::missing can");
  refused("1,2,3\n4,NA,5\n", "line 2, column 2: 'NA', expected a number; it is missing");
  refused("1,2,3\n4,5x,6\n", "line 2, column 2: '5x', expected a number");
  refused("1,2,x\n4,5,6\n", "line 1, column 3: 'x', expected a number");
  refused("1,0x10\n", "line 1, column 2: '0x10'");
  refused("1,+-2\n", "line 1, column 2: '+-2'");
  refused("1,1 2\n", "line 1, column 2: '1 2'");
  refused("1,nan\n", "line 1, column 2: 'nan', expected a number; it is missing");
  refused("1,2\n1,-inf\n", "line 2, column 2: '-inf', expected a finite number");
  refused("1,1e39\n", "line 1, column 2: '1e39', expected a finite number");
  refused("1,1e999\n", "line 1, column 2: '1e999'");
  refused("0,1\n-1,2\n", "line 2, column 1: label '-1', expected a whole number, 0 or more");
  refused("0,1\n1.5,2\n", "line 2, column 1: label '1.5'");
  refused("0,1\nnan,2\n", "line 2, column 1: label 'nan'");
  refused("0,1\n4294967295,2\n", "line 2, column 1: label '4294967295'");
  refused("0,1\n11,2\n", "line 2, column 1: label '11', expected a whole number, 0 or more and less than 10",
          {.classes = 10});
  refused("label,x\n0,1\n", "line 1, column 2: 'x', expected a number", {.header = CsvHeader::absent});
  // A first line that is damaged, or names its columns by numbers, is no header.
  refused("O,1,2\n0,1,2\n1,2,3\n", "line 1, column 1: label 'O', but a number in line 2");
  refused("0x,1.5,2\n0,1,2\n1,2,3\n", "line 1, column 1: label '0x', but a number in line 2");
  refused("label,0,1\n1,2,3\n0,5,6\n", "needs CsvHeader::present");
  refused("x,1.5,2,y\n0,1,2,3\n", "line 1, column 4: 'y', expected a number; a header is a line without any number");
  refused("cat,1\ndog,2\n3,4\n", "line 1, column 1: label 'cat', but a number in line 3");
  refused("0,1\ncat,2\n", "line 2, column 1: label 'cat', expected a whole number");
  refused(",1\n0,2\n", "line 1, column 1: label '', expected a whole number");
  refused("1,2,3\n5,2,3\n", "labels: from 1 to 5, expected 0 among them (first_label 1 makes the lowest class 0");
  refused("2,1\n0,1\n", "line 2, column 1: label '0', expected a whole number, 1 or more", {.first_label = 1});
  refused("6,1\n", "label '6', expected a whole number, 1 or more and less than 6", {.classes = 5, .first_label = 1});
  refused("a,1\nb,1\nc,1\n", "labels: 3 different names, expected at most 2", {.classes = 2});
  refused("a,1\nb,1\n", "line 2, column 1: label 'b', expected one of the 2 class_names", {.class_names = {"a", "c"}});
  refused("0,1,2\n0,1,2,3\n", "line 2: more than 3 columns, the limit (column_limit raises it)", {.column_limit = 3});
  refused("a,1\nb,1\na,2\nc,1\n",
          "line 4, column 1: label 'c' is one name more than 2, the limit (is label_column 0 the labels' column? "
          "class_limit raises it)",
          {.class_limit = 2});
  refused(
      "Maus,1\nM\xFC"
      "cke,2\n",
      R"(line 2, column 1: label 'M\xfccke', expected UTF-8)");
  refused("1,\"2\n", "line 1, column 2: a quote is not closed");
  refused("1,\"2\"3\n", "line 1, column 2");
  refused(std::string("1,\0\n", 4), "line 1, column 2: '\\x00'");
  refused("1," + std::string(1000, 'y') + "\n", "...'");
}

TEST_CASE("classes may be names, numbered in the order of their bytes or as told") {
  const Table table;
  const std::string text = "5.1,virginica\n4.9,setosa\n6.3,virginica\n";
  const data::Dataset dataset = table.load(text, {.label_column = -1});
  CHECK(dataset.classes() == 2);
  CHECK(dataset.class_names() == std::vector<std::string>{"setosa", "virginica"});
  CHECK((dataset.labels() == data::Labels{1, 0, 1}));
  CHECK(table.load("x,species\n" + text, {.label_column = -1}).fingerprint() == dataset.fingerprint());
  CHECK(table.load(text, {.label_column = -1, .classes = 3}).classes() == 2);  // a model may have more outputs

  // The limit is for names found, of more than the classes told: neither for numbers nor for names told.
  CHECK(table.load(text, {.label_column = -1, .classes = 2, .class_limit = 1}).classes() == 2);
  CHECK(table.load(text, {.label_column = -1, .class_names = {"setosa", "virginica"}, .class_limit = 1}).classes() ==
        2);
  CHECK(table.load("0,1\n1,1\n2,1\n", {.class_limit = 1}).classes() == 3);

  const std::vector<std::string> all{"virginica", "versicolor", "setosa"};
  const data::Dataset told = table.load(text, {.label_column = -1, .class_names = all});
  CHECK(told.class_names() == all);
  CHECK((told.labels() == data::Labels{0, 2, 0}));
  CHECK(table.load("1,2\n0,2\n").class_names().empty());
  const data::Dataset numerals = table.load("7,2\n3,2\n", {.class_names = {"3", "7"}});
  CHECK((numerals.labels() == data::Labels{1, 0}));
}

TEST_CASE("a table without labels is all features") {
  const Table table;
  const data::Dataset dataset = table.load("pixel0,pixel1\n7,2\n3,4\n", {.labelled = false, .classes = 10});
  CHECK((std::get<Reals>(dataset.features()) == Reals{{7, 2}, {3, 4}}));
  CHECK((dataset.labels() == data::Labels{data::unlabelled, data::unlabelled}));
  CHECK(dataset.classes() == 10);
  CHECK(table.load("1,2\n", {.labelled = false}).classes() == 0);
}

TEST_CASE("columns may be targets, and all others are features") {
  const Table table;
  write_file(table.path, "x,y,z\n1,2,3\n4,5,6\n7,,9\n");
  const CsvOptions dropping{.missing = data::CsvMissing::drop_row};
  const auto load = [&](const std::vector<std::ptrdiff_t>& columns) {
    return data::load_csv_with_targets(table.path, columns, dropping);
  };
  CHECK((load({-1, 0}).targets() == Reals{{3, 1}, {6, 4}}));
  CHECK((std::get<Reals>(load({-1, 0}).features()) == Reals{{2}, {5}}));
  CHECK((std::get<Reals>(load({1}).features()) == Reals{{1, 3}, {4, 6}}));

  const auto refusal = [&](const std::vector<std::ptrdiff_t>& columns, const CsvOptions& options) {
    return message_of<Error>([&] { data::load_csv_with_targets(table.path, columns, options); });
  };
  CHECK(contains(refusal({3}, dropping), "target_columns: 3, expected different columns of the 3 of "));
  CHECK(contains(refusal({-4}, dropping), "target_columns: -4, expected different columns"));
  CHECK(contains(refusal({1, -2}, dropping), "target_columns: -2, expected different columns"));
  CHECK(contains(refusal({}, dropping), "target_columns: 0 of 3 columns"));
  CHECK(contains(refusal({0, 1, 2}, dropping), "target_columns: 3 of 3 columns"));
  CHECK(contains(refusal({0}, {}), "line 4, column 2"));
  CHECK(contains(refusal({0}, {.missing = data::CsvMissing::column_mean}), "missing: column_mean"));
}

TEST_CASE("missing values drop their row or become the column's mean, where the options say so") {
  const Table table;
  const std::string text = "0,1,10\n1,?,20\n1,5,NaN\n0,,n/a\n,6,60\n";
  const data::Dataset dropped = table.load(text, {.missing = data::CsvMissing::drop_row});
  CHECK((std::get<Reals>(dropped.features()) == Reals{{1, 10}}));
  CHECK((dropped.labels() == data::Labels{0}));

  const CsvOptions fill{.missing = data::CsvMissing::column_mean};
  const std::string labelled = text.substr(0, text.find("\n,") + 1);
  const data::Dataset filled = table.load(labelled, fill);
  CHECK((std::get<Reals>(filled.features()) == Reals{{1, 10}, {3, 20}, {5, 15}, {3, 15}}));
  CHECK((filled.labels() == data::Labels{0, 1, 1, 0}));
  CsvOptions told = fill;
  told.column_means = {-1, -2};
  CHECK((std::get<Reals>(table.load(labelled, told).features()) == Reals{{1, 10}, {-1, 20}, {5, -2}, {-1, -2}}));

  const auto refused = [&](const std::string& bytes, const CsvOptions& options, const char* reason) {
    CHECK(is_message(table.refusal(bytes, options), table.path, {reason}));
  };
  refused(text, fill, "line 5, column 1: label ''");
  refused("0,NA\n1,NA\n", fill, "column 2: no value at all");
  refused("NA,0\nNA,1\n", {.label_column = 1, .missing = data::CsvMissing::column_mean}, "column 1: no value at all");
  refused("0,NA\n1,NA\n", {.missing = data::CsvMissing::drop_row}, "no samples: a value is missing in each of 2");
  told.column_means = {1};
  CHECK(contains(table.refusal(labelled, told), "column_means: 1 means"));
}

TEST_CASE("what the training table says holds for the test table") {
  const Table table;
  const auto test_path = table.folder / "test.csv";
  const CsvOptions fill{.missing = data::CsvMissing::column_mean};
  write_file(table.path, "dog,1\ncat,3\nowl,NA\n");
  write_file(test_path, "owl,NA\ndog,9\n");
  const auto [train, test] = data::load_csv_train_test(table.path, test_path, fill);
  CHECK(test.class_names() == std::vector<std::string>{"cat", "dog", "owl"});
  CHECK(test.class_names() == train.class_names());
  CHECK((test.labels() == data::Labels{2, 1}));
  CHECK((std::get<Reals>(test.features()) == Reals{{2}, {9}}));
  write_file(test_path, "fox,1\n");
  CHECK(is_message(message_of<FormatError>([&] { data::load_csv_train_test(table.path, test_path, fill); }), test_path,
                   {"line 1, column 1: label 'fox', expected one of the 3 class_names"}));
  write_file(test_path, "cat,1,2\n");
  CHECK(is_message(message_of<FormatError>([&] { data::load_csv_train_test(table.path, test_path); }), table.path,
                   {"'NA'"}));
  write_file(table.path, "0,1\n2,3\n");
  write_file(test_path, "1,2\n");
  CHECK(data::load_csv_train_test(table.path, test_path).second.classes() == 3);
  write_file(test_path, "cat,2\n");
  CHECK(is_message(message_of<FormatError>([&] { data::load_csv_train_test(table.path, test_path); }), test_path,
                   {"labels: names, expected numbers as in table.csv"}));
  write_file(test_path, "1,2,3\n");
  CHECK(is_message(message_of<FormatError>([&] { data::load_csv_train_test(table.path, test_path); }), test_path,
                   {"features: 2, expected 1 as in table.csv"}));
}

TEST_CASE("text of another encoding or with other line ends is named, with what to do") {
  const Table table;
  std::string utf16;
  for (const char letter : std::string_view("1,2\n0,3\n")) {
    utf16 += {letter, '\0'};
  }
  for (const std::string& text : {"\xFF\xFE" + utf16, utf16, '\0' + utf16, "\xFE\xFF" + ('\0' + utf16)}) {
    CHECK(is_message(table.refusal(text), table.path, {"UTF-16, expected UTF-8 or ASCII: convert it"}));
  }
  CHECK(is_message(table.refusal("1,2\r0,3\r"), table.path, {"CR alone, expected LF or CRLF: convert it"}));
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
  CHECK(contains(table.refusal("1,2\n", {.class_names = {"a", "a"}}), "class_names: a name stands twice"));
  CHECK(contains(message_of<FileError>([&] { data::load_csv(table.folder / "absent.csv"); }), "No such file"));
}

TEST_CASE("no mutation of a table does harm") {
  const Table table;
  const auto write = [&](const std::string& bytes) { write_file(table.path, bytes); };
  CHECK(refused_mutations("label,a,b\r\n1,\"2.5\",3e2\r\n0,-4,5\r\n", 4000, write,
                          [&] { data::load_csv(table.path); }) > 1000);
}
