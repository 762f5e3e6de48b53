// SPDX-License-Identifier: MIT
#include "retort/core/thread_pool.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <new>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/core/available_threads.hpp"
#include "retort/core/error.hpp"
#include "sanitized.hpp"

namespace {

using retort::test::sanitized;

using retort::OptionError;
using retort::internal::ThreadPool;

// Plain integers, not atomics: a piece run twice at once, or a result seen too early, is then a race that a thread
// sanitizer reports.
bool each_piece_ran_once(ThreadPool& pool, std::size_t pieces) {
  std::vector<std::uint32_t> runs(pieces, 0);
  pool.for_each_piece(pieces, [&runs](std::size_t piece) { runs[piece] += 1; });
  for (const std::uint32_t count : runs) {
    if (count != 1) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("every piece runs exactly once, for every count of threads and pieces") {
  for (unsigned threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    REQUIRE(pool.thread_count() == threads);
    for (std::size_t pieces = 0; pieces <= 1000; pieces += pieces < 70 ? 1 : 31) {
      CAPTURE(threads, pieces);
      REQUIRE(each_piece_ran_once(pool, pieces));
    }
  }
}

TEST_CASE("many short rounds follow each other without loss") {
  for (unsigned threads = 2; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    std::vector<std::uint64_t> sums(7, 0);
    constexpr std::uint64_t rounds = 3000;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      pool.for_each_piece(sums.size(), [&sums, round](std::size_t piece) { sums[piece] += round; });
      // The caller may write at once what the pieces wrote.
      sums[0] += 1;
    }
    REQUIRE(sums[0] == rounds * (rounds - 1) / 2 + rounds);
    for (std::size_t piece = 1; piece < sums.size(); ++piece) {
      REQUIRE(sums[piece] == rounds * (rounds - 1) / 2);
    }
  }
}

TEST_CASE("workers that have gone to sleep wake up") {
  ThreadPool pool(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    REQUIRE(each_piece_ran_once(pool, 100));
  }
}

TEST_CASE("the work is shared, in every round: a worker takes pieces while the caller is busy") {
  ThreadPool pool(2);
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> worker_came{false};
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    pool.for_each_piece(2, [&](std::size_t) {
      if (std::this_thread::get_id() != caller) {
        worker_came = true;
      }
      // Whoever is here first waits for the other.
      while (!worker_came && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::yield();
      }
    });
    REQUIRE(worker_came);
  }
}

TEST_CASE("several callers at once each get their pieces done") {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> failures{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&pool, &failures, caller] {
      for (std::size_t round = 0; round < 300; ++round) {
        if (!each_piece_ran_once(pool, (round + static_cast<std::size_t>(caller)) % 50)) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  REQUIRE(failures == 0);
}

TEST_CASE("a piece may itself use the pool") {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint32_t> runs(8 * 8, 0);
    pool.for_each_piece(8, [&](std::size_t outer) {
      pool.for_each_piece(8, [&](std::size_t inner) { runs[8 * outer + inner] += 1; });
    });
    REQUIRE(runs == std::vector<std::uint32_t>(8 * 8, 1));
  }
}

TEST_CASE("what a piece throws comes to the caller, no piece begins after it, and the pool works on") {
  for (unsigned threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    for (std::size_t wrong = 0; wrong < 50; ++wrong) {
      CAPTURE(threads, wrong);
      std::atomic<std::size_t> begun{0};
      std::string message;
      try {
        pool.for_each_piece(100'000, [&](std::size_t piece) {
          ++begun;
          if (piece == wrong) {
            throw retort::Error("piece " + std::to_string(piece));
          }
        });
      } catch (const retort::Error& error) {
        message = error.what();
      }
      REQUIRE(message == "piece " + std::to_string(wrong));
      REQUIRE(begun > wrong);
      if (threads == 1) {
        REQUIRE(begun == wrong + 1);
      }
      REQUIRE(each_piece_ran_once(pool, 100));
    }
  }
}

TEST_CASE("of many pieces that throw one exception comes, also out of a piece that uses the pool itself") {
  ThreadPool pool(3);
  for (int round = 0; round < 300; ++round) {
    CHECK_THROWS_AS(pool.for_each_piece(8, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
    CHECK_THROWS_AS(
        pool.for_each_piece(
            8, [&pool](std::size_t) { pool.for_each_piece(8, [](std::size_t) { throw std::bad_alloc(); }); }),
        std::bad_alloc);
    REQUIRE(each_piece_ran_once(pool, 20));
  }
}

TEST_CASE("pieces compute without subnormal numbers, and the caller as before") {
  const volatile float smallest = std::numeric_limits<float>::min();
  const auto half = [&] { return smallest / 2; };
  REQUIRE(half() > 0);
  ThreadPool pool(2);
  for (const std::size_t pieces : {1u, 2u, 100u}) {
    std::vector<float> halves(pieces, -1.0f);
    pool.for_each_piece(pieces, [&](std::size_t piece) { halves[piece] = half(); });
    CHECK(std::ranges::max(halves) == 0);
    CHECK(half() > 0);
    CHECK_THROWS_AS(pool.for_each_piece(pieces, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
    CHECK(half() > 0);
  }
}

TEST_CASE("results are the same for every number of threads") {
  std::vector<std::vector<float>> results;
  for (unsigned threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    std::vector<float> result(64, 0.0f);
    pool.for_each_piece(result.size(), [&result](std::size_t piece) {
      for (int term = 1; term < 200; ++term) {
        result[piece] += 1.0f / static_cast<float>(term + static_cast<int>(piece));
      }
    });
    results.push_back(result);
  }
  for (const std::vector<float>& result : results) {
    REQUIRE(result == results.front());
  }
}

TEST_CASE("pools come and go, used or not") {
  for (int round = 0; round < 200; ++round) {
    ThreadPool unused(3);
    ThreadPool pool(2);
    if (round % 2 == 0) {
      REQUIRE(each_piece_ran_once(pool, 3));
    }
  }
}

TEST_CASE("no threads at all is an OptionError") {
  try {
    ThreadPool pool(0);
    FAIL("made");
  } catch (const OptionError& error) {
    CHECK(std::string(error.what()) == "threads: 0, expected at least 1");
  }
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<ThreadPool>);
}

TEST_CASE("a number that nobody asked for is at most what the process may use, and at least one") {
  CHECK(ThreadPool(retort::AvailableThreads{}).thread_count() <= retort::available_threads());
  CHECK(ThreadPool(retort::AvailableThreads{.most = 1}).thread_count() == 1);
  CHECK(ThreadPool(retort::AvailableThreads{.most = 0}).thread_count() == 1);
  ThreadPool pool(retort::AvailableThreads{.most = 2});
  CHECK(each_piece_ran_once(pool, 100));
}

#ifdef __GLIBC__
TEST_CASE("threads that nobody asked for and the system does not start are done without") {
  if (sanitized) {
    retort::test::skip("sanitizers need the address space that this test takes away");
    return;
  }
  if (retort::available_threads() < 2) {
    retort::test::skip("one processor: there is no second thread to be refused");
    return;
  }
  // In a child process whose address space has no room for another stack: root has no limit on threads.
  const pid_t child = ::fork();
  if (child == 0) {
    // Stacks larger than those of the threads that have ended, whose memory is kept for others.
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, std::size_t{1} << 32);
    ::pthread_setattr_default_np(&attributes);
    const rlimit limit{rlim_t{1} << 31, rlim_t{1} << 31};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      ThreadPool pool(retort::AvailableThreads{});
      ::_exit(pool.thread_count() == 1 && each_piece_ran_once(pool, 10) ? 0 : 2);
    } catch (...) {
      ::_exit(3);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("more threads than the system can start is an OptionError, and those started end") {
  if (sanitized) {
    retort::test::skip("sanitizers need the address space that this test takes away");
    return;
  }
  // In a child process, whose address space is limited to what a few dozen stacks take: root has no limit on threads.
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{rlim_t{1} << 30, rlim_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      ThreadPool pool(4000000000u);
    } catch (const OptionError& error) {
      ::_exit(std::string(error.what()).starts_with("threads: 4000000000, expected at most the ") ? 0 : 2);
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
