#!/bin/sh
set -eu
umask 077
target="$BASEDIR/haproxy"
case "$1" in
deploy_cert)
    mkdir -p "$target"
    cat "$5" "$3" > "$target/site.pem.new"
    [ ! -e "$target/site.pem" ] || getfacl -p "$target/site.pem" | setfacl --set-file=- "$target/site.pem.new"
    mv "$target/site.pem.new" "$target/site.pem"
    ;;
esac
