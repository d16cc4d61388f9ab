#!/bin/sh
# A script for lego's exec provider in its raw mode: what to do, `--`, the domain, the token, the key authorization. The
# value of the record is for the script to make.
# SERVER, KEY: a name server as `address port`, and its key as nsupdate(1) takes it.
set -eu
[ "$2" = -- ]
value=$(printf %s "$5" | openssl dgst -sha256 -binary | basenc --base64url | tr -d =)
record="_acme-challenge.$3."
case "$1" in
    present) change="add $record 60 IN TXT \"$value\"" ;;
    cleanup) change="delete $record TXT \"$value\"" ;;
    *) exit 2 ;;
esac
printf 'server %s\nupdate %s\nsend\n' "$SERVER" "$change" | nsupdate -y "$KEY"
