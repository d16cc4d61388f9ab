#!/bin/sh
# The cleanup hook to certbot-auth.sh. What is to be removed is what that printed; without it, an earlier run was cut.
set -eu
if [ -n "${CERTBOT_TOKEN:-}" ]; then
    rm -f "${CERTBOT_AUTH_OUTPUT:-$WEBROOT/.well-known/acme-challenge/$CERTBOT_TOKEN}"
else
    record=${CERTBOT_AUTH_OUTPUT:-_acme-challenge.$CERTBOT_DOMAIN.}
    printf 'server %s\nupdate delete %s TXT "%s"\nsend\n' "$SERVER" "$record" "$CERTBOT_VALIDATION" | nsupdate -y "$KEY"
fi
