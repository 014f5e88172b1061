#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Builds the firmware in two folders of different names and compares the images bit for bit.
# usage: firmware-reproducible.sh SOURCE_ROOT [privet.fd of the caller's build]
set -eu

source_root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    mkdir -p "$1"
    tar -C "$source_root" --exclude=./.git --exclude=./build\* --exclude=./cache -c . |
        tar -C "$1" -x
    (cd "$1" && meson setup "$2" >/dev/null && ninja -C "$2" -j2 firmware/privet.fd >/dev/null)
}

build "$work/a" out
build "$work/a-folder-with-a-longer-name/and-a-deeper-one" build-elsewhere
first=$work/a/out/firmware/privet.fd
second=$work/a-folder-with-a-longer-name/and-a-deeper-one/build-elsewhere/firmware/privet.fd
size=$(wc -c <"$first")
if ! cmp "$first" "$second"; then
    echo "two builds of the firmware differ" >&2
    exit 1
fi
if [ "$size" -gt 196608 ]; then
    echo "the firmware image has $size bytes, more than 196608" >&2
    exit 1
fi
if [ $# -ge 2 ] && ! cmp "$first" "$2"; then
    echo "the build options of this tree change the firmware image" >&2
    exit 1
fi
echo "identical: $size bytes, sha256 $(sha256sum "$first" | cut -d ' ' -f 1)"
