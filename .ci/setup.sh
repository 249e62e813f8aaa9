# SPDX-License-Identifier: Apache-2.0
# What ./quickstart and ./check share: steps with a progress line, and Debian packages.
# The sourcing script sets `log`, a file for what the steps print.

build_packages='autoconf automake gcc libc6-dev make pkg-config
    libcmocka-dev libconfuse-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev libjpeg-dev libmicrohttpd-dev
    libopenblas-dev libpng-dev libsqlite3-dev libssl-dev libsystemd-dev zlib1g-dev
    dataset-fashion-mnist curl jq openssl'

die() {
    printf '\n%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# step SENTENCE COMMAND...: one line while it runs, and what it printed if it fails.
step() {
    name=$1 began=$(date +%s)
    shift
    "$@" >>"$log" 2>&1 </dev/null &
    runs=$!
    if [ -t 1 ]; then
        while kill -0 $runs 2>/dev/null; do
            printf '\r%s ... %d s ' "$name" $(($(date +%s) - began))
            sleep 1
        done
        printf '\r'
    else
        printf '%s ...\n' "$name"
    fi
    if wait $runs; then
        printf '%s: done in %d s\n' "$name" $(($(date +%s) - began))
    else
        tail -n 20 "$log" >&2
        die "\"$name\" failed; the last lines stand above, all of them in $log"
    fi
}

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' ||
            printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

apt_install() {
    as_root apt-get update -q &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "$@"
}

# Installs those that are not there; asks for root's rights only then.
install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "this is not Debian; install what these packages hold, then run me again: $missing"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "run me as root, or install these packages first: $missing"
        sudo -v || die "sudo is needed to install: $missing"
    fi
    # shellcheck disable=SC2086 # a list of names
    step "Installing $(echo $missing | wc -w) Debian packages" apt_install $missing
}

# build FOLDER CONFIGURE-FLAGS...: configures once, makes what has changed.
configure_in() {
    folder=$1
    shift
    mkdir -p "$folder" && cd "$folder" || return 1
    [ -e Makefile ] || "$source/configure" --quiet "$@"
}
