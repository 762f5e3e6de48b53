// SPDX-License-Identifier: MIT
// The kernels of blocks as nvcc compiles them, run on the host: their results are the host's, they have no races, and
// each defect that is planted in them is found.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "ptx/costs.hpp"
#include "ptx/edit.hpp"
#include "ptx/kernel_cases.hpp"
#include "ptx/kernel_run.hpp"
#include "ptx/machine.hpp"
#include "ptx/module.hpp"
#include "ptx/program.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/synthetic_digits.hpp"

namespace {

using namespace retort::test::ptx;

Module& module_of(const std::string& name) {
  static std::map<std::string, Module> modules;
  const auto [found, is_new] = modules.try_emplace(name);
  if (is_new) {
    std::ifstream file(std::string(RETORT_PTX_FOLDER) + "/" + name + ".ptx");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE_FALSE(text.empty());
    found->second = read_module(text);
  }
  return found->second;
}

struct Tolerance {
  double one_step = 3e-7;
  double many_steps = 1e-6;
};

template <typename C>
void check_case(const std::string& file, const std::string& name, RunSettings settings,
                const Tolerance& tolerance = {}) {
  Module& module = module_of(file);
  const Program program = make_program(module.kernels.at(name), module);
  const auto check = [&](std::size_t steps, const Schedule& schedule, double limit) {
    settings.steps = steps;
    KernelRun<C> run(settings);
    const Results<C> expected = run.run_twin();
    Results<C> found = run.begin();
    const Outcome outcome = run.run(program, found, schedule);
    const Difference apart = difference(expected, found);
    INFO(name << ", batch " << settings.batch << ", " << steps << " steps, seed " << schedule.seed);
    INFO(outcome.findings.text());
    CHECK(outcome.findings.count() == 0);
    CHECK(apart.parameters <= limit);
    CHECK(apart.losses <= 10 * limit);
    CHECK(apart.answers <= (steps == 1 ? 0 : found.correct.size() / 500));
    if (steps == 1) {
      CHECK(apart.same_report);
    }
    std::cout << name << ", " << steps << " x " << settings.batch << ": " << outcome.instructions << " instructions, "
              << outcome.products << " mma, " << outcome.copies << " copies, " << outcome.barriers << " barriers, "
              << outcome.cluster_barriers << " of clusters; apart by " << apart.parameters << ", moments "
              << apart.moments << ", losses " << apart.losses << ", answers " << apart.answers << "\n";
  };
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    check(1, {.is_shuffled = true, .seed = seed}, tolerance.one_step);
  }
  check(60, {}, tolerance.many_steps);
}

TEST_CASE("the student's block", "[ptx]") { check_case<MnistBlock>("student", "MnistBlock", {}); }
TEST_CASE("the student's block: images moved, short chunks, no offset", "[ptx]") {
  check_case<MnistBlock>("student", "MnistBlock", {.batch = 33, .last_batch = 7, .shift = 2, .mean = 0});
}
TEST_CASE("the student's block: an offset that no byte stands for", "[ptx]") {
  check_case<MnistBlock>("student", "MnistBlock", {.mean = 0.1307});
}
TEST_CASE("the student's block: batches of several chunks, clipped", "[ptx]") {
  check_case<MnistAny>("student", "MnistAny", {.batch = 100, .max_norm = 0.3});
}
TEST_CASE("the student's block: real inputs", "[ptx]") {
  check_case<MnistReals>("student", "MnistReals", {.last_batch = 30});
}
TEST_CASE("the student's cluster", "[ptx]") { check_case<MnistCluster>("student", "MnistCluster", {}); }
TEST_CASE("a cluster of eight blocks", "[ptx]") {
  check_case<NarrowCluster>("blocks", "NarrowCluster", {.last_batch = 5, .shift = 1});
}
TEST_CASE("a cluster of eight blocks: real inputs", "[ptx]") {
  check_case<NarrowClusterReals>("blocks", "NarrowClusterReals", {});
}
TEST_CASE("a cluster of five blocks on scalar units", "[ptx]") {
  check_case<StudentCluster>("blocks", "StudentCluster", {.last_batch = 33});
}
TEST_CASE("odd widths on tensor cores", "[ptx]") { check_case<OddTensor>("blocks", "OddTensor", {.last_batch = 1}); }
TEST_CASE("odd widths on scalar units: several chunks, clipped", "[ptx]") {
  check_case<OddScalar>("blocks", "OddScalar", {.batch = 70, .max_norm = 0.3});
}
TEST_CASE("odd widths and real inputs", "[ptx]") { check_case<OddReals>("blocks", "OddReals", {}); }
TEST_CASE("many outputs on tensor cores", "[ptx]") { check_case<WideTensor>("blocks", "WideTensor", {.batch = 50}); }
TEST_CASE("a deep model, moments in global memory", "[ptx]") {
  check_case<DeepTensor>("blocks", "DeepTensor", {.batch = 32, .last_batch = 20});
}
TEST_CASE("a wide hidden layer", "[ptx]") {
  check_case<LargeTensor>("blocks", "LargeTensor", {.batch = 32, .last_batch = 9});
}
TEST_CASE("long inputs in several chunks", "[ptx]") { check_case<LongTensor>("blocks", "LongTensor", {.batch = 100}); }
TEST_CASE("doubles", "[ptx]") {
  check_case<StudentDouble>("blocks", "StudentDouble", {.last_batch = 10}, {1e-15, 1e-15});
}

