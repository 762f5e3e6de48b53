# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts that build: installs Debian packages, only those that are missing, asking nothing.

# install_missing PACKAGE...
# On Debian and Ubuntu installs the packages that are not installed, as root or through sudo, and says so. Elsewhere
# names them and goes on: the build then says what it does not find. Returns 1 where an installation fails.
install_missing() {
  local package missing=()
  if ! command -v apt-get dpkg-query >/dev/null; then
    echo "packages: not Debian or Ubuntu; needed here, under the names of this system: $*"
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    echo "packages: all installed"
    return 0
  fi

  local root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "packages: missing, and neither root nor sudo without a password: apt-get install ${missing[*]}" >&2
      return 1
    fi
    root=(sudo -n)
  fi
  echo "packages: installing ${missing[*]}"
  if [[ $packages_updated == no ]]; then
    run_quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "${apt_options[@]}" update || return
    packages_updated=yes
  fi
  run_quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "${apt_options[@]}" install -y \
    --no-install-recommends "${missing[@]}"
}

# install_optional WITHOUT PACKAGE...
# The same for packages without which less is done: where they cannot be installed, says so and what is then left out.
install_optional() {
  local without=$1
  shift
  install_missing "$@" || echo "packages: not available here: $*: $without"
}

packages_updated=no # whether the list of packages is of today
apt_options=(-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Runs a command and shows its output only when it fails.
run_quietly() {
  local output
  if ! output=$("$@" 2>&1 </dev/null); then
    echo "$output" >&2
    echo "packages: failed: $*" >&2
    return 1
  fi
}
