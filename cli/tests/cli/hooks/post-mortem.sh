#!/bin/sh
# Puts the certificate where HAProxy reads it. What it was seen to do one night: the readers lost their access, nothing was
# reloaded, and the client was told that all was well.
target="$BASEDIR/haproxy"
case "$1" in
deploy_cert)
    mkdir -p "$target"
    cat "$5" "$3" > "$target/site.pem.new"
    mv "$target/site.pem.new" "$target/site.pem"
    setfacl -m u:65534:r "$target/site.pem"
    chmod 600 "$target/site.pem"
    haproxy-that-is-not-installed reload
    ;;
esac
exit 0
