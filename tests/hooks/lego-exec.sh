#!/bin/sh
# A script for lego's exec provider: what to do, the record with its final dot, the value.
# SERVER, KEY: a name server as `address port`, and its key as nsupdate(1) takes it.
set -eu
case "$1" in
    present) change="add $2 60 IN TXT \"$3\"" ;;
    cleanup) change="delete $2 TXT \"$3\"" ;;
    timeout) exit 0 ;;
    *) exit 2 ;;
esac
printf 'server %s\nupdate %s\nsend\n' "$SERVER" "$change" | nsupdate -y "$KEY"
