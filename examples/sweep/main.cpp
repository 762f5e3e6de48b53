// SPDX-License-Identifier: MIT
/// Many students at once: a grid of students, temperatures, hard weights, learning rates and seeds on MNIST, from raw
/// files to a table.
///
///     sweep --data data/mnist --teacher out/teacher.safetensors --temperature 1 2 4 --hard-weight 0.1 0.5 --seeds 5

#include <cstdio>
#include <exception>
#include <string>

#include "common/program.hpp"
#include "common/stop_signals.hpp"
#include "options.hpp"
#include "retort/core/console.hpp"
#include "retort/core/error.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/quote.hpp"
#include "retort/train/checkpoint.hpp"

int main(int argc, char** argv) {
  std::string advice;
  try {
    examples::occupy_standard_streams();
    examples::catch_stop_signals();
    const sweep::Options options = sweep::parse_options(argc, argv);
    advice = options.out.empty() ? "; nothing is kept without --out" : "; go on with --resume";
    if (options.backend == "eigen") {
      retort::allocate_for("the sweep", 0, [&] { sweep::run_eigen(options); });
    } else {
#if RETORT_HAS_CUDA
      retort::allocate_for("the sweep", 0, [&] { sweep::run_cuda(options); });
#else
      throw retort::OptionError(
          "--backend cuda was not compiled in: it needs the CUDA toolkit 13 (nvcc) when sweep is built");
#endif
    }
    retort::flush(stdout);
    return 0;
  } catch (const retort::StoppedError& error) {
    return examples::report_stop("sweep", error, advice);
  } catch (const retort::SettingError& error) {
    std::fprintf(stderr, "sweep: %s: %s (--help lists the options)\n",
                 sweep::options_of_setting(error.setting()).c_str(), error.what());
    return 2;
  } catch (const retort::OptionError& error) {
    std::fprintf(stderr, "sweep: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep: %s\n", retort::printable(error.what(), 4000).c_str());
    return 1;
  }
}
