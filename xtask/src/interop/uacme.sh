# uacme: everything by a hook; tls-alpn-01 by its own responder, ualpn. It has no option for whom to trust.
cat > hook.sh <<'HOOK'
#!/bin/sh
set -eu
case "$1,$2" in
begin,http-01) printf %s "$5" > "$WEBROOT/.well-known/acme-challenge/$4" ;;
done,http-01 | failed,http-01) rm "$WEBROOT/.well-known/acme-challenge/$4" ;;
begin,dns-01) word=add ;;
done,dns-01 | failed,dns-01) word=delete ;;
*) exit 1 ;;
esac
[ "$2" = "$ONLY" ] || exit 1
[ "$2" != dns-01 ] ||
    printf 'server 127.0.0.1\nupdate %s _acme-challenge.%s 60 TXT "%s"\nsend\n' "$word" "$3" "$5" | nsupdate -y "$ACME_TSIG"
HOOK
chmod +x hook.sh
export WEBROOT="$webroot" ONLY=http-01
run() { "${UACME:-uacme}" --acme-url "$server" --confdir "$PWD/live" --yes "$@"; }
order() { run --hook "$PWD/hook.sh" issue "$@"; }
account() { run new ops@example.org; }
case "$1" in
http-01) web_server; account; order www.example.org ;;
dns-01) export ONLY=dns-01; account; order www.example.org ;;
wildcard) export ONLY=dns-01; account; order '*.example.org' ;;
tls-alpn-01)
    ualpn --pidfile "$PWD/ualpn.pid" --sock "$PWD/ualpn.sock" --daemon --bind 127.0.0.1@443 --connect 127.0.0.1@8443 --user root
    trap 'kill "$(cat ualpn.pid)"' EXIT
    cat > alpn.sh <<'HOOK'
#!/bin/sh
set -eu
[ "$2" = tls-alpn-01 ] || exit 1
word=$(case "$1" in begin) echo "auth $3 $5" ;; *) echo "unauth $3" ;; esac)
[ "$(echo "$word" | ualpn --sock "$SOCKET")" = OK ]
HOOK
    chmod +x alpn.sh
    account
    SOCKET=$PWD/ualpn.sock run --hook "$PWD/alpn.sh" issue www.example.org
    ;;
eab) web_server; run --eab "$EAB_ID:$EAB_KEY" new ops@example.org; order www.example.org ;;
renew)
    web_server
    account
    order www.example.org
    cp live/www.example.org/cert.pem before.pem
    order --days 1000 www.example.org || run --force --hook "$PWD/hook.sh" issue www.example.org
    differ before.pem live/www.example.org/cert.pem
    ;;
revoke)
    web_server
    account
    order www.example.org
    cp live/www.example.org/cert.pem kept.pem
    run revoke live/www.example.org/cert.pem
    mkdir -p live/www.example.org
    cp kept.pem live/www.example.org/cert.pem
    ;;
esac
case "$1" in
wildcard) issued "$(found live/ cert.pem)" '*.example.org' ;;
*) issued live/www.example.org/cert.pem www.example.org ;;
esac
