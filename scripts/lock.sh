# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts that build: one run at a time writes to a folder below build/.

# hold_lock SCRIPT FILE
# Waits until no other run has FILE's lock, says on standard error which one it waits for, and takes it. The lock ends by
# release_lock, or with this run and all that it started: what a killed run leaves behind may still be building.
hold_lock() {
  local holder
  mkdir -p "$(dirname "$2")"
  if ! command -v flock >/dev/null; then
    echo "$1: flock (package util-linux) is missing: let no other run build here at the same time" >&2
    return
  fi
  exec {lock}>>"$2"
  if ! flock --nonblock "$lock"; then
    holder=$(<"$2") # empty for the moment before it writes
    echo "$1: another run${holder:+ ($holder)} is building here; waiting for it" >&2
    flock "$lock"
  fi
  echo "process $$ on host $(uname -n), since $(date -u '+%Y-%m-%d %H:%M:%S UTC')" >"$2"
}

# release_lock: before a program that may run beside others.
release_lock() {
  [[ -z ${lock:-} ]] || exec {lock}>&-
}
