#!/bin/sh
# Makes a disk for the board: a GPT with two partitions, "root-a" and "root-b", each a root file system of Debian's own armhf packages, with
# fio, iperf3, ping and stress-ng. They are unpacked, not installed: what starts them is rootfs/init.
# In /boot are the kernel and the RAM disk of IMAGES (images.sh), for boot loaders.
# It is a copy of one that is kept in the folder: what a system wrote there is gone.
#   rootfs.sh FILE FOLDER IMAGES
set -eu
[ $# -eq 3 ] || { echo "rootfs.sh FILE FOLDER IMAGES" >&2 && exit 2; }
images=$(CDPATH='' cd -- "$3" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$(dirname -- "$1")"
file=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
mkdir -p "$2"
work=$(CDPATH='' cd -- "$2" && pwd)
newer=
give() {
    cp --sparse=always "$work/disk.img" "$file"
    exit 0
}
stamp=$(cat "$0" "$here/apt.sh" "$here/gpt.py" "$here"/rootfs/* "$images/stamp" | sha256sum | cut -d' ' -f1)
[ -s "$work/disk.img" ] && [ -f "$work/stamp" ] && [ "$(cat "$work/stamp")" = "$stamp" ] && give

. "$here/apt.sh"
fetch_index "root file system (70 MB)"
fetch_with_needed base-files libc6 dash bash coreutils grep sed mawk gzip findutils diffutils util-linux mount procps iproute2 iputils-ping kmod busybox-static fio iperf3 stress-ng

echo "partita: making its disk" >&2
root=$work/root
rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/etc"
for folder in bin sbin lib; do ln -s "usr/$folder" "$root/$folder"; done
for package in "$work"/archives/*.deb; do dpkg --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner; done
# What nobody looks at here: documents, and languages that only came with what they belong to.
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/perl* "$root"/usr/lib/python3* "$root"/usr/lib/*/perl* \
    "$root"/usr/share/info "$root"/usr/share/zoneinfo
[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
ln -sf mawk "$root/bin/awk" # as update-alternatives would have it
rm -f "$root/sbin/init"
cp "$here/rootfs/init" "$root/sbin/init"
chmod 755 "$root/sbin/init"
mkdir -p "$root/boot"
cp "$images/vmlinuz" "$root/boot/vmlinuz"
cp "$images/initrd-devices.cpio.gz" "$root/boot/initrd.gz"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
for name in root-a root-b; do
    rm -f "$work/$name.ext4"
    truncate -s 384M "$work/$name.ext4"
    PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -L "$name" -d "$root" "$work/$name.ext4"
done
/usr/bin/python3 "$here/gpt.py" "$work/disk.img" root-a="$work/root-a.ext4" root-b="$work/root-b.ext4"
rm -rf "$work/lists" "$work/archives" "$root" "$work"/*.ext4
echo "$stamp" >"$work/stamp"
give
