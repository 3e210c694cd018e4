#!/usr/bin/env bash
# QuickFIX looks at our FIX: its acceptance definitions for 4.2 and 4.4 at sessions (fix_server echo), its tradeclient at a
# port with limits and books behind it (fix_server venue). Nothing of QuickFIX is kept here: its source comes from Debian.
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# Definitions that ask for what we do not have, with why. A stranger's opinion that we do not share is no failure.
declare -A not_ours=(
  [2m_BodyLengthValueNotCorrect.def]="behind a body that is too long for its length we go on at the next 8=FIX, and ask for what is missing; QuickFIX passes both over"
)

# debian_source PACKAGE sets SOURCE to its unpacked source.
debian_source() {
  local package=$1 tree=$STRANGERS/source/$1
  SOURCE=$(find "$tree" -maxdepth 1 -mindepth 1 -type d 2>/dev/null | head -n 1)
  [ -z "$SOURCE" ] || return 0
  command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || return 1
  # The machine's own places of packages, asked for sources, with lists of their own.
  local apt=$work/apt
  mkdir -p "$apt/parts" "$apt/lists/partial" "$tree"
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$apt/parts/${file##*/}"
    [ "${file##*/}" != sources.list ] || [ ! -f "$apt/parts/sources.list" ] || mv "$apt/parts/sources.list" "$apt/parts/main.list"
  done
  local options=(-q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/parts" -o "Dir::State::lists=$apt/lists"
    -o APT::Sandbox::User=root)
  (apt-get "${options[@]}" update && cd "$tree" && apt-get "${options[@]}" source "$package") >"$work/source.log" 2>&1
  SOURCE=$(find "$tree" -maxdepth 1 -mindepth 1 -type d | head -n 1)
  [ -n "$SOURCE" ] || { tail -n 3 "$work/source.log" >&2; return 1; }
}

# serve MODE sets SERVER and PORT. The server ends with its input, which is a pipe of ours.
serve() {
  local log=$work/$1.log i
  mkfifo "$work/$1.in"
  "$FIX_SERVER" "$1" <"$work/$1.in" >"$log" 2>&1 &
  SERVER=$!
  started+=("$SERVER")
  exec {hold}>"$work/$1.in"
  for i in $(seq 100); do
    PORT=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$log")
    [ -z "$PORT" ] || return 0
    kill -0 "$SERVER" 2>/dev/null || break
    read -r -t 0.1 <> <(:) || true
  done
  cat "$log" >&2
  return 1
}
stop_serving() {
  exec {hold}>&-
  wait "$SERVER"
}

program fix_server || { fail "fix_server cannot be built"; say_counts; exit 1; }
FIX_SERVER=$PROGRAM
debian_source quickfix || { skip "QuickFIX: its source cannot be had"; say_counts; exit 0; }

# --- the acceptance definitions
acceptance() {
  foreign ruby ruby || { skip "QuickFIX's acceptance definitions: there is no ruby to be had"; return; }
  local ruby=("${FOREIGN[@]}") libraries
  if [ -d "$STRANGERS/debian/usr/lib/ruby" ]; then
    libraries=$(find "$STRANGERS/debian/usr/lib" -type d -path '*ruby/[0-9]*' -prune -print | paste -sd:)
    ruby=(env "RUBYLIB=$libraries" "${ruby[@]}" --disable-gems)
  fi
  serve echo || { fail "fix_server echo did not start"; return; }
  local version definitions log=$work/acceptance.log
  for version in 42 44; do
    definitions=($(cd "$SOURCE/test" && echo definitions/server/fix$version/*.def))
    (cd "$SOURCE/test" && "${ruby[@]}" -I. Runner.rb 127.0.0.1 "$PORT" "${definitions[@]}") >"$log" 2>&1
    local name result seen=0
    while read -r name result; do
      seen=$((seen + 1))
      if [ "$result" = success ]; then
        pass
      elif [ -n "${not_ours[${name##*/}]:-}" ]; then
        skip "FIX 4.${version#4}, ${name##*/}: ${not_ours[${name##*/}]}"
      else
        fail "FIX 4.${version#4}, ${name##*/}"
        sed -n "\|name='$name'|,\|</test>|p" "$log" | sed -n '2,12p' >&2
      fi
    done < <(sed -n "s/^<test name='\([^']*\)' result='\([a-z]*\)'.*/\1 \2/p" "$log")
    check "all ${#definitions[@]} definitions of FIX 4.${version#4} were run" test "$seen" = "${#definitions[@]}"
  done
  stop_serving
}
acceptance

