# shellcheck shell=bash
# Brings transmission-daemon for the benchmark: what Home Assistant's own action that adds a
# torrent talks to. Source common.sh and debian.sh first.

TRANSMISSION_HOME=$QBR_CACHE/transmission
TRANSMISSION_SUITE=trixie

# transmission_version: print the version of the daemon, if it is there and runs.
transmission_version() {
  local program=$TRANSMISSION_HOME/transmission-daemon
  [ -x "$program" ] && "$program" --version 2>&1 </dev/null
}

# transmission_fetch: put it into TRANSMISSION_HOME.
transmission_fetch() {
  local work=$TRANSMISSION_HOME.new
  rm -rf -- "$work" "$TRANSMISSION_HOME"
  debian_fetch "$work/apt" "$TRANSMISSION_SUITE" transmission-daemon || return 1
  debian_unpack "$work/apt" "$work/root" || return 1
  debian_launcher "$work" transmission-daemon 2>>"$work/apt/log" || return 1
  mv "$work/apt/packages" "$work/PACKAGES"
  rm -rf -- "$work/apt"
  mv "$work" "$TRANSMISSION_HOME"
}
