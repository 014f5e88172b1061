#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_launch.sh PRIVET FIRMWARE
# The guest owner and the host through a whole launch, with the commands that they would type:
# certificates, session, launch, measurement, secret; and what each of them refuses.
set -u

privet=$(realpath "$1")
firmware=$(realpath "$2")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# launch CODE OPTIONS...: a guest with the owner's session.
launch() {
    code=$1
    shift
    expect "$code" run --firmware "$firmware" --timeout 30 --policy nodbg,noks \
        --session vm_session.b64 --dh-cert vm_godh.b64 --tik vm_tik.bin "$@"
}

# ---- the owner prepares, the host launches, the owner verifies
expect 0 chip export chain
expect 0 owner certs --any-root chain
expect 0 owner session --any-root --pdh chain --policy nodbg,noks --name vm
launch 0
grep -q 'owner measure: computes the same value' err
note $? "the owner's view: $(cat err)"
sed -n 's/^privet: launch measurement: //p' err >measurement
expect 0 owner verify --firmware "$firmware" --policy nodbg,noks --tik vm_tik.bin \
    --measurement measurement

# ---- a secret for this launch, and its place in memory
printf 'open sesame' >password
expect 0 owner secret --secret luks-key:password --tek vm_tek.bin --tik vm_tik.bin \
    --measurement measurement --header header.b64 --payload payload.b64
launch 0 --secret-header header.b64 --secret payload.b64 --marker 'open sesame'
grep -q 'is [1-9][0-9]* times in the guest.s view and 0 times in the DRAM dump' err
note $? "the secret is in the guest and not in DRAM: $(cat err)"

# ---- nothing of the owner's keys and secrets is told, by either side
# tells_nothing FILE...: keys as bytes, hexadecimal or base64, the secret
tells_nothing() {
    for key in vm_tek.bin vm_tik.bin; do
        ! grep -qF -e "$(od -An -v -tx1 $key | tr -d ' \n')" -e "$(base64 <$key)" "$@" &&
            ! LC_ALL=C grep -qaF "$(tr -d '\0\n' <$key)" "$@"
        note $? "$key is in one of: $*"
    done
    ! grep -qa 'open sesame' "$@"
    note $? "the secret is in one of: $*"
}
launch 0 --json how --secret-header header.b64 --secret payload.b64
tells_nothing how out err vm_godh.b64 vm_session.b64 header.b64 payload.b64
for verb in measure verify; do
    expect 0 owner $verb --json --firmware "$firmware" --policy nodbg,noks --tik vm_tik.bin \
        --tek vm_tek.bin --measurement measurement
    tells_nothing out err
done
expect 6 owner verify --json --firmware "$firmware" --policy nodbg,noks --tik vm_tek.bin \
    --tek vm_tik.bin --measurement measurement
tells_nothing out err

# ---- is there room for it in the firmware, and where?
# seal CODE OPTIONS...
seal() {
    code=$1
    shift
    expect "$code" owner secret --tek vm_tek.bin --tik vm_tik.bin --measurement measurement \
        --header sealed.h --payload sealed.p "$@"
}
seal 0 --secret luks-key=password --firmware "$firmware"
head -c 3032 /dev/zero >full # 3072 bytes with the headers of table and entry: the whole area
seal 0 --secret luks-key=full --firmware "$firmware"
printf x >>full
rm -f sealed.h sealed.p
seal 1 --secret luks-key=full --firmware "$firmware"
grep -q 'too small: 3072 bytes at 0x810000 for 3088 bytes' err
note $? "more than the area holds: $(cat err)"
head -c 4096 /dev/zero >no_table
seal 1 --secret luks-key=password --firmware no_table
grep -q 'no_table: its GUIDed table names no secret area' err
note $? "a firmware without a secret area: $(cat err)"
seal 1 --secret luks-key=password --firmware absent
[ ! -e sealed.h ] && [ ! -e sealed.p ]
note $? 'a secret that does not fit leaves nothing'
seal 0 --secret luks-key=full

# ---- sev-tool's file of both keys
cat vm_tek.bin vm_tik.bin >tk
expect 0 owner secret --tk tk --secret luks-key=password --measurement measurement --header tk.h \
    --payload tk.p
launch 0 --secret-header tk.h --secret tk.p --marker 'open sesame'
seal 1 --tk tk --secret luks-key=password
expect 1 owner secret --tk vm_tek.bin --secret luks-key=password --measurement measurement \
    --header tk.h --payload tk.p
for secret in luks-key luks-key= =password nonsense=password luks-key:; do
    seal 1 --secret "$secret"
done

# ---- credentials: names and forms that there are not
for credential in token token= =password a/b=password .a=password "a b=password" token=missing; do
    expect 1 owner secret --credential "$credential" --tek vm_tek.bin --tik vm_tik.bin \
        --measurement measurement --header h --payload p
done
expect 1 owner secret --credential token=password --credential token=password --tek vm_tek.bin \
    --tik vm_tik.bin --measurement measurement --header h --payload p
grep -q 'already there' err
note $? "a credential twice: $(cat err)"

# ---- another firmware: another measurement, and the secret does not open
cp "$firmware" other.fd
printf x | dd of=other.fd bs=1 seek=64 conv=notrunc 2>/dev/null
firmware_before=$firmware
firmware=$work/other.fd
launch 4 --secret-header header.b64 --secret payload.b64
grep -q 'LAUNCH_SECRET: status 0x0b BAD_MEASUREMENT' err
note $? "the secret of another launch: $(cat err)"
firmware=$firmware_before
expect 6 owner verify --firmware other.fd --policy nodbg,noks --tik vm_tik.bin \
    --measurement measurement

# ---- another command line than the measured one
printf kernel >kernel
expect 6 owner verify --firmware "$firmware" --policy nodbg,noks --tik vm_tik.bin \
    --measurement measurement --kernel-hashes on --kernel kernel --append quiet
grep -q 'without kernel hashes' err
note $? "verify names the reason: $(cat err)"

# ---- what the chip refuses
expect 4 run --firmware "$firmware" --timeout 30 --policy none --session vm_session.b64 \
    --dh-cert vm_godh.b64
grep -q 'LAUNCH_START: status 0x0b' err
note $? "another policy than the session's: $(cat err)"
expect 0 chip pdh-gen
launch 4
grep -q 'LAUNCH_START: status 0x0b' err
note $? "a session for a former PDH: $(cat err)"
head -c 100 /dev/zero >short
expect 1 run --firmware "$firmware" --timeout 30 --session short --dh-cert vm_godh.b64

finish
