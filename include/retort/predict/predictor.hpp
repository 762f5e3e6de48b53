// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A saved network that answers questions, with its weights where they lie in memory.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>

#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/signature.hpp"
#include "retort/predict/infer.hpp"
#include "retort/predict/json_text.hpp"
#include "retort/predict/message.hpp"
#include "retort/predict/raw_features.hpp"
#include "retort/predict/result.hpp"
#include "retort/predict/weights.hpp"
#ifdef __cpp_exceptions
#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#endif

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Compares a text with a signature, part by part.
class SignatureMatch {
 public:
  explicit SignatureMatch(internal::JsonCharacters text) : text_(text) {}

  void operator()(std::string_view part) const { matches_ = matches_ && text_.take(part); }
  void operator()(std::size_t part) const {
    Message digits;
    digits.add(part);
    (*this)(digits.text());
  }
  /// Files have the shortest decimal that reads back to the same double.
  void operator()(double part) const {
    double found = 0;
    internal::JsonText json(text_);
    matches_ = matches_ && json.number(found) && found == part;
    text_ = json.characters();
  }

  bool matches() const { return matches_ && text_.peek() == internal::JsonCharacters::end; }

 private:
  mutable internal::JsonCharacters text_;
  mutable bool matches_ = true;
};

template <Model M>
bool has_signature(internal::JsonCharacters text) {
  const SignatureMatch match(text);
  internal::write_model_signature<M>(match);
  return match.matches();
}

template <Model M>
void add_signature(Message& message) {
  internal::write_model_signature<M>([&](const auto& part) { message.add(part); });
}

template <Model M>
inline constexpr internal::ExpectedWeights expected_weights{M::parameters, M::buffers, &has_signature<M>,
                                                            &add_signature<M>};

/// Numbers from a text into `values`, exactly as many; false for anything else.
[[gnu::cold]] inline bool read_numbers(internal::JsonText& json, std::span<float> values, std::size_t& count) {
  return json.array([&] {
    double value = 0;
    if (count == values.size() || !json.number(value)) {
      return false;
    }
    values[count++] = static_cast<float>(value);
    return true;
  });
}

/// A file's example, {"input":[...],"logits":[...]}.
[[gnu::cold, gnu::noinline]] inline bool read_example(internal::JsonCharacters text, std::span<float> input,
                                                      std::span<float> logits) {
  internal::JsonText json(text);
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  return json.object([&](internal::JsonCharacters key) {
    return key == "input"    ? inputs == 0 && read_numbers(json, input, inputs)
           : key == "logits" ? outputs == 0 && read_numbers(json, logits, outputs)
                             : false;
  }) && json.end() &&
         inputs == input.size() && outputs == logits.size();
}

/// Whether the logits are finite, and those expected within the effect of another order of addition.
[[gnu::cold, gnu::noinline]] inline bool agree(std::span<const float> logits, std::span<const float> expected) {
  float largest = 1;
  for (const float value : expected) {
    largest = std::abs(value) > largest ? std::abs(value) : largest;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!is_finite(logits[i]) || !(std::abs(logits[i] - expected[i]) <= 1e-4f * largest)) {
      return false;
    }
  }
  return true;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_sizes([[maybe_unused]] std::size_t samples,
                                                              [[maybe_unused]] std::size_t answers) {
#ifdef __cpp_exceptions
  throw ShapeError(concatenate({"predict: ", samples, " features and room for ", answers,
                                " answers, expected whole samples, and an answer for each"}));
#else
  std::abort();
#endif
}

}  // namespace detail

/// A saved network for inference alone. It refers to the bytes of its safetensors file, which must outlive it and stay
/// as they are, in a file or in flash; it copies no weight and allocates nothing.
///
/// `Raw` is what samples consist of. With std::uint8_t they are bytes, for a network that was trained on bytes; with
/// float real numbers, and for a network that was trained on bytes those divided by 255. They are normalised as the
/// file says that the training data was; without such a word floats are taken as they are.
///
/// Answers take no memory but the stack: at most twice the widest layer, as floats. One thread computes an answer;
/// several may ask at once. They differ from those of Network::predict in the last bits, as sums run in another order.
/// They are those of a backend derived from Generic, to the bit.
template <Model M, RawFeature Raw>
class Predictor {
 public:
  using model_type = M;
  using raw_type = Raw;
  static constexpr std::size_t input_size = M::input_size;
  static constexpr std::size_t output_size = M::output_size;
  using Sample = std::span<const Raw, input_size>;
  using Values = std::array<float, output_size>;

