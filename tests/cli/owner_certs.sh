#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: owner_certs.sh PRIVET DATA-FOLDER
# `privet owner certs` on genuine certificates in every form, on broken chains, and its conversions,
# which python's zipfile and openssl read.
set -u

privet=$(realpath "$1")
sev=$(realpath "$2")/sev
snp=$sev/snp
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

names='pdh pek oca cek ask ark'
rome=$(for name in $names; do echo "$sev/rome/$name.cert"; done)

says() { # says PATTERN: in out or err
    cat out err | grep -q "$1"
    note $? "'$1' is not in: $(cat out err)"
}

# ---- forms of files
for product in naples rome; do
    # shellcheck disable=SC2086
    (cd "$sev/$product" && cat pdh.cert pek.cert oca.cert cek.cert ask.cert ark.cert) >full
    head -c 8336 full >short
    (cd "$sev/$product" && cat ask.cert ark.cert) >ask_ark
    base64 -w0 short >short.b64
    expect 0 owner certs verify full
    says "sevctl's full chain: PDH, PEK, OCA, CEK, ASK, ARK"
    expect 0 owner certs short ask_ark
    says "sevctl's chain: PDH, PEK, OCA, CEK"
    says "AMD's ask_ark file: ASK, ARK"
    expect 0 owner certs verify ask_ark short.b64
    expect 6 owner certs verify short
    says 'ARK was not given'
done
if command -v python3 >/dev/null; then
    for method in STORED DEFLATED; do
        (cd "$sev/rome" && python3 -c "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_$method) as archive:
    for name in sys.argv[2:]:
        archive.write(name + '.cert')" "$work/certs_export.zip" pdh pek oca cek ask ark)
        expect 0 owner certs verify certs_export.zip
        says 'zip: PDH, PEK, OCA, CEK, ASK, ARK'
    done
fi

# ---- SEV-SNP
for set in milan-vcek-a milan-vcek-b milan-vcek-c genoa-vcek turin-vcek; do
    expect 0 owner certs verify "$snp/roots/${set%%-*}_ask_ark_asvk.pem" "$snp/$set/vcek.der"
    says "root.*AMD's for"
done
expect 0 owner certs verify "$snp/roots/milan_ark.pem" "$snp/roots/milan_ask.pem" \
    "$snp/milan-vcek-a/vcek.der"
expect 0 owner certs verify --at 2025-06-01 "$snp/roots/milan_ask_ark_asvk.pem" \
    "$snp/milan-vlek/vlek.der"
expect 0 owner certs verify --at 2025-06-01T12:00:00Z "$snp/roots/milan_ask_ark_asvk.pem" \
    "$snp/milan-vlek/vlek.der"
expect 6 owner certs verify --at @1767225600 "$snp/roots/milan_ask_ark_asvk.pem" \
    "$snp/milan-vlek/vlek.der"
says "'ASVK signs VLEK': the VLEK expired at 2025-12-10"
for time in yesterday 2025-02-30 2025-06-01T25:00:00Z 2025-06-01T12:00:00 @x ''; do
    refuse 1 owner certs verify --at "$time" "$snp/roots/milan_ark.pem"
done
expect 6 owner certs verify "$snp/roots/genoa_ask_ark_asvk.pem" "$snp/milan-vcek-a/vcek.der"
says "'ASK signs VCEK': it names another issuer"
expect 6 owner certs verify "$snp/roots/milan_ask_ark_asvk.pem" \
    "$snp/milan-vcek-c/vcek-badsig-legacy-hwid.der"
says "'ASK signs VCEK': the signature is not by this key"
expect 6 owner certs verify "$snp/roots/milan_ask_ark_asvk.pem"
says 'nothing is said of a platform'
refuse 1 owner certs verify "$snp/milan-vcek-a/vcek.der" "$snp/milan-vcek-b/vcek.der"

# ---- broken SEV chains: the link and the reason
broken() { # broken LINK FILES...: exactly this link
    link=$1
    shift
    expect 6 owner certs verify "$@"
    grep -q "^privet: .*'$link': " err
    note $? "$*: not '$link': $(cat err)"
}
for part in "PEK signs PDH" "CEK signs PEK" "ASK signs CEK" "ARK signs ASK" "ARK signs itself"; do
    signed=$(echo "${part##* }" | tr '[:upper:]' '[:lower:]')
    [ "$signed" = itself ] && signed=ark
    for name in $names; do
        cp "$sev/rome/$name.cert" "$name"
        chmod u+w "$name"
    done
    case $signed in # a byte that does not change the structure
    ark | ask) offset=700 ;;
    *) offset=4 ;;
    esac
    printf '\125' | dd of="$signed" bs=1 seek=$offset conv=notrunc 2>/dev/null
    # shellcheck disable=SC2086
    broken "$part" $names
