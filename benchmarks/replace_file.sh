# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the programs of this folder, to be sourced.

# replace_file FROM TO: TO becomes a copy of FROM, in one step. Where that fails TO is as it was, and nothing else is left.
replace_file() (
  temporary=$(mktemp -- "$2.XXXXXX")
  trap 'rm -f -- "$temporary"' EXIT
  cp -- "$1" "$temporary"
  chmod -- "$(printf %o $((0666 & ~$(umask))))" "$temporary"
  mv -f -- "$temporary" "$2"
)
