// SPDX-License-Identifier: MIT
#include "retort/predict/predictor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "predict/one_thread.hpp"
#include "random_values.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/predict.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::OneThread;
using retort::test::random_values;
using retort::test::same_bits;
using retort::test::TemporaryFolder;

using M = Sequential<AvgPool2d<Shape<1, 4, 8>, 2>, Linear<8, 21>, BatchNorm<21>, GELU, Dropout<0.25>,
                     Linear<21, 11, Bias::no>, LayerNorm<11>, LeakyReLU<0.2>, Tanh, Linear<11, 3>>;
using Answers = Predictor<M, std::uint8_t>;
using Small = Sequential<Linear<2, 1>>;

static_assert(std::is_trivially_copyable_v<Answers> && std::is_trivially_destructible_v<Answers>);
static_assert(sizeof(Answers) <= (M::parameters.size() + M::buffers.size()) * sizeof(void*) + 64);  // no columns

/// A file's bytes, at a multiple of 64.
struct InMemory {
  explicit InMemory(std::string_view bytes, std::size_t place = 0) : memory(bytes.size() + place + 1), first(place) {
    std::memcpy(memory.data() + first, bytes.data(), bytes.size());
  }
  std::span<const std::byte> bytes() const { return memory.span().subspan(first, memory.size() - first - 1); }

  AlignedBuffer<std::byte> memory;
  std::size_t first;
};

template <typename Model>
Network<Model, OneThread> make_network(const Preprocessing& preprocessing) {
  Network<Model, OneThread> network{Seed{3}};
  for (std::size_t i = 0; i < Model::parameters.size(); ++i) {
    std::ranges::copy(random_values<float>(network.parameter(i).size(), i, -0.5, 0.5), network.parameter(i).begin());
  }
  for (std::size_t i = 0; i < Model::buffers.size(); ++i) {
    const TensorSpec& spec = Model::buffers[i].spec;
    std::ranges::copy(random_values<float>(spec.count(), 50 + i, spec.variance ? 0.5 : -1.0, 1.0),
                      network.buffer(i).begin());
    if (spec.integral) {
      network.buffer(i)[0] = 7;
    }
  }
  network.set_preprocessing(preprocessing);
  return network;
}

template <typename N>
std::string file_of(const N& network) {
  const TemporaryFolder folder;
  io::save_safetensors(network, folder / "a.safetensors");
  return retort::test::read_file(folder / "a.safetensors");
}

const Preprocessing of_bytes{
    .bytes = true, .mean = 0.1307, .standard_deviation = 0.30809999999999998, .class_names = {"a\"b", "\\", "é"}};

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes;
  for (const float value : random_values<float>(count, 9, 0.0, 255.99)) {
    bytes.push_back(static_cast<std::uint8_t>(value));
  }
  return bytes;
}

TEST_CASE("A saved network answers in place as it did, bit for bit") {
  const auto network = make_network<M>(of_bytes);
  const InMemory file(file_of(network));
  const auto answers = Answers::in(file.bytes()).value();
  constexpr std::size_t batch = 5;
  const std::vector<std::uint8_t> raw = random_bytes(batch * M::input_size);
  std::vector<float> inputs;
  for (const std::uint8_t byte : raw) {
    inputs.push_back(static_cast<float>(byte) * static_cast<float>(1 / (of_bytes.standard_deviation * 255.0)) +
                     static_cast<float>(-of_bytes.mean / of_bytes.standard_deviation));
  }
  std::vector<float> expected(batch * M::output_size);
  network.predict(inputs, std::span<float>(expected));

  std::vector<float> logits(expected.size());
  answers.logits(raw, logits);
  CHECK(same_bits(logits, expected));

  std::vector<float> probabilities(expected.size());
  std::vector<std::size_t> classes(batch);
  answers.probabilities(raw, probabilities);
  answers.classify(raw, classes);
  for (std::size_t i = 0; i < batch; ++i) {
    const Answers::Sample sample(raw.data() + i * M::input_size, M::input_size);
    const std::span<const float> row(expected.data() + i * M::output_size, M::output_size);
    CHECK(same_bits(answers.logits(sample), row));
    CHECK(classes[i] == static_cast<std::size_t>(std::ranges::max_element(row) - row.begin()));
    CHECK(answers.classify(sample) == classes[i]);
    double sum = 0;
    for (const float logit : row) {
      sum += std::exp(double{logit});
    }
    const auto of_sample = answers.probabilities(sample);
    for (std::size_t k = 0; k < M::output_size; ++k) {
      CHECK(std::abs(double{of_sample[k]} - std::exp(double{row[k]}) / sum) < 1e-6);
      CHECK(of_sample[k] == probabilities[i * M::output_size + k]);
    }
  }
}

