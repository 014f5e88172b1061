#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: firmware_info.sh PRIVET PRIVET.FD
# `privet firmware info` of our image, of OVMF's, and of images that lie.
set -u

privet=$(realpath "$1")
image=$(realpath "$2")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# says FILE LINE...: info of the file succeeds and has each line; its JSON is JSON
says() {
    file=$1
    shift
    expect 0 firmware info "$file"
    for line; do
        grep -qxF -e "$line" out
        note $? "$file: no line '$line'"
    done
    grep -qx "launch digest: $("$privet" owner measure --firmware "$file")" out
    note $? "$file: another digest than owner measure's"
    "$privet" firmware info --json "$file" >json 2>err && python3 -m json.tool json >out 2>err
    note $? "$file: JSON"
}

# bytes OFFSET-FROM-THE-END TEXT FILE: overwrites, with printf's escapes
bytes() {
    # shellcheck disable=SC2059 # escapes are meant
    printf "$2" | dd of="$3" bs=1 seek=$(($(wc -c <"$3") - $1)) conv=notrunc status=none
}

says "$image" \
    "version: $("$privet" --version | cut -d ' ' -f 2)" \
    "measured size: $(wc -c <"$image") bytes: the whole image" \
    "variable store: none" \
    "  7255371f-3a3b-4b04-927b-1da6efa8d454  kernel hash area: 0x00810c00, 0x400 bytes" \
    "  4c2eb361-7d9b-4cc3-8081-127c90d3d294  secret area: 0x00810000, 0xc00 bytes"
says /usr/share/OVMF/OVMF_VARS_4M.fd "version: not stated" "GUIDed table: none" \
    "variable store: at offset 0x0, 0x3ffb8 bytes"
says /usr/share/ovmf/OVMF.fd \
    "variable store: at offset 0x0, 0xdfb8 bytes" \
    "    0x0080d000, 0x1000 bytes: secrets page" "    0x0080e000, 0x1000 bytes: CPUID page"
says /usr/share/OVMF/OVMF_CODE_4M.fd "variable store: none"

# The footer's length is 50 bytes before the end, the version the entry farthest from it.
cp "$image" damaged
bytes 50 '\377\377' damaged
refuse 1 firmware info damaged
cp "$image" damaged
bytes 50 '\023\000' damaged
refuse 1 firmware info damaged
cp "$image" damaged
bytes 50 '\002\000' damaged
says damaged "GUIDed table: none"
cp "$image" text
length=$(python3 -c 'import sys; print(int.from_bytes(open(sys.argv[1], "rb").read()[-50:-48], "little"))' text)
bytes $((length + 32)) 'a"\\\n\001\377}' text
says text "version: a?????}"
cp /usr/share/ovmf/OVMF.fd metadata
for place in $(grep -abo ASEV metadata | cut -d : -f 1); do
    bytes $(($(wc -c <metadata) - place - 12)) '\377\377\377\377' metadata
done
says metadata \
    "  dc886566-984a-4798-a75e-5585a7bf67cc  SEV-SNP metadata: not at the place that it names"
cp /usr/share/OVMF/OVMF_VARS_4M.fd volume
bytes $((0x84000 - 48)) '\377\377' volume
says volume "variable store: none"
head -c 100 /usr/share/OVMF/OVMF_VARS_4M.fd >part
says part "measured size: 100 bytes: the whole image; but no launch takes part of a page"
head -c 65536 /dev/urandom >random
says random
: >empty
refuse 1 firmware info empty
refuse 1 firmware info missing
refuse 1 firmware info .
head -c $((9 << 20)) /dev/zero >large
refuse 1 firmware info large

finish
