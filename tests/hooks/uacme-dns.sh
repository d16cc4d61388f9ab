#!/bin/sh
# A hook as uacme calls it: begin, done or failed, the kind, the identifier, the token, the answer. It declines every kind
# but dns-01.
# SERVER, KEY: a name server as `address port`, and its key as nsupdate(1) takes it.
[ $# -eq 5 ] && [ "$1" = "$UACME_METHOD" ] && [ "$5" = "$UACME_AUTH" ] || exit 85
[ "$2" = dns-01 ] || exit 1
case "$1" in
    begin) change="add _acme-challenge.$3. 60 IN TXT \"$5\"" ;;
    done | failed) change="delete _acme-challenge.$3. TXT \"$5\"" ;;
    *) exit 85 ;;
esac
printf 'server %s\nupdate %s\nsend\n' "$SERVER" "$change" | nsupdate -y "$KEY"
