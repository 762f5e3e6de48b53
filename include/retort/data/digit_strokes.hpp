// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How a pen writes the ten digits: the curves that `synthetic_digits` distorts.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

enum class Pen : std::uint8_t {
  set,   // the pen is set down: a stroke begins
  bend,  // the curve passes through smoothly
  turn,  // the direction changes at once
};

/// A point of a stroke in the digit's unit square: x to the right, y down.
struct PenPoint {
  double x;
  double y;
  Pen pen;
};

/// One way of writing one digit. Of all samples of the digit, weight / sum of the digit's weights are written so.
struct DigitVariant {
  std::uint32_t digit;
  std::uint32_t weight;
  std::span<const PenPoint> points;
};

inline constexpr std::array zero_oval{PenPoint{0.56, 0.01, Pen::set},  PenPoint{0.29, 0.14, Pen::bend},
                                      PenPoint{0.16, 0.50, Pen::bend}, PenPoint{0.27, 0.87, Pen::bend},
                                      PenPoint{0.52, 1.00, Pen::bend}, PenPoint{0.76, 0.84, Pen::bend},
                                      PenPoint{0.85, 0.49, Pen::bend}, PenPoint{0.74, 0.15, Pen::bend},
                                      PenPoint{0.52, 0.02, Pen::bend}, PenPoint{0.40, 0.06, Pen::bend}};
inline constexpr std::array zero_open{
    PenPoint{0.44, 0.05, Pen::set},  PenPoint{0.22, 0.27, Pen::bend}, PenPoint{0.18, 0.63, Pen::bend},
    PenPoint{0.37, 0.95, Pen::bend}, PenPoint{0.66, 0.93, Pen::bend}, PenPoint{0.82, 0.62, Pen::bend},
    PenPoint{0.78, 0.24, Pen::bend}, PenPoint{0.58, 0.03, Pen::bend}, PenPoint{0.42, 0.14, Pen::bend}};

inline constexpr std::array one_plain{PenPoint{0.53, 0.00, Pen::set}, PenPoint{0.50, 0.50, Pen::bend},
                                      PenPoint{0.48, 1.00, Pen::bend}};
inline constexpr std::array one_serif{PenPoint{0.33, 0.24, Pen::set}, PenPoint{0.45, 0.13, Pen::bend},
                                      PenPoint{0.56, 0.00, Pen::turn}, PenPoint{0.53, 0.50, Pen::bend},
                                      PenPoint{0.51, 1.00, Pen::bend}};
inline constexpr std::array one_base{PenPoint{0.35, 0.20, Pen::set},  PenPoint{0.53, 0.00, Pen::turn},
                                     PenPoint{0.52, 0.50, Pen::bend}, PenPoint{0.51, 0.98, Pen::turn},
                                     PenPoint{0.28, 0.99, Pen::set},  PenPoint{0.75, 0.98, Pen::bend}};

inline constexpr std::array two_plain{
    PenPoint{0.19, 0.23, Pen::set},  PenPoint{0.34, 0.05, Pen::bend}, PenPoint{0.60, 0.02, Pen::bend},
    PenPoint{0.77, 0.20, Pen::bend}, PenPoint{0.70, 0.45, Pen::bend}, PenPoint{0.46, 0.72, Pen::bend},
    PenPoint{0.18, 0.97, Pen::turn}, PenPoint{0.50, 0.95, Pen::bend}, PenPoint{0.84, 0.95, Pen::bend}};
inline constexpr std::array two_loop{
    PenPoint{0.22, 0.20, Pen::set},  PenPoint{0.38, 0.03, Pen::bend}, PenPoint{0.64, 0.04, Pen::bend},
    PenPoint{0.75, 0.24, Pen::bend}, PenPoint{0.64, 0.52, Pen::bend}, PenPoint{0.42, 0.82, Pen::bend},
    PenPoint{0.24, 0.96, Pen::bend}, PenPoint{0.15, 0.87, Pen::bend}, PenPoint{0.26, 0.77, Pen::bend},
    PenPoint{0.48, 0.88, Pen::bend}, PenPoint{0.68, 0.99, Pen::bend}, PenPoint{0.87, 0.89, Pen::bend}};

inline constexpr std::array three_round{PenPoint{0.21, 0.14, Pen::set},  PenPoint{0.45, 0.00, Pen::bend},
                                        PenPoint{0.72, 0.13, Pen::bend}, PenPoint{0.68, 0.35, Pen::bend},
                                        PenPoint{0.42, 0.47, Pen::turn}, PenPoint{0.70, 0.56, Pen::bend},
                                        PenPoint{0.79, 0.76, Pen::bend}, PenPoint{0.60, 0.97, Pen::bend},
                                        PenPoint{0.35, 0.99, Pen::bend}, PenPoint{0.17, 0.86, Pen::bend}};
