#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: fat_images.sh FAT_RANDOM
# The firmware's FAT on volumes that mkfs.fat made: after random operations fsck.fat finds nothing
# and mtools reads back what the model holds; with the power cut after each write, lost clusters at
# worst.
set -u
program=$1
export LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1 PATH="$PATH:/usr/sbin:/sbin"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

# result NAME STATUS LOG
result() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
        head -c 3000 "$3"
    fi
}

# volume KIB MKFS-OPTION...
volume() {
    rm -rf "$scratch/image" "$scratch/model" "$scratch/read"
    truncate -s "$1K" "$scratch/image"
    shift
    mkfs.fat -n LABEL "$@" "$scratch/image" >"$scratch/log" 2>&1 || cat "$scratch/log"
    mkdir "$scratch/model" "$scratch/read"
}

# random SEED: operations, then the oracles
random() {
    "$program" "$scratch/image" "$1" 300 "$scratch/model" >"$scratch/log" 2>&1 &&
        fsck.fat -n "$scratch/image" >"$scratch/log" 2>&1 &&
        ! grep -q -e Reclaimed -e Dirty -e Free -e iffer "$scratch/log" &&
        mcopy -s -n -i "$scratch/image" ::/ "$scratch/read" >"$scratch/log" 2>&1 &&
        diff -r "$scratch/model" "$scratch/read" >"$scratch/log" 2>&1
}

# mcopy of an empty root directory is an error: every sequence leaves something.
while read -r size options; do
    for seed in 1 2 3; do
        # shellcheck disable=SC2086 # a list of words
        volume "$size" $options
        random "$seed"
        result "random $seed: $size KiB, mkfs.fat $options" $? "$scratch/log"
    done
done <<END
400 -F 12 -s 1
1440 -F 12 -s 2 -f 1
2000 -F 12 -S 4096 -s 1
8000 -F 16 -s 2
3000 -F 16 -s 1 -r 16
20000 -F 16 -S 4096 -s 1
34000 -F 32 -s 1
70000 -F 32 -s 2 -f 1
300000 -F 32 -S 4096 -s 1
END

while read -r operations size options; do
    for seed in 11 12; do
        # shellcheck disable=SC2086 # a list of words
        volume "$size" $options
        "$program" "$scratch/image" "$seed" "$operations" --cut >"$scratch/log" 2>&1
        result "power cuts $seed: $size KiB, mkfs.fat $options" $? "$scratch/log"
        cat "$scratch/log"
    done
done <<END
60 400 -F 12 -s 1
25 3000 -F 16 -s 1
25 34000 -F 32 -s 1
END
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
