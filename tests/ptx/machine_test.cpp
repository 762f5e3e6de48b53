// SPDX-License-Identifier: MIT
// The interpreter by kernels written by hand: what each instruction computes, and what each fault is found by.

#include "ptx/machine.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "ptx/module.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/block/fragments.hpp"

namespace {

using namespace retort::test::ptx;
using Words = std::vector<std::uint32_t>;

/// A kernel `k`. %rd1 is the array of words, %rd2 its word of the thread; %r1 the thread, %r2 the address of its word
/// in shared memory, %r3 that of the next lane's, %r4 that of the same lane's of the next warp.
std::string kernel_text(const std::string& body) {
  return R"(
//
.version 8.0
.target sm_90
.address_size 64
.extern .shared .align 16 .b8 memory[];
.global .align 4 .b8 table[8] = {1, 2, 3, 4, 5, 6, 7, 8};
.visible .entry k(
  .param .u64 .ptr .align 1 k_param_0
)
.maxntid 64, 1, 1
{
  .local .align 8 .b8 __local_depot0[16];
  .reg .pred %p<9>;
  .reg .b16 %rs<9>;
  .reg .b32 %r<40>;
  .reg .f32 %f<40>;
  .reg .b64 %rd<40>;
  .reg .f64 %fd<9>; /* all
  kinds */
  .shared .align 4 .b8 words[8];
  ld.param.u64 %rd1, [k_param_0];
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd3, %r1, 4;
  add.s64 %rd2, %rd1, %rd3;
  mov.u32 %r5, memory;
  mad.lo.s32 %r2, %r1, 4, %r5;
  add.s32 %r6, %r1, 1;
  bfi.b32 %r7, %r6, %r1, 0, 5;
  mad.lo.s32 %r3, %r7, 4, %r5;
  xor.b32 %r8, %r1, 32;
  mad.lo.s32 %r4, %r8, 4, %r5;
)" + body +
         R"(
  ret;
}
)";
}

struct Settings {
  LaunchShape shape{.threads = 32, .dynamic_shared = 256};
  Schedule schedule{};
  GlobalMemory::Contents contents = GlobalMemory::Contents::given;
};

Outcome run(const std::string& body, Words& words, const Settings& settings = {}) {
  Module module = read_module(kernel_text(body));
  const Program program = make_program(module.kernels.at("k"), module);
  GlobalMemory memory;
  memory.add("words", std::span(words), settings.contents);
  for (auto& [name, constant] : module.constants) {
    memory.add(name, std::span(constant.bytes), GlobalMemory::Contents::constant);
  }
  const std::uint64_t address = reinterpret_cast<std::uintptr_t>(words.data());
  return launch(program, settings.shape, &address, memory, settings.schedule);
}

// --- What instructions compute ---

struct Computed {
  std::string code;  // to %rd9
  std::uint64_t expected;
};

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }
std::uint64_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }
std::string hex(float value) {
  char text[16];
  std::snprintf(text, sizeof(text), "0f%08X", std::bit_cast<std::uint32_t>(value));
  return text;
}

/// Code that leaves a result of 32 bits in %r9, of 16 in %rs8, a float in %f9, a double in %fd8, an answer in %p8.
Computed word(const std::string& code, std::uint32_t expected) {
  return {code + "; cvt.u64.u32 %rd9, %r9", std::uint64_t{expected}};
}
Computed half(const std::string& code, std::uint16_t expected) {
  return {code + "; cvt.u64.u16 %rd9, %rs8", std::uint64_t{expected}};
}
Computed real(const std::string& code, float expected) {
  return {code + "; mov.b32 %r9, %f9; cvt.u64.u32 %rd9, %r9", bits(expected)};
}
Computed real(const std::string& code, double expected) { return {code + "; mov.b64 %rd9, %fd8", bits(expected)}; }
Computed answer(const std::string& code, bool expected) {
  return {code + "; selp.b64 %rd9, 1, 0, %p8", std::uint64_t{expected}};
}

void check_all(const std::vector<Computed>& cases) {
  std::string body;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    body += cases[i].code + ";\nst.global.u64 [%rd1+" + std::to_string(8 * i) + "], %rd9;\n";
  }
  Words words(2 * cases.size());
  const Outcome outcome = run(body, words, {.shape = {.threads = 1}});
  CHECK(outcome.findings.text().empty());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].code);
    CHECK((std::uint64_t{words[2 * i + 1]} << 32 | words[2 * i]) == cases[i].expected);
  }
}

