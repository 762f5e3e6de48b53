// SPDX-License-Identifier: MIT
/// The main job: a teacher and a student on MNIST, from raw files to a table.

#include <cstdio>
#include <exception>

#include "backends.hpp"
#include "common/program.hpp"
#include "options.hpp"
#include "retort/core/console.hpp"
#include "retort/core/error.hpp"
#include "retort/core/quote.hpp"

int main(int argc, char** argv) {
  try {
    examples::occupy_standard_streams();
    const distill_mnist::Options options = distill_mnist::parse_options(argc, argv);
    distill_mnist::find_backend(options.backend).run(options);
    retort::flush(stdout);
    return 0;
  } catch (const retort::OptionError& error) {
    std::fprintf(stderr, "distill_mnist: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distill_mnist: %s\n", retort::printable(error.what(), 4000).c_str());
    return 1;
  }
}
