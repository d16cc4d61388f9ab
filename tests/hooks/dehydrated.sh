#!/bin/sh
# A hook as dehydrated calls it: the name of an event, then its arguments; events that it does not know are passed over.
# WEBROOT: a document root. SERVER, KEY: a name server as `address port`, and its key as nsupdate(1) takes it.
set -eu

update() {
    printf 'server %s\nupdate %s _acme-challenge.%s. %s TXT "%s"\nsend\n' "$SERVER" "$1" "$2" "$3" "$4" | nsupdate -y "$KEY"
}

deploy_challenge() {
    case "$CHALLENGETYPE" in
        http-01)
            mkdir -p "$WEBROOT/.well-known/acme-challenge"
            printf %s "$3" > "$WEBROOT/.well-known/acme-challenge/$2"
            ;;
        dns-01) update add "$1" '60 IN' "$3" ;;
        *)
            echo "no way to answer $CHALLENGETYPE" >&2
            exit 1
            ;;
    esac
}

clean_challenge() {
    case "$CHALLENGETYPE" in
        http-01) rm -f "$WEBROOT/.well-known/acme-challenge/$2" ;;
        dns-01) update delete "$1" '' "$3" ;;
    esac
}

handler=$1
shift
case "$handler" in
    deploy_challenge | clean_challenge) "$handler" "$@" ;;
esac