TEST_CASE("A batch of another size is an error") {
  const InMemory file(file_of(make_network<M>(of_bytes)));
  const auto answers = Answers::in(file.bytes()).value();
  const std::vector<std::uint8_t> raw(2 * M::input_size);
  std::vector<float> logits(2 * M::output_size + 1);
  std::vector<std::size_t> classes(1);
  CHECK_THROWS_AS(answers.logits(raw, logits), ShapeError);
  CHECK_THROWS_AS(answers.classify(raw, classes), ShapeError);
  CHECK_THROWS_AS(answers.logits(std::span(raw).first(5), std::span(logits).first(3)), ShapeError);
}

TEST_CASE("Real numbers are normalised as the training data was") {
  using Reals = Predictor<M, float>;
  Preprocessing columns;
  columns.column_means = random_values<double>(M::input_size, 1);
  columns.column_deviations = random_values<double>(M::input_size, 2, 1e-3, 5.0);
  const std::array<Preprocessing, 3> all{columns, of_bytes, Preprocessing{.mean = -2.5, .standard_deviation = 1e-3}};
  const Preprocessing& preprocessing = all[static_cast<std::size_t>(GENERATE(0, 1, 2))];
  const auto network = make_network<M>(preprocessing);
  const InMemory file(file_of(network));
  const std::vector<float> raw = random_values<float>(M::input_size, 4, 0.0, 1.0);
  std::vector<float> inputs = raw;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (!preprocessing.column_means.empty()) {
      inputs[i] = static_cast<float>((double{raw[i]} - columns.column_means[i]) / columns.column_deviations[i]);
    }
    inputs[i] = inputs[i] * static_cast<float>(1 / preprocessing.standard_deviation) +
                static_cast<float>(-preprocessing.mean / preprocessing.standard_deviation);
  }
  std::vector<float> expected(M::output_size);
  network.predict(inputs, std::span<float>(expected));
  const auto answers = Reals::in(file.bytes()).value();
  CHECK(same_bits(answers.logits(Reals::Sample(raw)), expected));
  if (!preprocessing.bytes) {
    CHECK(std::string(Answers::in(file.bytes()).error()).find("takes real numbers, expected bytes") !=
          std::string::npos);
  }
}

TEST_CASE("A file that says nothing of inputs serves floats alone") {
  Network<Small, OneThread> network{Seed{1}};
  const InMemory file(file_of(network));
  const auto answers = Predictor<Small, float>::in(file.bytes()).value();
  const std::array<float, 2> input{0.25f, -3.0f};
  CHECK(same_bits(answers.logits(input), network.predict(std::span<const float, 2>(input))));
  CHECK(std::string(Predictor<Small, std::uint8_t>::in(file.bytes(), "flash").error())
            .starts_with("flash: no metadata retort.preprocessing"));
}

TEST_CASE("A file of another model is refused by its signature") {
  const InMemory file(file_of(make_network<M>(of_bytes)));
  const auto refused = [&]<typename Other>(Other) {
    const auto result = Predictor<Other, std::uint8_t>::in(file.bytes());
    CHECK_FALSE(result);
    CHECK_THROWS_AS(Result(result).value(), FormatError);
    return std::string(result.error());
  };
  using Rate = Sequential<AvgPool2d<Shape<1, 4, 8>, 2>, Linear<8, 21>, BatchNorm<21>, GELU, Dropout<0.5>,
                          Linear<21, 11, Bias::no>, LayerNorm<11>, LeakyReLU<0.2>, Tanh, Linear<11, 3>>;
  using Activation = Sequential<AvgPool2d<Shape<1, 4, 8>, 2>, Linear<8, 21>, BatchNorm<21>, GELU, Dropout<0.25>,
                                Linear<21, 11, Bias::no>, LayerNorm<11>, LeakyReLU<0.2>, ReLU, Linear<11, 3>>;
  using Longer = Sequential<AvgPool2d<Shape<1, 4, 8>, 2>, Linear<8, 21>, BatchNorm<21>, GELU, Dropout<0.25>,
                            Linear<21, 11, Bias::no>, LayerNorm<11>, LeakyReLU<0.2>, Tanh, Linear<11, 3>, ReLU>;
  using Shorter = Sequential<AvgPool2d<Shape<1, 4, 8>, 2>, Linear<8, 21>>;
  CHECK(refused(Rate{}).find("expected AvgPool2d(1x4x8, 2), Linear(8, 21), BatchNorm(21), GELU, Dropout(0.5), "
                             "Linear(21, 11, bias=False), ") != std::string::npos);
  CHECK(refused(Activation{}).starts_with("weights: holds the model \"AvgPool2d(1x4x8, 2), Linear(8, 21), "));
  refused(Longer{});
  refused(Shorter{});
}

