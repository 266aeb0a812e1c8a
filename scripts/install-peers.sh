#!/usr/bin/env bash
# Gets the programs that the interoperability harness runs against, without touching the system: a virtual
# environment for aioquic, and Debian packages with their libraries unpacked into folders.
# Needs no root. Calling it again only fetches what is missing.
#
#   scripts/install-peers.sh [--prefix FOLDER] [aioquic|nginx|curl|ngtcp2|chromium|iperf3|tshark ...]
#
# Exit status: 0 everything asked for is there, 1 something is not (each is named, with the reason).
set -euo pipefail
trap 'echo "install-peers: stopped at line $LINENO" >&2' ERR

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=${GODWIT_PEERS:-$repository/.build/peers}
aioquic_version=1.7.2
wanted=()
missing=()

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix) prefix=${2:?--prefix needs a folder}; shift 2 ;;
            -h | --help) usage; exit 0 ;;
            aioquic | nginx | curl | ngtcp2 | chromium | iperf3 | tshark) wanted+=("$1"); shift ;;
            *) echo "install-peers: unknown argument $1 (see --help)" >&2; exit 64 ;;
        esac
    done
    [ ${#wanted[@]} -gt 0 ] || wanted=(aioquic nginx curl ngtcp2 chromium iperf3 tshark)
}

have() { printf '%-8s %s\n' "$1" "$2"; }

lack() {
    missing+=("$1")
    printf '%-8s NOT INSTALLED: %s\n' "$1" "$2" >&2
}

# The machine's own mirror serves every suite of the distribution, so its address is the only one needed.
debian_mirror() {
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# apt with lists, cache and package state of its own: what the system has installed counts for nothing,
# so that the whole closure of libraries is downloaded and the folder can be run on its own.
isolated_apt() {
    local state=$1
    shift
    "$@" -o Dir::State="$state/state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" \
        -o Debug::NoLocking=true
}

prepare_apt() {
    local state=$1 mirror=$2
    shift 2
    mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    : >"$state/sources.list"
    local suite
    for suite in "$@"; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
            >>"$state/sources.list"
    done
    isolated_apt "$state" apt-get update -qq
}

# download_packages STATE DEFAULT-SUITE PACKAGE...
download_packages() {
    local state=$1 suite=$2
    shift 2
    isolated_apt "$state" apt-get install -qq --yes --download-only --no-install-recommends \
        --target-release "$suite" "$@" >/dev/null
}

# unpack FOLDER "SUITE ..." PACKAGE...: the last suite named is preferred.
unpack() {
    local root=$prefix/$1 suites=$2 state mirror
    shift 2
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { echo "no Debian mirror in this machine's apt sources"; return 1; }
    state=$(mktemp -d)
    # shellcheck disable=SC2086
    if ! { prepare_apt "$state" "$mirror" $suites && download_packages "$state" "${suites##* }" "$@"; } \
        >"$state/log" 2>&1; then
        grep -m1 -E '^[EW]:' "$state/log" || tail -n 1 "$state/log"
        rm -rf "$state"
        return 1
    fi
    rm -rf "$root" && mkdir -p "$root"
    local package
    for package in "$state"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
    rm -rf "$state"
}

# A program from another release runs on that release's loader and libraries, so that no chroot is needed.
write_wrapper() {
    local folder=$1 program=$2 path=$3 loader libraries
    loader=$(cd "$prefix/$folder" && find . -name 'ld-linux*.so.*' -print -quit)
    # Releases before trixie have libraries in /lib as well as in /usr/lib.
    libraries=$(cd "$prefix/$folder" &&
        find . -maxdepth 3 -type d -path '*lib/*-linux-gnu*' -printf '$root/%P:')
    mkdir -p "$prefix/bin"
    cat >"$prefix/bin/$program" <<WRAPPER
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../$folder
export WIRESHARK_DATA_DIR="\$root/usr/share/wireshark"
exec "\$root/$loader" --library-path "${libraries%:}" "\$root/$path" "\$@"
WRAPPER
    chmod +x "$prefix/bin/$program"
}

# The version in a program's own words.
first_number() { "$@" 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p'; }

works() { "$@" >/dev/null 2>&1; }

install_aioquic() {
    local python=$prefix/venv/bin/python reason
    if ! works "$python" -c "import aioquic, starlette, wsproto, jinja2
assert aioquic.__version__ == '$aioquic_version'"; then
        reason=$(python3 -m venv "$prefix/venv" 2>&1) || { lack aioquic "${reason##*$'\n'}"; return; }
        reason=$("$python" -m pip install --quiet --disable-pip-version-check \
            "aioquic==$aioquic_version" wsproto starlette jinja2 2>&1) ||
            { lack aioquic "${reason##*$'\n'}"; return; }
    fi
    install_aioquic_examples
    have aioquic "$("$python" -c 'import aioquic; print(aioquic.__version__)') in $prefix/venv"
}

# The HTTP/3 programs are only part of the source distribution.
install_aioquic_examples() {
    local folder=$prefix/aioquic-examples
    [ -f "$folder/http3_server.py" ] && return
    local download
    download=$(mktemp -d)
    if works "$prefix/venv/bin/python" -m pip download --quiet --no-deps --no-binary aioquic \
        --dest "$download" "aioquic==$aioquic_version"; then
        mkdir -p "$folder"
        tar -xzf "$download"/aioquic-*.tar.gz -C "$folder" --strip-components=2 --wildcards '*/examples/*'
    else
        echo "aioquic: its HTTP/3 examples could not be downloaded (only the http3 case needs them)" >&2
    fi
    rm -rf "$download"
}

# nginx and curl share a folder, as the releases that build them with HTTP/3 are the same.
unpack_web_programs() {
    local reason
    works "$prefix/bin/nginx" -V && works "$prefix/bin/curl" --version && return
    # trixie's 1.26 and 8.14 serve as well, where sid does not resolve.
    reason=$(unpack nginx sid nginx curl) || reason=$(unpack nginx trixie nginx curl) ||
        { lack "$1" "$reason"; return 1; }
    write_wrapper nginx nginx usr/sbin/nginx
    write_wrapper nginx curl usr/bin/curl
}

install_nginx() {
    unpack_web_programs nginx || return 0
    "$prefix/bin/nginx" -V 2>&1 | grep -q http_v3_module || { lack nginx "built without HTTP/3"; return; }
    have nginx "$("$prefix/bin/nginx" -v 2>&1 | sed 's/.*nginx\///') in $prefix/bin"
}

install_curl() {
    unpack_web_programs curl || return 0
    "$prefix/bin/curl" --version | grep -q '^Features:.* HTTP3' || { lack curl "built without HTTP/3"; return; }
    have curl "$("$prefix/bin/curl" --version | awk 'NR == 1 { print $2 }') in $prefix/bin"
}

install_ngtcp2() {
    local reason
    if ! works "$prefix/bin/gtlsclient" --help; then
        reason=$(unpack ngtcp2 "bookworm bookworm-backports" ngtcp2-client ngtcp2-server) ||
            reason=$(unpack ngtcp2 trixie ngtcp2-client ngtcp2-server) || { lack ngtcp2 "$reason"; return; }
        write_wrapper ngtcp2 gtlsclient usr/bin/gtlsclient
        write_wrapper ngtcp2 gtlsserver usr/sbin/gtlsserver
    fi
    works "$prefix/bin/gtlsclient" --help || { lack ngtcp2 "gtlsclient does not start"; return; }
    have ngtcp2 "$(zcat "$prefix"/ngtcp2/usr/share/doc/ngtcp2-client/changelog.Debian.gz |
        sed -n '1s/.*(\([0-9.]*\).*/\1/p') in $prefix/bin"
}

# Chromium starts copies of itself by the name the kernel has for it, which must not be that of a loader. So
# it runs on the system's loader and C library, which have to be of the same release or a later one, and on
# the folder's other libraries.
write_chromium_wrapper() {
    local libraries
    libraries=$(cd "$prefix/chromium" && find . -maxdepth 4 -type d \
        \( -path '*lib/*-linux-gnu' -o -name pulseaudio \) -printf '$root/%P:')
    cat >"$prefix/bin/chromium" <<WRAPPER
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../chromium
export LD_LIBRARY_PATH="${libraries%:}" FONTCONFIG_PATH="\$root/etc/fonts"
exec "\$root/usr/lib/chromium/chromium" "\$@"
WRAPPER
    chmod +x "$prefix/bin/chromium"
}

unpack_chromium() {
    unpack chromium bookworm chromium || return
    rm -f "$prefix"/chromium/lib*/*/{ld-linux*,libc,libm,libdl,libpthread,librt,libresolv}.so.* \
        "$prefix"/chromium/lib64/ld-linux*
    mkdir -p "$prefix/bin"
    write_chromium_wrapper
}

install_chromium() {
    local reason
    if command -v chromium >/dev/null; then
        have chromium "$(first_number chromium --version) from the system"
        return
    fi
    if ! works "$prefix/bin/chromium" --version; then
        reason=$(unpack_chromium) || { lack chromium "$reason"; return; }
    fi
    works "$prefix/bin/chromium" --version || { lack chromium "it does not start"; return; }
    have chromium "$(first_number "$prefix/bin/chromium" --version) in $prefix/bin"
}

# Programs that any release has in a version that is good enough: the system's own is taken if it is there.
install_tool() {
    local tool=$1 package=$2 reason
    if command -v "$tool" >/dev/null; then
        have "$tool" "$(first_number "$tool" --version) from the system"
        return
    fi
    if ! works "$prefix/bin/$tool" --version; then
        reason=$(unpack "$package" bookworm "$package") || { lack "$tool" "$reason"; return; }
        write_wrapper "$package" "$tool" "usr/bin/$tool"
    fi
    works "$prefix/bin/$tool" --version || { lack "$tool" "it does not start"; return; }
    have "$tool" "in $prefix/bin"
}

parse_arguments "$@"
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
for peer in "${wanted[@]}"; do
    case $peer in
        aioquic | nginx | curl | ngtcp2 | chromium) "install_$peer" ;;
        iperf3 | tshark) install_tool "$peer" "$peer" ;;
    esac
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "install-peers: not installed: ${missing[*]}" >&2
    exit 1
fi
