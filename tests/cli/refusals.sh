#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: refusals.sh PRIVET FIRMWARE
# Refusals of the Secure Processor as users meet them: one line with the status's name and number, the
# states that were required and found, and what to do next; the same in JSON.
set -u

privet=$(realpath "$1")
firmware=$(realpath "$2")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# says PATTERN: the last line of stderr is a line of ours that matches
says() {
    tail -n 1 err | grep -q "^privet: $1"
    note $? "not '$1': $(tail -n 1 err)"
}

# launch WORDS...: refused
launch() { expect 4 run --firmware "$firmware" --timeout 30 --json how "$@"; }

in_file() { # in_file PATTERN: in the file of run --json
    grep -q "$1" how
    note $? "not '$1': $(cat how)"
}

inside() { # inside FILE OFFSET: one bit of a file of base64 is changed
    base64 -d <"$1" >bytes
    byte=$(od -An -tu1 -j "$2" -N 1 bytes)
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of=bytes bs=1 seek="$2" conv=notrunc 2>/dev/null
    base64 -w 0 <bytes
}

# ---- launches
expect 0 chip export chain
expect 0 owner session --any-root --pdh chain --policy nodbg --name vm
session='--session vm_session.b64 --dh-cert vm_godh.b64'
# shellcheck disable=SC2086
launch $session --policy noks
says 'launch refused: LAUNCH_START: status 0x0b BAD_MEASUREMENT: .*(platform state: init or working required, init found); make the session anew'
in_file '"refused": "LAUNCH_START", "status": "BAD_MEASUREMENT", "code": 11, "state-found": "init", "state-required": "init or working", "advice": "make the session anew'
inside vm_godh.b64 8 >spoilt.b64
launch --session vm_session.b64 --dh-cert spoilt.b64 --policy nodbg
says 'launch refused: LAUNCH_START: status 0x06 INVALID_CERTIFICATE: .*init found); --dh-cert must be'
expect 0 owner session --any-root --pdh chain --policy nodbg,api=0.25 --name future
launch --session future_session.b64 --dh-cert future_godh.b64 --policy nodbg,api=0.25
says 'launch refused: LAUNCH_START: status 0x07 POLICY_FAILURE: .*its API version not above the chip.s'
launch --asid 510
says 'launch refused: ACTIVATE: status 0x0d INVALID_ASID: .*working found; guest state: .* required, launch-update found); take an ASID from 1 to 509'
launch --sev sev-es --asid 100
says 'launch refused: ACTIVATE: status 0x0d INVALID_ASID: .*; take an ASID .*: for a SEV-ES guest one below 100;'
in_file '"guest-state-found": "launch-update", "guest-state-required": "launch-update, launch-secret, running, send-update or receive-update"'

# ---- secrets
# shellcheck disable=SC2086
expect 0 run --firmware "$firmware" --timeout 30 --policy nodbg $session
sed -n 's/^privet: launch measurement: //p' err >measurement
printf 'open sesame' >password
expect 0 owner secret --secret luks-key:password --tek vm_tek.bin --tik vm_tik.bin \
    --measurement measurement --header header.b64 --payload payload.b64
inside payload.b64 3 >spoilt.b64
# shellcheck disable=SC2086
launch --policy nodbg $session --secret-header header.b64 --secret spoilt.b64
says 'launch refused: LAUNCH_SECRET: status 0x0b BAD_MEASUREMENT: .*guest state: launch-secret required, launch-secret found); seal the secret anew'
base64 -d <payload.b64 | head -c 40 >short
# shellcheck disable=SC2086
launch --policy nodbg $session --secret-header header.b64 --secret short
says 'launch refused: LAUNCH_SECRET: status 0x04 INVALID_LENGTH: .*launch-secret found); --secret-header takes 52 bytes'

# ---- the platform's owner
expect 0 chip csr request
expect 0 owner sign-csr --key owner.pem --new-key request
cp owner_oca.cert other.cert
printf '\377' | dd of=other.cert bs=1 seek=1060 conv=notrunc 2>/dev/null
refuse 1 chip import owner_pek.cert other.cert
says 'PEK_CERT_IMPORT: status 0x0a BAD_SIGNATURE: .*(platform state: init required, init found); the OCA must sign'
refuse 1 chip import owner_oca.cert owner_oca.cert
says 'PEK_CERT_IMPORT: status 0x06 INVALID_CERTIFICATE: .*init found); the first file must be'
expect 0 chip import owner_pek.cert owner_oca.cert
refuse 1 chip import owner_pek.cert owner_oca.cert
says 'PEK_CERT_IMPORT: status 0x05 ALREADY_OWNED: .*(platform state: init required, init found); .privet chip pek-gen'
expect 1 chip import --json owner_pek.cert owner_oca.cert
grep -q '"command":"PEK_CERT_IMPORT","state-found":"init","state-required":"init","advice":"' out &&
    grep -q '"status":"ALREADY_OWNED","code":5' out
note $? "the error object: $(cat out)"

# ---- below exec
head -c 16 /dev/zero >page
# A sanitized privet finds the preloaded library in front of its sanitizer's: no error of ours.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
expect 1 chip exec "$privet" chip decrypt 7 0x1000 page
says 'DBG_DECRYPT: status 0x01 INVALID_PLATFORM_STATE: .*(platform state: working required, init found; guest state: any required, uninit found); INIT leads'

finish