done
broken 'ASK signs CEK' "$sev/rome/ask.cert" "$sev/naples/cek.cert"
broken 'CEK signs PEK' "$sev/naples/cek.cert" "$sev/rome/pek.cert"
broken 'OCA signs PEK' "$sev/naples/oca.cert" "$sev/rome/pek.cert"
broken 'ARK signs ASK' "$sev/milan/ark.cert" "$sev/genoa/ask.cert"

# ---- an emulator's root counts only if asked for
expect 0 chip export --full emulated
broken root emulated
tail -c 1600 emulated >emulated_ark
head -c 9936 emulated >without_ark
expect 0 owner certs verify --root emulated_ark emulated
says 'root.*that of --root'
expect 0 owner certs verify --root emulated_ark without_ark
expect 0 owner certs verify --any-root emulated
broken root --root "$sev/rome/ark.cert" emulated
refuse 1 owner certs verify --root "$sev/rome/pdh.cert" emulated
refuse 1 owner certs verify --root nothing emulated

# ---- the exported chain has the CEK unsigned, AMD the signed one: both may be given
expect 0 chip export exported
head -c 8336 emulated | tail -c 2084 >cek
tail -c 3200 emulated >ask_ark
expect 6 owner certs verify --root emulated_ark exported ask_ark
says "'ASK signs CEK': the CEK is not signed"
expect 0 owner certs verify --root emulated_ark exported cek ask_ark
says "exported: sevctl's chain: PDH, PEK, OCA, CEK"
expect 0 owner certs verify --root emulated_ark cek ask_ark exported
says "exported: sevctl's chain: PDH, PEK, OCA, CEK"
refuse 1 owner certs verify exported "$sev/rome/cek.cert"

# ---- show
# shellcheck disable=SC2086
expect 0 owner certs show $rome "$snp/turin-vcek/vcek.der" "$snp/milan-vlek/vlek.der"
says 'signature-2 *by CEK, ECDSA with SHA-256'
says 'hardware-id *1e550a8ee5cf9f4d'
says 'provider *CN=cc-us-east-2.amazonaws.com'
says 'root *Rome'
if command -v python3 >/dev/null; then
    for verb in show verify; do
        # shellcheck disable=SC2086
        expect 0 owner certs $verb --json $rome
        python3 -m json.tool <out >/dev/null
        note $? "$verb --json"
    done
    grep -q '"root":"Rome","genuine":true' out
    note $? "verify --json: $(cat out)"
    expect 6 owner certs verify --json emulated
    python3 -m json.tool <out >/dev/null && grep -q '"genuine":false' out
    note $? "verify --json of a foreign root: $(cat out)"
fi

