"""The decoder against an independent disassembler: every encoding that `decodings` prints is read by llvm-mc too, and both must say
the same. What the decoder refuses, llvm-mc must refuse, call UNPREDICTABLE, or read as one of the few instructions that are not
emulated; what the decoder does not take for an access to memory must be none.
    reference.py DECODINGS a32|t32 [SEED]"""

import re
import subprocess
import sys

LLVM = ["llvm-mc-19", "--disassemble", "-mcpu=cortex-a15"]
TRIPLES = {"a32": "armv7a", "t32": "thumbv7a"}
MOST_SHOWN = 20

# Accesses to memory that are not emulated.
REFUSED = re.compile(r"(rfe|srs|ldc|stc|v(ld|st)[1-4])")
ACCESSES = re.compile(r"(ldr|str|ldm|stm|push|pop|swp|vldr|vstr|vldm|vstm|vpush|vpop|fldm|fstm|tb[bh]\b|ld[ac]|st[lc]|rfe|srs|v(ld|st)[1-4])")

# llvm-mc calls these UNPREDICTABLE, and the architecture manual (DDI 0406C A8.8) does not: it takes a part of the immediate offset
# for a register, or wants no SP as the base.
TOO_STRICT = {"a32": r"strd r\d+, \w+, \[\w+(\], |, )#", "t32": r"(ldr|str)d \w+, \w+, \[sp.*(\]!|\], )"}


class Operands:
    """What the manual's rules speak of, from a disassembler's text."""

    def __init__(self, text):
        self.mnemonic, _, operands = text.partition(" ")
        place = re.search(r"\[(\w+)(?:, -?(\w+))?[^]]*\](!)?(?:, (?:#|-?(\w+)))?", operands)
        block = re.match(r"(\w+)(!)?, \{(.*)\}( \^)?", operands)
        self.list = set(re.findall(r"\w+", block[3])) if block else set()
        self.user = bool(block and block[4])
        self.data, self.base, self.index, self.writeback = [], None, None, False
        if block:
            self.base, self.writeback = block[1], block[2] == "!"
        elif place:
            self.data = re.findall(r"\w+", operands[:place.start()])
            self.base, self.index = place[1], place[2] or place[4]
            self.writeback = place[3] == "!" or "], " in operands
        self.load = "ld" in self.mnemonic or "tb" in self.mnemonic


def unpredictable(instruction_set, code, text):
    """Whether the manual calls an encoding so, by A8.8's rules for the instruction that the text names. Told by the text, so in other
    words than the decoder's."""
    on, thumb = Operands(text), instruction_set == "t32"
    name, data = on.mnemonic, on.data
    if name[0] in "vf" and name[1] in "ls":
        several = name not in ("vldr", "vstr")
        extended = name[-1] == "x" or text.endswith(" x")
        high = extended and any(int(register[1:]) > 15 for register in on.list)
        return high or (on.base == "pc" and (on.writeback or (thumb and (several or name == "vstr"))))
    if on.list:
        returns = on.user and on.load and "pc" in on.list
        if on.base == "pc" or (on.user and on.writeback and not returns) or (on.load and on.writeback and on.base in on.list and len(code) == 8):
            return True
        wide = thumb and len(code) == 8
        listed = "sp" in on.list or len(on.list) < 2 or ({"lr", "pc"} <= on.list if on.load else "pc" in on.list)
        return wide and (listed or (on.writeback and on.base in on.list))
    if name.startswith("tb"):
        return on.base == "sp" or on.index in ("sp", "pc")
    if name.startswith(("ldrex", "strex")):
        forbidden = {"sp", "pc"} if thumb and len(data) else {"pc"}
        status = name.startswith("s") and (data[0] == on.base or data[0] in data[1:])
        return on.base == "pc" or bool(forbidden & set(data)) or status or (name == "ldrexd" and data[0] == data[1]) or odd(thumb, data[-2:], name)
    if name.startswith("swp"):
        return "pc" in data + [on.base] or on.base in data
    narrow = len(code) == 4
    word, dual, unprivileged = name in ("ldr", "str", "ldrt", "strt"), name in ("ldrd", "strd"), name.endswith("t")
    base = on.writeback and (on.base == "pc" or on.base in data)
    if not thumb:
        transferred = "pc" in data and (not word or name == "ldrt")
        should_be_zero = not word and name not in ("ldrb", "strb", "ldrbt", "strbt") and on.index is not None and code[3] != "0"  # bits 11-8
        clash = name == "ldrd" and on.index in data
        return base or transferred or on.index == "pc" or should_be_zero or clash or odd(thumb, data, name)
    if narrow:
        return False
    transferred = {"sp", "pc"} & set(data) if not word or unprivileged else {"pc"} & set(data) if name == "str" else set()
    return base or bool(transferred) or on.index in ("sp", "pc") or (dual and ((name == "strd" and on.base == "pc") or (on.load and data[0] == data[1])))


