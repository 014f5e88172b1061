#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_names.sh PRIVET SOURCE-FOLDER
# privet owner measure and verify with the options of virt-qemu-sev-validate and sev-snp-measure: each
# is taken or refused with a word on what to do, and is in the manual page's table.
set -u

privet=$(realpath "$1")
page=$(realpath "$2")/docs/man/privet-owner-measure.1
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# ---- every option that they have
/usr/bin/python3 "$(command -v virt-qemu-sev-validate)" --help >validator 2>&1
note $? "virt-qemu-sev-validate --help: $(tail -n 1 validator)"
sed -n '/^  -/{s/  *-/\n-/g;p}' validator | sed -n 's/^\(-[-a-z0-9]*\).*/\1/p' | sort -u >names
[ "$(wc -l <names)" -ge 40 ]
note $? "options of virt-qemu-sev-validate: $(tr '\n' ' ' <names)"
# sev-snp-measure 0.0.13
printf '%s\n' -h --help --version -v --verbose --mode --vcpus --vcpu-type --vcpu-sig --vcpu-family \
    --vcpu-model --vcpu-stepping --vmm-type --ovmf --kernel --initrd --append --guest-features \
    --output-format --snp-ovmf-hash --dump-vmsa --svsm --vars-size --vars-file >>names
sed -n '/^\.Sh COMPATIBILITY/,/^\.Sh SEE/p' "$page" >table
for name in $(sort -u names); do
    for verb in measure verify; do
        case $verb$name in
        verify--output-format) continue ;; # of what verify does not print
        esac
        "$privet" owner $verb "$name" 1 >out 2>err </dev/null
        ! grep -q 'no such option;' err
        note $? "owner $verb $name: $(cat err)"
    done
    case $name in
    --*) grep -qE "(Fl Fl |Cm --)${name#--}( |\$)" table ;;
    *) grep -qE "(Fl |Cm -)${name#-}( |\$)" table ;;
    esac
    note $? "$name is not in the table of ${page##*/}"
done

# ---- those that there are
printf firmware >image.fd
printf kernel >kernel
set -- owner measure --policy es --num-cpus 1 --cpu EPYC-Milan --firmware image.fd --kernel kernel \
    --initrd kernel --append quiet
expect 0 "$@"
digest=$(cat out)
shows() {
    [ "$(cat out)" = "$digest" ]
    note $? "$1: $(cat out) instead of $digest"
}
set -- --vcpus=1 --vmm-type=QEMU --ovmf=image.fd --kernel=kernel --initrd=kernel --append=quiet \
    --output-format hex --policy es --guest-features 0
expect 0 owner measure --mode seves --vcpu-type=EPYC-Milan-v2 "$@"
shows "sev-snp-measure's names"
expect 0 owner measure --mode seves --vcpu-sig=0xa00f11 "$@"
shows "sev-snp-measure's signature"
expect 0 owner measure --mode seves --vcpu-family=25 --vcpu-model=1 --vcpu-stepping=1 "$@"
shows "sev-snp-measure's numbers"
expect 0 owner measure -f image.fd -k kernel -r kernel -e quiet -n 1 --cpu-family 25 --cpu-model 1 \
    --cpu-stepping 1 --policy 4
shows "virt-qemu-sev-validate's names"