/// A safetensors file with that header.
std::string file_with(std::string header, std::string_view data) {
  header.resize((header.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const std::uint64_t size = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &size, 8);
  return file += header.append(data);
}

std::string bytes_of(std::initializer_list<float> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(float)};
}

std::string fault_of(const std::string& bytes, std::size_t place = 0) {
  const InMemory file(bytes, place);
  const auto result = Predictor<Small, float>::in(file.bytes(), "x");
  return result.error();
}

const std::string weight = R"("0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]})";
const std::string bias = R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]})";
const std::string three = bytes_of({1, 2, 3});

TEST_CASE("A file of PyTorch's is read") {
  const InMemory file(file_with("{" + bias + "," + weight + "}", three));
  const std::array<float, 2> input{10, 100};
  CHECK(Predictor<Small, float>::in(file.bytes()).value().logits(input)[0] == 213.0f);
}

TEST_CASE("A file that breaks a rule is one sentence") {
  struct Case {
    std::string header;
    std::string data;
    std::string expected;
  };
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<Case> cases{
      {"{" + weight + "}", bytes_of({1, 2}), "x: tensor \"0.bias\": missing, expected among the file's tensors"},
      {"{" + weight + "," + weight + "," + bias + "}", three, "x: tensor \"0.weight\": stands twice, expected once"},
      {R"({"0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})", three + three,
       "x: tensor \"0.weight\": shape [2, 2], expected [1, 2]"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2,3,4,5],"data_offsets":[0,16]}})", three + three,
       "x: tensor \"0.weight\": shape [1, 2, 3, 4, ...], expected [1, 2]"},
      {R"({"0.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}})", three,
       "x: tensor \"0.weight\": dtype \"F16\", expected \"F32\", as a network of floats is saved: the file's numbers "
       "are used in place"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,0]}})", three,
       "x: tensor \"0.weight\": data_offsets [8, 0], expected 8 bytes among the 12 of data in the file (is it cut "
       "short?)"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})", three,
       "x: tensor \"0.weight\": data_offsets [8, 16], expected 8 bytes among the 12 of data in the file (is it cut "
       "short?)"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
       R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       three, "x: tensor \"0.bias\": data_offsets overlap those of tensor \"0.weight\""},
      {"{" + weight + "," + bias + "}", three + three, "x: data: 24 bytes, expected the 12 that the header describes"},
      {"{" + weight + "," + bias + R"(,"1.weight":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})",
       bytes_of({1, 2, 3, 4}), "x: tensor \"1.weight\": no tensor of the model Linear(2, 1)"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2]}})", three,
       "x: tensor \"0.weight\": expected an object with a dtype, a shape and two data_offsets, each once"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,-2],"data_offsets":[0,8]}})", three,
       "x: tensor \"0.weight\": expected an object with a dtype, a shape and two data_offsets, each once"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2.0],"data_offsets":[0,8]}})", three,
       "x: tensor \"0.weight\": expected an object with a dtype, a shape and two data_offsets, each once"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,99999999999999999999],"data_offsets":[0,8]}})", three,
       "x: tensor \"0.weight\": expected an object with a dtype, a shape and two data_offsets, each once"},
      {R"({"0.weight":{"dtype":"F32","shape":[1,2],"shape":[1,2],"data_offsets":[0,8]}})", three,
       "x: tensor \"0.weight\": expected an object with a dtype, a shape and two data_offsets, each once"},
      {"{" + weight + "," + bias + "} x", three, "x: header, byte 124: no valid JSON, expected an object"},
      {"{" + weight + "," + bias, three, "x: header, byte 185: no valid JSON, expected an object"},
      {"{\"a\x1b\x01\"", three, "x: header, byte 5: no valid JSON, expected an object"},
      {"[]", three, "x: header: expected a JSON object that begins with '{'"},
      {"{" + weight + "," + bias + "}", bytes_of({1, std::nanf(""), 3}),
       "x: tensor \"0.weight\": element 1, expected a finite number"},
      {"{" + weight + "," + bias + "}", bytes_of({1, 1, -infinity}),
       "x: tensor \"0.bias\": element 0, expected a finite number"},
      {"{" + weight + "," + bias + "}", bytes_of({1, -1e20f, 3}),
       "x: tensor \"0.weight\": element 1, expected a magnitude of at most 2^63"},
      {R"~({"__metadata__":{"retort.model":"Linear(2, 1, bias=False)"},)~" + weight + "," + bias + "}", three,
       "x: holds the model \"Linear(2, 1, bias=False)\", expected Linear(2, 1)"},
      {R"~({"__metadata__":{"retort.model":"Linear(2, 1)","retort.model":"Linear(2, 1)"},)~" + weight + "," + bias +
           "}",
       three, "x: header, __metadata__: key \"retort.model\" stands twice, expected once"},
      {R"({"__metadata__":{},"__metadata__":{},)" + weight + "," + bias + "}", three,
       "x: header: key \"__metadata__\" stands twice, expected once"},
      {R"({"__metadata__":{"retort.preprocessing":"{\"raw\":\"uint8\",\"mean\":0}"},)" + weight + "," + bias + "}",
       three,
       "x: metadata retort.preprocessing: expected an object as the library writes it: raw is \"uint8\" or \"real\", "
       "deviations are above 0, and as many as means"},
      {R"({"__metadata__":{"retort.example":"{\"input\":[1,1],\"logits\":[7]}"},)" + weight + "," + bias + "}", three,
       "x: the weights do not give the logits of metadata retort.example: they are not those it was saved with"},
      {R"({"__metadata__":{"retort.example":"{\"input\":[1],\"logits\":[7]}"},)" + weight + "," + bias + "}", three,
       "x: metadata retort.example: expected an input and its logits, as many as the network has"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.header);
    CHECK(fault_of(file_with(one.header, one.data)) == one.expected);
  }
  CHECK(fault_of("1234567") == "x: header length: the file has 7 bytes, expected at least 8");
  CHECK(fault_of(std::string(8, '\xff')) ==
        "x: header length: 18446744073709551615, expected at most 0, the rest of the file (is it a safetensors file?)");
  CHECK(fault_of(file_with("{" + weight + "," + bias + "}", three), 1) ==
        "x: tensor \"0.weight\": its numbers are at no multiple of 4 bytes in memory, expected a file that begins at "
        "one");
}