inline constexpr std::array three_flat{PenPoint{0.20, 0.03, Pen::set},  PenPoint{0.47, 0.03, Pen::bend},
                                       PenPoint{0.76, 0.02, Pen::turn}, PenPoint{0.60, 0.22, Pen::bend},
                                       PenPoint{0.44, 0.40, Pen::turn}, PenPoint{0.70, 0.48, Pen::bend},
                                       PenPoint{0.81, 0.71, Pen::bend}, PenPoint{0.66, 0.94, Pen::bend},
                                       PenPoint{0.40, 1.00, Pen::bend}, PenPoint{0.17, 0.89, Pen::bend}};

inline constexpr std::array four_open{PenPoint{0.25, 0.02, Pen::set},  PenPoint{0.19, 0.28, Pen::bend},
                                      PenPoint{0.21, 0.51, Pen::bend}, PenPoint{0.45, 0.58, Pen::bend},
                                      PenPoint{0.84, 0.50, Pen::bend}, PenPoint{0.73, 0.04, Pen::set},
                                      PenPoint{0.68, 0.50, Pen::bend}, PenPoint{0.63, 1.00, Pen::bend}};
inline constexpr std::array four_closed{PenPoint{0.63, 0.00, Pen::set},  PenPoint{0.40, 0.31, Pen::bend},
                                        PenPoint{0.13, 0.63, Pen::turn}, PenPoint{0.50, 0.63, Pen::bend},
                                        PenPoint{0.88, 0.61, Pen::bend}, PenPoint{0.65, 0.00, Pen::set},
                                        PenPoint{0.64, 0.50, Pen::bend}, PenPoint{0.63, 1.00, Pen::bend}};
inline constexpr std::array four_one_stroke{PenPoint{0.24, 0.05, Pen::set},  PenPoint{0.20, 0.35, Pen::bend},
                                            PenPoint{0.34, 0.53, Pen::bend}, PenPoint{0.60, 0.42, Pen::bend},
                                            PenPoint{0.77, 0.06, Pen::turn}, PenPoint{0.70, 0.52, Pen::bend},
                                            PenPoint{0.66, 1.00, Pen::bend}};

inline constexpr std::array five_one_stroke{
    PenPoint{0.78, 0.02, Pen::set},  PenPoint{0.55, 0.03, Pen::bend}, PenPoint{0.31, 0.04, Pen::turn},
    PenPoint{0.26, 0.43, Pen::turn}, PenPoint{0.52, 0.37, Pen::bend}, PenPoint{0.77, 0.53, Pen::bend},
    PenPoint{0.76, 0.80, Pen::bend}, PenPoint{0.53, 0.98, Pen::bend}, PenPoint{0.19, 0.92, Pen::bend}};
inline constexpr std::array five_two_strokes{
    PenPoint{0.33, 0.07, Pen::set},  PenPoint{0.27, 0.44, Pen::turn}, PenPoint{0.54, 0.39, Pen::bend},
    PenPoint{0.76, 0.55, Pen::bend}, PenPoint{0.74, 0.84, Pen::bend}, PenPoint{0.48, 1.00, Pen::bend},
    PenPoint{0.18, 0.88, Pen::bend}, PenPoint{0.33, 0.05, Pen::set},  PenPoint{0.83, 0.00, Pen::bend}};
inline constexpr std::array five_round{PenPoint{0.77, 0.04, Pen::set},  PenPoint{0.48, 0.05, Pen::bend},
                                       PenPoint{0.28, 0.20, Pen::bend}, PenPoint{0.38, 0.40, Pen::bend},
                                       PenPoint{0.65, 0.53, Pen::bend}, PenPoint{0.74, 0.76, Pen::bend},
                                       PenPoint{0.54, 0.97, Pen::bend}, PenPoint{0.20, 0.93, Pen::bend}};

inline constexpr std::array six_round{PenPoint{0.70, 0.03, Pen::set},  PenPoint{0.42, 0.18, Pen::bend},
                                      PenPoint{0.23, 0.50, Pen::bend}, PenPoint{0.22, 0.81, Pen::bend},
                                      PenPoint{0.45, 1.00, Pen::bend}, PenPoint{0.72, 0.89, Pen::bend},
                                      PenPoint{0.76, 0.66, Pen::bend}, PenPoint{0.54, 0.53, Pen::bend},
                                      PenPoint{0.31, 0.62, Pen::bend}, PenPoint{0.22, 0.78, Pen::bend}};
inline constexpr std::array six_straight{PenPoint{0.45, 0.00, Pen::set},  PenPoint{0.31, 0.35, Pen::bend},
                                         PenPoint{0.24, 0.72, Pen::bend}, PenPoint{0.36, 0.96, Pen::bend},
                                         PenPoint{0.62, 0.97, Pen::bend}, PenPoint{0.74, 0.78, Pen::bend},
                                         PenPoint{0.58, 0.63, Pen::bend}, PenPoint{0.27, 0.75, Pen::bend}};

inline constexpr std::array seven_plain{PenPoint{0.17, 0.07, Pen::set}, PenPoint{0.48, 0.06, Pen::bend},
                                        PenPoint{0.80, 0.03, Pen::turn}, PenPoint{0.58, 0.45, Pen::bend},
                                        PenPoint{0.42, 1.00, Pen::bend}};