TEST_CASE("integers", "[ptx]") {
  check_all({
      word("add.s32 %r9, 5, -7", 0xFFFFFFFEu),
      word("sub.u32 %r9, 5, 7", 0xFFFFFFFEu),
      word("mul.lo.s32 %r9, -3, 5", 0xFFFFFFF1u),
      word("mul.hi.u32 %r9, 0x80000000, 6", 3),
      word("mul.hi.s32 %r9, 0x80000000, 6", 0xFFFFFFFDu),
      {"mul.wide.u32 %rd9, 0xFFFFFFFF, 2", 0x1FFFFFFFEu},
      {"mul.wide.s32 %rd9, -1, 2", ~std::uint64_t{1}},
      {"mad.wide.u32 %rd9, 0xFFFFFFFF, 2, 3", 0x200000001u},
      {"mul.hi.u64 %rd9, 0x8000000000000000, 6", 3},
      word("mad.lo.s32 %r9, -3, 5, 20", 5),
      word("mul.wide.u16 %r9, 0xFFFF, 2", 0x1FFFEu),
      half("add.s16 %rs8, -1, -1", 0xFFFE),
      word("div.s32 %r9, -7, 2", 0xFFFFFFFDu),
      word("rem.u32 %r9, 7, 4", 3),
      word("min.s32 %r9, -1, 1", 0xFFFFFFFFu),
      word("min.u32 %r9, -1, 1", 1),
      word("max.s32 %r9, -1, 1", 1),
      word("neg.s32 %r9, 5", 0xFFFFFFFBu),
      word("abs.s32 %r9, -5", 5),
      word("shl.b32 %r9, 3, 31", 0x80000000u),
      word("shl.b32 %r9, 3, 32", 0),
      word("shr.u32 %r9, 0x80000000, 31", 1),
      word("shr.s32 %r9, 0x80000000, 40", 0xFFFFFFFFu),
      {"shr.s64 %rd9, -8, 1", ~std::uint64_t{3}},
      word("not.b32 %r9, 1", 0xFFFFFFFEu),
      word("lop3.b32 %r9, 12, 10, 6, 0x96", 0),
      word("lop3.b32 %r9, 12, 10, 6, 0xF8", 14),  // a | (b & c)
      word("prmt.b32 %r9, 0x33221100, 0x77665584, 0x50C4", 0x5500FF84u),
      word("shf.l.wrap.b32 %r9, 0x80000001, 0x3, 33", 0x7),
      word("shf.r.wrap.b32 %r9, 0x80000001, 0x3, 1", 0xC0000000u),
      word("shf.r.clamp.b32 %r9, 5, 7, 40", 7),
      word("bfe.u32 %r9, 0x12345678, 8, 8", 0x56),
      word("bfe.s32 %r9, 0x12348678, 8, 8", 0xFFFFFF86u),
      word("bfe.s32 %r9, 0x82345678, 28, 8", 0xFFFFFFF8u),
      {"bfe.u64 %rd9, 0x1234567800000000, 40, 8", 0x56},
      word("bfi.b32 %r9, 0xAB, 0x12345678, 8, 8", 0x1234AB78u),
      word("clz.b32 %r9, 1", 31),
      word("clz.b32 %r9, 0", 32),
      word("popc.b64 %r9, 0xF000000000000001", 5),
      word("dp2a.lo.u32.u32 %r9, 0x00020003, 0x04050607, 1", 1 + 3 * 7 + 2 * 6),
      word("dp2a.hi.u32.u32 %r9, 0x00020003, 0x04050607, 1", 1 + 3 * 5 + 2 * 4),
      word("dp4a.u32.u32 %r9, 0x01020304, 0x05060708, 1", 1 + 5 + 12 + 21 + 32),
      word("mov.b32 {%rs1, %rs2}, 0x12345678; mov.b32 %r9, {%rs2, %rs1}", 0x56781234u),
      {"mov.b64 %rd9, {1, 2}", 0x200000001u},
      answer("setp.lt.s32 %p8, -1, 1", true),
      answer("setp.lt.u32 %p8, -1, 1", false),
      answer("setp.eq.s32 %p1, 1, 1; setp.ne.and.s32 %p8, 1, 2, !%p1", false),
      answer("setp.eq.s32 %p1, 1, 1; setp.eq.or.s32 %p8, 1, 2, %p1", true),
      word("cvt.u32.u16 %r9, 0xFFFF", 0xFFFFu),
      word("mov.b16 %rs1, 0xFF80; cvt.s32.s8 %r9, %rs1", 0xFFFFFF80u),
      word("cvt.u32.u8 %r9, 0x180", 0x80u),
      {"cvt.s64.s32 %rd9, -2", ~std::uint64_t{1}},
      {"mov.u64 %rd8, 0x1FFFFFFFE; cvt.s64.s32 %rd9, %rd8", ~std::uint64_t{1}},
      answer("mov.pred %p8, 1", true),
      word("ld.global.u8 %r9, [table+2]", 3),
      word("mov.u64 %rd8, table; cvta.global.u64 %rd8, %rd8; ld.u32 %r9, [%rd8+4]", 0x08070605u),
  });
}

