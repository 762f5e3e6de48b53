// SPDX-License-Identifier: MIT
// An older standard: one #error that says what to do, and not thousands of errors after it.
// standard: c++17
// expect: error: .*retort needs C.*: compile with -std=c..20
// at most 12 lines

#include <retort/retort.hpp>

int main() { return retort::Network<retort::Sequential<retort::Linear<2, 2>>>{retort::Seed{0}}.classify({}); }
