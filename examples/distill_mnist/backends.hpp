// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Where the job can run: every backend by its name, whether this program has it or not.

#include <span>
#include <string>
#include <string_view>

#include "options.hpp"
#include "retort/core/available_threads.hpp"

namespace distill_mnist {

struct BackendEntry {
  const char* name;             ///< as in --backend
  void (*run)(const Options&);  ///< the whole job; null where the backend was not compiled in
  const char* needs;            ///< what compiling it in takes
  bool takes_threads;           ///< --threads
  bool takes_device;            ///< --device
};

/// All backends, the default first.
std::span<const BackendEntry> backends();

/// The backend of that name, compiled in. Throws retort::OptionError where it is not, or where there is none.
const BackendEntry& find_backend(std::string_view name);

/// "thrust-cuda was not compiled in: it needs ...".
std::string not_compiled_in(const BackendEntry& backend);

/// A backend with threads of its own: with those of --threads, or with as many as suit it.
template <typename Backend>
Backend with_threads(const Options& options) {
  // A layer's work is cut into about eight pieces: more threads than that would only wait.
  return options.threads ? Backend(*options.threads) : Backend(retort::AvailableThreads{.most = 8});
}

// One source file each, so that each is compiled with what it needs: job_eigen.cpp, ...
void run_eigen(const Options& options);
void run_eigen_bf16(const Options& options);
void run_thrust_cpp(const Options& options);
void run_thrust_omp(const Options& options);
void run_thrust_tbb(const Options& options);
void run_thrust_cuda(const Options& options);
void run_cuda(const Options& options);
void run_cuda_cluster(const Options& options);
void run_cuda_tf32(const Options& options);
void run_cuda_bf16(const Options& options);

}  // namespace distill_mnist
