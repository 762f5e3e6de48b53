// SPDX-License-Identifier: MIT
#include "ptx/launch_state.hpp"

#include <cstring>

namespace retort::test::ptx {

namespace {

/// Of an instruction.
std::string text_at(const Program& program, std::uint32_t pc) {
  const std::vector<Statement>& statements = program.kernel.statements;
  const std::uint32_t statement = program.instructions[pc].statement;
  return "instruction " + std::to_string(pc) + " (" +
         (statement < statements.size()
              ? "line " + std::to_string(statements[statement].line) + ", " + statements[statement].text()
              : "the end") +
         ")";
}

}  // namespace

LaunchState::LaunchState(const Program& its_program, const LaunchShape& its_shape, const void* its_parameters,
                         GlobalMemory& its_memory, const Schedule& its_schedule)
    : program(its_program),
      shape(its_shape),
      memory(its_memory),
      schedule(its_schedule),
      random(its_schedule.seed),
      parameters(its_program.kernel.parameters.bytes),
      launched(++its_memory.time) {
  std::memcpy(parameters.data(), its_parameters, parameters.size());
}

void LaunchState::stop(Fault fault, const std::string& what) {
  outcome.findings.add(fault, program.kernel.name + ": " + what);
  throw Stop{};
}
void LaunchState::stop(Fault fault, const Warp& warp, std::uint32_t lane, std::uint32_t pc, const std::string& what) {
  stop(fault, what + ": thread " + std::to_string(warp.actor.thread % thread_stride + lane) + " of block " +
                  std::to_string(warp.block->index) + " at " + text_at(program, pc));
}

}  // namespace retort::test::ptx
