// SPDX-License-Identifier: MIT
#include "retort/data/save_npy.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/xtensor.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

using Bytes = data::Matrix<std::uint8_t>;
using Reals = data::Matrix<float>;

struct Files {
  TemporaryFolder folder;
  std::filesystem::path features = folder / "features.npy";
  std::filesystem::path labels = folder / "labels.npy";

  Files() { data::save_npy(labels, data::Labels{3, 1}); }
  data::Dataset load() const { return data::load_npy(features, labels, {.classes = 4}); }
};

}  // namespace

TEST_CASE("matrices saved here load here, bit for bit") {
  const Files files;
  const Bytes bytes{{1, 2, 3}, {4, 5, 255}};
  const Reals reals{{1.5f, -0.0f, 1e-45f}, {3.4e38f, 0.1f, -7}};
  data::save_npy(files.features, bytes);
  CHECK((std::get<Bytes>(files.load().features()) == bytes));
  data::save_npy(files.features, reals);
  const data::Dataset dataset = files.load();
  CHECK(std::memcmp(std::get<Reals>(dataset.features()).data(), reals.data(), reals.values().size_bytes()) == 0);
  CHECK((dataset.labels() == data::Labels{3, 1}));
  CHECK(dataset.classes() == 4);
  CHECK(dataset.image() == data::ImageShape{});
}

TEST_CASE("xtensor expressions of any rank and layout are saved as they are") {
  const Files files;
  const xt::xtensor<std::uint8_t, 3> images{{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
  data::save_npy(files.features, images);
  CHECK(files.load().image() == data::ImageShape{3, 2});
  CHECK((std::get<Bytes>(files.load().features()) == Bytes{{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}}));

  const xt::xtensor<float, 2, xt::layout_type::column_major> columns{{1, 2, 3}, {4, 5, 6}};
  data::save_npy(files.features, columns);
  CHECK(contains(read_file(files.features), "'fortran_order': True"));
  CHECK((std::get<Reals>(files.load().features()) == Reals{{1, 2, 3}, {4, 5, 6}}));

  data::save_npy(files.features, 2 * xt::view(columns, xt::all(), xt::range(1, 3)));
  CHECK((std::get<Reals>(files.load().features()) == Reals{{4, 6}, {10, 12}}));
}

TEST_CASE("a saved file has the header that NumPy writes") {
  const Files files;
  data::save_npy(files.features, Reals{{1, 2, 3}, {4, 5, 6}});
  const std::string bytes = read_file(files.features);
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\1\0", 8));
  CHECK(contains(bytes, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
  CHECK((bytes.size() - 24) % 64 == 0);  // the elements begin at a multiple of 64
  const std::vector<float> elements{1, 2, 3, 4, 5, 6};
  CHECK(bytes.substr(bytes.size() - 24) == std::string(reinterpret_cast<const char*>(elements.data()), 24));
}

TEST_CASE("an array that cannot be written leaves nothing behind") {
  const TemporaryFolder folder;
  CHECK(is_message(message_of<FileError>([&] { data::save_npy(folder / "absent" / "a.npy", Reals{{1}}); }),
                   folder / "absent" / "a.npy", {"No such file"}));
  // What load_npy would not read.
  CHECK(message_of<ShapeError>([&] { data::save_npy(folder / "a.npy", Reals(0, 3)); }) ==
        "save_npy: a matrix of 0 x 3, expected at least one row and one column");
  CHECK(contains(message_of<ShapeError>([&] { data::save_npy(folder / "a.npy", data::Labels{}); }),
                 "save_npy: no labels, expected at least one"));
  CHECK(std::filesystem::is_empty(folder.path()));
}