TEST_CASE("floating-point numbers", "[ptx]") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float third = 1.0f / 3.0f;
  const auto of = [](float value) { return " " + hex(value); };
  check_all({
      real("add.f32 %f9," + of(third) + "," + of(0.1f), third + 0.1f),
      real("sub.rn.f32 %f9," + of(third) + "," + of(0.1f), third - 0.1f),
      real("mul.f32 %f9," + of(third) + "," + of(0.1f), third * 0.1f),
      real("fma.rn.f32 %f9," + of(third) + "," + of(3) + "," + of(-1), std::fma(third, 3.0f, -1.0f)),
      real("div.rn.f32 %f9," + of(1) + "," + of(3), third),
      real("fma.rm.f32 %f9," + of(1) + "," + of(1e-30f) + "," + of(1), 1.0f),
      real("fma.rp.f32 %f9," + of(1) + "," + of(1e-30f) + "," + of(1), std::nextafter(1.0f, 2.0f)),
      real("fma.rm.f32 %f9," + of(1) + "," + of(-1e-30f) + "," + of(-1), std::nextafter(-1.0f, -2.0f)),
      real("fma.rz.f32 %f9," + of(1) + "," + of(-1e-30f) + "," + of(1), std::nextafter(1.0f, 0.0f)),
      real("fma.rz.f32 %f9," + of(1) + "," + of(-1e-30f) + "," + of(-1), -1.0f),
      real("sqrt.rn.f32 %f9," + of(2), std::sqrt(2.0f)),
      real("rcp.rn.f32 %f9," + of(3), third),
      real("rcp.approx.ftz.f32 %f9," + of(std::ldexp(1.0f, -127)), inf),
      real("sqrt.approx.ftz.f32 %f9," + of(std::ldexp(1.0f, -127)), 0.0f),
      real("ex2.approx.ftz.f32 %f9," + of(-127), 0.0f),
      real("ex2.approx.f32 %f9," + of(-127), std::ldexp(1.0f, -127)),
      real("lg2.approx.f32 %f9," + of(8), 3.0f),
      real("neg.f32 %f9," + of(0), -0.0f),
      real("abs.f32 %f9," + of(-2), 2.0f),
      real("max.f32 %f9," + of(nan) + "," + of(2), 2.0f),
      real("min.f32 %f9," + of(1) + "," + of(nan), 1.0f),
      real("copysign.f32 %f9," + of(-0.0f) + "," + of(2), -2.0f),
      answer("setp.neu.f32 %p8," + of(nan) + "," + of(nan), true),
      answer("setp.ne.f32 %p8," + of(nan) + "," + of(nan), false),
      answer("setp.geu.f32 %p8," + of(nan) + "," + of(0), true),
      answer("setp.ge.f32 %p8," + of(nan) + "," + of(0), false),
      answer("setp.num.f32 %p8," + of(nan) + "," + of(0), false),
      word("cvt.rzi.s32.f32 %r9," + of(-2.7f), 0xFFFFFFFEu),
      word("cvt.rni.s32.f32 %r9," + of(2.5f), 2),
      word("cvt.rmi.s32.f32 %r9," + of(-2.2f), 0xFFFFFFFDu),
      word("cvt.rzi.u32.f32 %r9," + of(-1), 0),
      word("cvt.rzi.s32.f32 %r9," + of(1e20f), 0x7FFFFFFFu),
      word("cvt.rzi.s32.f32 %r9," + of(nan), 0),
      real("cvt.rn.f32.u32 %f9, 0xFFFFFFFF", 4294967296.0f),
      real("cvt.rn.f32.s32 %f9, -3", -3.0f),
      real("cvt.sat.f32.f32 %f9," + of(1.5f), 1.0f),
      real("cvt.rni.f32.f32 %f9," + of(1.5f), 2.0f),
      real("fma.rn.f64 %fd8, 0d3FD5555555555555, 0d4008000000000000, 0dBFF0000000000000", std::fma(1.0 / 3, 3.0, -1.0)),
      real("cvt.f64.f32 %fd8," + of(third), static_cast<double>(third)),
      real("cvt.rn.f32.f64 %f9, 0d3FD5555555555555", third),
      word("cvt.rn.bf16x2.f32 %r9," + of(1.00390625f) + "," + of(1.01171875f), 0x3F803F82u),
      word("fma.rn.bf16x2 %r9, 0x3F804000, 0x3F804040, 0x3F800000", 0x400040C0u),
  });
}

