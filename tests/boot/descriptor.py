#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: descriptor.py ROOT FILE...

Holds QEMU firmware descriptors (docs/interop/firmware.json of QEMU) against that interface and
against the files installed under ROOT. One line for each mistake; exit status 1 if there is one.
"""
import json
import os
import re
import sys

FEATURES = {
    "acpi-s3", "acpi-s4", "amd-sev", "amd-sev-es", "amd-sev-snp", "enrolled-keys", "host-uefi-vars",
    "intel-tdx", "requires-smm", "secure-boot", "verbose-dynamic", "verbose-static",
}
# What has a meaning only with or without another.
NEEDS = {"enrolled-keys": "secure-boot", "secure-boot": "requires-smm", "amd-sev-es": "amd-sev"}
EXCLUDES = {"verbose-dynamic": "verbose-static"}
FORMS = {"split": {"executable", "nvram-template"}, "combined": {"executable"},
         "stateless": {"executable"}}
FIELDS = {"description": str, "interface-types": list, "mapping": dict, "targets": list,
          "features": list, "tags": list}


def flash_file(root, role, entry):
    """An object of `filename` and `format`; the file is there, in whole pages, at most 8 MiB."""
    if not isinstance(entry, dict) or set(entry) != {"filename", "format"}:
        yield f"{role}: not an object of filename and format"
        return
    if entry["format"] != "raw":
        yield f"{role}: format {entry['format']}"
    if not entry["filename"].startswith("/"):
        yield f"{role}: {entry['filename']} is not an absolute path"
    path = root + entry["filename"]
    if not os.path.isfile(path):
        yield f"{role}: {path} is not there"
    elif os.path.getsize(path) % 4096 or not 0 < os.path.getsize(path) <= 8 << 20:
        yield f"{role}: {path} has {os.path.getsize(path)} bytes"


def mapping_mistakes(root, mapping):
    if mapping.get("device") != "flash":
        yield f"mapping: device {mapping.get('device')}"
        return
    files = FORMS.get(mapping.get("mode", "split"))
    if files is None or set(mapping) - {"device", "mode"} != files:
        yield f"mapping: members {sorted(mapping)} with mode {mapping.get('mode')}"
        return
    for role in sorted(files):
        yield from flash_file(root, role, mapping[role])


def feature_mistakes(features):
    yield from (f"feature {name} is unknown" for name in features if name not in FEATURES)
    yield from (f"feature {name} is there twice" for name in set(features) if features.count(name) > 1)
    yield from (f"{name} without {other}" for name, other in NEEDS.items()
                if name in features and other not in features)
    yield from (f"{name} with {other}" for name, other in EXCLUDES.items()
                if name in features and other in features)


def mistakes(root, path):
    if not re.fullmatch(r"[0-9]{2}-privet-[a-z0-9_-]+\.json", os.path.basename(path)):
        yield "the file's name is not NN-privet-NAME.json"
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    for name, form in FIELDS.items():
        if not isinstance(document.get(name), form):
            yield f"{name}: missing, or not a {form.__name__}"
            return
    if set(document) != set(FIELDS):
        yield f"fields {sorted(set(document) - set(FIELDS))} are unknown"
    if document["interface-types"] != ["uefi"]:
        yield f"interface-types: {document['interface-types']}"
    if document["targets"] != [{"architecture": "x86_64", "machines": ["pc-q35-*"]}]:
        yield f"targets: {document['targets']}"
    yield from mapping_mistakes(root, document["mapping"])
    yield from feature_mistakes(document["features"])


def main():
    found = [f"{path}: {text}" for path in sys.argv[2:] for text in mistakes(sys.argv[1], path)]
    for line in found:
        print(line)
    return 1 if found else 0


sys.exit(main())
