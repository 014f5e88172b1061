#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: json.sh PRIVET DATA-FOLDER FIRMWARE
# What --json prints when a verb fails, and when a command of `privet chip` made something.
set -u

privet=$(realpath "$1")
data=$(realpath "$2")
firmware=$(realpath "$3")
# shellcheck source=tests/cli/library.sh
. "$(dirname "$0")/library.sh"

cat >judge.py <<'PY'
import json, re, sys
document = json.load(open("out"))
error = document.get("error", {})
def names(value):
    for name in value if isinstance(value, dict) else ():
        yield name
        yield from names(value[name])
    for item in value if isinstance(value, list) else ():
        yield from names(item)
wrong = [name for name in names(document) if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)]
assert not wrong, wrong
assert all(eval(expression) for expression in sys.argv[1:]), document
PY
holds() { # holds EXPRESSION...: of the document in out
    python3 judge.py "$@" 2>why
    note $? "$*: $(tail -n 1 why)"
}

# fails CODE WORDS...: one line on stderr, one object on stdout, and both say the same
fails() {
    expect "$@"
    [ "$(wc -l <err)" -eq 1 ] && [ "$(wc -l <out)" -eq 1 ]
    note $? "$*: a line and an object"
    sed 's/^privet: //' err >line
    holds 'list(document) == ["error"]' "error['exit-status'] == $1" \
        "error['message'] == open('line').read().rstrip('\\n')"
}

# ---- every verb that knows --json
printf 'no certificate' >text
for words in 'chip nonsense' 'chip' 'chip status extra' 'chip status --nonsense' 'chip export' \
    'chip id --state /proc/privet' 'chip verify --state /proc/privet' 'chip guests' \
    'chip export /nonexistent/file' 'chip csr /nonexistent/file' 'chip csr -' 'chip export -' \
    'chip import text text' 'chip import absent absent' 'chip reset --state /proc/privet' \
    'chip pek-gen --state /proc/privet' 'chip pdh-gen --full' \
    'firmware' 'firmware nonsense' 'firmware info absent' 'firmware vars text' 'firmware info' \
    'owner certs' 'owner certs absent' 'owner certs show text' 'owner certs --at yesterday text' \
    'owner measure' 'owner measure --firmware absent' 'owner measure --policy x' \
    'owner measure --firmware text --nonce 00 --measurement 00' 'owner measure stray' \
    'owner verify' 'owner verify --firmware text' 'owner verify --firmware text --measurement 00' \
    'owner report' 'owner report absent' 'owner report text'; do
    # shellcheck disable=SC2086
    fails 1 $words --json
done
fails 1 chip --json status --nonsense
fails 1 chip status --nonsense --json
: >empty
fails 1 firmware info --json empty
grep -q '"status"' out
[ $? -eq 1 ]
note $? 'a host error has no status of the chip'
# A word that is another option's value or an argument asks for nothing.
refuse 1 owner measure --firmware absent -- --json
refuse 1 chip decrypt --json 1 2 text
refuse 1 owner measure --firmware absent --append --json
refuse 1 owner session --json
refuse 1 chip exec --state /proc/privet true --json

# ---- a result that is not the wanted one is a document, no error
zero=$(printf '%096d' 0)
expect 6 owner verify --json --firmware "$firmware" --measurement "$zero"
holds "document['verified'] is False" "not error"
expect 6 owner certs --json "$data/sev/rome/pdh.cert"
holds "document['genuine'] is False" "not error"
expect 0 firmware new-vars damaged
printf '\252\125\077' | dd of=damaged bs=1 seek=100 conv=notrunc 2>/dev/null
expect 1 firmware vars --json damaged
[ "$(wc -l <out)" -eq 1 ]
note $? 'a damaged store: one document'

