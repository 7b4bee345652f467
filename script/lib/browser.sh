# shellcheck shell=bash
# Brings Chromium for the tests in a browser: the one without windows of Debian, with
# its own libraries and fonts, in a folder of the cache. Source common.sh and
# debian.sh first.

BROWSER_HOME=$QBR_CACHE/chromium
BROWSER_SUITE=trixie # the stable release: its Chromium gets the security updates

# What it never loads in a headless run: drivers for graphics cards with their compiler,
# programs for a desktop, tools for configuring a system.
BROWSER_SKIP='^(libllvm.*|libz3-4|mesa-.*|libgl1.*|libglx.*|libglvnd0|libvulkan1|libdrm-intel1'
BROWSER_SKIP+='|x11-utils|xdg-utils|x11-common|lsb-base|sysvinit-utils|debconf|xkb-data)$'

# browser_version FOLDER: print the version of the browser, if it is there and runs.
browser_version() { [ -x "$1/chromium" ] && "$1/chromium" --version 2>&1 </dev/null; }

# browser_fetch: put it into BROWSER_HOME. The folder cannot be moved.
browser_fetch() {
  local work=$BROWSER_HOME.new
  case $BROWSER_HOME in
    *[[:space:]\"\'\\:\$\`\&\<]*) die "QBR_CACHE must be a path without blanks, colons, quotes, & or <" ;;
  esac
  rm -rf -- "$BROWSER_HOME" "$work"
  debian_fetch "$work" "$BROWSER_SUITE" \
    chromium-headless-shell fonts-dejavu-core fonts-noto-color-emoji patchelf || return 1
  debian_unpack "$work" "$BROWSER_HOME/root" "$BROWSER_SKIP" || return 1
  browser_patch >>"$work/log" 2>&1 || return 1
  mv "$work/packages" "$BROWSER_HOME/PACKAGES"
  rm -rf -- "$work"
}

# browser_patch: make it run from where it is. Chromium starts itself again by its own
# name, so its loader has to be in the program, and its libraries in the environment.
browser_patch() {
  local root=$BROWSER_HOME/root platform triplet loader folder libs=
  platform=$(debian_platform) || return 1
  read -r triplet loader <<<"$platform"
  loader=$root/usr/lib/$triplet/$loader
  while read -r folder; do libs+=:$root/$folder; done < <(debian_libraries "$root" "$triplet")
  libs=${libs#:}
  "$loader" --library-path "$libs" "$root/usr/bin/patchelf" --set-interpreter "$loader" \
    "$root/usr/lib/chromium/chromium-headless-shell" || return 1
  cat >"$BROWSER_HOME/fonts.conf" <<XML
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>$root/usr/share/fonts</dir>
  <cachedir>$BROWSER_HOME/fonts-cache</cachedir>
</fontconfig>
XML
  cat >"$BROWSER_HOME/chromium" <<RUN
#!/bin/sh
# The Chromium without windows of Debian $BROWSER_SUITE, run with its own libraries.
unset LD_PRELOAD
LD_LIBRARY_PATH=$libs
FONTCONFIG_FILE=$BROWSER_HOME/fonts.conf
LC_ALL=C.UTF-8
export LD_LIBRARY_PATH FONTCONFIG_FILE LC_ALL
exec "$root/usr/lib/chromium/chromium-headless-shell" "\$@"
RUN
  chmod 755 "$BROWSER_HOME/chromium"
  browser_version "$BROWSER_HOME"
}
