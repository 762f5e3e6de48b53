// SPDX-License-Identifier: MIT
/// The main job: a teacher and a student on MNIST, from raw files to a table.

#include <cstdio>
#include <exception>

#include "backends.hpp"
#include "common/stop_signals.hpp"
#include "options.hpp"
#include "retort/core/error.hpp"
#include "retort/core/out_of_memory.hpp"

int main(int argc, char** argv) {
  try {
    examples::catch_stop_signals();
    const distill_mnist::Options options = distill_mnist::parse_options(argc, argv);
    retort::allocate_for("the job", 0, [&] { distill_mnist::find_backend(options.backend).run(options); });
    return 0;
  } catch (const retort::StoppedError& error) {
    return examples::report_stop("distill_mnist", error, "; go on with --resume");
  } catch (const retort::OptionError& error) {
    std::fprintf(stderr, "distill_mnist: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distill_mnist: %s\n", error.what());
    return 1;
  }
}