# ---- a chip that is not to be had: the status's name and number
unusable() { # unusable STATUS CODE ADVICE PATTERN WORDS...: of the chip below state; run writes a file
    status=$1 number=$2 advice=$3 pattern=$4
    shift 4
    for words; do
        # shellcheck disable=SC2086
        fails 1 $words --state below --json
        holds "error['status'] == '$status'" "error['code'] == $number" \
            "error.get('advice') == $advice" "re.search('$pattern', error['message'])"
    done
    rm -f how
    refuse 1 run --state below --firmware "$firmware" --timeout 30 --json how
    sed 's/^privet: //' err >line
    cp how out
    holds 'list(document) == ["error"]' "error['exit-status'] == 1" "error['status'] == '$status'" \
        "error['code'] == $number" "error.get('advice') == $advice" \
        "error['message'] == open('line').read().rstrip('\\n')"
}
expect 0 chip export --full --state below full
cp below/chip-state whole
printf 'X' | dd of=below/chip-state bs=1 seek=100 conv=notrunc 2>/dev/null
unusable SECURE_DATA_INVALID 24 "'remove it to get a new chip'" \
    'below/chip-state: chip state: damaged .status 0x18 SECURE_DATA_INVALID.; remove' \
    'chip status' 'chip pek-gen' 'chip export chain' 'chip verify'
cp whole below/chip-state
printf '9' | dd of=below/chip-state bs=1 seek=7 conv=notrunc 2>/dev/null
unusable SECURE_DATA_INVALID 24 "'name another folder'" 'made by another version' 'chip id'
cp whole below/chip-state
exec 9<below
flock 9
unusable HWERROR_PLATFORM 19 "'wait until it ends, or name another folder'" 'another process' \
    'chip csr request'
exec 9<&-
printf 'X' | dd of=below/amd-root bs=1 seek=100 conv=notrunc 2>/dev/null
for words in 'export --full chain' verify; do
    # shellcheck disable=SC2086
    fails 1 chip $words --state below --json
    holds "error['status'] == 'SECURE_DATA_INVALID'" "error['code'] == 24" \
        "error['advice'] == 'remove it to get a new root'" "'below/amd-root' in error['message']"
done
rm -r below
: >below
unusable HWERROR_PLATFORM 19 None 'Not a directory .status 0x13 HWERROR_PLATFORM.$' 'chip status'
rm below
# What is wrong with something else has no status, and a run that gets on tells as ever.
rm how
refuse 1 run --sev off --firmware "$firmware" --gdb nonsense --json how
cp how out
holds "sorted(error) == ['exit-status', 'message']" "error['exit-status'] == 1"

# ---- what was converted
rome=$data/sev/rome
expect 0 owner certs convert --json --to ask-ark --output chain "$rome/ask.cert" "$rome/ark.cert"
holds "list(document) == ['format', 'written']" "document['format'] == 'ask-ark'" \
    "[list(file) for file in document['written']] == [['file', 'size', 'sha256', 'certificates']]" \
    "document['written'][0]['file'] == 'chain'" "document['written'][0]['size'] == 3200" \
    "document['written'][0]['sha256'] == '$(sha256sum chain | cut -d ' ' -f 1)'" \
    "document['written'][0]['certificates'] == ['ASK', 'ARK']"
vcek=$data/sev/snp/milan-vcek-a/vcek.der
mkdir folder
expect 0 owner certs convert --json --to files --output folder "$rome/pdh.cert" "$vcek"
holds "[(file['file'], file['certificates']) for file in document['written']] == \
    [('folder/pdh.cert', ['PDH']), ('folder/vcek.der', ['VCEK'])]" \
    "document['written'][1]['sha256'] == '$(sha256sum folder/vcek.der | cut -d ' ' -f 1)'"
for form in pem der; do
    expect 0 owner certs convert --json --to $form --output $form "$vcek"
    holds "document['written'][0]['certificates'] == ['VCEK']"
done
expect 0 owner certs convert --json --to pem --output all "$data/sev/snp/roots/milan_ask_ark_asvk.pem" "$vcek"
holds "document['written'][0]['certificates'] == ['VCEK', 'ASK', 'ASVK', 'ARK']"
expect 0 owner certs convert --json --to sev-tool --output zip "$rome/cek.cert" "$rome/pek.cert"
holds "document['written'][0]['certificates'] == ['PEK', 'CEK']"
fails 1 owner certs convert --json --to pem --output - "$vcek"
fails 1 owner certs convert --json --to sevctl --output none "$rome/pek.cert"
fails 1 owner certs convert --json --to pem "$vcek"
expect 0 owner certs convert --to pem --output pem "$vcek"
[ ! -s out ] && [ ! -s err ]
note $? 'a conversion without --json is silent'

