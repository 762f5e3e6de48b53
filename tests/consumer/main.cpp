// SPDX-License-Identifier: MIT
// The smallest program of another project: whichever way Retort reaches it, this compiles, links and runs.

#include <cstdio>
#include <retort/retort.hpp>
#include <string>

namespace rt = retort;

using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 20>, rt::ReLU, rt::Linear<20, 10>>;

int main() {
  static_assert(Student::parameter_count == 16'330);
  std::printf("Retort %s: a student of %zu parameters\n", std::string{rt::version}.c_str(), Student::parameter_count);
}
