# shellcheck shell=bash disable=SC2034  # sourced: others use the lists
# Which Debian 12 packages postern needs: the one list, for tests/run and deploy/demo. To be sourced by bash.

build_packages=(
  g++ cmake ninja-build ccache pkg-config
  libuv1-dev libssl-dev libc-ares-dev libyaml-cpp-dev prometheus-cpp-dev
  libfmt-dev libspdlog-dev libcli11-dev libhttp-parser-dev libsqlite3-dev libseccomp-dev
)

# What the demo and the tests run. Real mail servers and mail programs are not here: postern_testing/packages.py.
run_packages=(ca-certificates curl openssl python3 python3-yaml)

bench_packages=(libbenchmark-dev) # and those above; what postern is measured beside: tests/bench/peers.py

test_packages=(
  libgtest-dev libgmock-dev
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19
  python3-pytest python3-pytest-xdist python3-pyflakes python3-jsonschema shellcheck
)

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_missing PACKAGE...: does not call apt-get when nothing is missing. None of our packages has a service; that
# nothing they pull in starts one either, policy-rc.d sees to while we install.
install_missing() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    echo "Missing Debian packages: ${missing[*]}" >&2
    echo "Install them as root:  apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${missing[*]}"
  local policy=/usr/sbin/policy-rc.d ours=0 status=0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
  if ((ours)); then rm -f "$policy"; fi
  return "$status"
}
