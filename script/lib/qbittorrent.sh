# shellcheck shell=bash
# Brings real qBittorrent servers for the live tests: the qbittorrent-nox of four
# Debian suites, each with its own libraries, in a folder of the cache. Source
# common.sh and debian.sh first.

QBITTORRENT_HOME=$QBR_CACHE/qbittorrent
# 4.5.2, 5.1.0, 5.3.0, and another build of 5.3.0, with an older libtorrent
QBITTORRENT_SUITES='bookworm trixie forky trixie-backports'

# qbittorrent_version FOLDER: print the version of the server, if it is there and runs.
# Even then it makes folders in the home folder, so it gets another one.
qbittorrent_version() {
  local program=$1/qbittorrent-nox
  [ -x "$program" ] && env -u XDG_CACHE_HOME -u XDG_CONFIG_HOME -u XDG_DATA_HOME \
    HOME="$QBITTORRENT_HOME/home" "$program" --version </dev/null
}

# qbittorrent_fetch SUITE: put its server into QBITTORRENT_HOME/SUITE.
qbittorrent_fetch() {
  local suite=$1 home=$QBITTORRENT_HOME/$1 work
  case $home in
    *[[:space:]\"\'\\:\$\`]*) die "QBR_CACHE must be a path without blanks, colons or quotes" ;;
  esac
  mkdir -p "$QBITTORRENT_HOME"
  work=$QBITTORRENT_HOME/$suite.new
  rm -rf -- "$work"
  debian_fetch "$work/apt" "$suite" qbittorrent-nox || return 1
  debian_unpack "$work/apt" "$work/root" || return 1
  qbittorrent_launcher "$work" 2>>"$work/apt/log" || return 1
  mv "$work/apt/packages" "$work/PACKAGES"
  qbittorrent_version "$work" >>"$work/apt/log" 2>&1 || return 1
  rm -rf -- "$work/apt" "$home"
  mv "$work" "$home"
}

# qbittorrent_launcher DIR: write the program that starts the server in DIR/root.
qbittorrent_launcher() {
  local dir=$1 platform triplet plugins
  platform=$(debian_platform) || return 1
  read -r triplet _ <<<"$platform"
  plugins=usr/lib/$triplet/qt6/plugins
  [ -d "$dir/root/$plugins" ] || plugins=usr/lib/$triplet/qt5/plugins
  debian_launcher "$dir" qbittorrent-nox "QT_PLUGIN_PATH=\$root/$plugins"
}
