#!/bin/sh
# A manual hook as certbot calls it: everything is in the environment, and what is printed goes to the cleanup hook.
# WEBROOT: a document root. SERVER, KEY: a name server as `address port`, and its key as nsupdate(1) takes it.
set -eu
echo 'a warning that nobody needs' >&2
if [ -n "${CERTBOT_TOKEN:-}" ]; then
    mkdir -p "$WEBROOT/.well-known/acme-challenge"
    printf %s "$CERTBOT_VALIDATION" > "$WEBROOT/.well-known/acme-challenge/$CERTBOT_TOKEN"
    echo "$WEBROOT/.well-known/acme-challenge/$CERTBOT_TOKEN"
else
    record="_acme-challenge.$CERTBOT_DOMAIN."
    printf 'server %s\nupdate add %s 60 IN TXT "%s"\nsend\n' "$SERVER" "$record" "$CERTBOT_VALIDATION" | nsupdate -y "$KEY"
    echo "$record"
fi
