// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses of targets of single samples, and their gradients.
/// Written by tests/golden/make_golden.py with PyTorch 1.12.1 in float64.

#include <cstddef>
#include <cstdint>

// clang-format off

namespace retort::golden::target_loss {
inline constexpr std::size_t rows = 4;
inline constexpr std::size_t outputs = 3;
inline constexpr double student[12] = {  // (4, 3)
    -0.381, 0.478, 3.394,
    -0.275, 0.063, 0.699,
    -2.523, 0.095, 1.039,
    2.344, -3.247, -1.573,
};
inline constexpr double teacher[12] = {  // (4, 3)
    -4.912, 3.716, 2.321,
    -5.497, 5.786, 5.577,
    1.847, 1.387, -4.11,
    -5.82, 0.341, -5.285,
};
inline constexpr double targets[12] = {  // (4, 3)
    -1.859, -1.548, -2.82,
    -0.216, -0.357, 2.055,
    0.115, 0.842, -0.001,
    0.975, -0.256, -1.331,
};
inline constexpr double answers[12] = {  // (4, 3)
    0.0, 1.0, 1.0,
    1.0, 0.0, 0.0,
    0.0, 0.0, 1.0,
    1.0, 0.25, 0.0,
};

// mse_loss
inline constexpr double mean_squared_error_loss[4] = {  // (4)
    14.967652000000001, 0.6728723333333336, 2.8662176666666674, 3.626268666666666,
};
inline constexpr double mean_squared_error_gradient[12] = {  // (4, 3)
    0.9853333333333333, 1.3506666666666665, 4.142666666666667,
    -0.039333333333333345, 0.27999999999999997, -0.9040000000000001,
    -1.7586666666666668, -0.498, 0.6933333333333331,
    0.9126666666666665, -1.9939999999999998, -0.16133333333333333,
};

// huber_loss, delta=0.75
inline constexpr double huber_loss[4] = {  // (4)
    2.1482500000000004, 0.2752301666666667, 0.8250015, 0.9122606666666665,
};
inline constexpr double huber_gradient[12] = {  // (4, 3)
    0.25, 0.25, 0.25,
    -0.019666666666666673, 0.13999999999999999, -0.25,
    -0.25, -0.249, 0.25,
    0.25, -0.25, -0.08066666666666666,
};

// binary_cross_entropy_with_logits
inline constexpr double binary_loss[4] = {  // (4)
    0.34538208845255497, 0.8892439544022434, 0.37395329798088744, 0.3766687587243122,
};
inline constexpr double binary_gradient[12] = {  // (4, 3)
    0.1352952439614443, -0.12757483573106976, -0.010827835542885541,
    -0.18943999449274937, 0.171914930918082, 0.2226553406725628,
    0.02475381384390898, 0.17457738470885367, -0.08711433022384592,
    -0.029181289159692758, -0.0708550540423119, 0.05726304615856847,
};

// T=2, w=0.3
inline constexpr double binary_hinton_loss[4] = {  // (4)
    0.6469928457744484, 1.3993832838371958, 1.2114997565495147, 1.7298729139308715,
};
inline constexpr double binary_hinton_gradient[12] = {  // (4, 3)
    0.21489679570572903, -0.1808841325740022, 0.03582049538269245,
    0.13240489839068836, -0.15358383831032296, -0.09912901217071274,
    -0.2235920250945666, -0.01990052394309, 0.2134909651051124,
    0.32343989963086045, -0.19756285457498834, 0.13219726976349633,
};

}  // namespace retort::golden::target_loss
