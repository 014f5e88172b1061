#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_chip.sh PRIVET DATA-FOLDER
# The verbs chip, owner and firmware as their users call them: results, exit codes, one-line errors,
# nothing half-written. Digests and MACs are computed again with sha256sum and openssl.
set -u

privet=$(realpath "$1")
data=$(realpath "$2")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
unhex() {
    # shellcheck disable=SC2046,SC2059
    printf "$(printf '\\%03o' $(printf %s "$1" | sed 's/../0x& /g'))"
}

# ---- help and usage
for words in --help --version help 'run --help' 'owner --help' 'chip --help' 'firmware --help' \
    'owner certs --help' 'owner session --help' 'owner measure -h' 'owner verify --help' \
    'owner secret --help' 'owner report --help' 'help chip' 'help chip status' \
    'help owner measure' 'chip status --help' \
    'chip --help status' 'firmware vars -h' 'chip exec --help'; do
    # shellcheck disable=SC2086
    expect 0 $words
    [ -s out ] && [ ! -s err ]
    note $? "$words: help belongs on stdout"
done
refuse 1 nonsense
refuse 1 chip nonsense
refuse 1 chip
refuse 1 chip status --nonsense
refuse 1 chip export
refuse 1 owner nonsense
refuse 1 owner session
refuse 1 firmware info

# ---- the chip
expect 0 chip status --json
grep -q '"api-major":0,"api-minor":24' out
note $? 'chip status --json'
expect 0 chip id
cp out id
[ "$(tr -d '\n' <id | wc -c)" -eq 128 ]
note $? 'chip id: 128 digits'
expect 0 chip export chain
[ "$(wc -c <chain)" -eq 8336 ]
note $? 'chip export: four certificates'
expect 0 chip export --full full
[ "$(wc -c <full)" -eq 11536 ]
note $? 'chip export --full: six certificates'
refuse 1 chip export /nonexistent/chain
refuse 1 chip status --state /proc/privet
expect 0 owner certs --any-root full
expect 6 owner certs full
expect 6 owner certs chain
expect 0 chip pdh-gen
expect 0 chip export chain2
! cmp -s chain chain2
note $? 'pdh-gen makes another PDH'
expect 0 chip reset
expect 0 chip id
cmp -s id out
note $? 'a reset does not change the identity'
cp state/privet/chip-state saved
printf x >>state/privet/chip-state
refuse 1 chip status
head -c 100 saved >state/privet/chip-state
refuse 1 chip status
cp saved state/privet/chip-state

