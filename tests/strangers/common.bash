# What the checks by foreign programs have in common: where things are, what is installed, and how results are counted.
#
# BUILD=DIR      a build of ours (build/release); what is not there is built
# KEEP=DIR       where what was recorded is kept
# STRANGERS=DIR  where foreign programs are installed (build/strangers); nothing is installed anywhere else
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$root/build/release}
STRANGERS=${STRANGERS:-$root/build/strangers}
mkdir -p "$STRANGERS"
work=$(mktemp -d)
started=()

passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAILED: $*" >&2; }
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $*"; }
# check "a sentence that is true" command ...
check() {
  local what=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then pass; else fail "$what"; tail -n 20 "$work/check.log" >&2; fi
}

say_counts() { echo "$passed passed, $failed failed, $skipped skipped"; }
finish() {
  [ -z "${KEEP:-}" ] || cp -r "$work" "$KEEP"
  local process
  for process in ${started[@]+"${started[@]}"}; do kill "$process" 2>/dev/null; done
  for process in ${started[@]+"${started[@]}"}; do wait "$process" 2>/dev/null; done
  rm -rf "$work"
}
trap finish EXIT

# Programs of ours: program NAME TARGET sets PROGRAM, builds what is missing.
program() {
  PROGRAM=$BUILD/bin/$1
  [ -x "$PROGRAM" ] || cmake --build "$BUILD" --target "${2:-$1}" >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; return 1; }
}

# foreign COMMAND PACKAGE sets FOREIGN to how a program of Debian is called: as it is installed, or out of its package and
# those that it needs, unpacked in $STRANGERS. Needs neither root nor a place in the system.
foreign() {
  local command=$1 package=$2 packages
  FOREIGN=("$(command -v "$command")") && [ -n "${FOREIGN[0]}" ] && return 0
  local tree=$STRANGERS/debian
  if [ ! -x "$tree/usr/bin/$command" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    packages=$(apt-get install -s --no-install-recommends "$package" 2>/dev/null | awk '/^Inst/ { print $2 }')
    [ -n "$packages" ] || return 1
    # Only libraries and the package itself; what it looks like in a browser is of no use here.
    packages=$(printf '%s\n' "$packages" | grep -v -e '^libjs-' -e '^fonts-')
    mkdir -p "$tree" "$work/packages"
    (cd "$work/packages" && apt-get download $packages) >"$work/download.log" 2>&1 || { tail -n 3 "$work/download.log" >&2; return 1; }
    local file
    for file in "$work"/packages/*.deb; do dpkg-deb -x "$file" "$tree" || return 1; done
  fi
  local libraries
  libraries=$(find "$tree" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
  FOREIGN=(env "LD_LIBRARY_PATH=$libraries" "WIRESHARK_DATA_DIR=$tree/usr/share/wireshark" "$tree/usr/bin/$command")
  "${FOREIGN[@]}" --version >/dev/null 2>&1
}

# npm_package NAME VERSION sets MODULES.
npm_package() {
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  MODULES=$STRANGERS/npm/node_modules
  [ -d "$MODULES/$1" ] || npm install --silent --no-audit --no-fund --prefix "$STRANGERS/npm" "$1@$2" >"$work/npm.log" 2>&1
}

# venue sets VENUE (its process) and PORTS (a file with the one JSON object that it prints at its start).
venue() {
  program outcry || return 1
  PORTS=$work/ports.json
  "$PROGRAM" serve "${1:-$root/examples/venue.toml}" --json >"$PORTS" 2>"$work/venue.log" &
  VENUE=$!
  started+=("$VENUE")
  local i
  for i in $(seq 100); do
    [ -s "$PORTS" ] && return 0
    kill -0 "$VENUE" 2>/dev/null || break
    read -r -t 0.1 <> <(:) || true
  done
  cat "$work/venue.log" >&2
  return 1
}
# port NAME: of one of its doors.
# Of one of its doors: a gateway, metrics, or an address of a feed.
port() { sed -n 's/.*"'"$1"'":\({[^}]*"address":\)\{0,1\}"[^"]*:\([0-9]*\)".*/\2/p' "$PORTS" | head -n 1; }
