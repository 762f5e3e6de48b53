// SPDX-License-Identifier: MIT
#include "retort/retort.hpp"

const char* version_in_second();

const char* version_in_second() { return retort::version.data(); }
