// SPDX-License-Identifier: MIT
#include "timing.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/text.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): not every unistd.h declares it

namespace pareto {

namespace {

/// Reads IMAGES images, and prints the microseconds of processor time that one takes. The sum keeps the compiler from
/// leaving work out.
constexpr std::string_view timed_program = R"(#include <stdio.h>
#include <time.h>

static uint8_t images[IMAGES][DIGIT_INPUTS];

int main(void) {
  clock_t least = 0, total = 0;
  int i, pass;
  volatile int sum = 0;
  if (fread(images, sizeof images, 1, stdin) != 1 || digit_selftest() != 0) {
    return 1;
  }
  for (pass = 0; pass < 20 || total < CLOCKS_PER_SEC / 20; ++pass) {
    clock_t passed = clock();
    for (i = 0; i < IMAGES; ++i) {
      sum += digit_classify(images[i]);
    }
    passed = clock() - passed;
    least = pass == 0 || passed < least ? passed : least;
    total += passed;
  }
  printf("%.5f", 1e6 * (double)least / CLOCKS_PER_SEC / IMAGES);
  return 0;
}
)";

/// Whether the program, found by PATH, runs and returns 0. What it says to stderr is dropped.
bool succeeds(const std::vector<std::string>& words, const char* input, const char* output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT(*-const-cast): posix_spawn does not write there
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, input, O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::pid_t process = 0;
  const int refusal = ::posix_spawnp(&process, arguments.front(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (refusal != 0) {
    return false;
  }
  int status = 0;
  while (::waitpid(process, &status, 0) == -1) {
    if (errno != EINTR) {
      return false;
    }
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  retort::AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "retort-pareto-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw retort::FileError(name, "cannot be made (" + std::generic_category().message(errno) + ")");
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

CodeTimer::CodeTimer(const retort::data::Dataset& images) : images_(std::min<std::size_t>(images.size(), 1000)) {
  const retort::data::DatasetView view = images.view();
  retort::AtomicFile file(folder_.path() / "images");
  file.write(std::as_bytes(std::span(view.bytes, images_ * view.features)));
  file.commit();
  write_file(folder_.path() / "empty.c", "int main(void) { return 0; }\n");
  write_file(folder_.path() / "timed.c", timed_program);
  std::vector<std::string> words = words_of(flags);
  words.insert(words.end(), {"-o", folder_.path() / "empty", folder_.path() / "empty.c"});
  works_ = succeeds(words, "/dev/null", "/dev/null");
}

double CodeTimer::microseconds(const std::filesystem::path& file) const {
  const std::filesystem::path program = folder_.path() / "timed";
  std::vector<std::string> words = words_of(flags);
  words.insert(words.end(), {retort::concatenate({"-DIMAGES=", images_}), "-include", std::filesystem::absolute(file),
                             "-o", program, folder_.path() / "timed.c", "-lm"});
  const std::filesystem::path answer = folder_.path() / "microseconds";
  double found = 0.0;
  if (!succeeds(words, "/dev/null", "/dev/null")) {
    throw retort::Error(file.string() + ": " + flags + " does not compile it");
  }
  if (succeeds({program}, (folder_.path() / "images").c_str(), answer.c_str())) {
    std::string text;
    std::getline(std::ifstream(answer), text);
    if (retort::parse_number(text, found)) {
      return found;
    }
  }
  throw retort::Error(file.string() + ": its program fails here");
}

}  // namespace pareto
