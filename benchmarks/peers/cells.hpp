// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the programs of this folder do alike: the cells that run.sh asks for (cells.txt), each a benchmark of its name.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace peers {

/// `steps`: of an iteration.
struct Cell {
  std::string kind, model;
  std::int64_t batch = 0, steps = 0;

  std::int64_t samples() const { return batch * steps; }
  std::string name() const { return kind + "/" + model + "/" + std::to_string(batch); }
};

/// The parts of a model's name: what follows each hidden Linear layer, and their width.
struct ModelName {
  explicit ModelName(const std::string& name) {
    std::istringstream words(name);
    for (std::string word; std::getline(words, word, '-');) {
      layers.push_back(word);
    }
    width = std::stol(layers.back());
    layers.pop_back();
  }

  std::vector<std::string> layers;
  std::int64_t width;
};

/// OMP_NUM_THREADS, which is for every program of this folder. Without it 1.
inline int threads() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  return text != nullptr ? std::stoi(text) : 1;
}

using Benchmark = std::function<void(benchmark::State&)>;

/// Of a program's arguments: --version or --notes prints that text; --cells FILE with Google Benchmark's options
/// measures the cells in FILE, a line "KIND MODEL BATCH STEPS" each, for which benchmark_of has a benchmark.
template <typename BenchmarkOf>
int run(int argc, char** argv, const std::string& version, const std::string& notes, const BenchmarkOf& benchmark_of) {
  const std::string option = argc > 1 ? argv[1] : "";
  if (option == "--version" || option == "--notes") {
    std::cout << (option == "--version" ? version : notes) << '\n';
    return 0;
  }
  std::ifstream file(option == "--cells" && argc > 2 ? argv[2] : "");
  if (!file) {
    std::cerr << argv[0] << ": expected --version, --notes or --cells FILE\n";
    return 2;
  }
  bool found = false;
  for (Cell cell; file >> cell.kind >> cell.model >> cell.batch >> cell.steps;) {
    if (const Benchmark measured = benchmark_of(cell)) {
      benchmark::RegisterBenchmark(cell.name().c_str(), measured)->UseRealTime();
      found = true;
    }
  }
  if (found) {
    argc -= 2;
    argv[2] = argv[0];
    argv += 2;
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
  }
  return 0;
}

}  // namespace peers
