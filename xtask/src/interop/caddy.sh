# Caddy: a web server that gets its certificates itself, by http-01 or tls-alpn-01. It has no option for whom to trust.
caddy=${CADDY:-caddy}
export HOME="$PWD" XDG_DATA_HOME="$PWD/live" XDG_CONFIG_HOME="$PWD/config"
disabled=$(case "$1" in http-01) echo tls-alpn ;; *) echo http ;; esac)
bound=$(case "$1" in eab) printf ', "external_account": {"key_id": "%s", "mac_key": "%s"}' "$EAB_ID" "$EAB_KEY" ;; esac)
cat > caddy.json <<CONF
{"admin": {"disabled": true},
 "apps": {
  "http": {"servers": {"site": {"listen": [":443"], "routes": [{"match": [{"host": ["www.example.org"]}],
    "handle": [{"handler": "static_response", "body": "here"}]}]}}},
  "tls": {"automation": {"policies": [{"issuers": [{"module": "acme", "ca": "$server",
    "challenges": {"$disabled": {"disabled": true}}$bound}]}]}}}}
CONF
"$caddy" run --config caddy.json > caddy.log 2>&1 &
server_process=$!
trap 'kill "$server_process"' EXIT
# Until it serves what it got.
tries=0
until curl -sS --cacert "$ACME_ROOT_FILE" https://www.example.org/ > answer 2> curl.log; do
    kill -0 "$server_process"
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat caddy.log; exit 1; }
    sleep 0.1
done
grep -q here answer
issued "$(found live/ www.example.org.crt)" www.example.org