TEST_CASE("a product of matrices is that of the host's fragments", "[ptx]") {
  namespace block = retort::backend::block;
  const auto factors = retort::test::random_values<float>(32 * 12, 7);
  const auto sums = retort::test::random_values<float>(32 * 4, 8);
  Words words(32 * 10);
  std::vector<block::FragmentA> a(32);
  std::vector<block::FragmentB> b(32);
  std::vector<block::FragmentC> c(32);
  for (std::size_t lane = 0; lane < 32; ++lane) {
    for (std::size_t i = 0; i < 10; ++i) {
      const std::uint32_t low = std::bit_cast<std::uint32_t>(factors[lane * 12 + i]) >> 16;
      const std::uint32_t high = std::bit_cast<std::uint32_t>(factors[lane * 12 + i + 1]) & 0xFFFF0000u;
      const std::uint32_t pair = high | low;
      words[lane * 10 + i] = i < 6 ? pair : std::bit_cast<std::uint32_t>(sums[lane * 4 + i - 6]);
      if (i < 4) {
        a[lane].pairs[i] = pair;
      } else if (i < 6) {
        b[lane].pairs[i - 4] = pair;
      } else {
        c[lane].values[i - 6] = sums[lane * 4 + i - 6];
      }
    }
  }
  std::string body = "mul.wide.u32 %rd4, %r1, 40; add.s64 %rd4, %rd1, %rd4;\n";
  for (int i = 0; i < 10; ++i) {
    body += "ld.global.b32 %r" + std::to_string(10 + i) + ", [%rd4+" + std::to_string(4 * i) + "];\n";
  }
  body +=
      "mov.b32 %f1, %r16; mov.b32 %f2, %r17; mov.b32 %f3, %r18; mov.b32 %f4, %r19;\n"
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r10, %r11, %r12, %r13}, "
      "{%r14, %r15}, {%f1, %f2, %f3, %f4};\n"
      "st.global.f32 [%rd4+24], %f1; st.global.f32 [%rd4+28], %f2; st.global.f32 [%rd4+32], %f3;"
      "st.global.f32 [%rd4+36], %f4;\n";
  const Outcome outcome = run(body, words);
  CHECK(outcome.findings.text().empty());
  CHECK(outcome.products == 1);
  block::multiply_add_fragments(c, a, b);
  for (std::size_t lane = 0; lane < 32; ++lane) {
    for (std::size_t i = 0; i < 4; ++i) {
      REQUIRE(std::bit_cast<float>(words[lane * 10 + 6 + i]) == c[lane].values[i]);
    }
  }
}

