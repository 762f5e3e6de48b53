// SPDX-License-Identifier: MIT
// A program of another project that writes a network as ONNX and reads it. It includes no more than it needs.

#include <cstdio>
#include <fstream>
#include <retort/backend/eigen/backend.hpp>
#include <retort/io/export_onnx.hpp>
#include <retort/nn/linear.hpp>
#include <retort/nn/network.hpp>
#include <retort/nn/relu.hpp>
#include <retort/nn/sequential.hpp>
#include <retort/version.hpp>
#include <string>

namespace rt = retort;

using Model = rt::Sequential<rt::Linear<3, 4>, rt::ReLU, rt::Linear<4, 2>>;

int main() {
  rt::io::export_onnx(rt::Network<Model>{rt::Seed{0}, rt::backend::Eigen{1}}, "consumer.onnx");
  std::ifstream file("consumer.onnx", std::ios::binary);
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&file)) {
    return 1;
  }
  std::printf("Retort %s: %d nodes, the last one makes %s\n", std::string{rt::version}.c_str(),
              model.graph().node_size(), model.graph().node().rbegin()->output(0).c_str());
  return model.graph().node_size() == 3 ? 0 : 1;
}
