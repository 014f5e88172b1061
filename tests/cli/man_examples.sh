#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: man_examples.sh PRIVET SOURCE-FOLDER FIRMWARE
# The EXAMPLES of the man pages of `privet owner` and `privet chip` as commands: each page's are run in
# order, in a folder and on a platform of its own, with the files that it takes for granted.
set -u

privet=$(realpath "$1")
source=$(realpath "$2")
pages=$source/docs/man
rome=$source/tests/data/sev/rome
milan=$source/tests/data/sev/snp/milan-vcek-a
firmware=$(realpath "$3")
ovmf=/usr/share/OVMF/OVMF_CODE_4M.fd
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

# A sanitized privet finds the preloaded library in front of its sanitizer's; the programs below it leak.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0"

privet() { "$privet" "$@"; }

# The commands of a page, a line each.
examples_in() {
    awk '
        /^\.Sh / { here = ($2 == "EXAMPLES") }
        /^\.Ed/ { literal = 0 }
        here && (literal || sub(/^\.Dl /, "")) {
            gsub(/\\e/, "\\")
            if (sub(/ *\\$/, " ")) { line = line $0; next }
            print line $0
            line = ""
        }
        /^\.Bd -literal/ { literal = 1 }
    ' "$1" | sed 's/   */ /g'
}

# The launch that a page speaks of, with the keys that its commands made before.
make_launch() { # make_launch POLICY
    privet owner measure --firmware privet.fd --policy "$1" --tik vm_tik.bin \
        --nonce 000102030405060708090a0b0c0d0e0f --output-format base64 >launch.b64
}

# What is there before a page's first command.
make_inputs() { # make_inputs PAGE
    cp "$firmware" privet.fd
    case $1 in
    owner | owner-certs | owner-session) cp "$rome"/*.cert . ;;
    esac
    case $1 in
    owner-certs)
        cp "$milan/cert_chain.pem" "$milan/vcek.der" .
        privet owner certs convert --to sev-tool --output certs_export.zip ./*.cert
        ;;
    owner-measure)
        echo kernel >vmlinuz
        cp $ovmf OVMF_CODE.fd
        ;;
    owner-report)
        cp "$milan/cert_chain.pem" "$milan/vcek.der" "$milan/report.bin" .
        dd if=report.bin of=nonce bs=1 skip=80 count=64 # SEV-SNP API, table of the report
        dd if=report.bin of=digest bs=1 skip=144 count=48
        ;;
    owner-verify | owner-secret)
        privet chip export --full chain
        privet owner session --any-root --pdh chain
        make_launch nodbg,noks
        ;;
    owner-sign-csr) privet chip csr pek.csr ;;
    chip-import)
        privet chip csr pek.csr
        privet owner sign-csr --key owner.pem --new-key pek.csr
        ;;
    chip-decrypt) head -c 16 /dev/zero >ciphertext ;;
    esac
    echo secret >passphrase
}

# Runs a command of a page; what it cannot do here is replaced by what shows that it is understood.
run() { # run COMMAND
    case $1 in
    *launch.b64*) [ -f launch.b64 ] || make_launch nodbg,noks ;;
    esac
    case $1 in
    'privet chip exec -- qemu'*)
        if ldd "$privet" | grep -q libasan; then # QEMU does not bear the sanitizer
            eval "${1/qemu-system-x86_64/true}"
            return
        fi
        # Where CPUID cannot be trapped, the C-bit is the host's. The guest does not end: QEMU still
        # runs after some time.
        c_bit=$(privet chip exec -- /usr/bin/python3 "$source/tests/boot/c-bit.py" 2>c-bit.err) || {
            cat c-bit.err
            return 1
        }
        command=${1/ -- / -- timeout 5 }
        eval "${command/cbitpos=51/cbitpos=$c_bit}"
        [ $? -eq 124 ]
        ;;
    'privet chip guests') privet chip exec "$privet" chip guests ;;
    'privet chip decrypt'*)
        # There is no guest; the chip was asked.
        eval "privet chip exec '$privet' ${1#privet}" && return 1
        grep -q '^privet: DBG_DECRYPT: status' output
        ;;
    *) eval "$1" ;;
    esac
}

for page in "$pages"/privet-owner*.1 "$pages"/privet-chip*.1; do
    name=${page##*/privet-}
    name=${name%.1}
    mkdir "$work/$name"
    cd "$work/$name" || exit 1
    export XDG_STATE_HOME=$work/$name/state
    make_inputs "$name" >output 2>&1
    note $? "$name: inputs: $(tail -n 1 output)"
    examples_in "$page" >commands
    case $name in
    chip) ;; # each command's own page has one
    *) [ -s commands ] ;;
    esac
    note $? "$name has no example"
    while IFS= read -r command <&3; do
        run "$command" >output 2>&1
        note $? "privet-$name(1): $command: $(tail -n 3 output)"
    done 3<commands
done

finish
