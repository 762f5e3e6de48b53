// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How a pen writes the ten digits: the curves that `synthetic_digits` distorts.

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

/// One way of writing a digit. Its share of the digit's samples is weight / (sum of the digit's weights).
struct DigitVariant {
  std::uint32_t digit;
  std::uint32_t weight;
  std::span<const PenPoint> points;
};

namespace digit_strokes {

using enum Pen;

inline constexpr PenPoint zero_oval[] = {{0.56, 0.01, set},  {0.29, 0.14, bend}, {0.16, 0.50, bend}, {0.27, 0.87, bend},
                                         {0.52, 1.00, bend}, {0.76, 0.84, bend}, {0.85, 0.49, bend}, {0.74, 0.15, bend},
                                         {0.52, 0.02, bend}, {0.40, 0.06, bend}};
inline constexpr PenPoint zero_open[] = {{0.44, 0.05, set},  {0.22, 0.27, bend}, {0.18, 0.63, bend},
                                         {0.37, 0.95, bend}, {0.66, 0.93, bend}, {0.82, 0.62, bend},
                                         {0.78, 0.24, bend}, {0.58, 0.03, bend}, {0.42, 0.14, bend}};

inline constexpr PenPoint one_plain[] = {{0.53, 0.00, set}, {0.50, 0.50, bend}, {0.48, 1.00, bend}};
inline constexpr PenPoint one_serif[] = {
    {0.33, 0.24, set}, {0.45, 0.13, bend}, {0.56, 0.00, turn}, {0.53, 0.50, bend}, {0.51, 1.00, bend}};
inline constexpr PenPoint one_base[] = {{0.35, 0.20, set},  {0.53, 0.00, turn}, {0.52, 0.50, bend},
                                        {0.51, 0.98, turn}, {0.28, 0.99, set},  {0.75, 0.98, bend}};

inline constexpr PenPoint two_plain[] = {{0.19, 0.23, set},  {0.34, 0.05, bend}, {0.60, 0.02, bend},
                                         {0.77, 0.20, bend}, {0.70, 0.45, bend}, {0.46, 0.72, bend},
                                         {0.18, 0.97, turn}, {0.50, 0.95, bend}, {0.84, 0.95, bend}};
inline constexpr PenPoint two_loop[] = {{0.22, 0.20, set},  {0.38, 0.03, bend}, {0.64, 0.04, bend}, {0.75, 0.24, bend},
                                        {0.64, 0.52, bend}, {0.42, 0.82, bend}, {0.24, 0.96, bend}, {0.15, 0.87, bend},
                                        {0.26, 0.77, bend}, {0.48, 0.88, bend}, {0.68, 0.99, bend}, {0.87, 0.89, bend}};

inline constexpr PenPoint three_round[] = {
    {0.21, 0.14, set},  {0.45, 0.00, bend}, {0.72, 0.13, bend}, {0.68, 0.35, bend}, {0.42, 0.47, turn},
    {0.70, 0.56, bend}, {0.79, 0.76, bend}, {0.60, 0.97, bend}, {0.35, 0.99, bend}, {0.17, 0.86, bend}};
inline constexpr PenPoint three_flat[] = {
    {0.20, 0.03, set},  {0.47, 0.03, bend}, {0.76, 0.02, turn}, {0.60, 0.22, bend}, {0.44, 0.40, turn},
    {0.70, 0.48, bend}, {0.81, 0.71, bend}, {0.66, 0.94, bend}, {0.40, 1.00, bend}, {0.17, 0.89, bend}};

inline constexpr PenPoint four_open[] = {{0.25, 0.02, set},  {0.19, 0.28, bend}, {0.21, 0.51, bend},
                                         {0.45, 0.58, bend}, {0.84, 0.50, bend}, {0.73, 0.04, set},
                                         {0.68, 0.50, bend}, {0.63, 1.00, bend}};
inline constexpr PenPoint four_closed[] = {{0.63, 0.00, set},  {0.40, 0.31, bend}, {0.13, 0.63, turn},
                                           {0.50, 0.63, bend}, {0.88, 0.61, bend}, {0.65, 0.00, set},
                                           {0.64, 0.50, bend}, {0.63, 1.00, bend}};
inline constexpr PenPoint four_one_stroke[] = {{0.24, 0.05, set},  {0.20, 0.35, bend}, {0.34, 0.53, bend},
                                               {0.60, 0.42, bend}, {0.77, 0.06, turn}, {0.70, 0.52, bend},
                                               {0.66, 1.00, bend}};

inline constexpr PenPoint five_one_stroke[] = {{0.78, 0.02, set},  {0.55, 0.03, bend}, {0.31, 0.04, turn},
                                               {0.26, 0.43, turn}, {0.52, 0.37, bend}, {0.77, 0.53, bend},
                                               {0.76, 0.80, bend}, {0.53, 0.98, bend}, {0.19, 0.92, bend}};
inline constexpr PenPoint five_two_strokes[] = {{0.33, 0.07, set},  {0.27, 0.44, turn}, {0.54, 0.39, bend},
                                                {0.76, 0.55, bend}, {0.74, 0.84, bend}, {0.48, 1.00, bend},
                                                {0.18, 0.88, bend}, {0.33, 0.05, set},  {0.83, 0.00, bend}};
inline constexpr PenPoint five_round[] = {{0.77, 0.04, set},  {0.48, 0.05, bend}, {0.28, 0.20, bend},
                                          {0.38, 0.40, bend}, {0.65, 0.53, bend}, {0.74, 0.76, bend},
                                          {0.54, 0.97, bend}, {0.20, 0.93, bend}};

inline constexpr PenPoint six_round[] = {{0.70, 0.03, set},  {0.42, 0.18, bend}, {0.23, 0.50, bend}, {0.22, 0.81, bend},
                                         {0.45, 1.00, bend}, {0.72, 0.89, bend}, {0.76, 0.66, bend}, {0.54, 0.53, bend},
                                         {0.31, 0.62, bend}, {0.22, 0.78, bend}};
inline constexpr PenPoint six_straight[] = {{0.45, 0.00, set},  {0.31, 0.35, bend}, {0.24, 0.72, bend},
                                            {0.36, 0.96, bend}, {0.62, 0.97, bend}, {0.74, 0.78, bend},
                                            {0.58, 0.63, bend}, {0.27, 0.75, bend}};

inline constexpr PenPoint seven_plain[] = {
    {0.17, 0.07, set}, {0.48, 0.06, bend}, {0.80, 0.03, turn}, {0.58, 0.45, bend}, {0.42, 1.00, bend}};
inline constexpr PenPoint seven_bar[] = {{0.17, 0.06, set},  {0.48, 0.05, bend}, {0.81, 0.03, turn}, {0.57, 0.47, bend},
                                         {0.40, 1.00, bend}, {0.30, 0.52, set},  {0.77, 0.49, bend}};
inline constexpr PenPoint seven_serif[] = {{0.18, 0.22, set},  {0.20, 0.06, turn}, {0.50, 0.08, bend},
                                           {0.79, 0.04, bend}, {0.68, 0.34, bend}, {0.51, 0.66, bend},
                                           {0.46, 1.00, bend}};

inline constexpr PenPoint eight_one_stroke[] = {
    {0.72, 0.14, set},  {0.50, 0.00, bend}, {0.28, 0.14, bend}, {0.33, 0.36, bend}, {0.54, 0.50, bend},
    {0.76, 0.69, bend}, {0.72, 0.91, bend}, {0.48, 1.00, bend}, {0.24, 0.88, bend}, {0.27, 0.66, bend},
    {0.50, 0.48, bend}, {0.68, 0.32, bend}, {0.71, 0.12, bend}};
inline constexpr PenPoint eight_two_rings[] = {
    {0.50, 0.46, set},  {0.28, 0.32, bend}, {0.34, 0.06, bend}, {0.60, 0.02, bend}, {0.73, 0.24, bend},
    {0.52, 0.46, bend}, {0.50, 0.47, set},  {0.25, 0.65, bend}, {0.29, 0.93, bend}, {0.58, 1.00, bend},
    {0.78, 0.78, bend}, {0.68, 0.55, bend}, {0.49, 0.47, bend}};

inline constexpr PenPoint nine_straight[] = {{0.74, 0.20, set},  {0.53, 0.02, bend}, {0.28, 0.14, bend},
                                             {0.24, 0.38, bend}, {0.45, 0.52, bend}, {0.67, 0.41, bend},
                                             {0.75, 0.17, turn}, {0.71, 0.55, bend}, {0.66, 1.00, bend}};
inline constexpr PenPoint nine_curved[] = {{0.74, 0.15, set},  {0.50, 0.01, bend}, {0.26, 0.16, bend},
                                           {0.27, 0.42, bend}, {0.53, 0.49, bend}, {0.73, 0.29, bend},
                                           {0.76, 0.16, bend}, {0.76, 0.52, bend}, {0.66, 0.86, bend},
                                           {0.44, 1.00, bend}, {0.24, 0.92, bend}};

inline constexpr DigitVariant variants[] = {
    {0, 3, zero_oval},        {0, 2, zero_open},        {1, 4, one_plain},     {1, 3, one_serif},
    {1, 1, one_base},         {2, 3, two_plain},        {2, 2, two_loop},      {3, 3, three_round},
    {3, 1, three_flat},       {4, 3, four_open},        {4, 2, four_closed},   {4, 2, four_one_stroke},
    {5, 2, five_one_stroke},  {5, 2, five_two_strokes}, {5, 1, five_round},    {6, 3, six_round},
    {6, 2, six_straight},     {7, 3, seven_plain},      {7, 2, seven_bar},     {7, 2, seven_serif},
    {8, 3, eight_one_stroke}, {8, 1, eight_two_rings},  {9, 3, nine_straight}, {9, 2, nine_curved}};

}  // namespace digit_strokes

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