# ---- the chip's certificates, checked by openssl alone
bytes() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }
reverse() { printf %s "$1" | sed 's/../&\n/g' | tac | tr -d '\n'; }
integer() { # DER INTEGER of a little-endian number
    number=$(reverse "$1" | sed 's/^\(00\)*//; s/^[89a-f]/00&/')
    printf '02%02x%s' $((${#number} / 2)) "$number"
}
# check SIGNER SIGNED SLOT: places of two certificates in the chain, place of the signature
check() {
    unhex "3076301006072a8648ce3d020106052b8104002203620004$(
        reverse "$(bytes chain $(($1 + 20)) 48)")$(reverse "$(bytes chain $(($1 + 92)) 48)")" >key
    numbers=$(integer "$(bytes chain $(($2 + $3 + 8)) 48)")
    numbers=$numbers$(integer "$(bytes chain $(($2 + $3 + 80)) 48)")
    unhex "$(printf '30%02x%s' $((${#numbers} / 2)) "$numbers")" >signature
    tail -c +$(($2 + 1)) chain | head -c 1044 >body
    openssl dgst -sha256 -verify key -keyform DER -signature signature body >/dev/null 2>&1
    note $? "openssl: certificate at $2 signed by the one at $1"
}
if command -v openssl >/dev/null; then
    expect 0 chip export chain
    check 2084 0 1044    # PEK, PDH
    check 4168 2084 1044 # OCA, PEK
    check 4168 4168 1044 # OCA, itself
    check 6252 2084 1564 # CEK, PEK's second slot
fi

# ---- genuine certificates
for product in naples rome; do
    expect 0 owner certs "$data/sev/$product/ark.cert" "$data/sev/$product/ask.cert" \
        "$data/sev/$product/cek.cert" "$data/sev/$product/oca.cert" \
        "$data/sev/$product/pek.cert" "$data/sev/$product/pdh.cert"
done
expect 6 owner certs "$data/sev/rome/pek.cert" "$data/sev/naples/pdh.cert"
refuse 1 owner certs "$data/sev/naples/ark-truncated.cert"
grep -q 'ends before its signature' err
note $? "an ARK without its signature: $(cat err)"
refuse 1 owner certs "$data/sev/rome/pdh.cert" "$data/sev/rome/pdh.cert"
refuse 1 owner certs nothing
: >empty
refuse 1 owner certs empty

# ---- sessions
expect 0 chip export chain
expect 0 owner session --any-root --pdh chain --policy nodbg,noks --name vm
[ "$(stat -c %a vm_tik.bin)" = 600 ] && [ "$(stat -c %s vm_tek.bin)" -eq 16 ] &&
    [ "$(base64 -d <vm_session.b64 | wc -c)" -eq 128 ] &&
    [ "$(base64 -d <vm_godh.b64 | wc -c)" -eq 2084 ]
note $? 'session files'
refuse 1 owner session --any-root --pdh chain --name vm
expect 0 owner session --any-root --pdh chain --name vm --force
refuse 1 owner session --pdh "$data/sev/rome/pek.cert" --name none
refuse 1 owner session --any-root --pdh chain --policy 0x40 --name none
refuse 1 owner session --any-root --pdh chain --policy nonsense --name none

# ---- whose PDH it is
# no_session WHY WORDS...: nothing is made for a platform that is not proved
no_session() {
    why=$1
    shift
    refuse 6 owner session --name none "$@"
    grep -q "its chain does not hold: $why" err
    note $? "'$why' expected: $(cat err)"
}
for product in naples rome; do
    genuine=$data/sev/$product
    expect 0 owner session --pdh "$genuine/pdh.cert" --name genuine --force "$genuine/pek.cert" \
        "$genuine/oca.cert" "$genuine/cek.cert" "$genuine/ask.cert" "$genuine/ark.cert"
    no_session "'ARK signs itself': the ARK was not given; name the file, or do without by --any-root" \
        --pdh "$genuine/pdh.cert" "$genuine/pek.cert" "$genuine/oca.cert" "$genuine/cek.cert" \
        "$genuine/ask.cert"
    expect 0 owner session --pdh "$genuine/pdh.cert" --name genuine --force --any-root
done
no_session "'PEK signs PDH'" --any-root --pdh "$data/sev/rome/pdh.cert" "$data/sev/naples/pek.cert"
expect 0 chip export --full full
no_session "'root': the ARK's key is none of AMD's" --pdh full
no_session "'root'" --root "$data/sev/rome/ark.cert" --pdh full
expect 0 owner session --root full --pdh full --name rooted
tail -c 1600 full >ark
no_session "'ARK signs ASK': the ASK was not given" --root ark --pdh chain
refuse 1 owner session --root absent --pdh full --name none
refuse 1 owner session --pdh full --name none absent
cp chain bad
printf '\001' | dd of=bad bs=1 seek=32 conv=notrunc 2>/dev/null
no_session "'PEK signs PDH'" --any-root --pdh bad
mkdir none_tik.bin # the last of the four files cannot be put in place
refuse 1 owner session --any-root --pdh chain --name none --force
rmdir none_tik.bin
[ -z "$(ls none* 2>/dev/null)" ]
note $? "a session that fails leaves nothing: $(ls none* 2>/dev/null)"

# ---- sev-tool's files
mkdir tool
refuse 1 owner session --any-root --pdh chain --to sev-tool --name absent
refuse 1 owner session --any-root --pdh chain --to virtee --name tool
expect 0 owner session --any-root --pdh chain --to sev-tool --name tool --policy 3
[ "$(cd tool && stat -c '%n %s %a' ./*)" = './godh.cert 2084 644
./launch_blob.bin 128 644
./tmp_tk.bin 32 600' ]
note $? "sev-tool's files: $(cd tool && stat -c '%n %s %a' ./*)"
refuse 1 owner session --any-root --pdh chain --to sev-tool --name tool
expect 0 owner certs show tool/godh.cert
if command -v openssl >/dev/null; then
    unhex 03000000 >policy # POLICY_MAC is under TIK, the second of the keys
    mac=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(hex tool/tmp_tk.bin | cut -c33-)" \
        <policy | sed 's/.*= *//')
    [ "$(hex tool/launch_blob.bin | cut -c193-)" = "$mac" ]
    note $? "sev-tool's keys, TEK then TIK, and the policy, computed with openssl"
fi
(cd tool && rm ./* && timeout 60 "$privet" owner session --any-root --pdh ../chain --to sev-tool) &&
    [ -s tool/tmp_tk.bin ]
note $? 'in this folder'

# ---- measurements
head -c 65536 /dev/zero | tr '\0' 'F' >firmware
printf kernel >kernel
digest=$(sha256sum firmware | cut -d' ' -f1)
expect 0 owner measure --firmware firmware
[ "$(cat out)" = "$digest" ]
note $? 'the digest of a firmware alone is its SHA-256'
expect 0 owner measure --firmware firmware --kernel-hashes on --kernel kernel --append 'a b'
table=06d63894224fc94cb479a793d411fd21a800
table=${table}d82dd09720bd944caa78e7714d36ab2a3200$(printf 'a b\0' | sha256sum | cut -c1-64)
table=${table}31f7ba442f3ad74b9af141e29169781d3200$(printf '' | sha256sum | cut -c1-64)
table=${table}3794e74dd2ab7f42b835d5b172d2045b3200$(printf kernel | sha256sum | cut -c1-64)
table=${table}0000000000000000
{ cat firmware; unhex "$table"; } >measured
[ "$(cat out)" = "$(sha256sum measured | cut -d' ' -f1)" ]
note $? 'the digest with kernel hashes'
cp out hashed
expect 0 owner measure --firmware firmware --kernel kernel --append 'a b'
cmp -s hashed out
note $? 'a kernel means kernel hashes'
expect 0 owner measure --firmware firmware --kernel-hashes off --kernel kernel
[ "$(cat out)" = "$digest" ]
note $? 'kernel hashes off'
refuse 1 owner measure --firmware firmware --kernel-hashes on
refuse 1 owner measure --firmware firmware --append 'a b'
nonce=303132333435363738393a3b3c3d3e3f
expect 0 owner measure --firmware firmware --policy 0x3 --build-id 7 --tik vm_tik.bin --nonce $nonce
cp out measured_mac
if command -v openssl >/dev/null; then
    unhex "0400180703000000$digest$nonce" >message
    mac=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(hex vm_tik.bin)" <message |
        sed 's/.*= *//')
    [ "$(cat measured_mac)" = "$mac" ]
    note $? 'the measurement, computed with openssl'
fi
unhex "$(cat measured_mac)$nonce" >blob
base64 -w0 <blob >blob.b64
verify() {
    code=$1
    shift
    expect "$code" owner verify --build-id 7 --measurement blob.b64 "$@"
}
verify 0 --firmware firmware --policy 3 --tik vm_tik.bin
expect 0 owner verify --build-id 7 --measurement blob --firmware firmware --policy 3 \
    --tik vm_tik.bin
verify 6 --firmware firmware --policy 3 --tik vm_tek.bin --tek vm_tik.bin
grep -q swapped err
note $? 'verify finds swapped keys'
verify 6 --firmware firmware --policy 1 --tik vm_tik.bin
grep -q policy err
note $? 'verify finds another policy'
verify 6 --firmware firmware --policy 3 --tik vm_tik.bin --kernel-hashes on --kernel kernel
grep -q 'without kernel hashes' err
note $? 'verify finds missing hashes'
expect 6 owner verify --measurement blob.b64 --firmware firmware --policy 3 --tik vm_tik.bin
grep -q 'build id is 7, not 15' err
note $? 'verify finds another build'
verify 6 --firmware firmware --policy 3 --tik vm_tik.bin --api-minor 22
grep -q 'API version is' err
note $? 'verify finds another API version'
verify 6 --firmware kernel --policy 3 --tik vm_tik.bin
verify 1 --firmware nothing --policy 3 --tik vm_tik.bin
verify 1 --firmware empty --policy 3 --tik vm_tik.bin
verify 1 --firmware firmware --tik firmware

# ---- secrets
printf 'pass' >luks
expect 0 owner secret --secret luks-key:luks --tek vm_tek.bin --tik vm_tik.bin \
    --measurement blob.b64 --header header.b64 --payload payload.b64
[ "$(base64 -d <header.b64 | wc -c)" -eq 52 ] && [ "$(base64 -d <payload.b64 | wc -c)" -eq 48 ]
note $? 'secret packet sizes'
if command -v openssl >/dev/null; then
    base64 -d <header.b64 >header
    iv=$(hex header | cut -c9-40)
    base64 -d <payload.b64 | openssl enc -d -aes-128-ctr -K "$(hex vm_tek.bin)" -iv "$iv" >plain
    [ "$(hex plain | cut -c1-88)" = \
        42f5741edd71664d963eef4287ff173b2c000000e5696873f084734992ec06879ce3da0b1800000070617373 ]
    note $? 'the secret table, decrypted with openssl'
    { printf '\001'; head -c 20 header; printf '\060\0\0\0\060\0\0\0'; base64 -d <payload.b64
      head -c 32 blob; } >message
    mac=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(hex vm_tik.bin)" <message |
        sed 's/.*= *//')
    [ "$(hex header | cut -c41-)" = "$mac" ]
    note $? 'the packet MAC, computed with openssl'
fi
# Before API 0.17 the MAC does not cover the measurement.
expect 0 owner secret --secret luks-key:luks --tek vm_tek.bin --tik vm_tik.bin --api-minor 16 \
    --measurement blob.b64 --header old.h --payload old.p
base64 -d <old.h >header
if command -v openssl >/dev/null; then
    { printf '\001'; head -c 20 header; printf '\060\0\0\0\060\0\0\0'; base64 -d <old.p; } >message
    mac=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(hex vm_tik.bin)" <message |
        sed 's/.*= *//')
    [ "$(hex header | cut -c41-)" = "$mac" ]
    note $? "the packet MAC of API 0.16, computed with openssl"
fi
rm -f header.b64 payload.b64
refuse 1 owner secret --secret luks-key:luks --tek vm_tek.bin --tik vm_tik.bin \
    --measurement blob.b64 --header header.b64 --payload /nonexistent/payload
refuse 1 owner secret --secret nonsense:luks --tek vm_tek.bin --tik vm_tik.bin \
    --measurement blob.b64 --header header.b64 --payload payload.b64
refuse 1 owner secret --secret luks-key:luks --tek luks --tik vm_tik.bin \
    --measurement blob.b64 --header header.b64 --payload payload.b64
[ ! -e header.b64 ] && [ ! -e payload.b64 ]
note $? 'a secret that fails leaves nothing'

# ---- firmware images
expect 0 firmware info firmware
grep -q "^launch digest: $digest\$" out && grep -q 'GUIDed table: none' out
note $? 'firmware info'
refuse 1 firmware info empty
refuse 1 firmware info nothing
refuse 1 firmware symbols firmware
refuse 1 firmware symbols firmware 0xg
refuse 1 firmware
expect 0 firmware symbols "$privet"
grep -q ' main$' out
note $? 'firmware symbols of an ELF file'
head -c 70000 "$privet" >cut.elf
refuse 1 firmware symbols cut.elf

# ---- a full disk
if [ -w /dev/full ]; then
    "$privet" chip status >/dev/full 2>err
    [ $? -eq 1 ] && grep -q '^privet: .*No space left' err
    note $? "a full disk: $(cat err)"
fi

finish
