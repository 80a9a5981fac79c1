# Common to all steps of the set-up. Works with bash 3.2 as well.
# shellcheck shell=bash

say() { printf '==> %s\n' "$*"; }

# fail WHAT HINT: two lines, exit code 3.
fail() {
  printf 'error: %s\n  hint: %s\n' "$1" "$2" >&2
  exit 3
}

has() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND...: run a command that may hang.
bounded() {
  if has timeout; then timeout "$@"; else shift && "$@"; fi
}

checksum() {
  if has sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

# wait_until SECONDS COMMAND...: run a command again and again until it succeeds.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
    sleep 0.2
  done
}

is_root() { [ "$(id -u)" -eq 0 ]; }

may_be_root() { is_root || { has sudo && sudo -n true 2>/dev/null; }; }

as_root() {
  if is_root; then "$@"; else sudo -n "$@"; fi
}

may_install() { has apt-get && may_be_root; }

# The version that apt would install of a package; nothing where it knows none.
candidate() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null |
    sed -n 's/^ *Candidate: *//p' | grep -v '^(none)$' || true
}

APT_LISTS=/var/lib/apt/lists

# Get apt's lists where the machine has none (a new container image has dropped them).
apt_lists() {
  if ! compgen -G "$APT_LISTS/*_Packages*" >/dev/null || [ -n "${1:-}" ]; then
    say "Reading the package lists (apt-get update)"
    as_root apt-get -q=2 update
  fi
}

# apt_install PACKAGE...: say so, then install; shows apt's own words only if it fails.
apt_install() {
  local told
  apt_lists
  say "Installing with apt: $*"
  if told="$(apt_get_install "$@")"; then return; fi
  # The lists may be older than the mirror: once more with new ones.
  apt_lists again
  if told="$(apt_get_install "$@")"; then return; fi
  printf '%s\n' "$told" | tail -n 10 >&2
  fail "apt could not install $*" "mend what apt says above, then run this again"
}

apt_get_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Dpkg::Use-Pty=0 install -y "$@" 2>&1
}
