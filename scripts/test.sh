#!/bin/sh
# Every test: both target compilers, formatting, static analysis, the disassembly, unit tests plain and sanitised, fuzzers for a
# moment, and whole systems in QEMU. Called by ./partita test, which has installed what is needed.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build
logs=$build/test-logs
mkdir -p "$logs"
cd "$root" || exit 1
passed=0
failed=0

# step NAME COMMAND…: one check, counted as one test
step() {
    name=$1
    shift
    begin=$(date +%s)
    if "$@" >"$logs/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($(($(date +%s) - begin)) s)"
    else
        failed=$((failed + 1))
        echo "FAILED  $name: of $logs/$name.log, the errors and the end"
        { grep -nE 'error:|FAILED' "$logs/$name.log" | head -n 20; tail -n 20 "$logs/$name.log"; } | cut -c1-300 | sed 's/^/        /'
        return 1
    fi
}

# counted NAME PATTERN-OF-PASSED PATTERN-OF-FAILED COMMAND…: a suite that tells its own numbers in its log
counted() {
    name=$1 good=$2 bad=$3
    shift 3
    begin=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1
    status=$?
    n=$(sed -n "s/$good/\1/p" "$logs/$name.log" | tail -n 1)
    m=$(sed -n "s/$bad/\1/p" "$logs/$name.log" | tail -n 1)
    n=${n:-0} m=${m:-0}
    case $1 in ctest) n=$((n - m)) ;; esac # ctest tells how many there were, pytest how many passed
    [ "$status" = 0 ] && [ "$n" -gt 0 ] || [ "$m" -gt 0 ] || m=1
    passed=$((passed + n))
    failed=$((failed + m))
    if [ "$m" = 0 ]; then
        echo "ok      $name: $n tests ($(($(date +%s) - begin)) s)"
    else
        echo "FAILED  $name: $m of $((n + m)) tests: $logs/$name.log ends with"
        tail -n 60 "$logs/$name.log" | cut -c1-300 | sed 's/^/        /'
    fi
}

preset() { cmake --preset "$1" && cmake --build "$build/$1"; }
format() { git ls-files '*.cpp' '*.hpp' '*.h' '*.c' | xargs clang-format-19 --dry-run -Werror; }
tidy() { run-clang-tidy-19 -quiet -p "$build/$1" -j2 "$2"; }
# What ARMv7 lacks must not be in the image, nor floating point outside the world switch.
disassembly() {
    for compiler in arm-gcc arm-clang; do
        arm-none-eabi-objdump -d "$build/$compiler/hypervisor/hypervisor.elf" >"$logs/$compiler.s" || return 1
        if grep -nwE 'lda|ldab|ldah|ldaex[bhd]?|stl|stlb|stlh|stlex[bhd]?|sevl|hlt|crc32[bhwc]*|ishld|oshld|nshld|ld' "$logs/$compiler.s"; then
            echo "$compiler: an instruction that ARMv7 lacks"
            return 1
        fi
        awk '/>:$/ { where = $2 } /\tv(ldr|str|ldm|stm|mov|mrs|msr|add|mul|ld1|st1)/ { print where }' "$logs/$compiler.s" | sort -u |
            grep -vE 'save_vfp|load_vfp|read_fpexc|write_fpexc|read_mvfr|on_trap|coprocessor|on_vmrs|dispatch|conditional' && {
            echo "$compiler: floating point where it must not be"
            return 1
        }
    done
    return 0
}
text_size() {
    size=$(arm-none-eabi-size -A "$build/arm-gcc/hypervisor/hypervisor.elf" | awk '$1 == ".text" { print $2 }')
    echo "hypervisor .text: $size bytes of at most 98304"
    [ "$size" -le 98304 ]
}
# A vCPU's stack has 2048 bytes (partition/vcpu.hpp), a panic on top of it takes 152.
stack() {
    graph=$(find "$build/arm-gcc/hypervisor" -name '*.ltrans*.ci' -o -name memory.cpp.ci)
    # shellcheck disable=SC2086
    [ -n "$graph" ] && /usr/bin/python3 scripts/stack.py 1896 $graph
}
documents() {
    "$build/host/tool/partita" schema | cmp - docs/system.schema.json && "$build/host/tool/partita" schema --markdown | cmp - docs/system-toml.md &&
        "$build/host/tool/partita" schema --hypercalls | cmp - docs/hypercalls.md
}

step build-arm-gcc preset arm-gcc
step build-arm-clang preset arm-clang
step build-host preset host
step build-host-sanitized preset host-sanitized
step images sh scripts/images.sh "$build/images" tests
step disk sh scripts/rootfs.sh "$build/images/server.img" "$build/images/rootfs" "$build/images"
step format format
step tidy-hypervisor tidy arm-clang "$root/(hypervisor|parent|monitor|secure|guest)/.*cpp"
step tidy-tool tidy host-sanitized "$root/tool/.*cpp"
step disassembly disassembly
step text-size text_size
step stack stack
step documents documents
counted unit '.*tests passed, .* tests failed out of \([0-9]*\)' '.* tests passed, \([1-9][0-9]*\) tests failed.*' ctest --test-dir "$build/host" -j2 --output-on-failure
rm -rf "$build/host-sanitized/profiles"
counted sanitized '.*tests passed, .* tests failed out of \([0-9]*\)' '.* tests passed, \([1-9][0-9]*\) tests failed.*' ctest --test-dir "$build/host-sanitized" -j2 --output-on-failure
# From here on QEMU notes what the hypervisor executes.
tool_path=$PATH
step coverage-tools /usr/bin/python3 tests/coverage/coverage.py --prepare
PATH=$build/coverage/bin:$PATH
counted system '.*[^0-9]*\b\([0-9][0-9]*\) passed.*' '.*\b\([0-9][0-9]*\) failed.*' \
    /usr/bin/python3 -m pytest -c tests/system/pytest.ini tests/system -n 2 -q --durations=5 "$@"
step soak /usr/bin/python3 tests/soak/soak.py --restarts 1000 --timeout 300
step soak-linux /usr/bin/python3 tests/soak/soak.py --linux 2 --timeout 600
PATH=$tool_path
step coverage /usr/bin/python3 tests/coverage/coverage.py --report --check
tail -n 2 "$logs/coverage.log"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