TEST_CASE("the student's block does not hang on how tensor cores round", "[ptx]") {
  Module& module = module_of("student");
  const Program program = make_program(module.kernels.at("MnistBlock"), module);
  KernelRun<MnistBlock> run({.steps = 10});
  Results<MnistBlock> found = run.begin();
  Results<MnistBlock> other = run.begin();
  CHECK(run.run(program, found).findings.count() == 0);
  CHECK(run.run(program, other, {.rounding = SumRounding::at_terms}).findings.count() == 0);
  const Difference apart = difference(found, other);
  CHECK(apart.parameters > 0);
  CHECK(apart.parameters <= 1e-6);
  CHECK(apart.answers == 0);
}

TEST_CASE("the student's block reads nothing of the zeros that it begins with", "[ptx]") {
  Module& module = module_of("student");
  const Program program = make_program(module.kernels.at("MnistBlock"), module);
  KernelRun<MnistBlock> run({.steps = 2});
  Results<MnistBlock> found = run.begin();
  const Outcome outcome = run.run(program, found, {.forgets_from = MnistBlock::Layout::row_sums * sizeof(float)});
  INFO(outcome.findings.text());
  CHECK(outcome.findings.count() == 0);
}

TEST_CASE("300 steps on digits", "[ptx]") {
  namespace data = retort::data;
  const char* folder = std::getenv("MNIST_DIR");
  const data::Dataset digits =
      folder != nullptr ? data::load_mnist_train(folder) : data::synthetic_digits(5000, retort::Seed{1});
  Module& module = module_of("student");
  const Program program = make_program(module.kernels.at("MnistBlock"), module);
  KernelRun<MnistBlock> run({.steps = 300}, &digits);
  const Results<MnistBlock> expected = run.run_twin();
  Results<MnistBlock> found = run.begin();
  const Outcome outcome = run.run(program, found);
  const Difference apart = difference(expected, found);
  INFO(outcome.findings.text());
  CHECK(outcome.findings.count() == 0);
  CHECK(apart.parameters <= 1e-5);
  CHECK(apart.answers <= found.correct.size() / 500);
  std::cout << "300 steps: apart by " << apart.parameters << ", answers " << apart.answers << "\n";
  CHECK(found.report[0].sum.correct > found.correct.size() / 2);  // it learns
}

TEST_CASE("a sweep: each block trains a student of its own", "[ptx]") {
  using C = MnistSweep;
  Module& module = module_of("student");
  const Program program = make_program(module.kernels.at("MnistSweep"), module);
  std::vector<std::unique_ptr<KernelRun<C>>> runs;
  std::vector<Results<C>> found;
  std::vector<C::Job> jobs;
  for (std::size_t i = 0; i < 3; ++i) {
    runs.push_back(std::make_unique<KernelRun<C>>(RunSettings{.steps = 3 * i, .batch = 32, .seed = i}));
    found.push_back(runs.back()->begin());
  }
  GlobalMemory memory;
  for (std::size_t i = 0; i < 3; ++i) {
    jobs.push_back(runs[i]->job(found[i]));
    runs[i]->add_inputs_to(memory, "job " + std::to_string(i) + ": ");
    found[i].add_to(memory, "job " + std::to_string(i) + ": ");
  }
  memory.add("jobs", std::span(jobs), GlobalMemory::Contents::constant);
  const C::Job* argument = jobs.data();
  const Outcome outcome = launch(program, KernelRun<C>::shape(3), &argument, memory, {.is_shuffled = true, .seed = 4});
  INFO(outcome.findings.text());
  CHECK(outcome.findings.count() == 0);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    const Difference apart = difference(runs[i]->run_twin(), found[i]);
    CHECK(apart.parameters <= 2e-6);
    CHECK(apart.same_report);
  }
}

