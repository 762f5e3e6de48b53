// SPDX-License-Identifier: MIT
/// The main function of every test program. Exit code: 0 where nothing failed, 77 where that is because every test case
/// that ran was skipped, else 1, also where no test case has the name that was asked for. (Catch2's own code is the
/// number of failures, which may well be 77.)

#define CATCH_CONFIG_RUNNER  // Catch2 2 is compiled here, 3 takes no notice
#include "catch.hpp"

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

int cases = 0;
int skipped_cases = 0;

class SkippedCases : public Listener {
 public:
  using Listener::Listener;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    Listener::testCaseStarting(info);
    retort::test::case_skipped() = false;
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    Listener::testCaseEnded(stats);
    ++cases;
    skipped_cases += retort::test::case_skipped() ? 1 : 0;
  }
};

CATCH_REGISTER_LISTENER(SkippedCases)

}  // namespace

int main(int argc, char* argv[]) {
  Catch::Session session;
  if (session.applyCommandLine(argc, argv) != 0) {
    return 1;
  }
#if !__has_include(<catch2/catch_all.hpp>)
  // Catch2 3 asks for this by itself.
  session.configData().warnings =
      static_cast<Catch::WarnAbout::What>(session.configData().warnings | Catch::WarnAbout::NoTests);
#endif
  if (session.run() != 0) {
    return 1;
  }
  return cases > 0 && skipped_cases == cases ? 77 : 0;
}
