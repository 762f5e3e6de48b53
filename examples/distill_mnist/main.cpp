// SPDX-License-Identifier: MIT
/// The main job: a teacher and a student on MNIST, from raw files to a table.

#include <cstdio>
#include <exception>

#include "backends.hpp"
#include "common/program.hpp"
#include "common/stop_signals.hpp"
#include "options.hpp"
#include "retort/core/console.hpp"
#include "retort/core/error.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/quote.hpp"

int main(int argc, char** argv) {
  try {
    examples::occupy_standard_streams();
    examples::catch_stop_signals();
    const distill_mnist::Options options = distill_mnist::parse_options(argc, argv);
    retort::allocate_for("the job", 0, [&] { distill_mnist::find_backend(options.backend).run(options); });
    retort::flush(stdout);
    return 0;
  } catch (const retort::StoppedError& error) {
    return examples::report_stop("distill_mnist", error, "; go on with --resume");
  } catch (const retort::OptionError& error) {
    std::fprintf(stderr, "distill_mnist: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distill_mnist: %s\n", retort::printable(error.what(), 4000).c_str());
    return 1;
  }
}
