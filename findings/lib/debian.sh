# Unpacks Debian's $packages, each with its version, into the temporary folder
# $dir.  The script that includes this file adds the servers that it starts to
# $pids, and ends with "exit $bad".

LC_ALL=C; export LC_ALL

dir=$(mktemp -d); pids=; bad=0
chmod 755 "$dir"
trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done; wait; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

(cd "$dir" && apt-get download -qq $packages 2>/dev/null) || {
    echo "packages not available in these versions" >&2; exit 1
}
for d in "$dir"/*.deb; do dpkg -x "$d" "$dir"; done
export LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu"

see() {    # label, seen, expected of this version
    printf '%-44s %s\n' "$1" "$2"
    [ "$2" = "$3" ] || { printf '    changed, was: %s\n' "$3"; bad=1; }
}

started() {    # address: waits for the server there
    i=0; until curl -s -o "$dir/started" "$1"; do
        i=$((i + 1)); [ $i -lt 100 ] || { echo "server does not start" >&2; exit 1; }; sleep 0.1
    done
}

# two ports for servers; a script may take those above them, too

port=$((20000 + $$ % 10000)); up=$((port + 1))
