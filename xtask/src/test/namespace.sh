# Runs its arguments where `/`, `/tmp` and `/dev` belong to this user, who is root there: in a user namespace root itself is
# nobody, and what nobody owns is trusted by no test. Run by `unshare --user --map-root-user --mount sh -euc`.
new=$(mktemp -d)
mount -t tmpfs -o mode=755 none "$new"
for entry in /*; do
    case "$entry" in
    /dev | /tmp) mkdir "$new$entry" ;;
    *)
        if [ -L "$entry" ]; then
            ln -s "$(readlink "$entry")" "$new$entry"
        elif [ -d "$entry" ]; then
            mkdir "$new$entry"
            mount --rbind "$entry" "$new$entry"
        fi
        ;;
    esac
done
mkdir "$new/dev/shm" "$new/dev/pts"
chmod 1777 "$new/tmp" "$new/dev/shm"
case "$PWD" in /tmp/*)
    mkdir -p "$new$PWD"
    mount --rbind "$PWD" "$new$PWD"
    ;;
esac
for node in null zero full random urandom tty; do
    : >"$new/dev/$node"
    mount --bind "/dev/$node" "$new/dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 none "$new/dev/pts"
ln -s pts/ptmx "$new/dev/ptmx"
ln -s /proc/self/fd "$new/dev/fd"
exec chroot "$new" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