TEST_CASE("lanes go apart, meet again and tell each other", "[ptx]") {
  for (const bool is_shuffled : {false, true}) {
    Words words(32);
    const Outcome outcome = run(R"(
  mov.u32 %r9, 0;
  and.b32 %r10, %r1, 3;
  setp.eq.s32 %p1, %r10, 0;
  @%p1 bra $end;
$loop:
  add.s32 %r9, %r9, %r1;
  sub.s32 %r10, %r10, 1;
  setp.ne.s32 %p1, %r10, 0;
  @%p1 bra $loop;
$end:
  shfl.sync.bfly.b32 %r11|%p2, %r9, 1, 31, -1;
  shfl.sync.up.b32 %r12|%p3, %r9, 1, 0, -1;
  @!%p3 mov.u32 %r12, 1000;
  shfl.sync.idx.b32 %r13, %r9, 5, 31, 0xFFFFFFFF;
  add.s32 %r14, %r11, %r12;
  add.s32 %r14, %r14, %r13;
  st.global.u32 [%rd2], %r14;
)",
                                words, {.schedule = {.is_shuffled = is_shuffled, .seed = 3}});
    CHECK(outcome.findings.text().empty());
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      const auto own = [](std::uint32_t of) { return of % 4 * of; };
      CHECK(words[lane] == own(lane ^ 1) + (lane == 0 ? 1000 : own(lane - 1)) + own(5));
    }
  }
}

// --- What is found ---

constexpr auto nothing = static_cast<Fault>(-1);

struct Checked {
  std::string body;
  Fault expected;
  Settings settings{};
};

/// Where lanes of a warp run together the fault is the only one; where some run ahead, it may have others behind it.
void check_faults(const std::vector<Checked>& cases) {
  for (const Checked& c : cases) {
    for (std::uint32_t seed = 0; seed < 3; ++seed) {
      Settings settings = c.settings;
      settings.schedule.is_shuffled = seed > 0;
      settings.schedule.seed = seed;
      settings.schedule.most_instructions = 100'000;
      Words words(128);
      const Outcome outcome = run(c.body, words, settings);
      INFO(c.body);
      INFO(outcome.findings.text());
      CHECK((outcome.findings.count() > 0) == (c.expected != nothing));
      if (!settings.schedule.is_shuffled) {
        CHECK(outcome.findings.count() == outcome.findings.count(c.expected));
      }
    }
  }
}

const std::string store = "st.shared.u32 [%r2], %r1;";
const std::string load_next_lane = "ld.shared.u32 %r9, [%r3];";
const std::string load_next_warp = "ld.shared.u32 %r9, [%r4];";
const std::string sync = "bar.sync 0;";
const std::string sync_warp = "bar.warp.sync -1;";
const std::string product =
    "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r10, %r11, %r12, %r13}, "
    "{%r14, %r15}, {%f1, %f2, %f3, %f4};";
const std::string exchange = "shfl.sync.bfly.b32 %r20|%p2, %r1, 1, 31, -1;";
const std::string first_warp = "setp.lt.u32 %p1, %r1, 32;";
const Settings two_warps{.shape = {.threads = 64, .dynamic_shared = 256}};
const Settings two_blocks{.shape = {.blocks = 2, .threads = 32, .dynamic_shared = 256}};

TEST_CASE("races", "[ptx]") {
  check_faults({
      {store + load_next_lane, Fault::race},
      {store + sync_warp + load_next_lane, nothing},
      {store + sync + load_next_lane, nothing},
      {store + product + load_next_lane, Fault::race},  // which promise no order of memory
      {store + exchange + load_next_lane, Fault::race},
      {store + sync_warp + load_next_lane + store, Fault::race},
      {store + sync_warp + load_next_lane + sync_warp + store, nothing},
      {store + sync + store + sync_warp + load_next_warp, Fault::race, two_warps},
      {store + sync + load_next_warp, nothing, two_warps},
      {store + sync + load_next_warp + sync_warp + store, Fault::race, two_warps},
      {store + sync + load_next_warp + sync + store, nothing, two_warps},
      {"st.shared.u32 [%r5], %r1;", Fault::race},
      // Who comes later has passed a barrier of another group.
      {store + sync + first_warp + "@%p1 " + store + sync_warp + "@!%p1 " + load_next_warp, Fault::race, two_warps},
      {store + sync + first_warp + "@%p1 " + store + sync + "@!%p1 " + load_next_warp, nothing, two_warps},
      // The writer was the last of the readers.
      {store + sync + "ld.shared.u32 %r9, [%r5]; setp.eq.s32 %p1, %r1, 31; @%p1 st.shared.u32 [%r5], %r1;",
       Fault::race},
      {"mov.u32 %r9, words; st.shared.u32 [%r9+4], 5;", Fault::race},
      {"st.shared.u32 [%r5], %r1;", nothing, {.shape = {.threads = 1, .dynamic_shared = 16}}},
      {"ld.global.u32 %r9, [%rd1];", nothing, two_blocks},
      {"st.global.u32 [%rd2], %r1;", Fault::race, two_blocks},
      {"mov.u32 %r9, %ctaid.x; mul.wide.u32 %rd4, %r9, 128; add.s64 %rd4, %rd2, %rd4; st.global.u32 [%rd4], %r1;",
       nothing, two_blocks},
  });
}

