#!/bin/sh
# Fetches BearSSL as Debian compiles it for armhf: its headers, and its static library for a program without floating point.
#   bearssl.sh OUTPUT-FOLDER
set -eu
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
stamp=$(cat "$0" "$here/apt.sh" | sha256sum | cut -d' ' -f1)
[ -s "$out/libbearssl.a" ] && [ -s "$out/include/bearssl.h" ] && [ -f "$out/stamp" ] && [ "$(cat "$out/stamp")" = "$stamp" ] && exit 0

work=$out/apt
newer=
. "$here/apt.sh"
fetch_index "BearSSL (0.2 MB)"
fetch libbearssl-dev
rm -rf "$out/include" "$work/unpacked"
mkdir "$work/unpacked"
for package in "$work"/archives/*.deb; do dpkg --fsys-tarfile "$package" | tar -x -C "$work/unpacked"; done
cp -R "$work/unpacked/usr/include" "$out/include"
library=$(find "$work/unpacked" -name libbearssl.a)
[ -n "$library" ] || fail "libbearssl-dev has no libbearssl.a in it; look into $work/unpacked, and tell the maintainers"
# The mark of the hard-float calling convention goes: no function of it passes a floating-point number.
arm-none-eabi-objcopy --remove-section .ARM.attributes "$library" "$out/libbearssl.a"
rm -rf "$work"
echo "$stamp" >"$out/stamp"