# ---- other VMMs: SHA-256 of the image and the page that sev-snp-measure 0.0.13 (8f2b337) builds; neither
# the model nor the host's kind has a part in it
set -- owner measure --mode seves --vcpus 1 --ovmf image.fd
for form in ec2:8f3c1bbdbdfb6f0f12c397816ec985e2bf4339fe17c9feacd47a79136b9da132 \
    gce:9112246c8408919dbe53ffb8323e5f63fdfa6c33a9c26bfa14f642f365a89f9b; do
    digest=${form#*:}
    for words in '' '--vcpu-type EPYC-Turin' '--vcpu-sig 1 --fpu-state off'; do
        # shellcheck disable=SC2086
        expect 0 "$@" --vmm-type "${form%:*}" $words
        shows "--vmm-type ${form%:*} $words"
    done
done
head -c 4096 /dev/zero >page
expect 0 "$@" --vmm-type ec2 --vmsa-cpu0 page
digest=$(cat image.fd page | sha256sum | cut -d ' ' -f 1)
shows 'a page that is given'

# An image with SEV-SNP metadata (memory, CPUID, secrets, more memory), and its digests by that tool
python3 - <<'PY'
import struct, uuid
image = bytearray(4096)
sections = [(0x800000, 0x2000, 1), (0x80E000, 0x1000, 3), (0x80D000, 0x1000, 2), (0x810000, 0x1000, 1)]
metadata = b"ASEV" + struct.pack("<3I", 16 + 12 * len(sections), 1, len(sections))
metadata += b"".join(struct.pack("<3I", *section) for section in sections)
image[:len(metadata)] = metadata
def entry(data, guid, length):
    return data + struct.pack("<H", length) + uuid.UUID(guid).bytes_le
table = entry(struct.pack("<I", 0x80B004), "00f771de-1a7e-4fcb-890e-68c77e2fb44e", 22)
table += entry(struct.pack("<I", len(image)), "dc886566-984a-4798-a75e-5585a7bf67cc", 22)
table = entry(table, "96b582de-1fb2-45f7-baea-a366c55a082d", len(table) + 18)
image[-0x20 - len(table):-0x20] = table
open("snp.fd", "wb").write(image)
PY
for form in QEMU:0ec2475fc8c7ceef6031ebc1a36a393fe935cee64b1e1805291144da73f75788a2eba95add31a3b3b6b56d90e607ba00 \
    ec2:764aa27d391e0674ab55ee51da3fce1eae810742ff2343a6f6191a5dde8d8795bcedb33f59c5c64d50bb4acaf32e9d66 \
    gce:f1d8f8f5c338f0fb218780cb2bb0746cc20de2db85d1e04aacc11344e039c5c1feeaff201ae09eef95ff69949de7d3a2; do
    digest=${form#*:}
    expect 0 owner measure --mode snp --vcpus 2 --vcpu-sig 0xa00f11 --ovmf snp.fd --vmm-type "${form%:*}"
    shows "--mode snp --vmm-type ${form%:*}"
done

# ---- those that there are not: refusal TEXT WORDS...
refusal() {
    text=$1
    shift
    refuse 1 owner "$@"
    grep -qF -e "$text" err
    note $? "$*: '$text' expected: $(cat err)"
}
for verb in measure verify; do
    refusal 'libvirt is not asked' $verb --domain guest
    refusal 'libvirt is not asked' $verb -o guest
    refusal 'libvirt is not asked' $verb --connect=qemu:///system
    refusal 'libvirt is not asked' $verb -cqemu:///system
    refusal 'libvirt is not asked' $verb --insecure
    refusal 'libvirt is not asked' $verb -g
    refusal "'privet owner secret'" $verb -s a:b
    refusal "'privet owner secret'" $verb --secret-header header
    refusal 'no more to tell' $verb -d
    refusal 'no more to tell' $verb --verbose
    refusal "'privet --version'" $verb --version
    refusal 'computed from --firmware' $verb --snp-ovmf-hash 00
    refusal 'with an SVSM' $verb --vars-file=vars
    refusal 'are not written' $verb --dump-vmsa
    for mode in snp:ovmf-hash snp:svsm; do
        refusal 'with an SVSM' $verb --mode $mode
    done
    refusal 'needs --num-cpus' $verb --mode snp --firmware image.fd
    for vmm in KRUN qemu EC2; do
        refusal 'other VMMs' $verb --vmm-type $vmm
    done
    refusal "are for SEV-ES" $verb --vmm-type ec2 --firmware image.fd
    refusal "needs --num-cpus: " $verb --mode snp --vmm-type gce --firmware image.fd
    refusal '--nonsense: no such option; try' $verb --nonsense
    refusal '-x: no such option; try' $verb -x
done
refusal 'nothing but the result' measure --quiet

# ---- SEV-SNP: no key has a part in the digest, and firmware must be made for it
set -- --mode snp --vcpus 1 --vcpu-type EPYC-Milan --ovmf image.fd
refusal 'no SEV-SNP metadata' measure "$@"
refusal "'privet owner report --measurement'" measure "$@" --nonce 00112233445566778899aabbccddeeff
refusal "'privet owner report --measurement'" verify "$@" --measurement x

finish
