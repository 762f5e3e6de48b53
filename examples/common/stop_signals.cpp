// SPDX-License-Identifier: MIT
#include "common/stop_signals.hpp"

#include <csignal>

#include <array>
#include <cstdio>

namespace examples {

namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM};

volatile sig_atomic_t caught = 0;

retort::StopRequest request;

// Only what a handler may do: sigaction, and writing to lock-free atomics.
extern "C" void handle_stop_signal(int signal) {
  caught = signal;
  request.make();
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  for (const int each : stop_signals) {
    ::sigaction(each, &by_default, nullptr);
  }
}

}  // namespace

retort::StopRequest& stop_request() { return request; }

void catch_stop_signals() {
  for (const int each : stop_signals) {
    struct sigaction action{};
    if (::sigaction(each, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      action = {};
      action.sa_handler = handle_stop_signal;
      action.sa_flags = SA_RESTART;
      sigemptyset(&action.sa_mask);
      for (const int other : stop_signals) {
        sigaddset(&action.sa_mask, other);
      }
      ::sigaction(each, &action, nullptr);
    }
  }
}

int report_stop(const char* program, const retort::StoppedError& error, const std::string& advice) {
  const int signal = caught;
  std::fprintf(stderr, "%s: %s: %s%s\n", program, signal == SIGINT ? "SIGINT" : "SIGTERM", error.what(),
               advice.c_str());
  return 128 + signal;
}

}  // namespace examples
