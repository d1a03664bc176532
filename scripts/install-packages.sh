#!/usr/bin/env bash
# Installs the Debian packages that one of the project's commands uses, and says what and why.
#
# usage: scripts/install-packages.sh test|bench...
#
# Only what is missing is installed, nothing is upgraded, and no daemon is started: Kamailio and rtpengine
# run only as children of the tests and the bench, with configurations of their own. Needs root or sudo.
# Exits 1 with a remedy when a package cannot be had: a test without its foreign part is a failure, never a skip.
set -euo pipefail

# PACKAGE|WHY, one a line.
packages_test() {
  cat <<'LIST'
baresip-core|a real phone with TLS and SRTP: the agent of the audio tests
chromium|the browser that draws the page of the running program
fonts-dejavu-core|letters for that browser
gcc|the C compiler for the tone tool of the tests
kamailio|a foreign SIP proxy: the TLS edge between SIPp and Tandem
kamailio-tls-modules|TLS for that proxy
libc6-dev|C headers for the tone tool
libsrtp2-dev|a foreign SRTP for the tone tool
openssl|certificates of the TLS tests
python3|the scripts that drive the foreign parts
sip-tester|SIPp: callers, agents and load over UDP and TCP
sqlite3|reading the journal from outside
tshark|seeing the wire with eyes that are not ours
LIST
}

packages_bench() {
  cat <<'LIST'
gcc|the C compiler for the load generator and the floor relay
kamailio|peer of the call rows, and the TLS edge in front of SIPp
kamailio-tls-modules|TLS for that edge
libc6-dev|C headers
libsrtp2-dev|SRTP of the load generator
libssl-dev|ciphers of the floor relay
openssl|certificates of the TLS row
python3|the bench itself
rtpengine-daemon|peer of the relay rows, in user space
sip-tester|SIPp: callers and agents of the call rows
LIST
}

main() {
  [ $# -gt 0 ] || { echo "usage: $0 test|bench..." >&2; exit 2; }
  local purpose list missing=() lines=()
  for purpose in "$@"; do
    case $purpose in
      test) list=$(packages_test) ;;
      bench) list=$(packages_bench) ;;
      *) echo "$0: unknown purpose '$purpose'; it is test or bench" >&2; exit 2 ;;
    esac
    command -v dpkg-query >/dev/null || not_debian "$purpose" "$list"
    while IFS='|' read -r package why; do
      is_installed "$package" && continue
      [[ " ${missing[*]-} " == *" $package "* ]] && continue
      missing+=("$package")
      lines+=("$(printf '  %-22s %s' "$package" "$why")")
    done <<<"$list"
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  echo "Installing Debian packages for: $*"
  printf '%s\n' "${lines[@]}"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "this needs root and there is no sudo" "${missing[@]}"
    sudo=(sudo)
  fi
  install_without_starting "${sudo[@]+"${sudo[@]}"}" -- "${missing[@]}"
  for package in "${missing[@]}"; do
    is_installed "$package" || fail "apt-get ended well but $package is not installed" "${missing[@]}"
  done
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_without_starting [sudo] -- PACKAGES: apt-get with a policy that forbids starting services meanwhile.
install_without_starting() {
  local sudo=()
  while [ "$1" != -- ]; do sudo+=("$1"); shift; done
  shift
  local as_root=("${sudo[@]+"${sudo[@]}"}" env DEBIAN_FRONTEND=noninteractive)
  local apt=("${as_root[@]}" apt-get -q -y -o DPkg::Lock::Timeout=600)
  local policy=/usr/sbin/policy-rc.d ours=
  if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" sh -c "cat >$policy && chmod 755 $policy" \
      || fail "cannot write $policy, which keeps daemons from starting" "$@"
  fi
  local result=0 log
  log=$(mktemp)
  # The stored package lists may be absent or old: fetch them and try once more before giving up.
  "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 \
    || { "${apt[@]}" update >"$log" 2>&1 && "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1; } \
    || result=$?
  [ -z "$ours" ] || "${as_root[@]}" rm -f $policy
  # Packages bring their own service files; a reboot must not start what only the tests and the bench use.
  if command -v systemctl >/dev/null; then
    for service in kamailio rtpengine-daemon; do
      [[ " $* " == *" $service "* ]] && "${as_root[@]}" systemctl disable "$service" >/dev/null 2>&1 || true
    done
  fi
  [ $result -eq 0 ] || { tail -n 20 "$log" >&2; rm -f "$log"; fail "apt-get failed, its last lines stand above" "$@"; }
  rm -f "$log"
}

not_debian() {
  echo "$0: these are names of Debian packages, and this system has no dpkg." >&2
  echo "For '$1' install the same programs in your system's own way, on Debian 12 the versions are known to work:" >&2
  printf '%s\n' "$2" | sed 's/^\([^|]*\)|/  \1: /' >&2
  exit 1
}

fail() {
  local why=$1
  shift
  echo "$0: $why." >&2
  echo "Remedy: as root, run  apt-get update && apt-get install --no-install-recommends $*" >&2
  exit 1
}

main "$@"