# ---- X.509 chains that look like AMD's: another root, and what an authority may not be
if command -v openssl >/dev/null; then
    pss='-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48'
    printf 'basicConstraints=critical,CA:TRUE\n' >authority
    printf 'basicConstraints=critical,CA:FALSE\n' >nothing_more
    for name in ark ask; do
        openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out $name.key
    done
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out small.key
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out vcek.key
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key
    # issue NAME SUBJECT KEY SIGNER EXTENSIONS OPTIONS...: NAME.pem; SIGNER.pem and SIGNER.key sign
    issue() {
        name=$1 signer=$4 extensions=$5
        openssl req -new -subj "/CN=$2" -key "$3.key" -out request 2>/dev/null
        shift 5
        if [ "$name" = "$signer" ]; then
            openssl x509 -req -in request -key "$name.key" -days 30 -extfile "$extensions" "$@" \
                -out "$name.pem" 2>/dev/null
        else
            openssl x509 -req -in request -CA "$signer.pem" -CAkey "$signer.key" -set_serial 1 \
                -days 30 -extfile "$extensions" "$@" -out "$name.pem" 2>/dev/null
        fi
    }
    # shellcheck disable=SC2086
    {
        issue ark ARK-Own ark ark authority -sha384 $pss
        issue ask SEV-Own ask ark authority -sha384 $pss
        issue vcek SEV-VCEK vcek ask nothing_more -sha384 $pss
        expect 0 owner certs verify --root ark.pem ask.pem vcek.pem
        expect 0 owner certs verify --any-root ark.pem ask.pem vcek.pem
        broken root ark.pem ask.pem vcek.pem
        broken root --root "$snp/roots/milan_ark.pem" ark.pem ask.pem vcek.pem
        expect 0 owner certs show vcek.pem
        says 'unreadable: it lacks the version'
        printf '1.3.6.1.4.1.3704.1.1=DER:020102\n' >newer
        issue newer SEV-VCEK vcek ask newer -sha384 $pss
        expect 0 owner certs show newer.pem
        says 'unreadable: its extensions are of an unknown version'
        # bad REASON SIGNED: of a chain under ark.pem and ask.pem
        bad() {
            expect 6 owner certs verify --root ark.pem ask.pem "$2.pem"
            says "$1"
        }
        issue sha256 SEV-VCEK vcek ask nothing_more -sha256 -sigopt rsa_padding_mode:pss
        bad 'is not RSASSA-PSS with SHA-384' sha256
        issue pkcs1 SEV-VCEK vcek ask nothing_more -sha384
        bad 'is not RSASSA-PSS with SHA-384' pkcs1
        issue p256 SEV-VCEK p256 ask nothing_more -sha384 $pss
        bad 'not on P-384' p256
        issue rsa SEV-VCEK ark ask nothing_more -sha384 $pss
        bad 'not on P-384' rsa
        issue vlek SEV-VLEK vcek ask nothing_more -sha384 $pss
        bad 'the ASVK was not given' vlek
        cp ask.pem true_ask.pem
        issue ask SEV-Own ask ark nothing_more -sha384 $pss
        bad 'is not an authority' vcek
        issue small SEV-Own small ark authority -sha384 $pss
        cp small.pem ask.pem
        bad 'not RSA-4096' vcek
        cp ask.key stranger.key
        issue stranger ARK-Own stranger stranger authority -sha384 $pss
        broken 'ARK signs ASK' --root ark.pem stranger.pem true_ask.pem vcek.pem
        issue other SEV-Other vcek ark nothing_more -sha384 $pss
        refuse 1 owner certs verify ark.pem true_ask.pem other.pem
        issue odd 'Somebody' vcek ark nothing_more -sha384 $pss
        refuse 1 owner certs verify odd.pem
        says "its subject is not one of AMD's"
    }
fi

# ---- convert: there and back
# shellcheck disable=SC2086
convert() { expect 0 owner certs convert --to "$1" --output "$2" $rome; }
convert sevctl-full one && convert sevctl two && convert ask-ark three && convert chain four &&
    convert sev-tool five
(cd "$sev/rome" && cat pdh.cert pek.cert oca.cert cek.cert ask.cert ark.cert) | cmp -s - one &&
    cat two three | cmp -s - one && tail -c +2085 two | cmp -s - four
note $? 'the sequences of sevctl and AMD'
expect 0 owner certs convert --to sevctl-full --output again five
cmp -s one again
note $? 'a zip there and back'
if command -v python3 >/dev/null; then
    python3 -m zipfile -t five >/dev/null && python3 -m zipfile -e five unpacked &&
        cmp -s unpacked/cek.cert "$sev/rome/cek.cert"
    note $? 'python reads the zip'
fi
mkdir folder
expect 0 owner certs convert --to files --output folder five "$snp/milan-vcek-a/vcek.der"
cmp -s folder/pek.cert "$sev/rome/pek.cert" &&
    cmp -s folder/vcek.der "$snp/milan-vcek-a/vcek.der"
note $? 'files in a folder'
expect 0 owner certs convert --to pem --output pem "$snp/milan-vcek-a/vcek.der" \
    "$snp/roots/milan_ask_ark_asvk.pem"
expect 0 owner certs verify pem
expect 0 owner certs convert --to der --output der "$snp/genoa-vcek/vcek.pem"
cmp -s der "$snp/genoa-vcek/vcek.der"
note $? 'PEM to DER'
if command -v openssl >/dev/null; then
    openssl x509 -in pem -noout
    note $? 'openssl reads the PEM'
fi
refuse 1 owner certs convert --to der --output none "$snp/roots/milan_ask_ark_asvk.pem"
refuse 1 owner certs convert --to pem --output none "$sev/rome/pek.cert"
refuse 1 owner certs convert --to sevctl --output none "$sev/rome/pek.cert"
refuse 1 owner certs convert --to sev-tool --output none "$snp/milan-vcek-a/vcek.der"
refuse 1 owner certs convert --to files --output nowhere "$sev/rome/pek.cert"
refuse 1 owner certs convert --to nonsense --output none "$sev/rome/pek.cert"
refuse 1 owner certs convert --output none "$sev/rome/pek.cert"
refuse 1 owner certs convert --to pem "$snp/milan-vcek-a/vcek.der"
[ ! -e none ] && [ ! -e nowhere ]
note $? 'a conversion that fails leaves nothing'
refuse 1 owner certs
refuse 1 owner certs show

finish
