// SPDX-License-Identifier: MIT
#include "ptx/costs.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace retort::test::ptx {

double Interval::cycles() const {
  const double work = std::max(2.0 * static_cast<double>(busiest), 1.25 * static_cast<double>(wavefronts));
  return work + 65 + (ends_for_cluster ? 280 : 0) + 0.097 * static_cast<double>(bytes_sent);
}

Interval sum(std::span<const Interval> intervals) {
  Interval result;
  for (const Interval& interval : intervals) {
    result.busiest += interval.busiest;
    result.instructions += interval.instructions;
    result.products += interval.products;
    result.wavefronts += interval.wavefronts;
    result.fewest += interval.fewest;
    result.bytes_sent += interval.bytes_sent;
  }
  return result;
}

Wavefronts wavefronts(std::span<const std::uint32_t> offsets, std::span<const std::uint32_t> lanes, std::size_t bytes) {
  const std::uint32_t lanes_at_once = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  const auto words = static_cast<std::uint32_t>(std::max<std::size_t>(bytes / 4, 1));
  Wavefronts result;
  for (std::size_t i = 0; i < lanes.size();) {
    const std::uint32_t part = lanes[i] / lanes_at_once;
    std::array<std::vector<std::uint32_t>, 32> banks;
    for (; i < lanes.size() && lanes[i] / lanes_at_once == part; ++i) {
      for (std::uint32_t word = offsets[i] / 4; word < offsets[i] / 4 + words; ++word) {
        std::vector<std::uint32_t>& bank = banks[word % 32];
        if (std::ranges::find(bank, word) == bank.end()) {
          bank.push_back(word);
        }
      }
    }
    result.taken += std::ranges::max(banks, {}, &std::vector<std::uint32_t>::size).size();
    ++result.fewest;
  }
  return result;
}

std::string cost_table(std::span<const Interval> intervals, std::span<const std::string> names) {
  std::string table =
      "| phase | instructions of the busiest warp | of all | mma | wavefronts | without conflicts | bytes sent | "
      "cycles |\n"
      "|---|---|---|---|---|---|---|---|\n";
  const auto add = [&](const std::string& name, const Interval& interval, double cycles) {
    table += "| " + name;
    for (const std::uint64_t number :
         {interval.busiest, interval.instructions, interval.products, interval.wavefronts, interval.fewest,
          interval.bytes_sent, static_cast<std::uint64_t>(std::llround(cycles))}) {
      table += " | " + std::to_string(number);
    }
    table += " |\n";
  };
  double cycles = 0;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    add(i < names.size() ? names[i] : std::to_string(i + 1), intervals[i], intervals[i].cycles());
    cycles += intervals[i].cycles();
  }
  add("a step", sum(intervals), cycles);
  return table;
}

}  // namespace retort::test::ptx
