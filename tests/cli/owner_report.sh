#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_report.sh PRIVET DATA-FOLDER
# `privet owner report` on genuine SEV-SNP reports and a SEV report made with openssl: what is genuine
# and expected passes, anything else is refused by name.
set -u

privet=$(realpath "$1")
sev=$(realpath "$2")/sev
snp=$sev/snp
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

says() { # says PATTERN: in out or err
    cat out err | grep -q "$1"
    note $? "'$1' is not in: $(cat out err)"
}

milan=$snp/roots/milan_ask_ark_asvk.pem
a=$snp/milan-vcek-a

# ---- genuine reports, with the certificates that belong to them
for set in milan-vcek-a milan-vcek-c genoa-vcek; do
    expect 0 owner report "$snp/$set/report.bin" "$snp/roots/${set%%-*}_ask_ark_asvk.pem" \
        "$snp/$set/vcek.der"
    says 'VCEK signs the report *valid'
    says 'reported TCB *valid'
    says 'chip id *valid'
done
base64 -w0 "$a/report.bin" >report.b64
{ printf '\0\0\0\0\240\004\0\0'; head -c 24 /dev/zero; cat "$a/report.bin"
  head -c 2784 /dev/zero; } >response
for form in "$a/report.hex" report.b64 response; do
    expect 0 owner report "$form" "$a/cert_chain.pem" "$a/vcek.der"
done
expect 0 owner report --at 2025-06-01 "$snp/milan-vlek/report.bin" "$milan" \
    "$snp/milan-vlek/vlek.der" "$a/vcek.der"
says 'VLEK signs the report *valid'
expect 6 owner report "$snp/milan-vlek/report.bin" "$milan" "$snp/milan-vlek/vlek.der"
says "'ASVK signs VLEK': the VLEK expired at"

# ---- what does not belong together, or is not all there
expect 6 owner report "$a/report.bin" "$milan" "$snp/milan-vcek-c/vcek.der"
says "'VCEK signs the report'"
expect 6 owner report "$a/report.bin"
says 'the VCEK was not given'
expect 6 owner report --any-root "$a/report.bin"
expect 6 owner report "$a/report.bin" "$a/vcek.der"
says "'ASK signs VCEK': the ASK was not given"
expect 0 owner report --any-root "$a/report.bin" "$a/vcek.der"
expect 6 owner report "$a/report.bin" "$a/vcek.der" "$snp/roots/genoa_ask_ark_asvk.pem"
says 'another issuer'
expect 6 owner report "$snp/milan-vcek-b/report.bin" "$milan" "$snp/milan-vcek-b/vcek.der"
says "'no debugging'.*--policy 0xb0000"
expect 0 owner report --policy 0xb0000 "$snp/milan-vcek-b/report.bin" "$milan" \
    "$snp/milan-vcek-b/vcek.der"
cp "$a/report.bin" changed
chmod u+w changed
printf '\001' | dd of=changed bs=1 seek=21 conv=notrunc 2>/dev/null
expect 6 owner report changed "$milan" "$a/vcek.der"
says "'VCEK signs the report': the report was changed"
printf '\011' | dd of=changed bs=1 seek=0 conv=notrunc 2>/dev/null
refuse 1 owner report changed "$milan" "$a/vcek.der"
says "version is unknown"
head -c 1183 "$a/report.bin" >short
refuse 1 owner report short "$milan" "$a/vcek.der"
refuse 1 owner report "$a/vcek.der"
refuse 1 owner report nothing
refuse 1 owner report "$a/report.bin" nothing
refuse 1 owner report

