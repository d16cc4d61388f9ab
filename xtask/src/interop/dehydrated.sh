# dehydrated: http-01 into the directory of a web server; dns-01 and tls-alpn-01 by a hook.
cat > hook.sh <<'HOOK'
#!/bin/sh
set -eu
update() {
    printf 'server 127.0.0.1\nupdate %s _acme-challenge.%s 60 TXT "%s"\nsend\n' "$1" "$2" "$3" | nsupdate -y "$ACME_TSIG"
}
case "${CHALLENGETYPE-},$1" in
dns-01,deploy_challenge) update add "$2" "$4" ;;
dns-01,clean_challenge) update delete "$2" "$4" ;;
tls-alpn-01,deploy_challenge)
    openssl s_server -quiet -alpn acme-tls/1 -accept 443 \
        -cert "$ALPNCERTDIR/$2.crt.pem" -key "$ALPNCERTDIR/$2.key.pem" > s_server.log 2>&1 < /dev/null &
    echo $! > s_server.pid
    until grep -qi :01BB /proc/net/tcp /proc/net/tcp6; do :; done
    ;;
tls-alpn-01,clean_challenge) kill "$(cat s_server.pid)" ;;
esac
HOOK
chmod +x hook.sh
cat > config <<CONF
CA="$server"
BASEDIR="$PWD/state"
CERTDIR="$PWD/live"
WELLKNOWN="$webroot/.well-known/acme-challenge"
ALPNCERTDIR="$PWD/alpn"
HOOK="$PWD/hook.sh"
CONF
mkdir -p state alpn
run() { "${DEHYDRATED:-dehydrated}" --accept-terms --config "$PWD/config" --alias site "$@"; }
case "$1" in
http-01) web_server; run --cron --challenge http-01 --domain www.example.org ;;
dns-01) run --cron --challenge dns-01 --domain www.example.org ;;
tls-alpn-01) run --cron --challenge tls-alpn-01 --domain www.example.org ;;
wildcard) run --cron --challenge dns-01 --domain '*.example.org' ;;
eab)
    printf 'EAB_KID="%s"\nEAB_HMAC_KEY="%s"\n' "$EAB_ID" "$EAB_KEY" >> config
    run --cron --challenge dns-01 --domain www.example.org
    ;;
renew)
    run --cron --challenge dns-01 --domain www.example.org
    cp live/site/cert.pem before.pem
    run --cron --force --challenge dns-01 --domain www.example.org
    differ before.pem live/site/cert.pem
    ;;
revoke)
    run --cron --challenge dns-01 --domain www.example.org
    cp live/site/fullchain.pem kept.pem
    run --revoke live/site/cert.pem
    cp kept.pem live/site/fullchain.pem
    ;;
esac
case "$1" in wildcard) issued live/site/fullchain.pem '*.example.org' ;; *) issued live/site/fullchain.pem www.example.org ;; esac
