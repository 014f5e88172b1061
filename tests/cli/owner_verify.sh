#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_verify.sh PRIVET
# privet owner measure and verify: published check values, forms of input and output, names of other
# tools' options, and each usual mistake made and then named.
set -u

privet=$(realpath "$1")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# shows TEXT: stdout is exactly this line.
shows() {
    [ "$(cat out)" = "$1" ]
    note $? "'$1' expected: $(cat out)"
}

# says TEXT: stderr has it.
says() {
    grep -qF -e "$1" err
    note $? "'$1' expected: $(cat err)"
}

bytes() { # bytes FIRST LAST: one byte of each value
    for value in $(seq "$1" "$2"); do
        # shellcheck disable=SC2059 # an octal escape
        printf "\\$(printf %03o "$value")"
    done
}

# ---- check values of the SEV API: launch digest and measurement
digest=630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd
measure=8e8002fb7c0e9f030bf240777182784378c2dff4fbc810c36818676c9b96b303
nonce=303132333435363738393a3b3c3d3e3f
report=joAC+3wOnwML8kB3cYJ4Q3jC3/T7yBDDaBhnbJuWswMwMTIzNDU2Nzg5Ojs8PT4/
bytes 0 31 >data.fd
printf '\377\356\335\314\273\252\231\210\167\146\125\104\063\042\021\000' >tik
printf '\000\021\042\063\104\125\146\167\210\231\252\273\314\335\356\377' >tek
cat tek tik >tk
bytes 48 63 >nonce
set -- --firmware data.fd --policy 0x18000001 --build-id 7

expect 0 owner measure "$@"
shows $digest
expect 0 owner measure "$@" --output-format base64
shows Yw3NKWbEM2aRElRIu7JbT/QSpJxzLbLIq8G4WBvXEN0=
for given in $nonce MDEyMzQ1Njc4OTo7PD0+Pw== nonce; do
    expect 0 owner measure "$@" --tik tik --nonce "$given"
    shows $measure
done
expect 0 owner measure "$@" --tik tik --nonce $nonce --output-format base64
shows "$report"
expect 0 owner measure "$@" --tik tik --launch-measure-blob "$report"
shows $measure
expect 0 owner measure "$@" --tk tk --nonce $nonce --json
shows "{\"launch-digest\":\"$digest\",\"measurement\":\"$measure\",\"sev-measurement\":\"$report\"}"
expect 0 owner measure "$@" --json
shows "{\"launch-digest\":\"$digest\"}"

# ---- forms of the reported measurement; names of other tools
printf '%s\n' "$report" >report.b64
base64 -d report.b64 >report.bin
for given in "$report" $measure$nonce report.b64 report.bin; do
    expect 0 owner verify "$@" --tik tik --measurement "$given"
    shows "the measurement is the expected one"
done
expect 0 owner verify -f data.fd --policy 0x18000001 --api-major 0 --api-minor 24 --build-id 7 \
    --tk tk -m "$report" -q
[ ! -s out ] && [ ! -s err ]
note $? "--quiet: $(cat out err)"
expect 0 owner verify --ovmf data.fd --policy nodbg,api=0.24 --build-id 7 --tik tik --json \
    --launch-measure-blob "$report"
shows '{"verified":true}'
expect 6 owner verify "$@" --build-id 8 --tik tik --measurement "$report" --json
shows '{"verified":false,"reason":"the platform'\''s build id is 7, not 8"}'
printf other >other.fd
expect 6 owner verify "$@" --firmware other.fd --tik tik --measurement "$report" --json
shows '{"verified":false,"reason":null}'
says "none of the usual mistakes"

# ---- a guest with a kernel: launched so, taken for that
printf 'kernel, kernel, kernel' >kernel
printf 'initrd' >initrd
printf 'flash' >code.fd
printf 'variables' >vars.fd
cat vars.fd code.fd >joined.fd
head -c 4096 /dev/zero >vmsa0
head -c 4096 /dev/zero | tr '\0' x >vmsa1
newline='quiet
'

# launched OPTIONS...: the report of such a launch, in $report.
launched() {
    expect 0 owner measure --tik tik --nonce $nonce --output-format base64 "$@"
    report=$(cat out)
}

