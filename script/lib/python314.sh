# shellcheck shell=bash
# Finds or brings Python 3.14, and the installer uv. Source common.sh first, and
# debian.sh too.

UV_VERSION=0.13.5
PRIVATE_PYTHON=$QBR_CACHE/python3.14

# What of the packages below is of no use here: build headers of the C library, tools
# for configuring a system, certificates and data that the system has itself.
PYTHON_SKIP='^(libc6-dev|libc-dev-bin|linux-libc-dev|libcrypt-dev|rpcsvc-proto'
PYTHON_SKIP+='|debconf|cdebconf|debconf-2.0|ca-certificates|openssl|openssl-provider-legacy'
PYTHON_SKIP+='|tzdata|tzdata-legacy|netbase|media-types|mime-support|readline-common'
PYTHON_SKIP+='|zlib1g-dev|libexpat1-dev|libc-gconv-modules-extra|gcc-[0-9]+-base|.*-data'
PYTHON_SKIP+='|libnewt.*|libslang.*|libtextwrap.*|libdebian-installer.*)$'

# python_usable PATH: is it a Python 3.14 with all that Home Assistant 2026.10 needs?
python_usable() {
  [ -x "$1" ] && "$1" -I -c '
import sys
import ctypes, ensurepip, sqlite3, ssl, venv  # noqa: E401 - what a half build lacks
sys.exit(not (3, 14, 2) <= sys.version_info < (3, 15))
' >/dev/null 2>&1
}

