#!/usr/bin/env bash
# Makes a certificate authority and certificates signed by it, valid for a week: for tests and trials on loopback.
#
# usage: scripts/certificates.sh DIRECTORY NAME=SUBJECTS...
#   scripts/certificates.sh /tmp/tls tandem=DNS:sbc.example,IP:127.0.0.1 phone=IP:127.0.0.3
#
# Writes ca.pem and ca.key, and for each NAME: NAME.pem, NAME.key, and NAME.both.pem with the two in one file (baresip).
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 DIRECTORY NAME=SUBJECTS..." >&2; exit 2; }
mkdir -p "$1"
cd "$1"
shift
log=$(mktemp)
trap 'cat "$log" >&2' ERR
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${curve[@]}" -keyout ca.key -out ca.pem -days 7 -subj "/CN=Tandem test authority" >"$log" 2>&1
for one in "$@"; do
  name=${one%%=*}
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "${one#*=}" >"$name.ext"
  openssl req "${curve[@]}" -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" >"$log" 2>&1
  openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -extfile "$name.ext" \
    -out "$name.pem" >"$log" 2>&1
  cat "$name.pem" "$name.key" >"$name.both.pem"
  rm "$name.csr" "$name.ext"
done
rm -f "$log"
