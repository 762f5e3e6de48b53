// SPDX-License-Identifier: MIT
#include "retort/core/available_threads.hpp"

#include <sched.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using detail::control_group_threads;
using detail::quota_threads;
using detail::unlimited_threads;

TEST_CASE("A quota is worth as many threads as keep it busy, rounded up", "[core][threads]") {
  CHECK(quota_threads("200000", "100000") == 2);
  CHECK(quota_threads("150000", "100000") == 2);
  CHECK(quota_threads("100001", "100000") == 2);
  CHECK(quota_threads("1000", "100000") == 1);
  CHECK(quota_threads("18446744073709551615", "1") == unlimited_threads);
  for (const std::string_view none : {"max", "-1", "", "0", "x", "99999999999999999999"}) {
    CAPTURE(none);
    CHECK(quota_threads(none, "100000") == unlimited_threads);
    CHECK(quota_threads("100000", none) == unlimited_threads);
  }
}

/// A folder that looks like "/" to a process in the groups that `groups` names, one in each line of /proc/self/cgroup.
class System {
 public:
  explicit System(std::string_view groups) { write("proc/self/cgroup", groups); }
  void write(const std::filesystem::path& name, std::string_view text) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    test::write_file(folder_.path() / name, text);
  }
  unsigned threads() const { return control_group_threads(folder_.path()); }

 private:
  test::TemporaryFolder folder_;
};

TEST_CASE("A system without control groups limits nothing", "[core][threads]") {
  CHECK(control_group_threads("/nowhere") == unlimited_threads);
  CHECK(System("").threads() == unlimited_threads);
  CHECK(System("no colon\n0:one\n").threads() == unlimited_threads);
  CHECK(System("0::/user.slice\n").threads() == unlimited_threads);
}

TEST_CASE("cgroup v2: the least of the group's quota and those around it counts", "[core][threads]") {
  const System system("0::/system.slice/job.service/inner\n");
  system.write("sys/fs/cgroup/system.slice/job.service/inner/cpu.max", "max 100000\n");
  CHECK(system.threads() == unlimited_threads);
  system.write("sys/fs/cgroup/system.slice/job.service/cpu.max", "250000 100000\n");
  CHECK(system.threads() == 3);
  system.write("sys/fs/cgroup/system.slice/cpu.max", "800000 100000\n");
  CHECK(system.threads() == 3);
  system.write("sys/fs/cgroup/system.slice/job.service/inner/cpu.max", "50000 100000\n");
  CHECK(system.threads() == 1);
}

TEST_CASE("cgroup v2 in a container: the hierarchy begins at the container's group", "[core][threads]") {
  for (const std::string_view group : {"0::/\n", "0::/docker/0123456789abcdef\n", "0::/../elsewhere\n"}) {
    CAPTURE(group);
    const System system(group);
    system.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
    CHECK(system.threads() == 4);
  }
}

TEST_CASE("cgroup v1: the controller cpu, alone or with others", "[core][threads]") {
  for (const auto& [line, folder] : {std::pair{"4:cpu,cpuacct:/docker/a\n", "sys/fs/cgroup/cpu,cpuacct/docker/a/"},
                                     std::pair{"4:cpu,cpuacct:/docker/a\n", "sys/fs/cgroup/cpu/docker/a/"},
                                     std::pair{"4:cpuacct,cpu:/docker/a\n", "sys/fs/cgroup/cpuacct,cpu/"},
                                     std::pair{"9:cpuset:/b\n4:cpu:/a\n0::/\n", "sys/fs/cgroup/cpu/"}}) {
    CAPTURE(line, folder);
    const System system(line);
    system.write(std::string(folder) + "cpu.cfs_period_us", "100000\n");
    system.write(std::string(folder) + "cpu.cfs_quota_us", "-1\n");
    CHECK(system.threads() == unlimited_threads);
    system.write(std::string(folder) + "cpu.cfs_quota_us", "120000\n");
    CHECK(system.threads() == 2);
  }
  const System other("4:cpuset,cpuacct:/a\n");
  other.write("sys/fs/cgroup/cpuset,cpuacct/a/cpu.cfs_quota_us", "100000\n");
  other.write("sys/fs/cgroup/cpuset,cpuacct/a/cpu.cfs_period_us", "100000\n");
  CHECK(other.threads() == unlimited_threads);
}

#ifdef __linux__
TEST_CASE("A process that may run on one processor uses one thread", "[core][threads]") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  const unsigned all = available_threads();
  CHECK(all >= 1);
  CHECK(all <= static_cast<unsigned>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t processor = 0; CPU_COUNT(&one) == 0; ++processor) {
    if (CPU_ISSET(processor, &before)) {
      CPU_SET(processor, &one);
    }
  }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(available_threads() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}
#endif

}  // namespace
