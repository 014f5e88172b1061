#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: owner_files.py TESTS-DATA
Makes the seeds of fuzz_owner_chain and fuzz_snp_report anew from the genuine certificates and reports
in TESTS-DATA/sev, and those of fuzz_authority from them and from keys that openssl makes."""
import io
import os
import subprocess
import sys
import zipfile

data = sys.argv[1]


def genuine(name):
    with open(os.path.join(data, 'sev', name), 'rb') as file:
        return file.read()


def seed(target, name, content):
    folder = os.path.join(data, 'fuzz', target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(content)


def chain(name, *files):
    """Each file with its length before it."""
    seed('fuzz_owner_chain', name, b''.join(len(f).to_bytes(3, 'little') + f for f in files))


def archive(method, *names):
    result = io.BytesIO()
    with zipfile.ZipFile(result, 'w') as files:
        for name in names:
            files.writestr(zipfile.ZipInfo(os.path.basename(name)), genuine(name), method)
    return result.getvalue()


def table(vcek):
    guid = bytes.fromhex('63da758de6644564adc5f4b93be8accd')
    return guid + (48).to_bytes(4, 'little') + len(vcek).to_bytes(4, 'little') + bytes(24) + vcek


chain('sev-naples', b''.join(genuine(f'naples/{name}.cert')
                             for name in ('pdh', 'pek', 'oca', 'cek', 'ask', 'ark')))
chain('snp-milan-vcek', genuine('snp/milan-vcek-a/cert_chain.pem'),
      genuine('snp/milan-vcek-a/vcek.der'))
chain('snp-vlek', genuine('snp/milan-vlek/vlek.der'))
chain('snp-turin', genuine('snp/turin-vcek/vcek.der'))
chain('zip-deflated', archive(zipfile.ZIP_DEFLATED, 'rome/pdh.cert', 'rome/pek.cert'))
chain('zip-stored', archive(zipfile.ZIP_STORED, 'naples/ark.cert'))
chain('table', table(genuine('snp/genoa-vcek/vcek.der')))

for product in ('milan-vcek-a', 'milan-vlek', 'genoa-vcek'):
    seed('fuzz_snp_report', product, genuine(f'snp/{product}/report.bin'))
seed('fuzz_snp_report', 'version-5', b'\5' + genuine('snp/genoa-vcek/report.bin')[1:])
seed('fuzz_snp_report', 'response', bytes(4) + (0x4A0).to_bytes(4, 'little') + bytes(24) +
     genuine('snp/milan-vcek-a/report.bin'))
seed('fuzz_snp_report', 'sev', bytes(range(48)) + bytes.fromhex('03000000 02100000 02000000') +
     bytes(4) + 2 * (b'\1' * 48 + bytes(24)))


def key(name, *options):
    pem = subprocess.run(['openssl', 'genpkey', *options], check=True, capture_output=True).stdout
    seed('fuzz_authority', name, b'\0' + pem)
    return pem


curve = ['-algorithm', 'EC', '-pkeyopt']
pem = key('p384', *curve, 'ec_paramgen_curve:P-384')
key('p384-explicit', *curve, 'ec_paramgen_curve:P-384', '-pkeyopt', 'ec_param_enc:explicit')
key('p256', *curve, 'ec_paramgen_curve:P-256')
key('brainpool', *curve, 'ec_paramgen_curve:brainpoolP384r1')
key('ed25519', '-algorithm', 'ED25519')
key('passphrase', *curve, 'ec_paramgen_curve:P-384', '-aes128', '-pass', 'pass:word')
sec1 = subprocess.run(['openssl', 'ec'], input=pem, check=True, capture_output=True).stdout
seed('fuzz_authority', 'sec1', b'\0' + sec1)
for product in ('naples', 'rome'):
    seed('fuzz_authority', f'request-{product}', b'\1' + genuine(f'{product}/pek.cert'))
