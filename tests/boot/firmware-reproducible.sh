#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Builds the firmware in two folders of different names, at different times and umasks, and compares
# the images bit for bit; then builds it with the other compiler, which must have nothing to say.
# usage: firmware-reproducible.sh SOURCE_ROOT [privet.fd of the caller's build]
set -eu

source_root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=196608 # bytes of the image: 192 KiB
export CCACHE_DISABLE=1 # what another folder compiled proves nothing

# build SOURCE-FOLDER BUILD-FOLDER
build() {
    mkdir -p "$1"
    tar -C "$source_root" --exclude=./.git --exclude=./build\* --exclude=./cache -c . |
        tar -C "$1" -m -x
    (cd "$1" && meson setup "$2" >log && ninja -C "$2" -j2 firmware/privet.fd >>log) || {
        tail -n 20 "$1/log" >&2
        exit 1
    }
}

(umask 022 && build "$work/a" out)
(umask 077 && build "$work/a-folder-with-a-longer-name/and-a-deeper-one" build-elsewhere)
first=$work/a/out/firmware/privet.fd
second=$work/a-folder-with-a-longer-name/and-a-deeper-one/build-elsewhere/firmware/privet.fd
size=$(wc -c <"$first")
if ! cmp "$first" "$second"; then
    echo "two builds of the firmware differ" >&2
    exit 1
fi
if [ "$size" -gt "$limit" ]; then
    echo "the firmware image has $size bytes, more than $limit" >&2
    exit 1
fi
if [ $# -ge 2 ] && ! cmp "$first" "$2"; then
    echo "the build options of this tree change the firmware image" >&2
    exit 1
fi
case ${CC:-cc} in
*clang*) export CC=gcc ;;
*) export CC=clang ;;
esac
build "$work/other" out
other=$(wc -c <"$work/other/out/firmware/privet.fd")
if [ "$other" -gt "$limit" ]; then
    echo "the firmware image of $CC has $other bytes, more than $limit" >&2
    exit 1
fi
echo "identical: $size bytes, sha256 $(sha256sum "$first" | cut -d ' ' -f 1); $CC builds it, too"
