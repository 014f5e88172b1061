#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_es.sh PRIVET FIRMWARE...
# Measurements of SEV-ES guests by processor model, with each firmware image: libvirt's validator,
# which builds the processors' pages by itself, must accept what we compute and nothing else.
set -u

privet=$(realpath "$1")
shift
images=$(realpath "$@")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

nonce=00112233445566778899aabbccddeeff
printf 0123456789abcdef >tik
printf fedcba9876543210 >tek
printf 'a kernel' >kernel

# libvirt FIRMWARE MEASUREMENT PROCESSORS FAMILY MODEL STEPPING [OPTION...]; its own exit status
libvirt() {
    image=$1 measurement=$2 count=$3 family=$4 model=$5 stepping=$6
    shift 6
    /usr/bin/python3 "$(command -v virt-qemu-sev-validate)" --measurement "$measurement" \
        --api-major 0 --api-minor 24 --build-id 15 --policy 7 --firmware "$image" \
        --num-cpus "$count" --cpu-family "$family" --cpu-model "$model" \
        --cpu-stepping "$stepping" --tik tik --tek tek "$@" >validator 2>&1
}

for image in $images; do
    for form in '1 23 49 0 EPYC-Rome-v2' '3 25 1 1 EPYC-Milan' '64 25 17 0 EPYC-Genoa'; do
        # shellcheck disable=SC2086
        set -- $form
        expect 0 owner measure --firmware "$image" --policy es,nodbg,noks --num-cpus "$1" \
            --cpu "$5" --fpu-state off --tik tik --nonce $nonce --output-format base64
        report=$(cat out)
        libvirt "$image" "$report" "$1" "$2" "$3" "$4"
        note $? "libvirt refuses $image with $form: $(cat validator)"
        libvirt "$image" "$report" $(($1 + 1)) "$2" "$3" "$4"
        [ $? -eq 1 ]
        note $? "libvirt accepts another number of processors"
        libvirt "$image" "$report" "$1" "$2" "$3" $(($4 + 1))
        [ $? -eq 1 ]
        note $? "libvirt accepts another stepping"
        expect 0 owner verify --firmware "$image" --mode seves --policy 7 -n "$1" \
            --cpu-family "$2" --cpu-model "$3" --cpu-stepping "$4" --fpu-state off --tik tik \
            -m "$report"
        refuse 6 owner verify --firmware "$image" --policy 7 -n "$1" --vcpu-type "$5" --tik tik \
            -m "$report"
        grep -q -- '--fpu-state off' err
        note $? "names the host's kind: $(cat err)"
        refuse 6 owner verify --firmware "$image" --policy 7 -n "$1" --cpu EPYC-Turin \
            --fpu-state off --tik tik -m "$report"
        grep -q "are of model ${5%-v2}\$" err
        note $? "names the model: $(cat err)"
        expect 0 owner measure --firmware "$image" --policy 7 -n "$1" --cpu-family "$2" \
            --cpu-model "$3" --cpu-stepping 3 --fpu-state off --tik tik --nonce $nonce \
            --output-format base64
        refuse 6 owner verify --firmware "$image" --policy 7 -n "$1" --cpu-family "$2" \
            --cpu-model "$3" --cpu-stepping 9 --tik tik -m "$(cat out)"
        grep -q "are of stepping 3, not 9, and the host's kind is --fpu-state off\$" err
        note $? "names the stepping and the host's kind: $(cat err)"
    done
    expect 0 owner measure --firmware "$image" --policy 7 --num-cpus 2 --vcpu-sig 0xa00f11 \
        --fpu-state off --kernel kernel --append quiet --tik tik --nonce $nonce \
        --output-format base64
    libvirt "$image" "$(cat out)" 2 25 1 1 --kernel kernel --cmdline quiet
    note $? "libvirt refuses hashes of a kernel: $(cat validator)"
done

# ---- refusals
image=$(echo "$images" | head -n 1)
head -c 4096 /dev/zero >page
head -c 4096 /dev/zero >plain.fd
refuse 1 owner measure --firmware "$image" --policy es --num-cpus 2
refuse 1 owner measure --firmware "$image" --policy es --cpu EPYC
refuse 1 owner measure --firmware "$image" --cpu EPYC
refuse 1 owner measure --firmware "$image" --policy es --num-cpus 1 --cpu EPYC --vcpu-sig 1
refuse 1 owner measure --firmware "$image" --policy es --num-cpus 1 --cpu EPYC --vmsa-cpu0 page
refuse 1 owner measure --firmware "$image" --policy es --num-cpus 1 --cpu EPYC --cpu-stepping 1
refuse 1 owner measure --firmware "$image" --policy es --num-cpus 1 --cpu-signature 1 --cpu-model 1
expect 0 owner measure --firmware "$image" --policy 7 -n 2 --cpu EPYC-Rome --fpu-state off \
    --tik tik --nonce $nonce --output-format base64
report=$(cat out)
refuse 6 owner verify --firmware "$image" --policy 7 -n 1 --cpu EPYC-Rome --fpu-state off --tik tik \
    -m "$report"
grep -q 'has 2 processors, not 1' err
note $? "names the number: $(cat err)"
refuse 6 owner verify --firmware "$image" --policy 7 -n 2 --cpu EPYC-Milan --tik tik -m "$report"
grep -q 'model EPYC-Rome, .*--fpu-state off' err
note $? "names both: $(cat err)"
for model in Opteron EPYC- EPYC-v EPYC-vx EPYC-Milanese ''; do
    refuse 1 owner measure --firmware "$image" --policy es --num-cpus 1 --cpu "$model"
done
refuse 1 owner measure --firmware plain.fd --policy es --num-cpus 2 --cpu EPYC
grep -q 'reset block' err
note $? "a firmware without reset block: $(cat err)"
expect 0 owner measure --firmware plain.fd --policy es --num-cpus 1 --cpu EPYC

finish
