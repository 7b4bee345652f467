# shellcheck shell=bash
# Packages of another Debian release, unpacked into a private folder. Source
# common.sh first.
#
# apt runs with its own configuration and an empty list of installed packages, so
# it picks the packages with everything they depend on, and nothing of the system
# changes. It needs no root rights. apt checks the signature of the index and the
# checksum of each package.

DEBIAN_KEYRING=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

# debian_unusable: print why this machine cannot get Debian packages; fail if it can.
debian_unusable() {
  local tool
  for tool in apt-get dpkg dpkg-deb flock; do
    have "$tool" || {
      echo "this is not a Debian system ($tool is missing)"
      return
    }
  done
  [ -r "$DEBIAN_KEYRING" ] || {
    echo "the Debian signing keys are missing; install the package debian-archive-keyring"
    return
  }
  [ -n "$(debian_mirror)" ] || {
    echo "apt here knows no Debian archive; set DEBIAN_MIRROR to the address of one"
    return
  }
  return 1
}

# debian_mirror: the archive that apt on this machine uses for its own release.
debian_mirror() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then
    echo "$DEBIAN_MIRROR"
  else
    apt-get update --print-uris 2>/dev/null |
      sed -nE "s#^'(.*/debian)/dists/[^/]+/InRelease'.*#\1#p" | sed -n 1p
  fi
}

# debian_fetch DIR SUITE PACKAGE...: download the packages and all they depend on
# to DIR/debs, and write their names and versions to DIR/packages. Details go to
# DIR/log. DIR must be new or the DIR of an earlier call. Of RELEASE-backports come
# the packages themselves, and what the release itself has none of, or too old a one.
debian_fetch() {
  local dir=$1 suite=$2
  shift 2
  local arch source packages=("$@")
  arch=$(dpkg --print-architecture)
  source="deb [arch=$arch signed-by=$DEBIAN_KEYRING] $(debian_mirror)"
  rm -rf -- "$dir"
  mkdir -p "$dir"/{etc,trusted,state/lists/partial,cache/archives/partial,debs/partial}
  : >"$dir/state/status"
  echo "$source $suite main" >"$dir/etc/sources.list"
  if [[ $suite == *-backports ]]; then
    echo "$source ${suite%-backports} main" >>"$dir/etc/sources.list"
    packages=("${packages[@]/%//$suite}")
  fi
  # apt reads this after the system's own configuration, so a proxy set there holds.
  cat >"$dir/apt.conf" <<CONF
Dir::Etc "$dir/etc";
Dir::Etc::sourcelist "sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "$dir/trusted";
Dir::State "$dir/state";
Dir::State::status "$dir/state/status";
Dir::Cache "$dir/cache";
Dir::Cache::archives "$dir/debs";
Dir::Log "$dir";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "$(id -un)";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Keep-Downloaded-Packages;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
CONF
  : >"$dir/log"
  private_apt() { APT_CONFIG="$dir/apt.conf" LC_ALL=C apt-get -q -y "$@" >>"$dir/log" 2>&1; }
  if ! private_apt update; then
    # A mirror can stand still for longer than its index says it is good for.
    # The signature is still checked then.
    grep -q 'is expired' "$dir/log" || return 1
    private_apt -o Acquire::Check-Valid-Until=false update || return 1
  fi
  private_apt --download-only install "${packages[@]}" || return 1
  APT_CONFIG="$dir/apt.conf" LC_ALL=C apt-get -s -q -y install "${packages[@]}" 2>>"$dir/log" |
    sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1 \2/p' >"$dir/packages"
  [ -s "$dir/packages" ]
}

# debian_unpack DIR TARGET [SKIP]: unpack what debian_fetch put into DIR to TARGET,
# but for the packages whose name matches the regular expression SKIP. /bin, /lib
# and the like become links into /usr first, as they are on a Debian system.
debian_unpack() {
  local dir=$1 target=$2 skip=${3:-^$} name version file candidate folder
  mkdir -p "$target"/usr/{bin,sbin,lib,lib64}
  for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$target/$folder"; done
  while read -r name version; do
    [[ ! $name =~ $skip ]] || continue
    file=
    for candidate in "$dir/debs/${name%%:*}_${version//:/%3a}_"*.deb; do file=$candidate; done
    [ -f "$file" ] || {
      echo "no file for $name $version" >>"$dir/log"
      return 1
    }
    dpkg-deb --fsys-tarfile "$file" |
      tar -x -C "$target" --keep-directory-symlink --no-same-owner \
        --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='*.a' || return 1
  done <"$dir/packages"
}

# debian_platform: print the folder of this machine's libraries and the name of its loader.
debian_platform() {
  case $(dpkg --print-architecture) in
    amd64) echo x86_64-linux-gnu ld-linux-x86-64.so.2 ;;
    arm64) echo aarch64-linux-gnu ld-linux-aarch64.so.1 ;;
    *)
      echo "nothing is known for this kind of processor" >&2
      return 1
      ;;
  esac
}

# debian_libraries ROOT TRIPLET: print the folders in which programs unpacked to ROOT find
# their libraries, private ones such as libproxy's included, relative to ROOT.
debian_libraries() {
  local folder
  echo "usr/lib/$2"
  echo usr/lib
  for folder in "$1/usr/lib/$2"/*/; do
    if compgen -G "$folder"'lib*.so*' >/dev/null; then echo "usr/lib/$2/$(basename "$folder")"; fi
  done
}

# debian_launcher DIR PROGRAM [NAME=VALUE...]: write DIR/PROGRAM, which runs the program of
# that name in DIR/root with its own loader and libraries, and these settings. The folder
# can be moved: in the settings, $root stands for DIR/root.
debian_launcher() {
  local dir=$1 program=$2 platform triplet loader libraries=
  shift 2
  platform=$(debian_platform) || return 1
  read -r triplet loader <<<"$platform"
  while read -r folder; do libraries+=:\$root/$folder; done \
    < <(debian_libraries "$dir/root" "$triplet")
  cat >"$dir/$program" <<RUN
#!/bin/sh
# A program of another Debian release, run with its own libraries.
here=\$(CDPATH= cd -- "\$(dirname -- "\$(readlink -f -- "\$0")")" && pwd -P)
root=\$here/root
unset LD_LIBRARY_PATH LD_PRELOAD
export OPENSSL_MODULES="\$root/usr/lib/$triplet/ossl-modules" OPENSSL_CONF=/dev/null
export SSL_CERT_DIR="\${SSL_CERT_DIR:-/etc/ssl/certs}" LC_ALL=C.UTF-8
$(for setting; do echo "export $setting"; done)
exec "\$root/usr/lib/$triplet/$loader" --argv0 "\$root/usr/bin/$program" --inhibit-cache \\
  --library-path "${libraries#:}" "\$root/usr/bin/$program" "\$@"
RUN
  chmod 755 "$dir/$program"
}
