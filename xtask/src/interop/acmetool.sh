# acmetool: http-01 by its own server; dns-01 by a hook. It has no option for whom to trust.
mkdir -p state/conf hooks
# It takes the first challenge that it can do by its own test: where another server has port 80, that is not http-01.
case "$1" in dns-01 | wildcard) web_server ;; esac
cat > state/conf/target <<CONF
request:
  provider: $server
  challenge:
    http-self-test: true
CONF
case "$1" in
dns-01 | wildcard)
    cat > hooks/dns <<'HOOK'
#!/bin/sh
set -eu
update() {
    printf 'server 127.0.0.1\nupdate %s _acme-challenge.%s 60 TXT "%s"\nsend\n' "$1" "$2" "$3" | nsupdate -y "$ACME_TSIG"
}
case "$1" in
challenge-dns-start) update add "$2" "$4" ;;
challenge-dns-stop) update delete "$2" "$4" ;;
*) exit 42 ;;
esac
HOOK
    chmod +x hooks/dns
    ;;
esac
cat > responses <<CONF
"acme-enter-email": "ops@example.org"
"acme-agreement:$server": true
CONF
run() { "${ACMETOOL:-acmetool}" --state="$PWD/state" --hooks="$PWD/hooks" --batch --response-file="$PWD/responses" --xlog.severity=debug "$@"; }
case "$1" in
http-01 | dns-01) run want www.example.org ;;
wildcard) run want '*.example.org' ;;
renew)
    run want www.example.org
    cp "$(found state/certs/ cert)" before.pem
    rm -r state/live state/certs
    mkdir state/live state/certs
    run reconcile
    differ before.pem "$(found state/certs/ cert)"
    ;;
esac
cp "$(found state/certs/ fullchain)" live/cert.pem
case "$1" in wildcard) issued live/cert.pem '*.example.org' ;; *) issued live/cert.pem www.example.org ;; esac
