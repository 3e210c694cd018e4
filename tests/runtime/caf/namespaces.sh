#!/bin/sh
# Two nodes in two network namespaces, with nothing but a cable between them. Needs no rights where user namespaces are
# allowed; elsewhere it is skipped. namespaces.sh PEER
if [ "$2" != inside ]; then
  unshare --user --map-root-user --net true 2>/dev/null || { echo "SKIPPED: no network namespaces for this user"; exit 0; }
  command -v ip >/dev/null || { echo "SKIPPED: no ip command"; exit 0; }
  exec unshare --user --map-root-user --net "$0" "$1" inside
fi
peer=$1
unshare --net sleep 60 &
other=$!
trap 'kill $other 2>/dev/null' EXIT
tries=0
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ] && [ $tries -lt 100 ]; do
  sleep 0.05; tries=$((tries + 1))
done
ip link add left type veth peer name right 2>/dev/null || { echo "SKIPPED: no veth in this kernel"; exit 0; }
ip link set right netns $other
ip addr add 10.77.0.1/24 dev left && ip link set left up
nsenter --target $other --net sh -c 'ip addr add 10.77.0.2/24 dev right && ip link set right up && ip link set lo up'
fifo=$(mktemp -u) && mkfifo "$fifo"
nsenter --target $other --net "$peer" serve 10.77.0.2 > "$fifo" &
read -r port < "$fifo"
rm -f "$fifo"
"$peer" visit 10.77.0.2 "$port"