# find_python: print the path of a usable Python that is there already.
find_python() {
  local candidate uv_find=(--system --no-python-downloads '>=3.14.2,<3.15')
  if [ -n "${QBR_PYTHON:-}" ]; then
    python_usable "$QBR_PYTHON" || die "QBR_PYTHON is not Python 3.14.2 or later: $QBR_PYTHON"
    echo "$QBR_PYTHON"
    return
  fi
  for candidate in \
    "$(command -v python3.14 || true)" \
    "$([ ! -f "$PRIVATE_PYTHON/.complete" ] || echo "$PRIVATE_PYTHON/bin/python3.14")" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.14.*/bin/python3.14 \
    "$(have uv && uv python find "${uv_find[@]}" 2>/dev/null)" \
    "$(have uv && uv_python find "${uv_find[@]}" 2>/dev/null)"; do
    if python_usable "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

uv_python() { UV_PYTHON_INSTALL_DIR=$QBR_CACHE/uv-python uv python "$@"; }

# uv brings certificates of its own; a network with others has them in the system's.
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS=true; fi

# need_python: put the path of a Python 3.14 into PYTHON; bring one if there is none.
need_python() {
  local reason
  if PYTHON=$(find_python); then return; fi
  [ -z "${QBR_PYTHON:-}" ] || exit 1
  if have uv; then
    timed "Downloading Python 3.14 with uv" \
      uv_python install --no-bin 3.14 >&2 || warn "uv could not get Python 3.14"
    if PYTHON=$(find_python); then return; fi
  fi
  if reason=$(debian_unusable); then
    die "no Python 3.14 here, and $reason. Install Python 3.14.2 or later, or uv, and try again"
  fi
  timed "Fetching Python 3.14 from Debian into $PRIVATE_PYTHON" private_python
  PYTHON=$PRIVATE_PYTHON/bin/python3.14
}

# private_python: Debian's own python3.14 with the libraries it was built against, in
# a folder of its own. patchelf ties them together, so the folder cannot be moved.
private_python() {
  local suite work
  [ "$(dpkg --print-architecture)" = amd64 ] ||
    die "no Python 3.14 here. Install Python 3.14.2 or later, or uv, and try again"
  case $PRIVATE_PYTHON in
    *[[:space:]\#\&\\:]*) die "QBR_CACHE must be a path without blanks, colons, # or &" ;;
  esac
  work=$QBR_CACHE/python-build
  for suite in forky sid; do
    rm -rf -- "$PRIVATE_PYTHON" "$work/root"
    if debian_fetch "$work/apt" "$suite" \
      python3.14-venv python3.14-dev libstdc++6 libgcc-s1 patchelf &&
      debian_unpack "$work/apt" "$work/root" "$PYTHON_SKIP" &&
      mv "$work/root/usr" "$PRIVATE_PYTHON" &&
      private_python_patch "$work" >>"$work/apt/log" 2>&1 &&
      python_usable "$PRIVATE_PYTHON/bin/python3.14"; then
      rm -rf -- "$work"
      touch "$PRIVATE_PYTHON/.complete"
      return
    fi
    say "  Python 3.14 of Debian $suite cannot be used: $(tail -n 1 "$work/apt/log")"
  done
  rm -rf -- "$PRIVATE_PYTHON"
  die "no Python 3.14 could be had (see $work/apt/log). Install Python 3.14.2 or later, or uv"
}

# private_python_patch WORK: make the unpacked tree run from where it is.
private_python_patch() {
  local work=$1 top=$PRIVATE_PYTHON triplet=x86_64-linux-gnu
  local libs=$top/lib/$triplet module=$top/lib/python3.14
  local loader=$libs/ld-linux-x86-64.so.2 python=$work/python
  patchelf() { "$loader" --library-path "$libs" "$top/bin/patchelf" "$@" "$python"; }
  rm -f "$module/EXTERNALLY-MANAGED" "$module/sitecustomize.py"
  # An old-style run path also serves the libraries that are loaded later. patchelf
  # breaks Debian's program when both changes are made at once.
  cp "$top/bin/python3.14" "$python"
  if patchelf --force-rpath --set-rpath "$libs" && patchelf --set-interpreter "$loader" &&
    PYTHONHOME=$top "$python" -S -c ''; then
    cp "$python" "$top/bin/python3.14"
  else
    echo "patchelf failed; making a small program around Debian's libpython, which is slower"
    printf '%s\n' 'extern int Py_BytesMain(int, char **);' \
      'int main(int c, char **v) { return Py_BytesMain(c, v); }' >"$work/main.c"
    gcc -O2 -no-pie "$work/main.c" -o "$top/bin/python3.14" "$libs/libpython3.14.so.1.0" \
      -Wl,--allow-shlib-undefined -Wl,--disable-new-dtags,-rpath,"$libs" \
      -Wl,--dynamic-linker="$loader" || return 1
  fi
  ln -sf python3.14 "$top/bin/python3"
  ln -sf python3.14 "$top/bin/python"
  # Only /usr/include would provide the header that this one includes.
  mv "$top/include/$triplet/python3.14/pyconfig.h" "$top/include/python3.14/pyconfig.h"
  rm -rf -- "${top:?}/include/$triplet" "$top"/bin/{patchelf,pydoc3*,pygettext3*,idle*,*-config}
  # Paths that Debian's build recorded.
  sed -i -E "/TZPATH/! {
    s#(['\"])/usr(['\"])#\1$top\2#g
    s#/usr/(include|lib)([/'\" ])#$top/\1\2#g
    s#/usr/share/python-wheels#$top/share/python-wheels#g
    s#/usr/bin/python#$top/bin/python#g
    s#(['\"]BINDIR['\"]: ['\"])/usr/bin#\1$top/bin#
  }" "$module"/_sysconfigdata*.py "$module"/_sysconfig_vars*.json
  "$top/bin/python3.14" -I -m compileall -q -j 0 "$module" >/dev/null || true
}

# need_uv: put the path of the installer uv, in the version wanted here, into UV.
need_uv() {
  local home=$QBR_CACHE/uv-$UV_VERSION
  UV=$home/bin/uv
  # uv does not read pip's settings; take over the one that matters behind a mirror.
  if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    export UV_DEFAULT_INDEX=$PIP_INDEX_URL
  fi
  [ ! -x "$UV" ] || return 0
  rm -rf -- "$home" "$home.new"
  timed "Installing uv $UV_VERSION into $home" private_uv "$home"
}

private_uv() {
  local home=$1
  if ! "$PYTHON" -m venv "$home.new" ||
    ! "$home.new/bin/python" -m pip install --quiet --disable-pip-version-check \
      "uv==$UV_VERSION" >&2 ||
    ! mv "$home.new" "$home"; then
    die "uv could not be installed. Check the connection and try again"
  fi
}
