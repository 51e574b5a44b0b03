"""The worst-case stack of every entry into Hyp mode, from GCC's call graph (-fcallgraph-info=su) of the whole program.

usage: stack.py LIMIT FILE.ci...

Fails on recursion, on frames without a fixed size, on calls through pointers, on functions that nothing is known of, and when an
entry may need more than LIMIT bytes.
"""

import re
import sys

ENTRIES = ["on_traced_trap", "on_traced_interrupt", "on_trap", "on_interrupt", "on_asynchronous_abort", "boot_primary", "boot_secondary"]
# Assembly: world_switch.S and vectors.S use no stack, system_registers.S and scrub.S what they push, resume_guest leaves the one that it came on; libgcc's division takes 44 bytes.
ASSEMBLY = {"save_banked": 0, "load_banked": 0, "save_vfp": 0, "load_vfp": 0, "read_fpexc": 0, "write_fpexc": 0, "drain_aborts": 0,
            "resume_guest": 0, "save_system": 20, "load_system": 20, "zero_lines": 28, "__aeabi_uldivmod": 64}


def known_as(function, frames):
    """The name that a frame stands under: where a constructor's two kinds (C1, C2: Itanium C++ ABI §5.1.4.3) are the same code, only one has it."""
    if function in frames or "C1E" not in function:
        return function
    base = function.replace("C1E", "C2E")
    return next((name for name in frames if name.split(".")[0] == base), function)


def read(paths):
    frames, calls, wrong = {}, {}, []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if node := re.match(r'node: \{ title: "([^"]*)" label: "([^"]*)"', line):
                    if frame := re.search(r"(\d+) bytes \((\w+)", node[2]):
                        frames[node[1]] = int(frame[1])
                        if frame[2] != "static":
                            wrong.append(f"the frame of {node[1]} has no fixed size")
                elif edge := re.match(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', line):
                    calls.setdefault(edge[1], set()).add(edge[2])
    return frames, calls, wrong


def worst(function, graph, path=(), known=None):
    """Bytes, and the chain of calls that takes them."""
    frames, calls, wrong = graph
    known = {} if known is None else known
    function = known_as(function, frames)
    if function in path:
        wrong.append("recursion: " + " > ".join(path[path.index(function):] + (function,)))
        return 0, []
    if function not in known:
        if function not in frames and function not in ASSEMBLY:
            wrong.append(f"nothing is known of {function}, which {path[-1] if path else 'an entry'} calls")
        deepest = max((worst(callee, graph, path + (function,), known) for callee in calls.get(function, ())), default=(0, []))
        own = frames.get(function, ASSEMBLY.get(function, 0))
        known[function] = own + deepest[0], [(function, own), *deepest[1]]
    return known[function]


def main():
    limit, graph = int(sys.argv[1]), read(sys.argv[2:])
    wrong = graph[2]
    for entry in ENTRIES:
        need, chain = worst(entry, graph)
        print(f"{entry}: {need} bytes: " + " > ".join(f"{function.rsplit(':', 1)[-1]} {own}" for function, own in chain))
        if need > limit:
            wrong.append(f"{entry} may need {need} bytes of stack; there are {limit}")
    for complaint in dict.fromkeys(wrong):
        print(complaint)
    return 1 if wrong else 0


sys.exit(main())
