// SPDX-License-Identifier: MIT
/// The command line of a fuzz target:
///
///     TARGET                   runs its seeds and 5,000 changed ones, the same each time
///     TARGET FILE...           runs these inputs
///     TARGET --seeds FOLDER    writes its seeds there, a file each
///
/// Compiled with RETORT_LIBFUZZER=1 it adds the last of these to libFuzzer's own command line.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "temporary_folder.hpp"

namespace {

using retort::fuzz::Seed;

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const Seed& seed : retort::fuzz::seeds()) {
    retort::test::write_file(folder / seed.name, seed.bytes);
  }
}

}  // namespace

#if RETORT_LIBFUZZER

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--seeds") {
    write_seeds((*argv)[2]);
    std::exit(0);
  }
  return 0;
}

#else

namespace {

constexpr std::size_t changed_inputs = 5'000;
constexpr std::size_t longest_input = 4'096;

std::minstd_rand words(1);

std::size_t below(std::size_t limit) { return words() % limit; }

void run(std::string_view bytes) {
  // A copy of exactly its size, so that AddressSanitizer sees a read past its end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

/// One change to a vector of bytes: what a damaged file, a careless editor or an attacker does.
void change(std::vector<std::uint8_t>& bytes) {
  const std::size_t place = below(bytes.size() + 1);
  const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(place);
  const std::size_t rest = bytes.size() - place;
  const std::size_t length = rest == 0 ? 0 : 1 + below(std::min<std::size_t>(rest, 16));
  const auto end = position + static_cast<std::ptrdiff_t>(length);
  constexpr std::uint8_t telling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, ' ', '\n', '"', ',', '-', '0', '9', '[', '}'};
  switch (below(6)) {
    case 0:  // a bit
      if (rest > 0) {
        *position ^= static_cast<std::uint8_t>(1u << below(8));
      }
      break;
    case 1:  // a byte
      if (rest > 0) {
        *position = telling[below(std::size(telling))];
      }
      break;
    case 2:  // a byte more
      bytes.insert(position, telling[below(std::size(telling))]);
      break;
    case 3:  // some bytes less
      bytes.erase(position, end);
      break;
    case 4: {  // some bytes again
      const std::vector<std::uint8_t> copy(position, end);
      bytes.insert(position, copy.begin(), copy.end());
      break;
    }
    default:  // the end is cut off
      bytes.resize(place);
  }
}

void run_seeds() {
  const std::vector<Seed> seeds = retort::fuzz::seeds();
  for (const Seed& seed : seeds) {
    run(seed.bytes);
  }
  for (std::size_t count = 0; count < changed_inputs; ++count) {
    const std::string& seed = seeds[count % seeds.size()].bytes;
    std::vector<std::uint8_t> input(seed.begin(), seed.end());
    std::size_t size = input.size();
    const std::size_t max_size = std::max(longest_input, size);
    input.resize(max_size);
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      size = LLVMFuzzerCustomMutator != nullptr
                 ? LLVMFuzzerCustomMutator(input.data(), size, max_size, static_cast<unsigned>(words()))
                 : LLVMFuzzerMutate(input.data(), size, max_size);
    }
    run({reinterpret_cast<const char*>(input.data()), size});
  }
  std::printf("%zu seeds and %zu changed ones\n", seeds.size(), changed_inputs);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  change(bytes);
  bytes.resize(std::min(bytes.size(), max_size));
  std::ranges::copy(bytes, data);
  return bytes.size();
}

int main(int argc, char** argv) {
  if (argc == 1) {
    run_seeds();
  } else if (argc == 3 && std::string_view(argv[1]) == "--seeds") {
    write_seeds(argv[2]);
  } else {
    for (int i = 1; i < argc; ++i) {
      std::printf("%s\n", argv[i]);
      run(retort::test::read_file(argv[i]));
    }
  }
  return 0;
}

#endif