# ---- what the chip is, as text and as JSON
expect 0 chip status --json
holds "document == {'model': 'EPYC-Rome (emulated)', 'api-major': 0, 'api-minor': 24,
                    'build-id': 15, 'state': 'init', 'owner': 'self', 'es': True, 'guests': 0}"
expect 0 chip status
[ "$(cat out)" = 'model: EPYC-Rome (emulated)
API version: 0.24
build: 15
state: init
owner: self
SEV-ES: on
guests: 0' ]
note $? "chip status: $(cat out)"
expect 0 chip id
cp out id
expect 0 chip id --json
holds "document == {'cpu0-id': open('id').read().strip()}" "len(document['cpu0-id']) == 128"
expect 0 chip verify
cp out links
expect 0 chip verify --json
holds "document['valid'] is True" "len(document['links']) == 8" \
    "[l['name'] for l in document['links']] == [l[:26].strip() for l in open('links')]" \
    "all(l['state'] == 'valid' for l in document['links'])"

# ---- what the chip made
made() { # made WORDS...: then the keys that `owner certs show` finds are those that were told
    expect 0 chip "$@" --json
    cp out made
    expect 0 chip export chain
    expect 0 owner certs show --json chain
    python3 - <<'PY' 2>why
import json
made, shown = json.load(open("made")), json.load(open("out"))
keys = {c["kind"].lower() + "-key-sha256": c["key-sha256"] for c in shown["certificates"]}
told = {name: value for name, value in made.items() if name.endswith("-key-sha256")}
assert sorted(told) == ["oca-key-sha256", "pdh-key-sha256", "pek-key-sha256"], told
assert all(keys[name] == told[name] for name in told), (keys, told)
PY
    note $? "chip $*: keys: $(tail -n 1 why)"
    cp made out
}
key() { sed -n "s/.*\"$1-key-sha256\":\"\([0-9a-f]*\)\".*/\1/p" out; }
made csr request
holds "document['file'] == 'request'" "document['size'] == 2084" "document['state'] == 'init'" \
    "document['sha256'] == '$(sha256sum request | cut -d ' ' -f 1)'" \
    "document['certificates'] == ['PEK']" "document['owner'] == 'self'"
pek=$(key pek)
made export --full full
holds "document['file'] == 'full'" "document['size'] == 11536" \
    "document['sha256'] == '$(sha256sum full | cut -d ' ' -f 1)'" \
    "document['certificates'] == ['PDH', 'PEK', 'OCA', 'CEK', 'ASK', 'ARK']"
made export short
holds "document['size'] == 8336" "document['certificates'] == ['PDH', 'PEK', 'OCA', 'CEK']"
pdh=$(key pdh)
expect 0 owner sign-csr --key owner.pem --new-key request
made import owner_pek.cert owner_oca.cert
holds "document['owner'] == 'external'" "document['state'] == 'init'" \
    "document['pek-key-sha256'] == '$pek'" "document['pdh-key-sha256'] != '$pdh'"
fails 1 chip import --json owner_pek.cert owner_oca.cert
holds "error['status'] == 'ALREADY_OWNED'" "error['code'] == 5" "error['state-found'] == 'init'" \
    "error['state-required'] == 'init'" "error['command'] == 'PEK_CERT_IMPORT'" \
    "'pek-gen' in error['advice']"
made pdh-gen
holds "document['owner'] == 'external'" "document['pek-key-sha256'] == '$pek'"
pdh=$(key pdh)
made pek-gen
holds "document['owner'] == 'self'" "document['pek-key-sha256'] != '$pek'" \
    "document['pdh-key-sha256'] != '$pdh'"
pek=$(key pek)
made reset
holds "document['owner'] == 'self'" "document['pek-key-sha256'] != '$pek'"
# Without --json they say nothing.
for words in 'csr request' 'export chain' pdh-gen pek-gen reset; do
    # shellcheck disable=SC2086
    expect 0 chip $words
    [ ! -s out ] && [ ! -s err ]
    note $? "chip $words: silent"
done

finish
