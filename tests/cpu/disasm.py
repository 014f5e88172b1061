#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""usage: tests/cpu/disasm.py DISASM-LIST [COUNT [SEED]]

Compares the disassembler with objdump on random instructions in 64-, 32- and 16-bit code. What
only looks different is made alike first (prefixes without effect, size words, implied segments);
what objdump itself does otherwise is in the table below.
"""
import bisect
import re
import subprocess
import sys
import tempfile

MACHINES = {64: "i386:x86-64", 32: "i386", 16: "i8086"}

# Instructions by the first word of our text, and why objdump's text may be another one.
OTHERWISE = {
    "nop": "hint space: objdump knows MPX, prefetch and CET there",
    "prefetch": "objdump names each hint",
    "xlat": "objdump shows the operand",
    "xchg": "NOP",
    "lsl": "objdump shows the selector as wide as the result",
    "lar": "as LSL",
    "lfs": "objdump shows 64-bit far pointers as fword",
    "lgs": "as LFS",
    "lss": "as LFS",
    "sha256rnds2": "objdump shows the implied xmm0",
    "blendvps": "as SHA256RNDS2",
    "blendvpd": "as SHA256RNDS2",
    "pblendvb": "as SHA256RNDS2",
    "salc": "unknown to objdump",
    "wbinvd": "WBNOINVD",
    "fwait": "objdump takes prefixes before it apart",
    "bsf": "with a prefix that an older processor ignores",
    "bsr": "as BSF",
    "fstp": "undocumented copies of x87 instructions",
    "fxch": "as FSTP",
    "fcom": "as FSTP",
    "fcomp": "as FSTP",
    "ffreep": "as FSTP",
    "bound": "objdump shows the size of both bounds",
    "invlpg": "objdump shows a size",
    "lddqu": "objdump shows no size",
    "ins": "64-bit operand size is 32 here",
    "outs": "as INS",
    "movmskps": "objdump shows 64 bits with REX.W",
    "movmskpd": "as MOVMSKPS",
    "pmovmskb": "as MOVMSKPS",
    "fnstsw": "objdump shows AX",
    "fucom": "objdump leaves ST(0) out",
    "fucomp": "as FUCOM",
    "fndisi": "as FNSETPM",
    "fneni": "as FNSETPM",
    "pcmpestrm": "objdump adds a size",
    "pcmpestri": "as PCMPESTRM",
    "fnsetpm": "objdump shows its processor",
    "cmpxchg16b": "objdump's word for 16 bytes is another one",
    "invpcid": "objdump shows no size",
    "mfence": "with a prefix",
    "lfence": "with a prefix",
    "sfence": "with a prefix",
}

# Predicates in the name, far pointers of 64 bits, "64" in the name, selectors' registers.
EXCUSED = re.compile(r"v?cmp[ps][psd] |(jmp|call) tbyte|f?x(save|rstor)[a-z]* |mov [c-gs]s,")

JUNK = re.compile(r"^(rex(\.[wrxb]+)?|data16|data32|addr32|addr16|[fgcdes]s|bnd|notrack|xacquire"
                  r"|xrelease) ")
STRINGS = r"(movs|stos|lods|cmps|scas|ins|outs)\b"
NAMES = {"pushfq": "pushf", "pushfd": "pushf", "pushfw": "pushf", "popfq": "popf",
         "popfd": "popf", "popfw": "popf", "iretd": "iret", "iretw": "iret", "pushad": "pusha",
         "pushaw": "pusha", "popad": "popa", "popaw": "popa", "sysexitd": "sysexit",
         "sysretd": "sysret", "retw": "ret", "retd": "ret", "retfw": "retf", "retfd": "retf",
         "pushw": "push", "pushd": "push", "popw": "pop", "popd": "pop", "jmpw": "jmp",
         "jmpd": "jmp", "callw": "call", "calld": "call", "leavew": "leave", "leaved": "leave",
         "movabs": "mov", "enterw": "enter", "enterd": "enter", "sgdtd": "sgdt", "sidtd": "sidt",
         "lgdtd": "lgdt", "lidtd": "lidt", "lgdtw": "lgdt", "lidtw": "lidt", "sgdtw": "sgdt",
         "sidtw": "sidt"}
NAMES.update({x87 + suffix: x87 for x87 in ("fldenv", "fnstenv", "frstor", "fnsave")
              for suffix in "wd"})


def alike(text):
    """What both sides have in common."""
    text = re.sub(r"\s+", " ", text.strip().lower()).replace(", ", ",")
    text = re.sub(r" far ", " ", text)
    name, space, rest = text.partition(" ")
    return NAMES.get(name, name) + space + rest


def from_objdump(text):
    text, _, comment = text.partition("#")
    text = re.sub(r"\s*<[^>]*>", "", text.lower().replace(" ptr ", " "))
    text = re.sub(r"\s+", " ", text.strip())
    before = None
    while before != text:
        before = text
        text = JUNK.sub("", text)
        text = re.sub(r"^(repz|repnz|rep) (?!" + STRINGS + ")", "", text)
        text = re.sub(r"^lock (rex(\.[wrxb]+)?|xacquire|xrelease) ", "lock ", text)
    text = re.sub(r"^(repz|repnz) (movs|stos|lods|ins|outs)", r"rep \2", text)
    text = re.sub(r"^repz ", "repe ", re.sub(r"^repnz ", "repne ", text))
    text = re.sub(r"\b([c-g]s):(0x[0-9a-f]+)", r"[\1:\2]", text)
    text = re.sub(r"\b([c-g]s):\[", r"[\1:", text)
    text = re.sub(r"\[[cdes]s:", "[", text)
    text = re.sub(r"(byte|word|dword|qword|fword|tbyte|xmmword|ymmword) (0x[0-9a-f]+)",
                  r"\1 [\2]", text)
    text = re.sub(r"(\[(?:[fg]s:)?)([re])iz[*]\d([+-])0x([0-9a-f]+)", lambda m: "%s0x%x" % (
        m.group(1), int(m.group(3) + m.group(4), 16) & (1 << (64 if m.group(2) == "r" else 32)) - 1),
        text)
    text = re.sub(r"[+][re]iz[*]\d", "", text).replace("+0x0]", "]")
    if comment:
        text = re.sub(r"\[((?:[fg]s:)?)[re]ip[^\]]*\]",
                      lambda m: "[" + m.group(1) + comment.split()[0] + "]", text)
    return alike(text)


def from_us(text):
    return alike(re.sub(r"\[[cdes]s:", "[", text))


def is_near_branch(text):
    return re.match(r"(j[a-z]+|call|ret|loop[a-z]*) ?", text)


def compare(lister, bits, count, seed):
    with tempfile.NamedTemporaryFile(suffix=".bin") as image:
        ours = subprocess.run([lister, str(bits), str(seed), str(count), image.name], check=True,
                              capture_output=True, text=True).stdout
        theirs = subprocess.run(["objdump", "-D", "-z", "-b", "binary", "-m", MACHINES[bits], "-M",
                                 "intel", "--insn-width=16", image.name], check=True,
                                capture_output=True, text=True).stdout
        with open(image.name, "rb") as file:
            data = file.read()
    found = {}
    for line in theirs.splitlines():
        match = re.match(r" *([0-9a-f]+):\t[0-9a-f ]+\t(.*)", line)
        if match:
            found[int(match.group(1), 16)] = match.group(2)
    offsets = sorted(found)
    good = excused = bad = 0
    for line in ours.splitlines():
        offset, length, text = line.split(" ", 2)
        offset, length = int(offset, 16), int(length)
        after = bisect.bisect_right(offsets, offset)
        their_length = offsets[after] - offset if after < len(offsets) else length
        ours_text, their_text = from_us(text), from_objdump(found.get(offset, "?"))
        name = re.sub(r"^(lock|rep[ne]*) ", "", ours_text).split(" ")[0]
        if ours_text == their_text and length == their_length:
            good += 1
        elif (name in OTHERWISE or EXCUSED.match(ours_text) or "?" in ours_text or "(bad)" in their_text or
              (bits == 64 and 0x66 in data[offset:offset + 2] and is_near_branch(ours_text)) or
              (bits != 64 and is_near_branch(ours_text) and "0xffff" in their_text) or
              (ours_text.startswith("rep") and ours_text.split(" ", 1)[1] == their_text)):
            excused += 1
        else:
            bad += 1
            if bad <= 20:
                code = data[offset:offset + length].hex(" ")
                print(f"{bits}-bit {code}: '{ours_text}' ({length}), "
                      f"objdump '{their_text}' ({their_length})")
    print(f"{bits}-bit: {good} alike, {excused} known to differ, {bad} different")
    return bad == 0 and good > count * 85 // 100


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    # A list stays below 64 KiB: 16-bit branches wrap there.
    results = [compare(sys.argv[1], bits, min(count - done, 2000), seed + bits + done)
               for bits in MACHINES for done in range(0, count, 2000)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