  /// The network in `file`, a whole safetensors file that begins at a multiple of 4 in memory, with F32 weights.
  /// `source` is its name in errors. A fault is what io::load_safetensors would refuse too: a header that breaks a rule
  /// of the format; another model by its signature; a tensor that is missing, of no use to the model, or of another
  /// shape or dtype; a number that no network may hold; another checksum, where the file has one; and a network that
  /// gives other logits for the file's example. Also preprocessing that makes no inputs of `Raw`.
  // Not gnu::cold: g++ optimises what comes after a call of a cold function, all of a main perhaps, for size.
  static Result<Predictor> in(std::span<const std::byte> file, std::string_view source = "weights") {
    Predictor predictor;
    Message reason;
    if (predictor.read(file, reason)) {
      return predictor;
    }
    return Fault(Fault::Kind::format, source, reason);
  }

  Values logits(Sample sample) const {
    Values result;
    answer(sample.data(), result.data());
    return result;
  }

  /// The softmax of the logits.
  Values probabilities(Sample sample) const {
    Values result = logits(sample);
    to_probabilities(result.data());
    return result;
  }

  /// The index of the largest logit, among equals the first.
  std::size_t classify(Sample sample) const {
    const Values of_classes = logits(sample);
    return largest(of_classes.data());
  }

  // The same for a batch of samples (batch, in), one after another: `logits` and `probabilities` are (batch, out),
  // `classes` (batch). Throw ShapeError for other sizes; without exceptions they end the program.
  void logits(std::span<const Raw> samples, std::span<float> logits) const {
    for_each_sample(samples, logits.size(), output_size,
                    [&](const Raw* sample, std::size_t place) { answer(sample, logits.data() + place); });
  }
  void probabilities(std::span<const Raw> samples, std::span<float> probabilities) const {
    logits(samples, probabilities);
    for (std::size_t place = 0; place < probabilities.size(); place += output_size) {
      to_probabilities(probabilities.data() + place);
    }
  }
  void classify(std::span<const Raw> samples, std::span<std::size_t> classes) const {
    for_each_sample(samples, classes.size(), 1, [&](const Raw* sample, std::size_t place) {
      Values of_classes;
      answer(sample, of_classes.data());
      classes[place] = largest(of_classes.data());
    });
  }

 private:
  static constexpr std::size_t tensor_count = M::parameters.size() + M::buffers.size();

  Predictor() = default;

  [[gnu::cold]] bool read(std::span<const std::byte> file, Message& reason) {
    internal::WeightsReader reader(detail::expected_weights<M>, file, places_, reason);
    return reader.read() && inputs_.read(reader.preprocessing(), output_size, reason) &&
           check_example(reader.example(), reason);
  }

  [[gnu::cold]] bool check_example(const std::optional<internal::JsonCharacters>& text, Message& reason) const {
    internal::Activations<M> activations;
    Values expected{};
    for (std::size_t i = 0; i < input_size; ++i) {
      activations.input()[i] = 0;
    }
    if (text && !detail::read_example(*text, std::span(activations.input(), input_size), expected)) {
      reason.add("metadata retort.example: expected an input and its logits, as many as the network has");
      return false;
    }
    const float* const found = activations.infer(places_.data());
    const std::span<const float> logits(found, output_size);
    if (detail::agree(logits, text ? std::span<const float>(expected) : logits)) {
      return true;
    }
    reason.add(
        text ? "the weights do not give the logits of metadata retort.example: they are not those it was saved with"
             : "the weights give an input of zeros a logit that is not finite");
    return false;
  }

  /// `sample`: (in). `result`: (out).
  void answer(const Raw* sample, float* result) const {
    internal::Activations<M> activations;
    inputs_(sample, activations.input());
    const float* const logits = activations.infer(places_.data());
    for (std::size_t i = 0; i < output_size; ++i) {
      result[i] = logits[i];
    }
  }

  /// Calls call(sample, place of its answers), which are `width` for each sample.
  template <typename Call>
  static void for_each_sample(std::span<const Raw> samples, std::size_t answers, std::size_t width, const Call& call) {
    const std::size_t count = samples.size() / input_size;
    if (samples.size() % input_size != 0 || answers != count * width) {
      detail::fail_sizes(samples.size(), answers);
    }
    for (std::size_t i = 0; i < count; ++i) {
      call(samples.data() + i * input_size, i * width);
    }
  }

  static std::size_t largest(const float* values) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < output_size; ++i) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  static void to_probabilities(float* values) {
    const float most = values[largest(values)];
    float sum = 0;
    for (std::size_t i = 0; i < output_size; ++i) {
      values[i] = std::exp(values[i] - most);
      sum += values[i];
    }
    for (std::size_t i = 0; i < output_size; ++i) {
      values[i] /= sum;
    }
  }

  std::array<const std::byte*, tensor_count> places_{};
  internal::InputsOf<Raw, input_size> inputs_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
