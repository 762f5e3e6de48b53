# SPDX-License-Identifier: MIT
# awk -f group_headers.awk HEADER
# For Doxygen: puts what a header declares for users into the group of its folder (groups.dox), and leaves out the name
# of the instruction set, which source code does not see (core/instruction_set.hpp). Lines stay where they are.

BEGIN {
  groups["nn"] = "models"
  groups["loss"] = "losses"
  groups["optim"] = "optimizers"
  groups["data"] = "data"
  groups["train"] = "training"
  groups["io"] = "files"
  groups["predict"] = "prediction"
  groups["quantization"] = "quantization"
  groups["backend"] = "backends"
  folder = ARGV[1]
  sub(/.*\/include\/retort\//, "", folder)
  group = folder ~ /^train\/sweep/ ? "sweeps" : groups[substr(folder, 1, index(folder, "/") - 1)]
  if (group == "") {
    group = "foundations"
  }
}

{
  sub(/::inline RETORT_INSTRUCTION_SET/, "")
  public = /namespace retort(::(backend|data|io|system))?( |$)/ && !/shape_check|feature_check|integer_form/
  if (public && /^namespace .*\{/) {
    sub(/\{/, "{ /** @addtogroup " group " */ /** @{ */")
  } else if (public && /^\}  \/\/ namespace/) {
    $0 = "/** @} */ " $0
  }
  print
}
