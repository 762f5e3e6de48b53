// A program of another project that computes with Thrust on the system it is compiled for (SYSTEM, EXECUTION_POLICY):
// whichever of Retort's targets it links, this compiles, links and runs.

#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_CPP

#include EXECUTION_POLICY
#include <thrust/for_each.h>

#include <algorithm>
#include <cstdio>
#include <retort/version.hpp>
#include <string>
#include <vector>

struct Double {
  void operator()(float& value) const { value *= 2; }
};

int main() {
  std::vector<float> values(1000, 1.0f);
  thrust::for_each(thrust::SYSTEM::par, values.data(), values.data() + values.size(), Double{});
  const auto doubled = std::count(values.begin(), values.end(), 2.0f);
  std::printf("Retort %s: %td of %zu values doubled\n", std::string{retort::version}.c_str(), doubled, values.size());
  return doubled == std::ssize(values) ? 0 : 1;
}
