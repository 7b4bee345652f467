# shellcheck shell=bash
# What every script here shares. Source it first; it needs nothing but bash.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
QBR_CACHE=${QBR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qbittorrent-resilient}
export QBR_CACHE

# Without compiled modules, every start of Home Assistant takes three times as long.
unset PYTHONDONTWRITEBYTECODE
# Another Python's settings must not leak into the virtual environments.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

say() { printf '%s\n' "$*" >&2; }
warn() { printf 'Warning: %s\n' "$*" >&2; }
die() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

# heading TEXT: a line that stands out, also where there are no colours.
heading() { printf '\n=== %s ===\n' "$*"; }

# is_ci: on a build machine, what is missing is a failure and not a warning.
is_ci() { [ "${CI:-}" = true ]; }

have() { command -v "$1" >/dev/null 2>&1; }

# one_at_a_time: before anything is downloaded, wait until no other run is at it.
# The lock is released when the script ends.
one_at_a_time() {
  mkdir -p "$QBR_CACHE" || die "the folder $QBR_CACHE cannot be made. Set QBR_CACHE to another one"
  if [ -n "${QBR_LOCKED:-}" ] || ! have flock; then return; fi
  exec 9<"$QBR_CACHE"
  if ! flock --nonblock 9; then
    say "Waiting for another run that fills $QBR_CACHE"
    flock 9
  fi
  QBR_LOCKED=$$
}

# timed TEXT COMMAND...: say what takes long, and afterwards how long it took.
timed() {
  local text=$1 start=$SECONDS status=0
  shift
  say "$text"
  "$@" || status=$?
  [ "$status" -ne 0 ] || say "  done in $((SECONDS - start)) s"
  return "$status"
}