TEST_CASE("A bit that has changed shows in the checksum") {
  const auto network = make_network<Small>({.bytes = true, .mean = 0.5});
  const TemporaryFolder folder;
  io::save_safetensors(network, folder / "a", {.metadata = {{"a", "\u00e9\U0001F600"}, {"zz", ""}, {"", "\n"}}});
  const std::string whole = retort::test::read_file(folder / "a");
  CHECK(Predictor<Small, std::uint8_t>::in(InMemory(whole).bytes()));
  // Another program may write the same text in another way.
  std::string escaped = whole;
  const std::size_t place = escaped.find("\u00e9");
  REQUIRE(place != std::string::npos);
  escaped.replace(place, 6, "\\u00e9\\ud83d\\ude00");
  std::uint64_t header = 0;
  std::memcpy(&header, escaped.data(), sizeof(header));
  header += 12;
  std::memcpy(escaped.data(), &header, sizeof(header));
  CHECK(std::string(Predictor<Small, std::uint8_t>::in(InMemory(escaped).bytes()).error()).empty());
  std::string damaged = whole;
  damaged[damaged.find("zz")] = 'z' + 1;
  CHECK(std::string(Predictor<Small, std::uint8_t>::in(InMemory(damaged).bytes()).error())
            .ends_with("not that of metadata retort.checksum: the file is not as it was written"));
}

TEST_CASE("No damage to a file makes it read what is not there") {
  const std::string whole = file_of(make_network<Small>({.bytes = true, .mean = 0.5}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(Predictor<Small, std::uint8_t>::in(InMemory(whole.substr(0, size)).bytes()));
  }
  std::size_t accepted = 0;
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const int bit : {0, 1, 4, 7}) {
      std::string damaged = whole;
      damaged[place] = static_cast<char>(damaged[place] ^ 1 << bit);
      const InMemory file(damaged);  // alone in its memory, for the address sanitizer
      accepted += Predictor<Small, std::uint8_t>::in(file.bytes()) ? 1u : 0u;
    }
  }
  CHECK(accepted == 4 * std::string_view("retort.checksum").size());  // a file without a checksum
}

}  // namespace
