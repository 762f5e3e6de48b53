// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// SIGINT and SIGTERM as requests to stop.

#include <string>

#include "retort/core/error.hpp"
#include "retort/train/stop_request.hpp"

namespace examples {

/// Made by SIGINT and SIGTERM once they are caught.
retort::StopRequest& stop_request();

/// From now on the first SIGINT or SIGTERM makes `stop_request()`, and the second ends the program at once. One that
/// was ignored when the program started stays so (nohup, a shell's background jobs).
void catch_stop_signals();

/// Says in one sentence on stderr what stopped `program`, and `advice` after it; returns the exit status: 128 and the
/// signal's number, as a shell has it.
int report_stop(const char* program, const retort::StoppedError& error, const std::string& advice);

}  // namespace examples