# --- the tradeclient

# unpacked PACKAGE ...: those that are not installed, unpacked in $STRANGERS.
unpacked() {
  local tree=$STRANGERS/debian packages file
  mkdir -p "$tree" "$work/packages"
  packages=$(apt-get install -s --no-install-recommends "$@" 2>/dev/null | awk '/^Inst/ { print $2 }')
  [ -n "$packages" ] || return 0
  (cd "$work/packages" && apt-get download $packages) >"$work/download.log" 2>&1 || return 1
  for file in "$work"/packages/*.deb; do dpkg-deb -x "$file" "$tree" || return 1; done
}

build_tradeclient() {
  local tree=$STRANGERS/debian library
  TRADECLIENT=$STRANGERS/tradeclient
  if [ ! -x "$TRADECLIENT" ]; then
    command -v g++ >/dev/null || return 1
    find /usr/lib "$tree" -name libquickfix.so 2>/dev/null | grep -q . || unpacked libquickfix-dev || return 1
    library=$(find /usr/lib "$tree" -name libquickfix.so -printf '%h\n' 2>/dev/null | head -n 1)
    mkdir -p "$work/empty"
    : >"$work/empty/config.h"
    g++ -std=c++14 -fpermissive -w -O0 -I"$work/empty" -I"$tree/usr/include" -I"$tree/usr/include/quickfix" -I/usr/include/quickfix \
      "$SOURCE"/examples/tradeclient/*.cpp -o "$TRADECLIENT" -L"$library" -Wl,-rpath,"$library" -lquickfix -lpthread >"$work/tradeclient.log" 2>&1 ||
      { tail -n 5 "$work/tradeclient.log" >&2; return 1; }
  fi
}

declare -A input output prompts client
# start NAME BEGINSTRING: a tradeclient of that name, logged on.
start() {
  local name=$1 begin=$2 folder=$work/$1
  mkdir -p "$folder"
  cat >"$folder/client.cfg" <<TEXT
[DEFAULT]
ConnectionType=initiator
ReconnectInterval=2
FileStorePath=$folder/store
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
DataDictionary=$SOURCE/spec/FIX${begin#FIX.}.xml
[SESSION]
BeginString=$begin
SenderCompID=$name
TargetCompID=VENUE
SocketConnectHost=127.0.0.1
SocketConnectPort=$PORT
HeartBtInt=30
TEXT
  sed -i 's/FIX4\.\([24]\)\.xml/FIX4\1.xml/' "$folder/client.cfg"
  mkfifo "$folder/in"
  output[$name]=$folder/out
  prompts[$name]=0
  "$TRADECLIENT" "$folder/client.cfg" <"$folder/in" >"$folder/out" 2>&1 &
  client[$name]=$!
  started+=($!)
  local in
  exec {in}>"$folder/in"
  input[$name]=$in
  heard "$name" '^Logon - '
}
# heard NAME PATTERN [TIMES]: waits for it.
heard() {
  local i
  for i in $(seq 100); do
    [ "$(tr '\001' '|' <"${output[$1]}" | grep -acE -- "$2")" -lt "${3:-1}" ] || return 0
    read -r -t 0.1 <> <(:) || true
  done
  echo "$1 did not hear $2" >&2
  tr '\001' '|' <"${output[$1]}" | grep -a 'IN: ' | tail -n 3 >&2
  return 1
}
# does NAME Prompt=answer ...: answers what it asks, in whatever order, until it asks for the next action.
does() {
  local name=$1 asked answer i
  shift
  for ((;;)); do
    for i in $(seq 100); do
      asked=$(grep -aoE '^(Action|BeginString|OrigClOrdID|ClOrdID|Symbol|Side|OrderQty|OrdType|Price|TimeInForce|SenderCompID|TargetCompID|[A-Z][A-Za-z ]*\?): ' "${output[$name]}" | sed -n "$((prompts[$name] + 1))p")
      [ -z "$asked" ] || break
      read -r -t 0.05 <> <(:) || true
    done
    asked=${asked%: }
    answer=
    for i in "$@"; do [ "${i%%=*}" != "$asked" ] || answer=${i#*=}; done
    [ -n "$answer" ] || { echo "tradeclient $name asks for $asked" >&2; return 1; }
    prompts[$name]=$((prompts[$name] + 1))
    echo "$answer" >&"${input[$name]}"
    case $asked in
      "Send "*) return 0 ;;
      Action) [ "$answer" != 5 ] || return 0 ;;
    esac
  done
}

tradeclient() {
  build_tradeclient || { skip "QuickFIX's tradeclient: its library cannot be had, or it cannot be built"; return; }
  serve venue || { fail "fix_server venue did not start"; return; }
  check "a 4.2 tradeclient logs on" start TRADER FIX.4.2
  check "a 4.4 tradeclient logs on" start TRADER44 FIX.4.4
  local common=(TargetCompID=VENUE "Use a TargetSubID?=N" "Send order?=Y" "Send cancel?=Y" "Send replace?=Y" "New price?=Y" "New quantity?=Y"
    Symbol=AAPL OrdType=2 TimeInForce=1)
  local old=(BeginString=3 SenderCompID=TRADER Side=1 "${common[@]}") new=(BeginString=5 SenderCompID=TRADER44 Side=2 "${common[@]}")

  check "it asks for an order" does TRADER Action=1 ClOrdID=a1 OrderQty=100 Price=10.5 "${old[@]}"
  check "the order is accepted" heard TRADER 'IN: .*\|35=8\|.*\|11=a1\|14=0\|.*\|39=0\|.*\|44=10.5\|.*\|150=0\|151=100\|'
  check "it asks for a replacement" does TRADER Action=3 OrigClOrdID=a1 ClOrdID=a2 OrderQty=150 Price=10.6 "${old[@]}"
  check "the order is replaced" heard TRADER 'IN: .*\|11=a2\|.*\|38=150\|39=5\|40=2\|41=a1\|44=10.6\|.*\|150=5\|151=150\|'
  check "the other sells" does TRADER44 Action=1 ClOrdID=b1 OrderQty=60 Price=10.6 "${new[@]}"
  check "he hears that it is filled, in 4.4's words" heard TRADER44 'IN: .*\|11=b1\|14=60\|.*\|31=10.6\|32=60\|.*\|39=2\|.*\|150=F\|151=0\|'
  check "the buyer hears of his part, in 4.2's" heard TRADER 'IN: .*\|6=10.6\|11=a2\|14=60\|.*\|31=10.6\|32=60\|.*\|39=1\|.*\|150=1\|151=90\|'
  check "an order beyond the limits is asked for" does TRADER44 Action=1 ClOrdID=b2 OrderQty=1001 Price=10.6 "${new[@]}"
  check "it is refused as such" heard TRADER44 'IN: .*\|11=b2\|.*\|39=8\|.*\|103=3\|150=8\|'
  check "a name that was used is used again" does TRADER44 Action=1 ClOrdID=b1 OrderQty=1 Price=10.6 "${new[@]}"
  check "it is refused as a duplicate" heard TRADER44 'IN: .*\|11=b1\|.*\|39=8\|.*\|103=6\|150=8\|'
  check "something that never was is to be cancelled" does TRADER44 Action=2 OrigClOrdID=zz ClOrdID=b3 OrderQty=1 "${new[@]}"
  check "that is refused" heard TRADER44 'IN: .*\|35=9\|.*\|11=b3\|.*\|41=zz\|.*\|102=1\|434=1\|'
  check "what is left is to be cancelled" does TRADER Action=2 OrigClOrdID=a2 ClOrdID=a3 OrderQty=90 "${old[@]}"
  check "it is cancelled" heard TRADER 'IN: .*\|11=a3\|14=60\|.*\|39=4\|.*\|41=a2\|.*\|150=4\|151=0\|'
  local name
  for name in TRADER TRADER44; do
    check "$name is done" does "$name" Action=5
    wait "${client[$name]}"
    check "$name logged out" heard "$name" '^Logout - '
    # It looks at every message of ours with QuickFIX's dictionary, and would have refused what is not in it.
    check "$name refused nothing" test "$(tr '\001' '|' <"${output[$name]}" | grep -acE 'outgoing>.*\|35=[3j]\|')" = 0
  done
  stop_serving
}
tradeclient

say_counts
[ $failed = 0 ]
