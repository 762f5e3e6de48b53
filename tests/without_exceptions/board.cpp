// SPDX-License-Identifier: MIT
// A saved student on a Cortex-M4, in QEMU: the weights are the file's, in flash. Reads images from the file IMAGES,
// writes their logits to the file LOGITS by semihosting, and prints the instructions that one prediction takes and the
// bytes of stack. Without MODEL it is the same program without the network, whose size is the difference.
#include <array>
#include <cstddef>
#include <cstdint>
#ifdef MODEL
#include <retort/predict.hpp>
#endif

extern "C" {
extern std::uint32_t data_begin[], data_end[], bss_begin[], bss_end[];
extern const std::uint32_t data_in_flash[];
void start();
}

namespace {

/// Asks the emulator: Arm's semihosting, by number.
int ask(int operation, const void* arguments) {
  register int result __asm__("r0") = operation;
  register const void* of_call __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xAB" : "+r"(result) : "r"(of_call) : "memory");
  return result;
}

int open_file(const char* name, std::size_t length, std::uint32_t mode) {
  const std::array<std::uint32_t, 3> arguments{reinterpret_cast<std::uint32_t>(name), mode, length};
  return ask(1, arguments.data());
}

/// The bytes that were not transferred: operation 5 writes, 6 reads.
template <typename T>
int transfer(int operation, int file, T& values) {
  const std::array<std::uint32_t, 3> arguments{static_cast<std::uint32_t>(file),
                                               reinterpret_cast<std::uint32_t>(values.data()), sizeof(values)};
  return ask(operation, arguments.data());
}

volatile std::uint32_t& system_register(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

std::array<std::uint8_t, 784> pixels;

#ifdef MODEL
void print(const char* text) { ask(4, text); }

void print(std::uint32_t number) {
  std::array<char, 12> digits{};
  std::size_t first = digits.size() - 1;
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  print(digits.data() + first);
}

namespace rt = retort;
using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 20>, rt::ReLU, rt::Linear<20, 10>>;
using Answers = rt::Predictor<Student, std::uint8_t>;

__asm__(".section .rodata\n.balign 64\nweights_begin: .incbin \"" MODEL "\"\nweights_end:\n.balign 4\n.text\n");
extern "C" const std::byte weights_begin[];
extern "C" const std::byte weights_end[];

/// Not inlined, so that the compiler computes no answer twice the same.
[[gnu::noinline]] Answers::Values predict(const Answers& student) { return student.logits(pixels); }

int run() {
  const auto student = Answers::in({weights_begin, weights_end}, "flash");
  if (!student) {
    print(student.error());
    print("\n");
    return 1;
  }
  const int images = open_file("images", 6, 1);
  const int answers = open_file("logits", 6, 5);
  std::uint32_t count = 0;
  for (; transfer(6, images, pixels) == 0; ++count) {
    Answers::Values logits = predict(*student);
    if (transfer(5, answers, logits) != 0) {
      return 1;
    }
  }
  // With -icount shift=0 an instruction takes a nanosecond, and the timer counts 25 MHz.
  system_register(0xE000E014) = 0xFFFFFF;
  system_register(0xE000E018) = 0;
  system_register(0xE000E010) = 5;
  const std::uint32_t before = system_register(0xE000E018);
  float sum = 0;
  for (int i = 0; i < 100; ++i) {
    sum += predict(*student)[0];
  }
  const std::uint32_t ticks = (before - system_register(0xE000E018)) & 0xFFFFFF;
  print(count);
  print(" images, instructions of one: ");
  print(ticks * 40 / 100);
  print(sum == sum ? "\n" : " nan\n");
  return count == 0;
}
#else
int run() { return open_file("images", 6, 1) < 0 && transfer(6, 0, pixels) != 0; }
#endif

}  // namespace

void start() {
  system_register(0xE000ED88) |= 0xFu << 20;  // the floating-point unit
  const std::uint32_t* from = data_in_flash;
  for (std::uint32_t* to = data_begin; to < data_end; ++to) {
    *to = *from++;
  }
  for (std::uint32_t* to = bss_begin; to < bss_end; ++to) {
    *to = 0;
  }
  const std::array<std::uint32_t, 2> status{0x20026, static_cast<std::uint32_t>(run())};
  ask(0x20, status.data());
}

extern "C" {
extern void (*const vectors[])();
[[gnu::section(".vectors"), gnu::used]] void (*const vectors[])() = {reinterpret_cast<void (*)()>(0x20400000), start,
                                                                     start, start};
}
