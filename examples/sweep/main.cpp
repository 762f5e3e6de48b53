/// Many students at once: a grid of temperatures, hard weights, learning rates and seeds on MNIST, from raw files to a
/// table.
///
///     sweep --data data/mnist --teacher out/teacher.safetensors --temperature 1 2 4 --hard-weight 0.1 0.5 --seeds 5

#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

#include "job.hpp"
#include "options.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"

int main(int argc, char** argv) {
  try {
    const sweep::Options options = sweep::parse_options(argc, argv);
    const unsigned threads = options.threads.value_or(std::max(std::thread::hardware_concurrency(), 1u));
    sweep::Job(options, retort::backend::Eigen(threads)).run();
    return 0;
  } catch (const retort::OptionError& error) {
    std::fprintf(stderr, "sweep: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep: %s\n", error.what());
    return 1;
  }
}
