# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=sh
# Common part of the boot tests: `. tests/boot/library.sh BUILD-FOLDER`, then ok/bad for each test
# and finish at the end.

here=$(cd "$(dirname "$0")/../.." && pwd)
build=$here/${1:?usage: $0 BUILD-FOLDER}
privet=$build/cli/privet
firmware=$build/firmware/privet.fd
guest=${PRIVET_CACHE:-$here/cache}/guest
scratch=$(mktemp -d)
passed=0
failed=0
trap 'rm -rf "$scratch"' EXIT

ok() {
    echo "ok: $*"
    passed=$((passed + 1))
}

bad() {
    echo "FAILED: $*"
    failed=$((failed + 1))
}

# holds NAME FILE PATTERN: the file must hold the basic regular expression
holds() {
    if grep -aq "$3" "$2"; then
        ok "$1"
    else
        bad "$1: no '$3' in:"
        tail -n 15 "$2" | cut -c 1-200
    fi
}

# equal NAME EXPECTED ACTUAL
equal() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        bad "$1: expected '$2', got '$3'"
    fi
}

# exits STATUS EXPECTED NAME: $? comes first, before a substitution in the name changes it
exits() {
    equal "$3" "$2" "$1"
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
