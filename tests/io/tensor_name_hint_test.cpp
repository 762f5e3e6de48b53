// SPDX-License-Identifier: MIT
#include "retort/io/tensor_name_hint.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using Net = Network<Sequential<Linear<3, 2>, ReLU, Linear<2, 2>>>;

const std::vector<std::string> names{"0.weight", "0.bias", "2.weight", "2.bias"};

std::string hint(std::string_view name) { return io::detail::tensor_name_hint(name, names); }

TEST_CASE("A prefix is told by the name after it, or by what is known to write it", "[io]") {
  const std::string strips = ": SafetensorsOptions::prefix takes it off every name";
  CHECK(hint("module.0.bias") ==
        "; \"module.\" is a prefix, torch.nn.DataParallel's or DistributedDataParallel's" + strips);
  CHECK(hint("_orig_mod.2.weight") == "; \"_orig_mod.\" is a prefix, torch.compile's" + strips);
  CHECK(hint("model.0.weight") ==
        "; \"model.\" is a prefix, of a module that holds the network as its attribute" + strips);
  CHECK(
      hint("module._orig_mod.0.bias") ==
      "; \"module._orig_mod.\" is a prefix, torch.nn.DataParallel's or DistributedDataParallel's and torch.compile's" +
          strips);
  CHECK(hint("student.net.0.bias") == "; \"student.net.\" is a prefix" + strips);
}

TEST_CASE("Layers of other names are told by their tensors' names", "[io]") {
  const std::string cure = "; SafetensorsOptions::layer_names takes the names that layers have in the file, here ";
  CHECK(hint("fc1.bias") == cure + "\"fc1\" for one");
  CHECK(hint("net.fc1.weight") == cure + "\"net.fc1\" for one");
  CHECK(hint("1.bias") == cure + "\"1\" for one");
  CHECK(hint("module.fc1.bias").starts_with("; \"module.\" is a prefix, "));
  CHECK(hint("module.fc1.bias").ends_with(cure + "\"fc1\" for one"));
}

TEST_CASE("Other names give no hint", "[io]") {
  CHECK(hint("").empty());
  CHECK(hint("surplus").empty());
  CHECK(hint("0.weight_scale").empty());
}

TEST_CASE("What the hints say helps", "[io]") {
  const test::TemporaryFolder folder;
  const Net network{Seed{1}};
  Net loaded{Seed{2}};
  io::SafetensorsOptions options;
  const auto refusal = [&] {
    io::save_safetensors(network, folder / "a", options);
    try {
      io::load_safetensors(loaded, folder / "a");
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  options.prefix = "module.";
  CHECK(refusal().find("tensor \"module.0.") != std::string::npos);
  CHECK(refusal().find("SafetensorsOptions::prefix") != std::string::npos);
  io::load_safetensors(loaded, folder / "a", options);
  CHECK(loaded.copy_parameters()[0] == network.copy_parameters()[0]);

  options.layer_names = {"fc1", "fc2"};
  CHECK(refusal().find("SafetensorsOptions::layer_names") != std::string::npos);
  io::load_safetensors(loaded, folder / "a", options);
}

}  // namespace
