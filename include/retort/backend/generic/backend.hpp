// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every operation of a backend derived from Generic.

#include "retort/backend/generic/avg_pool2d.hpp"
#include "retort/backend/generic/batch_term.hpp"
#include "retort/backend/generic/chain.hpp"
#include "retort/backend/generic/feature_term.hpp"
#include "retort/backend/generic/gather.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/inference.hpp"
#include "retort/backend/generic/linear.hpp"
#include "retort/backend/generic/loss.hpp"
#include "retort/backend/generic/normalization.hpp"
#include "retort/backend/generic/optimizer.hpp"
#include "retort/backend/generic/weight_limit.hpp"
