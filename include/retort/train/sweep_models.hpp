// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Models of several types for the students of one sweep.

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What the students of a Sweep are, where they are of several types. SweepSetting::model says which of them:
///
///     using Students = OneOfModels<Student20, Student30>;
///     const auto settings = sweep_grid(SweepSetting<>{}, SweepAxis{&SweepSetting<>::model, Students::places()},
///                                      SweepAxis{&SweepSetting<>::seed, consecutive_seeds(5)});
///     for (const auto& summary : summarize(Sweep<Students>{teacher, settings, cpu}.fit(train, test))) {
///       std::printf("%s %.1f\n", summary.model.c_str(), summary.errors.mean);
///     }
///
/// A sweep compiles a whole training for each of the models. It costs as much time as a Sweep of each by itself.
template <Model... Models>
struct OneOfModels {
  static_assert(sizeof...(Models) > 0, "retort: OneOfModels wants at least one model");

  template <Model M>
  static constexpr std::size_t count_of = (std::size_t{std::is_same_v<M, Models>} + ... + 0);
  static_assert(((count_of<Models> == 1) && ...), "retort: OneOfModels wants each model once");

  static constexpr std::size_t count = sizeof...(Models);
  static constexpr std::size_t input_size = std::tuple_element_t<0, std::tuple<Models...>>::input_size;
  static constexpr std::size_t output_size = std::tuple_element_t<0, std::tuple<Models...>>::output_size;
  static_assert(((Models::input_size == input_size && Models::output_size == output_size) && ...),
                "retort: OneOfModels wants models of the same number of inputs, and of outputs");

  /// The place of a model in the list, from 0.
  template <Model M>
    requires(count_of<M> == 1)
  static constexpr std::size_t place_of() {
    constexpr bool is_it[] = {std::is_same_v<M, Models>...};
    return static_cast<std::size_t>(std::ranges::find(is_it, true) - is_it);
  }

  /// 0 ... count - 1, the values of an axis.
  static std::vector<std::size_t> places() {
    std::vector<std::size_t> places(count);
    for (std::size_t place = 0; place < count; ++place) {
      places[place] = place;
    }
    return places;
  }

  /// A short name for each, "784-20-20-10": the widths of its layers. Those that would have the same name list their
  /// layers instead.
  static std::vector<std::string> names() {
    const std::vector<std::string> short_names{internal::model_name<Models>()...};
    std::vector<std::string> names;
    for_each([&]<Model M>(std::type_identity<M> /*model*/) {
      const std::string& name = short_names[names.size()];
      names.push_back(std::ranges::count(short_names, name) == 1 ? name : internal::model_signature<M>());
    });
    return names;
  }

  /// function(std::type_identity<M>{}) with the model at `place`, which is below count. All return the same type.
  template <typename Function>
  static auto visit(std::size_t place, const Function& function) {
    return visit_from<Function, Models...>(place, function);
  }
  /// The same with each model, in order.
  template <typename Function>
  static void for_each(const Function& function) {
    (function(std::type_identity<Models>{}), ...);
  }

 private:
  template <typename Function, Model First, Model... Rest>
  static auto visit_from(std::size_t place, const Function& function) {
    if constexpr (sizeof...(Rest) > 0) {
      if (place > 0) {
        return visit_from<Function, Rest...>(place - 1, function);
      }
    }
    return function(std::type_identity<First>{});
  }
};

namespace internal {

/// What a sweep asks about its students: a Model, or a OneOfModels.
template <typename Students>
struct SweptModels;
template <Model M>
struct SweptModels<M> {
  using List = OneOfModels<M>;
  template <typename Backend, typename Scalar>
  using StudentNetwork = Network<M, Backend, Scalar>;
};
template <Model... Models>
struct SweptModels<OneOfModels<Models...>> {
  using List = OneOfModels<Models...>;
  template <typename Backend, typename Scalar>
  using StudentNetwork = std::variant<Network<Models, Backend, Scalar>...>;
};

/// The network of model M that a student has.
template <Model M, typename Backend, typename Scalar>
Network<M, Backend, Scalar>& network_of(Network<M, Backend, Scalar>& network) {
  return network;
}
template <Model M, typename Backend, typename Scalar, typename... Others>
Network<M, Backend, Scalar>& network_of(std::variant<Others...>& network) {
  return std::get<Network<M, Backend, Scalar>>(network);
}

}  // namespace internal

/// What a Sweep trains: a Model, or a OneOfModels.
template <typename S>
concept SweptStudents = requires { typename internal::SweptModels<S>::List; };

}  // namespace retort::inline RETORT_INSTRUCTION_SET