inline constexpr std::array seven_bar{PenPoint{0.17, 0.06, Pen::set},  PenPoint{0.48, 0.05, Pen::bend},
                                      PenPoint{0.81, 0.03, Pen::turn}, PenPoint{0.57, 0.47, Pen::bend},
                                      PenPoint{0.40, 1.00, Pen::bend}, PenPoint{0.30, 0.52, Pen::set},
                                      PenPoint{0.77, 0.49, Pen::bend}};
inline constexpr std::array seven_serif{PenPoint{0.18, 0.22, Pen::set},  PenPoint{0.20, 0.06, Pen::turn},
                                        PenPoint{0.50, 0.08, Pen::bend}, PenPoint{0.79, 0.04, Pen::bend},
                                        PenPoint{0.68, 0.34, Pen::bend}, PenPoint{0.51, 0.66, Pen::bend},
                                        PenPoint{0.46, 1.00, Pen::bend}};

inline constexpr std::array eight_one_stroke{
    PenPoint{0.72, 0.14, Pen::set},  PenPoint{0.50, 0.00, Pen::bend}, PenPoint{0.28, 0.14, Pen::bend},
    PenPoint{0.33, 0.36, Pen::bend}, PenPoint{0.54, 0.50, Pen::bend}, PenPoint{0.76, 0.69, Pen::bend},
    PenPoint{0.72, 0.91, Pen::bend}, PenPoint{0.48, 1.00, Pen::bend}, PenPoint{0.24, 0.88, Pen::bend},
    PenPoint{0.27, 0.66, Pen::bend}, PenPoint{0.50, 0.48, Pen::bend}, PenPoint{0.68, 0.32, Pen::bend},
    PenPoint{0.71, 0.12, Pen::bend}};
inline constexpr std::array eight_two_rings{
    PenPoint{0.50, 0.46, Pen::set},  PenPoint{0.28, 0.32, Pen::bend}, PenPoint{0.34, 0.06, Pen::bend},
    PenPoint{0.60, 0.02, Pen::bend}, PenPoint{0.73, 0.24, Pen::bend}, PenPoint{0.52, 0.46, Pen::bend},
    PenPoint{0.50, 0.47, Pen::set},  PenPoint{0.25, 0.65, Pen::bend}, PenPoint{0.29, 0.93, Pen::bend},
    PenPoint{0.58, 1.00, Pen::bend}, PenPoint{0.78, 0.78, Pen::bend}, PenPoint{0.68, 0.55, Pen::bend},
    PenPoint{0.49, 0.47, Pen::bend}};

inline constexpr std::array nine_straight{
    PenPoint{0.74, 0.20, Pen::set},  PenPoint{0.53, 0.02, Pen::bend}, PenPoint{0.28, 0.14, Pen::bend},
    PenPoint{0.24, 0.38, Pen::bend}, PenPoint{0.45, 0.52, Pen::bend}, PenPoint{0.67, 0.41, Pen::bend},
    PenPoint{0.75, 0.17, Pen::turn}, PenPoint{0.71, 0.55, Pen::bend}, PenPoint{0.66, 1.00, Pen::bend}};
inline constexpr std::array nine_curved{
    PenPoint{0.74, 0.15, Pen::set},  PenPoint{0.50, 0.01, Pen::bend}, PenPoint{0.26, 0.16, Pen::bend},
    PenPoint{0.27, 0.42, Pen::bend}, PenPoint{0.53, 0.49, Pen::bend}, PenPoint{0.73, 0.29, Pen::bend},
    PenPoint{0.76, 0.16, Pen::bend}, PenPoint{0.76, 0.52, Pen::bend}, PenPoint{0.66, 0.86, Pen::bend},
    PenPoint{0.44, 1.00, Pen::bend}, PenPoint{0.24, 0.92, Pen::bend}};

inline constexpr std::array digit_variants{
    DigitVariant{0, 3, zero_oval},       DigitVariant{0, 2, zero_open},        DigitVariant{1, 4, one_plain},
    DigitVariant{1, 3, one_serif},       DigitVariant{1, 1, one_base},         DigitVariant{2, 3, two_plain},
    DigitVariant{2, 2, two_loop},        DigitVariant{3, 3, three_round},      DigitVariant{3, 1, three_flat},
    DigitVariant{4, 3, four_open},       DigitVariant{4, 2, four_closed},      DigitVariant{4, 2, four_one_stroke},
    DigitVariant{5, 2, five_one_stroke}, DigitVariant{5, 2, five_two_strokes}, DigitVariant{5, 1, five_round},
    DigitVariant{6, 3, six_round},       DigitVariant{6, 2, six_straight},     DigitVariant{7, 3, seven_plain},
    DigitVariant{7, 2, seven_bar},       DigitVariant{7, 2, seven_serif},      DigitVariant{8, 3, eight_one_stroke},
    DigitVariant{8, 1, eight_two_rings}, DigitVariant{9, 3, nine_straight},    DigitVariant{9, 2, nine_curved}};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