TEST_CASE("accesses that are outside, misaligned or too early", "[ptx]") {
  const std::string copy = "cp.async.ca.shared.global [%r2], [%rd2], 4;";
  const std::string wait = "cp.async.wait_all;";
  check_faults({
      {"st.shared.u32 [%r2+256], %r1;", Fault::bounds},
      {"st.global.u32 [%rd2+512], %r1;", Fault::bounds},
      {"st.global.u32 [%rd2+-4], %r1;", Fault::bounds},
      {"ld.param.u64 %rd9, [k_param_0+8];", Fault::bounds},
      {"mov.u64 %rd9, __local_depot0; st.local.u32 [%rd9+16], 1;", Fault::bounds},
      {"mov.u64 %rd9, __local_depot0; cvta.local.u64 %rd9, %rd9; st.u32 [%rd9+8], %r1; ld.local.u32 %r9, "
       "[__local_depot0+8];",
       nothing},
      {"st.u32 [%rd3], %r1;", Fault::bounds},
      {"mov.u64 %rd9, k_param_0; cvta.param.u64 %rd9, %rd9; ld.u64 %rd10, [%rd9];", nothing},
      {"st.global.u32 [%rd2], %r1;", Fault::bounds, {.contents = GlobalMemory::Contents::constant}},
      {"ld.shared.u32 %r9, [%r5+2];", Fault::misaligned},
      {"ld.shared.v2.u32 {%r9, %r10}, [%r5+4];", Fault::misaligned},
      {"ld.shared.u32 %r9, [%r2];", Fault::uninitialized},
      {"ld.global.u32 %r9, [%rd2];", Fault::uninitialized, {.contents = GlobalMemory::Contents::uninitialized}},
      {"st.global.u32 [%rd2], %r1; ld.global.u32 %r9, [%rd2];",
       nothing,
       {.contents = GlobalMemory::Contents::uninitialized}},
      {copy + wait + "ld.shared.u32 %r9, [%r2];", nothing},
      {copy + "ld.shared.u32 %r9, [%r2];" + wait, Fault::early_touch},
      {copy + store + wait, Fault::early_touch},
      {copy + sync + load_next_lane + wait, Fault::early_touch},
      {copy + sync + wait + load_next_lane, Fault::race},
      {copy + wait + sync + load_next_lane, nothing},
      {copy, Fault::early_touch},  // ends before it
      {store + sync + "ld.shared.u32 %r9, [%r2];", Fault::uninitialized, {.schedule = {.forgets_from = 16}}},
      {store + sync + "ld.shared.u32 %r9, [%r2];", nothing, {.schedule = {.forgets_from = 16 + 128}}},
      {"trap;", Fault::trap},
  });
}

TEST_CASE("lanes that are apart and threads that wait for ever", "[ptx]") {
  const std::string half = "setp.lt.u32 %p1, %r1, 16;";
  const std::string first = first_warp + "@!%p1 bra $end;";
  check_faults({
      {half + "@%p1 " + product, Fault::divergence},
      {half + "@%p1 " + exchange, Fault::divergence},
      {half + "@%p1 " + sync, Fault::divergence},
      {half + "@%p1 " + sync_warp, Fault::divergence},
      {half + "@%p1 ret;" + sync, Fault::divergence},
      {"shfl.sync.bfly.b32 %r9, %r1, 1, 31, 15;", Fault::divergence},
      {"bar.warp.sync 15;", Fault::divergence},
      {half + "@%p1 bra $end; add.s32 %r9, %r9, 1; $end: " + product, nothing},
      {first + sync + "$end:", Fault::deadlock, two_warps},
      {first + "$end:" + sync, nothing, two_warps},
      {"$end: bra $end;", Fault::deadlock},
  });
}