# ---- expected values, in each form
field() { dd if="$a/report.bin" bs=1 skip="$1" count="$2" 2>/dev/null; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
with() { # with CODE OPTIONS...
    code=$1
    shift
    expect "$code" owner report "$@" "$a/report.bin" "$milan" "$a/vcek.der"
}
for place in measurement:144:48 report-data:80:64 host-data:192:32 id-key-digest:224:48 \
    author-key-digest:272:48 family-id:16:16 image-id:32:16 chip-id:416:64 report-id:320:32; do
    name=${place%%:*}
    at=${place#*:}
    field "${at%:*}" "${at#*:}" >value
    hex <value >value.hex
    with 0 "--$name" "$(cat value.hex)"
    says "^$name *valid: as expected"
    with 0 "--$name" "$(base64 -w0 value)"
    with 0 "--$name" @value
    with 0 "--$name" @value.hex
    with 6 "--$name" "$(sed 's/^./f/; t' value.hex | sed 's/.$/a/')"
    says "'$name': not as expected, but $(cat value.hex)"
    refuse 1 owner report "--$name" "$(cat value.hex)00" "$a/report.bin"
    refuse 1 owner report "--$name" nonsense! "$a/report.bin"
    refuse 1 owner report "--$name" @nothing "$a/report.bin"
done
with 6 --report-data 00
refuse 1 owner report --measurement 00 "$a/report.bin"
with 0 --policy 0x30000 --vmpl 0 --guest-svn 0 --min-tcb 0x7308000000000003
with 6 --policy 0x30001
with 6 --vmpl 1
says "'vmpl': not as expected, but 0"
with 6 --min-tcb 0x7308000000000004
says 'boot-loader is 3, older than 4'
with 6 --min-tcb 0x7408000000000003
refuse 1 owner report --vmpl 0x100000000 "$a/report.bin"
refuse 1 owner report --min-tcb x "$a/report.bin"
refuse 1 owner report --nonce 00 "$a/report.bin"
refuse 1 owner report --policy smt "$a/report.bin"
if command -v python3 >/dev/null; then
    with 0 --json --vmpl 0
    python3 -m json.tool <out >/dev/null && grep -q '"root":"Milan","verified":true' out
    note $? "--json: $(cat out)"
fi

# ---- a report of SEV, from a PEK that openssl makes; its layouts by python
if command -v python3 >/dev/null && command -v openssl >/dev/null; then
    openssl ecparam -name secp384r1 -genkey -noout -out pek.key 2>/dev/null
    openssl ec -in pek.key -pubout -outform DER -out pek.pub 2>/dev/null
    python3 -c "
import struct
point = open('pek.pub', 'rb').read()[-96:]
field = lambda number: number[::-1].ljust(72, b'\0')
body = struct.pack('<IBBHIII', 1, 0, 24, 0, 0x1002, 2, 2) + field(point[:48]) + field(point[48:])
slot = struct.pack('<II', 0x1000, 0) + bytes(0x200)
open('pek.cert', 'wb').write(body.ljust(0x414, b'\0') + slot + slot)
open('body', 'wb').write(bytes(range(48)) + struct.pack('<I', 3))"
    openssl dgst -sha256 -sign pek.key -out signature body
    python3 -c "
import struct
der = open('signature', 'rb').read()
size = der[3]
r, s = der[4:4 + size], der[6 + size:]
field = lambda number: number.lstrip(b'\0')[::-1].ljust(72, b'\0')
open('sev', 'wb').write(open('body', 'rb').read() + struct.pack('<III', 0x1002, 2, 0) +
                        field(r) + field(s))"
    digest=101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f
    expect 0 owner report --any-root sev pek.cert
    says 'PEK signs the report *valid'
    says "launch-digest *$digest"
    expect 0 owner report --any-root --launch-digest $digest --policy nodbg,noks \
        --nonce 000102030405060708090a0b0c0d0e0f sev pek.cert
    expect 6 owner report --any-root --policy nodbg sev pek.cert
    expect 6 owner report sev pek.cert
    says 'was not given'
    expect 6 owner report --any-root sev "$sev/rome/pek.cert"
    says "'PEK signs the report'"
    expect 6 owner report --any-root sev
    refuse 1 owner report --measurement $digest sev pek.cert
    says 'launch-digest'
    refuse 1 owner report --min-tcb 1 sev pek.cert
fi

finish
