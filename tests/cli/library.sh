# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=sh
# Common part of the command's tests: after `. library.sh` the folder is a fresh one; note or expect
# for each test, finish at the end. $privet is the command's absolute path.

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
passed=0
failed=0

note() { # note OK TEXT
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
    fi
}

# expect CODE WORDS...: runs privet; stdout and stderr are in out and err.
expect() {
    code=$1
    shift
    timeout 60 "$privet" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$code" ]
    note $? "privet $*: exit $got instead of $code: $(cat err)"
}

# refuse CODE WORDS...: as expect, and stderr must be one line of ours, stdout empty.
refuse() {
    expect "$@"
    [ "$(wc -l <err)" -eq 1 ] && grep -q '^privet: ' err && [ ! -s out ]
    note $? "$*: not one clear line: $(cat err)"
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