# mistake TEXT OPTIONS...: the owner thinks that it was launched so.
mistake() {
    text=$1
    shift
    expect 6 owner verify --tik tik --measurement "$report" "$@"
    [ ! -s out ]
    note $? "nothing on stdout: $(cat out)"
    says "$text"
}

set -- --firmware code.fd --kernel kernel
launched "$@" --initrd initrd --append quiet
expect 0 owner verify -f code.fd -k kernel -r initrd -e quiet --tik tik -m "$report"
expect 0 owner verify -fcode.fd -kkernel -rinitrd --cmdline=quiet --tik tik "-m$report"
mistake "no newline at its end" "$@" --initrd initrd --append "$newline"
mistake "with kernel hashes" "$@" --initrd initrd --append quiet --kernel-hashes off
mistake "the guest's policy is 0x1 (nodbg), not 0x3" "$@" --initrd initrd --append quiet --policy 3
mistake "the platform's API version is 0.24, not 0.22" "$@" --initrd initrd --append quiet \
    --api-minor 22
mistake "none of the usual mistakes" "$@" --append quiet
launched "$@" --initrd initrd --append "$newline"
mistake "ends in a newline more" "$@" --initrd initrd --append quiet
launched "$@" --append quiet
mistake "no initrd was measured" "$@" --initrd initrd --append quiet
launched "$@"
mistake "an empty command line was measured" "$@" --append quiet
launched --firmware code.fd
mistake "without kernel hashes" "$@"
launched --firmware joined.fd
mistake "joined in one image" --firmware code.fd --vars vars.fd
launched --firmware vars.fd
mistake "swapped" --firmware code.fd --vars vars.fd
launched --firmware code.fd --tik tek
mistake "TIK and TEK are swapped" --firmware code.fd --tek tek

# ---- SEV-ES: the pages are measured, in order
set -- --firmware code.fd --mode seves --vmsa-cpu0 vmsa0 --vmsa-cpu1 vmsa1
expect 0 owner measure "$@" --vcpus 3
shows "$(cat code.fd vmsa0 vmsa1 vmsa1 | sha256sum | cut -d ' ' -f 1)"
launched "$@" --num-cpus 3
expect 0 owner verify -f code.fd --policy es,nodbg -n 3 -0 vmsa0 -1 vmsa1 --tik tik -m "$report"
mistake "the guest has 3 processors, not 2" "$@" -n 2

# ---- what is refused
refuse 1 owner verify --firmware code.fd
refuse 1 owner measure
refuse 1 owner measure --firmware missing.fd
refuse 1 owner measure --firmware code.fd --nonce $nonce
refuse 1 owner measure --firmware code.fd --tik tik
refuse 1 owner measure --firmware code.fd --tik tik --nonce 3031
refuse 1 owner measure --firmware code.fd --tik tk --nonce $nonce
refuse 1 owner measure --firmware code.fd --tk tik --nonce $nonce
refuse 1 owner measure --firmware code.fd --tk tk --tik tik --nonce $nonce
refuse 1 owner measure --firmware code.fd --tik tik --nonce $nonce --measurement report.bin
refuse 1 owner measure --firmware code.fd --append quiet
refuse 1 owner measure --firmware code.fd --kernel-hashes on
refuse 1 owner measure --firmware code.fd --policy es
refuse 1 owner measure --firmware code.fd --policy es --num-cpus 2 --vmsa-cpu0 vmsa0
refuse 1 owner measure --firmware code.fd --policy es --num-cpus 1 --vmsa-cpu0 code.fd
refuse 1 owner measure --firmware code.fd --policy es --num-cpus 513 --vmsa-cpu0 vmsa0
refuse 1 owner measure --firmware code.fd --vmsa-cpu0 vmsa0
refuse 1 owner measure --firmware code.fd --policy es --mode sev
refuse 1 owner measure --firmware code.fd --policy 0x40
refuse 1 owner measure --firmware code.fd --output-format raw
refuse 1 owner measure -f
refuse 1 owner measure -x
refuse 1 owner measure --f code.fd
refuse 1 owner verify --firmware code.fd --tik tik --measurement 00112233
refuse 1 owner verify --firmware code.fd --tik tik --measurement nonce
refuse 1 owner verify -qx --firmware code.fd --measurement report.bin

finish
