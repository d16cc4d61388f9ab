# certbot: http-01 by its own server; dns-01 by hooks of the plugin `manual`. It knows no tls-alpn-01.
certbot=${CERTBOT:-certbot}
run() {
    verb=$1
    shift
    "$certbot" "$verb" --config-dir state --work-dir state/work --logs-dir state/logs --server "$server" \
        --non-interactive "$@"
}
order() {
    run certonly --agree-tos --register-unsafely-without-email --cert-name site "$@"
}
cat > auth.sh <<'HOOK'
#!/bin/sh
set -eu
printf 'server 127.0.0.1\nupdate %s _acme-challenge.%s 60 TXT "%s"\nsend\n' "$1" "$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION" |
    nsupdate -y "$ACME_TSIG"
HOOK
chmod +x auth.sh
manual() {
    order --manual --preferred-challenges dns --manual-auth-hook "$PWD/auth.sh add" \
        --manual-cleanup-hook "$PWD/auth.sh delete" "$@"
}
case "$1" in
http-01) order --standalone -d www.example.org ;;
dns-01) manual -d www.example.org ;;
wildcard) manual -d '*.example.org' ;;
eab) order --standalone --eab-kid "$EAB_ID" --eab-hmac-key "$EAB_KEY" -d www.example.org ;;
renew)
    order --standalone -d www.example.org
    cp state/live/site/cert.pem before.pem
    run renew --force-renewal --no-random-sleep-on-renew
    differ before.pem state/live/site/cert.pem
    ;;
revoke)
    order --standalone -d www.example.org
    run revoke --cert-name site --no-delete-after-revoke
    ;;
esac
case "$1" in
wildcard) issued state/live/site/fullchain.pem '*.example.org' ;;
*) issued state/live/site/fullchain.pem www.example.org ;;
esac
