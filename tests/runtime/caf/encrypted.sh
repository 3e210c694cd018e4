#!/bin/sh
# Two nodes whose link is encrypted and authenticated; one without credentials, and one of other authorities, are refused.
# encrypted.sh PEER
peer=$1
command -v openssl >/dev/null || { echo "SKIPPED: no openssl command"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"; kill $server 2>/dev/null' EXIT
make() { # make AUTHORITY NODE
  [ -f "$folder/$1.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$folder/$1.key" -out "$folder/$1.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$folder/$2.key" -out "$folder/$2.csr" 2>/dev/null
  openssl x509 -req -days 2 -in "$folder/$2.csr" -CA "$folder/$1.pem" -CAkey "$folder/$1.key" -CAcreateserial \
    -out "$folder/$2.pem" 2>/dev/null
}
make exchange server && make exchange client && make stranger thief || exit 1
mkfifo "$folder/port"
"$peer" serve 127.0.0.1 "$folder/server.pem" "$folder/server.key" "$folder/exchange.pem" > "$folder/port" &
server=$!
read -r port < "$folder/port"
timeout 20 "$peer" visit 127.0.0.1 "$port" 2>&1 && { echo "a node without credentials was let in"; exit 1; }
timeout 20 "$peer" visit 127.0.0.1 "$port" "$folder/thief.pem" "$folder/thief.key" "$folder/stranger.pem" 2>&1 &&
  { echo "a node of other authorities was let in"; exit 1; }
"$peer" visit 127.0.0.1 "$port" "$folder/client.pem" "$folder/client.key" "$folder/exchange.pem" || exit 1
wait $server