TEST_CASE("clusters", "[ptx]") {
  const std::string begin = R"(
  mov.u64 %rd4, memory;
  cvta.shared.u64 %rd4, %rd4;
  mov.u32 %r9, %cluster_ctarank;
  xor.b32 %r9, %r9, 1;
  mapa.u64 %rd5, %rd4, %r9;
  add.s64 %rd5, %rd5, %rd3;
)" + store;
  const std::string send = "st.u32 [%rd5], %r1;";
  const std::string receive = "ld.shared.u32 %r10, [%r2];";
  const std::string sync_all = "barrier.cluster.arrive.release; barrier.cluster.wait.acquire;";
  const std::string relaxed = "barrier.cluster.arrive.relaxed; barrier.cluster.wait.acquire;";
  const Settings cluster{.shape = {.blocks = 4, .cluster = 2, .threads = 64, .dynamic_shared = 256}};
  check_faults({
      {begin + sync_all + send + sync_all + receive, nothing, cluster},
      {begin + sync_all + send + sync + receive + sync_all, Fault::race, cluster},
      {begin + sync_all + "setp.eq.s32 %p1, %r9, 1; @%p1 " + send + sync + "@!%p1 " + receive + sync_all, Fault::race,
       cluster},
      {begin + sync_all + send + relaxed + receive + sync_all, Fault::race, cluster},
      {begin + send + sync_all, Fault::cluster, cluster},  // to a block that has not begun
      {begin + sync_all + send, Fault::cluster, cluster},  // to one that may have ended
      {begin + "mapa.u64 %rd5, %rd4, 2;", Fault::cluster, cluster},
      {begin + "barrier.cluster.wait.acquire;", Fault::deadlock, cluster},
      {begin + "setp.eq.s32 %p1, %r9, 0; @%p1 bra $end;" + sync_all + "$end:", Fault::deadlock, cluster},
  });
}

TEST_CASE("costs are counted from barrier to barrier", "[ptx]") {
  const Settings settings{.shape = {.threads = 64, .dynamic_shared = 4096}, .schedule = {.counts_costs = true}};
  Words words(128);
  const std::string prologue = sync;  // ends the interval of kernel_text's own instructions
  const Outcome outcome = run(prologue + R"(
  setp.ge.u32 %p1, %r1, 32;
  @%p1 bra $end;
  st.shared.u32 [%r2], %r1;
  mad.lo.s32 %r10, %r1, 128, %r5;
  st.shared.u32 [%r10], %r1;
  mad.lo.s32 %r11, %r1, 16, %r5;
  st.shared.v4.u32 [%r11], {%r1, %r1, %r1, %r1};
$end:
)" + sync + product + sync,
                              words, settings);
  REQUIRE(outcome.intervals.size() == 3);
  const Interval& first = outcome.intervals[1];
  CHECK(first.busiest == 8);
  CHECK(first.instructions == 8 + 3);
  CHECK(first.wavefronts == 1 + 32 + 4);
  CHECK(first.fewest == 1 + 1 + 4);
  CHECK(outcome.intervals[2].products == 2);
  CHECK(first.cycles() == 1.25 * 37 + 65);
}

TEST_CASE("what is not known is an error that names it", "[ptx]") {
  using Catch::Matchers::Contains;
  for (const std::string code :
       {"add.sat.s32 %r9, %r1, 1", "bar.sync 1, 64", "ld.volatile.shared.u32 %r9, [%r2]", "max.NaN.f32 %f1, %f2, %f3",
        "red.global.add.u32 [%rd2], 1", "add.s32 %r9, %r1, %rd1", "cp.async.commit_group", "call.uni print",
        "mov.u32 %r9, nowhere", "bra $nowhere", "mov.u32 %q1, 5"}) {
    Words words(32);
    const std::string text = code + ";";
    INFO(text);
    CHECK_THROWS_WITH(run(text, words), Contains("PTX line 33") && Contains(code));
  }
  CHECK_THROWS_AS(read_module(".visible .entry k() { .reg .b128 %x<2>; }"), PtxError);
  CHECK_THROWS_AS(read_module(".visible .entry k() { ret;"), PtxError);
}

}  // namespace
