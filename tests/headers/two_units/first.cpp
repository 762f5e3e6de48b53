// SPDX-License-Identifier: MIT
#include "retort/retort.hpp"

const char* version_in_second();

int main() { return retort::version.data() == version_in_second() ? 0 : 1; }
