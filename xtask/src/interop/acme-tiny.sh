# acme-tiny: http-01 into the directory of a web server, and nothing else.
openssl genrsa -out account.pem 2048
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=www.example.org \
    -addext subjectAltName=DNS:www.example.org -out request.pem
run() {
    "${ACME_TINY:-acme-tiny}" --account-key account.pem --csr request.pem --acme-dir "$webroot/.well-known/acme-challenge" \
        --directory-url "$server" "$@"
}
web_server
run > live/cert.pem
case "$1" in
renew)
    cp live/cert.pem before.pem
    run > live/cert.pem
    differ before.pem live/cert.pem
    ;;
esac
issued live/cert.pem www.example.org
