# lego: http-01 and tls-alpn-01 by itself; dns-01 by its provider for dynamic updates.
run() {
    "${LEGO:-lego}" --accept-tos --email ops@example.org --server "$server" --path "$PWD/live" --pem "$@"
}
dns() {
    algorithm=${ACME_TSIG%%:*}
    rest=${ACME_TSIG#*:}
    RFC2136_NAMESERVER=127.0.0.1 RFC2136_TSIG_ALGORITHM=$algorithm. RFC2136_TSIG_KEY=${rest%%:*} \
        RFC2136_TSIG_SECRET=${rest#*:} RFC2136_POLLING_INTERVAL=1 RFC2136_SEQUENCE_INTERVAL=1 \
        run --dns rfc2136 --dns.resolvers 127.0.0.1:53 "$@"
}
case "$1" in
http-01) run --http --domains www.example.org run ;;
tls-alpn-01) run --tls --domains www.example.org run ;;
dns-01) dns --domains www.example.org run ;;
wildcard) dns --domains '*.example.org' run ;;
eab) run --eab --kid "$EAB_ID" --hmac "$EAB_KEY" --http --domains www.example.org run ;;
renew)
    run --http --domains www.example.org run
    cp live/certificates/www.example.org.crt before.pem
    run --http --domains www.example.org renew --days 1000 --no-random-sleep
    differ before.pem live/certificates/www.example.org.crt
    ;;
revoke)
    run --http --domains www.example.org run
    run --domains www.example.org revoke --keep
    ;;
esac
case "$1" in
wildcard) issued live/certificates/_.example.org.crt '*.example.org' ;;
*) issued live/certificates/www.example.org.crt www.example.org ;;
esac
