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
# sev-snp-measure 0.0.12
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
    for vmm in ec2 KRUN qemu; do
        refusal 'other VMMs' $verb --vmm-type $vmm
    done
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