def odd(thumb, pair, name):
    """In A32 the first of two registers has an even number, and is not LR."""
    return not thumb and name.endswith("d") and (pair[0] == "lr" or (pair[0][1:].isdigit() and int(pair[0][1:]) % 2 == 1))


def canonical(text):
    """llvm-mc's text in the form that `decodings` uses."""
    text = re.sub(r"\s+", " ", text.strip())
    mnemonic, _, operands = text.partition(" ")
    mnemonic = mnemonic.removesuffix(".w").replace(".32", "").replace(".64", "")
    if mnemonic in ("push", "pop"):
        registers = operands.strip("{}").split(", ")
        mnemonic, operands = ("stmdb" if mnemonic == "push" else "ldmia"), f"sp!, {operands}"
        if len(registers) == 1:
            single = f"str {registers[0]}, [sp, #-4]!" if mnemonic == "stmdb" else f"ldr {registers[0]}, [sp], #4"
            return {f"{mnemonic} {operands}", single}
    if mnemonic in ("vpush", "vpop"):
        mnemonic, operands = ("vstmdb" if mnemonic == "vpush" else "vldmia"), f"sp!, {operands}"
    if mnemonic in ("ldm", "stm"):
        mnemonic += "ia"
    operands = operands.replace("[pc, #0]", "[pc]")
    extended = re.fullmatch(r"f(ld|st)m(ia|db)x", mnemonic)
    if extended:
        mnemonic, operands = f"v{extended[1]}m{extended[2]}", operands + " x"
    return {f"{mnemonic} {operands}"}


def disassemble(instruction_set, encodings):
    """[(text or None where it is no instruction, whether it is called UNPREDICTABLE)]"""
    blocks = "".join("[" + " ".join(f"0x{code[n:n + 2]}" for n in range(0, len(code), 2)) + "]\n" for code in encodings)
    done = subprocess.run([*LLVM, f"-triple={TRIPLES[instruction_set]}"], input=blocks, capture_output=True, text=True, check=False)
    invalid, doubtful = set(), set()
    for line, what in re.findall(r"^<stdin>:(\d+):\d+: warning: (invalid|potentially undefined)", done.stderr, re.M):
        (invalid if what == "invalid" else doubtful).add(int(line) - 1)
    texts = iter(line for line in done.stdout.splitlines() if line.startswith("\t") and not line.startswith("\t."))
    read = [(None if n in invalid else next(texts), n in doubtful) for n in range(len(encodings))]
    if next(texts, None) is not None:
        sys.exit("reference: llvm-mc said more than it was asked")
    return read


def wrong(instruction_set, code, ours, theirs, doubtful):
    """Why the two do not agree, or None."""
    text = "" if theirs is None else re.sub(r"\s+", " ", theirs.strip()).replace(".w ", " ")
    if ours == "-":
        return "is an access" if ACCESSES.match(text) and not doubtful else None
    if ours != "?" and theirs is None:
        return "was not refused"
    meant = canonical(theirs) if theirs is not None else {""}
    if ours != "?" and ours not in meant:
        return "was read otherwise"
    forbidden = theirs is None or REFUSED.match(text) is not None or unpredictable(instruction_set, code, max(meant))
    if ours == "?":
        return None if forbidden or doubtful else "was refused"
    if forbidden:
        return "is UNPREDICTABLE"
    return "is doubtful" if doubtful and not re.match(TOO_STRICT[instruction_set], ours) else None


def compare(decodings, instruction_set, seed):
    lines = subprocess.run([decodings, instruction_set, seed], capture_output=True, text=True, check=True).stdout.splitlines()
    # Without IT, which llvm-mc would remember.
    decoded = sorted({tuple(line.split("\t")) for line in lines if not re.match(r"[0-9a-f]{2}bf\t", line)})
    read = disassemble(instruction_set, [code for code, _ in decoded])
    failures, accesses = [], 0
    for (code, ours), (theirs, doubtful) in zip(decoded, read):
        accesses += ours not in "-?"
        reason = wrong(instruction_set, code, ours, theirs, doubtful)
        if reason:
            failures.append(f"{code} {reason}: \"{ours}\", llvm-mc: {theirs and theirs.strip()!r}{' (UNPREDICTABLE)' if doubtful else ''}")
    for failure in failures[:MOST_SHOWN]:
        print(failure)
    print(f"{instruction_set}: {len(decoded)} encodings, {accesses} of them accesses, {len(failures)} read otherwise than by llvm-mc")
    return not failures


def main():
    return 0 if compare(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "1") else 1


if __name__ == "__main__":
    sys.exit(main())
