# shellcheck shell=bash
# Brings real qBittorrent servers for the live tests: the qbittorrent-nox of three
# Debian releases, each with its own libraries, in a folder of the cache. Source
# common.sh and debian.sh first.

QBITTORRENT_HOME=$QBR_CACHE/qbittorrent
QBITTORRENT_SUITES='bookworm trixie forky' # 4.5.2, 5.1.0 and 5.3.0

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
  qbittorrent_launcher "$suite" "$work" || return 1
  mv "$work/apt/packages" "$work/PACKAGES"
  qbittorrent_version "$work" >>"$work/apt/log" 2>&1 || return 1
  rm -rf -- "$work/apt" "$home"
  mv "$work" "$home"
}

# qbittorrent_launcher SUITE DIR: write the program that starts the server in DIR/root
# with its own loader and libraries. The folder can be moved.
qbittorrent_launcher() {
  local suite=$1 dir=$2 root=$2/root triplet loader plugins folder libs
  case $(dpkg --print-architecture) in
    amd64) triplet=x86_64-linux-gnu loader=lib64/ld-linux-x86-64.so.2 ;;
    arm64) triplet=aarch64-linux-gnu loader=lib/ld-linux-aarch64.so.1 ;;
    *)
      echo "no server for this kind of processor" >>"$dir/apt/log"
      return 1
      ;;
  esac
  plugins=usr/lib/$triplet/qt6/plugins
  [ -d "$root/$plugins" ] || plugins=usr/lib/$triplet/qt5/plugins
  libs=\$root/usr/lib/$triplet:\$root/usr/lib
  for folder in "$root/usr/lib/$triplet"/*/; do # private folders, such as libproxy's
    if compgen -G "$folder"'lib*.so*' >/dev/null; then
      libs+=:\$root/usr/lib/$triplet/$(basename "$folder")
    fi
  done
  cat >"$dir/qbittorrent-nox" <<RUN
#!/bin/sh
# The qbittorrent-nox of Debian $suite, run with its own libraries.
here=\$(CDPATH= cd -- "\$(dirname -- "\$(readlink -f -- "\$0")")" && pwd -P)
root=\$here/root
unset LD_LIBRARY_PATH LD_PRELOAD
QT_PLUGIN_PATH=\$root/$plugins
OPENSSL_MODULES=\$root/usr/lib/$triplet/ossl-modules
OPENSSL_CONF=/dev/null
SSL_CERT_DIR=\${SSL_CERT_DIR:-/etc/ssl/certs}
LC_ALL=C.UTF-8
export QT_PLUGIN_PATH OPENSSL_MODULES OPENSSL_CONF SSL_CERT_DIR LC_ALL
exec "\$root/$loader" --argv0 "\$root/usr/bin/qbittorrent-nox" --inhibit-cache \\
  --library-path "$libs" "\$root/usr/bin/qbittorrent-nox" "\$@"
RUN
  chmod 755 "$dir/qbittorrent-nox"
}
