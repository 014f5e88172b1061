#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: firmware_vars.sh PRIVET TEMPLATE
# `privet firmware vars` and `new-vars`: empty stores against OVMF's, a store with variables, files that
# are none and files that lie.
set -u

privet=$(realpath "$1")
template=$(realpath "$2")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

note() { # note CODE TEXT
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
        head -n 20 out err
    fi
}

# refused NAME WORD...: one line of ours, exit code 1
refused() {
    name=$1
    shift
    "$privet" firmware "$@" >out 2>err
    [ $? -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^privet: ' err
    note $? "$name: not refused in one line"
}

# put OFFSET ESCAPES FILE
put() {
    # shellcheck disable=SC2059 # escapes are meant
    printf "$2" | dd of="$3" bs=1 seek=$(($1)) conv=notrunc 2>/dev/null
}

: >out
: >err
"$privet" firmware new-vars four && "$privet" firmware new-vars --size 2M two
note $? "new stores"
cmp four "$template"
note $? "the installed template"
for pair in four:OVMF_VARS_4M.fd two:OVMF_VARS.fd; do
    [ -s "/usr/share/OVMF/${pair#*:}" ] || continue
    cmp "${pair%%:*}" "/usr/share/OVMF/${pair#*:}"
    note $? "$pair: another layout"
done
"$privet" firmware vars four >out 2>err && [ ! -s out ]
note $? "an empty store"

# Three records: one deleted, one being replaced by the third.
record() { # record FILE OFFSET STATE DATA: variable "N\n" with two bytes of data, 68 bytes
    put "$2" "\252\125\\$3\0\7\0\0\0" "$1"
    put "$2 + 8" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' "$1"
    put "$2 + 36" '\6\0\0\0\2\0\0\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20N\0\12\0\0\0' "$1"
    put "$2 + 66" "$4" "$1"
}
cp four some
record some 0x64 075 'de'
record some 0x64+68 076 'ol'
record some 0x64+136 077 'ne'
"$privet" firmware vars some >out 2>err
echo '04030201-0605-0807-090a-0b0c0d0e0f10 N\u000a NV+BS+RT 2 bytes: 6e65' | cmp out
note $? "the one that counts"
"$privet" firmware vars --json some >json 2>err && python3 -c '
import json
store = json.load(open("json"))
row, = store["variables"]
assert row["name"] == "N\n" and row["data"] == "6e65" and row["attributes"] == 7
assert store["store-size"] == 0x3FFB8 and not store["damaged"]' >out 2>>err
note $? "JSON"

refused "no file" vars
refused "a missing file" vars missing
refused "a folder" vars .
refused "an empty file" vars /dev/null
head -c 20000 /dev/urandom >noise
refused "noise" vars noise
head -c 100000 four >cut
refused "cut off" vars cut
head -c 90 four >cut
refused "cut off in the header" vars cut
refused "a store that is there" new-vars some
refused "a folder that is missing" new-vars missing/new
refused "no such size" new-vars new --size 3M
refused "two files" vars some four
for change in '0x10 \0' '0x33 \0' '0x48 \0' '0x58 \377\377\377\377' '0x5C \0'; do
    cp some bad
    put "${change% *}" "${change#* }" bad
    refused "header changed at ${change% *}" vars bad
done
cp some bad
put 0x64+68+36 '\377\377\377\177' bad
refused "an absurd length" vars bad
cp some bad
put 0x64+68+36 '\1\0' bad
refused "a name of one byte" vars bad
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
