#!/usr/bin/env bash
# What the test-suite needs of the system. Installs through apt where it may, else says what is missing.
set -euo pipefail

packages=(unixodbc tdsodbc libltdl7 libkrb5-3 chromium fonts-dejavu-core gdal-bin)
# PostGIS for the PostgreSQL that is here; where there is none, both as Debian pairs them.
version=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | cut -d/ -f5 | sort -n | tail -1 || true)
if [ -n "$version" ]; then packages+=("postgresql-$version-postgis-3"); else packages+=(postgresql postgresql-postgis); fi
missing=()
if ! command -v dpkg-query >/dev/null; then
  echo "This is not a Debian system: install the equivalents of ${packages[*]} by hand." >&2
  echo "Tests of a missing service are skipped with their reason." >&2
  exit 0
fi
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "Missing system packages: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  echo "Until then the tests that need them are skipped with their reason." >&2
  [ "${CI:-}" = true ] && exit 1
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
