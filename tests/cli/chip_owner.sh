#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: chip_owner.sh PRIVET DATA-FOLDER
# How a platform gets an owner: csr, sign-csr, import, verify; the signatures are checked by openssl
# alone, and everything that is not what it should be is refused.
set -u

privet=$(realpath "$1")
data=$(realpath "$2")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

same() { # same TEXT FILE FILE
    cmp -s "$2" "$3"
    note $? "$1"
}
absent() { # absent FILE...: nothing half-written
    for file in "$@"; do
        [ ! -e "$file" ]
        note $? "$file was left behind"
    done
}

# ---- the way that works
expect 0 chip csr request
[ "$(wc -c <request)" -eq 2084 ]
note $? 'csr: one certificate'
expect 0 chip export before
head -c 3128 before | tail -c 1044 >pek-body
head -c 1044 request >request-body
same 'the request is the PEK' pek-body request-body
expect 0 chip verify
grep -q '^OCA signs PEK  *valid' out && grep -q "^root .*the emulated AMD's" out
note $? 'verify: a self-owned chip'

expect 0 owner sign-csr --key owner.pem --new-key request
[ "$(stat -c %a owner.pem)" = 600 ] && [ "$(wc -c <owner_pek.cert)" -eq 2084 ] &&
    [ "$(wc -c <owner_oca.cert)" -eq 2084 ]
note $? "sign-csr: a private key, two certificates"
expect 0 chip import owner_pek.cert owner_oca.cert
expect 0 chip status --json
grep -q '"owner":"external"' out
note $? 'status: externally owned'
expect 0 chip verify --json
grep -q '"valid":true}$' out
note $? 'verify --json: the owned chip'
expect 0 chip export after
tail -c +4169 after | head -c 2084 >oca
same "the chip exports the owner's OCA" oca owner_oca.cert
head -c 2084 after >pdh
! head -c 2084 before | cmp -s - pdh
note $? 'import makes another PDH'
expect 0 owner certs show owner_oca.cert owner_pek.cert

# ---- the signatures, by openssl
reverse() { od -An -v -tx1 -j "$2" -N 48 "$1" | tr -d ' \n' | sed 's/../&\n/g' | tac | tr -d '\n'; }
integer() {
    number=$(printf %s "$1" | sed 's/^\(00\)*//; s/^[89a-f]/00&/')
    printf '02%02x%s' $((${#number} / 2)) "$number"
}
unhex() {
    # shellcheck disable=SC2046,SC2059
    printf "$(printf '\\%03o' $(printf %s "$1" | sed 's/../0x& /g'))"
}
openssl pkey -in owner.pem -pubout -out owner.pub 2>/dev/null
for certificate in owner_pek.cert owner_oca.cert; do
    numbers=$(integer "$(reverse $certificate 1052)")$(integer "$(reverse $certificate 1124)")
    unhex "$(printf '30%02x%s' $((${#numbers} / 2)) "$numbers")" >signature
    head -c 1044 $certificate >body
    openssl dgst -sha256 -verify owner.pub -signature signature body >/dev/null 2>&1
    note $? "openssl: the owner's key signed $certificate"
done

# ---- refusals
refuse 1 chip import owner_pek.cert owner_oca.cert
grep -q 'ALREADY_OWNED.*pek-gen' err
note $? 'an owned platform: says how to go on'
expect 0 chip pek-gen
refuse 1 chip import owner_pek.cert owner_oca.cert # the PEK of before
grep -q 'INVALID_CERTIFICATE.*sign-csr' err
note $? "another PEK: $(cat err)"
expect 0 chip csr request2
expect 0 owner sign-csr --key owner.pem --name second request2
expect 0 owner sign-csr --key other.pem --new-key --name other request2
refuse 1 chip import second_pek.cert other_oca.cert
grep -q BAD_SIGNATURE err
note $? "another owner's certificate: $(cat err)"
refuse 1 chip import second_oca.cert second_pek.cert
cp second_pek.cert broken
printf '\001' | dd of=broken bs=1 seek=1060 conv=notrunc 2>/dev/null
refuse 1 chip import broken second_oca.cert
head -c 2083 second_pek.cert >short
refuse 1 chip import short second_oca.cert
refuse 1 chip import second_pek.cert nothing
refuse 1 chip import second_pek.cert
refuse 1 chip csr
refuse 1 chip csr /nonexistent/request
refuse 1 chip verify extra
expect 0 chip status --json
grep -q '"owner":"self"' out
note $? 'what was refused changed nothing'
expect 0 chip import second_pek.cert second_oca.cert

refuse 1 owner sign-csr request
refuse 1 owner sign-csr --key owner.pem
refuse 1 owner sign-csr --key owner.pem request        # the certificates are there
refuse 1 owner sign-csr --key owner.pem --new-key --name new request
refuse 1 owner sign-csr --key absent.pem --name new request
refuse 1 owner sign-csr --key new.pem --new-key --name new short
refuse 1 owner sign-csr --key new.pem --new-key --name new "$data/sev/rome/pdh.cert"
refuse 1 owner sign-csr --key request --name new request
openssl ecparam -name prime256v1 -genkey -noout -out p256.pem 2>/dev/null
refuse 1 owner sign-csr --key p256.pem --name new request
grep -q 'P-384' err
note $? "a key on another curve: $(cat err)"
openssl ecparam -name brainpoolP384r1 -genkey -noout -out brainpool.pem 2>/dev/null
refuse 1 owner sign-csr --key brainpool.pem --name new request
grep -q 'P-384' err
note $? "a key on another curve of 384 bits: $(cat err)"
tail -c +2 "$data/fuzz/fuzz_authority/other-public-key" >halves.pem
refuse 1 owner sign-csr --key halves.pem --name new request
grep -q 'damaged' err
note $? "a key of two halves that differ: $(cat err)"
openssl ecparam -name secp384r1 -genkey -noout 2>/dev/null |
    openssl ec -aes128 -passout pass:x -out locked.pem 2>/dev/null
refuse 1 owner sign-csr --key locked.pem --name new request
absent new_pek.cert new_oca.cert new.pem
expect 0 owner sign-csr --key owner.pem --force request

# A key that openssl made signs as well.
openssl ecparam -name secp384r1 -genkey -noout -out theirs.pem 2>/dev/null
expect 0 chip pek-gen
expect 0 chip csr request3
expect 0 owner sign-csr --key theirs.pem --name theirs request3
expect 0 chip import theirs_pek.cert theirs_oca.cert
expect 0 chip verify

finish