// --- Costs ---

/// The barrier intervals of one step of many.
template <typename C>
std::vector<Interval> step_costs(const std::string& name) {
  Module& module = module_of("student");
  const Program program = make_program(module.kernels.at(name), module);
  const auto intervals = [&](std::size_t steps) {
    KernelRun<C> run({.steps = steps});
    Results<C> found = run.begin();
    return run.run(program, found, {.counts_costs = true}).intervals;
  };
  const std::vector<Interval> all = intervals(5);
  const std::size_t of_a_step = all.size() - intervals(4).size();
  constexpr std::size_t before = 3;  // zeros and parameters; moments and sample numbers; the first chunk
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(before + 2 * of_a_step);
  return {first, first + static_cast<std::ptrdiff_t>(of_a_step)};
}

double print_costs(const std::string& title, const std::vector<Interval>& costs,
                   const std::vector<std::string>& names) {
  CHECK(costs.size() == names.size());
  std::cout << title << "\n\n" << cost_table(costs, names) << "\n";
  double cycles = 0;
  for (const Interval& interval : costs) {
    cycles += interval.cycles();
  }
  return cycles;
}

TEST_CASE("a step of the student costs no more than it did", "[ptx]") {
  CHECK(print_costs("A block's step of the student", step_costs<MnistBlock>("MnistBlock"),
                    {"first product", "first stage", "second stage", "third stage", "loss", "back to the second",
                     "back to the first", "split, other gradients, update", "first gradient, update"}) <= 15'950);
  CHECK(print_costs("A cluster's", step_costs<MnistCluster>("MnistCluster"),
                    {"first product", "sums sent", "own samples", "gradients sent", "split, share's update",
                     "first gradient, update"}) <= 7'750);
}

// --- Planted defects ---

struct Defect {
  std::string name;
  Kernel kernel;
};

std::string name_of(const Kernel& kernel, std::size_t statement) {
  return "line " + std::to_string(kernel.statements[statement].line) + ", " + kernel.statements[statement].text();
}

std::vector<Defect> each_without(const Kernel& kernel, std::string_view part) {
  std::vector<Defect> defects;
  for (const std::size_t statement : find_statements(kernel, part)) {
    defects.push_back({name_of(kernel, statement), without(kernel, statement)});
  }
  REQUIRE_FALSE(defects.empty());
  return defects;
}

/// A few steps of a kernel with a defect, and its difference from the host's results. The inputs have an offset that
/// the kernel adds to the sums, for which lanes exchange what they know.
template <typename C>
struct DefectRun {
  Outcome outcome;
  double apart = 0;

  DefectRun(Module& module, const Kernel& kernel) {
    KernelRun<C> run({.steps = 3, .mean = 0.1307});
    static const Results<C> expected = run.run_twin();
    Results<C> found = run.begin();
    outcome = run.run(make_program(kernel, module), found, {.most_instructions = 20'000'000});
    apart = difference(expected, found).parameters;
  }
};

/// Those of the defects that no fault of the kind gives away.
template <typename C>
std::vector<std::string> missed(Module& module, const std::vector<Defect>& defects, Fault fault) {
  std::vector<std::string> names;
  for (const Defect& defect : defects) {
    if (DefectRun<C>(module, defect.kernel).outcome.findings.count(fault) == 0) {
      names.push_back(defect.name);
    }
  }
  return names;
}

TEST_CASE("a block without one of its barriers has a race", "[ptx]") {
  Module& module = module_of("student");
  const auto names = missed<MnistBlock>(module, each_without(module.kernels.at("MnistBlock"), "bar.sync"), Fault::race);
  CAPTURE(names);
  // No step needs these: behind the parameters' way back, the report's first sums, each chunk of a validation and all.
  CHECK(names.size() <= 4);
}

TEST_CASE("a warp without its barrier has a race, and a copy that nobody awaits is found", "[ptx]") {
  Module& module = module_of("student");
  const auto check = [&]<typename C>(std::type_identity<C>, const std::string& name) {
    const Kernel& kernel = module.kernels.at(name);
    CHECK(missed<C>(module, each_without(kernel, "bar.warp.sync"), Fault::race) == std::vector<std::string>());
    CHECK(missed<C>(module, each_without(kernel, "cp.async.wait_all"), Fault::early_touch) ==
          std::vector<std::string>());
  };
  check(std::type_identity<MnistBlock>(), "MnistBlock");
  check(std::type_identity<MnistCluster>(), "MnistCluster");
}

TEST_CASE("a cluster with a barrier that does not hold has a race", "[ptx]") {
  Module& module = module_of("student");
  const Kernel& kernel = module.kernels.at("MnistCluster");
  const std::vector<std::size_t> arrivals = find_statements(kernel, "barrier.cluster.arrive");
  REQUIRE(arrivals.size() == 3);
  // Of each step: behind the sums, and behind the gradients.
  for (const std::size_t arrival : {arrivals[1], arrivals[2]}) {
    CAPTURE(name_of(kernel, arrival));
    Kernel relaxed = kernel;
    relaxed.statements[arrival].mnemonic = "barrier.cluster.arrive.relaxed";
    CHECK(DefectRun<MnistCluster>(module, relaxed).outcome.findings.count(Fault::race) > 0);
  }
  // The first one lets blocks send; without it one may not have begun.
  const Kernel hasty = without(without(kernel, arrivals[0]), arrivals[0]);
  CHECK(DefectRun<MnistCluster>(module, hasty).outcome.findings.count(Fault::cluster) > 0);
  const Kernel lost = with_operand(kernel, find_statements(kernel, "mapa").at(0), 2, "8");
  CHECK(DefectRun<MnistCluster>(module, lost).outcome.findings.count(Fault::cluster) > 0);
}

TEST_CASE("other defects are found", "[ptx]") {
  Module& module = module_of("student");
  const Kernel& kernel = module.kernels.at("MnistBlock");
  const auto first = [&](std::string_view part) { return find_statements(kernel, part).at(0); };
  const auto count = [&](const Kernel& changed, Fault fault) {
    return DefectRun<MnistBlock>(module, changed).outcome.findings.count(fault);
  };
  CHECK(DefectRun<MnistBlock>(module, kernel).apart <= 1e-6);
  SECTION("results that are not the host's") {
    Kernel swapped = kernel;  // registers of A
    for (const std::size_t statement : find_statements(kernel, "mma.sync")) {
      std::string& a = swapped.statements[statement].operands[1];
      const std::vector<std::string> registers = split(a.substr(1, a.size() - 2));
      a = "{" + registers[1] + "," + registers[0] + "," + registers[2] + "," + registers[3] + "}";
    }
    CHECK(DefectRun<MnistBlock>(module, swapped).apart > 1e-5);
    for (const auto& [part, operand, text] : {std::tuple{"shfl.sync", std::size_t{2}, "3"},
                                              {"fma.rn.bf16x2", std::size_t{3}, "0x3F803F80"},
                                              {"prmt.b32", std::size_t{3}, "0x1032"}}) {
      CAPTURE(part);
      Kernel changed = kernel;
      for (const std::size_t statement : find_statements(kernel, part)) {
        changed.statements[statement].operands[operand] = text;
      }
      CHECK(DefectRun<MnistBlock>(module, changed).apart > 1e-5);
    }
  }
  SECTION("addresses") {
    const std::size_t store = first("st.shared");
    const std::string address = kernel.statements[store].operands[0];
    CHECK(count(with_operand(kernel, store, 0, moved_address(address, 2)), Fault::misaligned) > 0);
    CHECK(count(with_operand(kernel, store, 0, moved_address(address, 1 << 20)), Fault::bounds) > 0);
    CHECK(count(without(kernel, store), Fault::uninitialized) > 0);
    const std::size_t load = first("ld.global");
    const std::string source = kernel.statements[load].operands[1];
    CHECK(count(with_operand(kernel, load, 1, moved_address(source, 1 << 30)), Fault::bounds) > 0);
  }
  SECTION("lanes that are apart") {
    for (const char* part : {"bar.warp.sync", "bar.sync"}) {
      CAPTURE(part);
      CHECK(count(for_half_a_warp(kernel, first(part)), Fault::divergence) > 0);
    }
    for (const char* part : {"mma.sync", "shfl.sync"}) {  // the first ones may be of other inputs and losses
      CAPTURE(part);
      CHECK(count(for_half_a_warp(kernel, find_statements(kernel, part).back()), Fault::divergence) > 0);
    }
  }
  SECTION("an instruction of another name") {
    Kernel renamed = kernel;
    renamed.statements[first("fma.rn.f32")].mnemonic = "fma.rn.sat.f32";
    CHECK_THROWS_WITH(make_program(renamed, module), Catch::Matchers::Contains("fma.rn.sat.f32 is not known"));
  }
}

}  // namespace
