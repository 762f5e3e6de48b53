// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many threads a process may use: the processors that it may run on (its affinity), limited by the CPU quotas of
/// its control groups (Linux).

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// As many threads as available_threads() says, but at most `most`, and fewer where the system does not start them. CPU
/// backends take it in place of a number: `backend::Eigen cpu{AvailableThreads{}}`.
struct AvailableThreads {
  unsigned most = std::numeric_limits<unsigned>::max();
};

namespace detail {

/// Means "as many as there are".
inline constexpr unsigned unlimited_threads = std::numeric_limits<unsigned>::max();

/// The threads that keep a quota busy: `quota` microseconds of processor time in each `period`, rounded up, at least 1.
/// Unlimited unless both are numbers above 0; "max" and "-1" are not.
[[gnu::cold]] inline unsigned quota_threads(std::string_view quota, std::string_view period) {
  const auto number = [](std::string_view text) {
    unsigned long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : 0;
  };
  const unsigned long long time = number(quota);
  const unsigned long long each = number(period);
  if (time == 0 || each == 0) {
    return unlimited_threads;
  }
  const unsigned long long threads = time / each + (time % each == 0 ? 0 : 1);
  return static_cast<unsigned>(std::min<unsigned long long>(threads, unlimited_threads));
}

/// A file's first line; empty where there is no such file.
[[gnu::cold]] inline std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// What one control group grants: cpu.max holds "QUOTA PERIOD" (cgroup v2); v1 has a file for each.
[[gnu::cold]] inline unsigned group_threads(const std::filesystem::path& group) {
  const std::string both = first_line(group / "cpu.max");
  const std::size_t space = both.find(' ');
  if (space != std::string::npos) {
    return quota_threads(std::string_view(both).substr(0, space), std::string_view(both).substr(space + 1));
  }
  return quota_threads(first_line(group / "cpu.cfs_quota_us"), first_line(group / "cpu.cfs_period_us"));
}

/// The least that a group below the mounted `hierarchy`, or a group around it, grants. In a container the hierarchy may
/// begin at the process's own group, whatever its path outside; a missing group limits nothing.
[[gnu::cold]] inline unsigned hierarchy_threads(const std::filesystem::path& hierarchy, std::string_view group) {
  unsigned threads = group_threads(hierarchy);
  for (std::filesystem::path path = std::filesystem::path(group).relative_path(); !path.empty();
       path = path.parent_path()) {
    threads = std::min(threads, group_threads(hierarchy / path));
  }
  return threads;
}

/// What the quotas of this process's control groups grant. `root`: "/", or a folder that looks like it.
[[gnu::cold]] inline unsigned control_group_threads(const std::filesystem::path& root) {
  // Lines "NUMBER:CONTROLLERS:PATH" (cgroups(7)): without controllers for v2, with cpu among them for v1.
  const std::filesystem::path mounts = root / "sys/fs/cgroup";
  unsigned threads = unlimited_threads;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = std::string_view(line).substr(second + 1);
    if (controllers.empty()) {
      threads = std::min(threads, hierarchy_threads(mounts, group));
    } else if (concatenate({",", controllers, ","}).find(",cpu,") != std::string::npos) {
      for (const std::string& name : {controllers, std::string("cpu")}) {
        threads = std::min(threads, hierarchy_threads(mounts / name, group));
      }
    }
  }
  return threads;
}

#ifdef __linux__
/// cpu_set_t names a struct without a name, and nvcc 13 makes no vector of that.
struct NamedCpuSet {
  cpu_set_t set;
};
#endif

/// The processors that this thread may run on, at least 1.
[[gnu::cold]] inline unsigned processors_of_affinity() {
#ifdef __linux__
  // The system refuses a mask that is too short for the machine's processors.
  for (std::size_t masks = 1; masks <= 1024; masks *= 2) {
    std::vector<NamedCpuSet> mask(masks);
    const std::size_t size = masks * sizeof(NamedCpuSet);
    if (::sched_getaffinity(0, size, &mask.data()->set) == 0) {
      return static_cast<unsigned>(std::max(CPU_COUNT_S(size, &mask.data()->set), 1));
    }
    if (errno != EINVAL) {
      break;
    }
  }
#endif
  return std::max(std::thread::hardware_concurrency(), 1u);
}

}  // namespace detail

/// The threads that find a processor: as many as the calling thread may run on (taskset, cpusets), but not more than
/// the CPU quotas of its control groups (a container's) keep busy, rounded up; at least 1.
[[gnu::cold]] inline unsigned available_threads() {
  return std::min(detail::processors_of_affinity(), detail::control_group_threads("/"));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
