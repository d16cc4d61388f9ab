# What every case begins with. In "$PWD", a new directory; the first argument of a script is the column.
server=$ACME_DIRECTORY
webroot=$PWD/webroot
mkdir -p "$webroot/.well-known/acme-challenge" live

# A web server that the client does not know, on port 80.
web_server() {
    cat > nginx.conf <<CONF
user root;
pid $PWD/nginx.pid;
error_log $PWD/nginx.log;
events {}
http { access_log off; client_body_temp_path $PWD; proxy_temp_path $PWD; fastcgi_temp_path $PWD; uwsgi_temp_path $PWD;
       scgi_temp_path $PWD; server { listen 80; listen [::]:80; root $webroot; } }
CONF
    nginx -c "$PWD/nginx.conf"
    trap 'kill "$(cat nginx.pid)"' EXIT
}

# What somebody with a name server of their own writes into a hook: a dynamic update, signed with the key that was printed.
name_server() {
    printf 'server 127.0.0.1\nupdate %s _acme-challenge.%s 60 TXT "%s"\nsend\n' "$1" "$2" "$3" | nsupdate -y "$ACME_TSIG"
}

# The certificate is for this name, lasts, and has a chain to the root.
issued() {
    openssl verify -CAfile "$ACME_ROOT_FILE" -untrusted "$1" "$1" > verified
    openssl x509 -in "$1" -noout -checkend 86400 > lasts
    openssl x509 -in "$1" -noout -ext subjectAltName > names
    grep -qF "DNS:$2" names
    openssl x509 -in "$1" -noout -serial
}

# The first file that there is below a directory by this name.
found() {
    find "$1" -name "$2" | sort | sed -n 1p
}

# Two certificates are not the same.
differ() {
    ! cmp -s "$1" "$2"
}
