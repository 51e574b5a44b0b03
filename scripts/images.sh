#!/bin/sh
# Fetches Debian's own armhf kernel and its static busybox, unchanged, and makes an initial RAM disk of the latter, and one with the
# kernel's own drivers for NVMe disks and virtio devices. For the tests also its LPAE and PREEMPT_RT kernels, a RAM disk with the drivers of
# the latter, its driver for the SP805 watchdog, its installer and U-Boot.
#   images.sh OUTPUT-FOLDER [tests]
set -eu
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd) # apt takes relative paths from its own folders
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
set=${2:-run}
case $set in
    run) results="vmlinuz initrd.cpio.gz initrd-devices.cpio.gz" ;;
    tests) results="vmlinuz initrd.cpio.gz initrd-devices.cpio.gz initrd-devices-rt.cpio.gz sp805_wdt.ko vmlinuz-lpae vmlinuz-rt installer-initrd.gz u-boot.bin" ;;
    *) echo "images.sh OUTPUT-FOLDER [tests]" >&2 && exit 2 ;;
esac
stamp=$(cat "$0" "$here/apt.sh" "$here"/initrd/* | sha256sum | cut -d' ' -f1)
present() {
    for result in $results; do [ -s "$out/$result" ] || return 1; done
    [ -f "$out/stamp" ] && [ "$(cat "$out/stamp")" = "$stamp" ]
}
present && exit 0

work=$out/apt
newer= # where the PREEMPT_RT kernel comes from: Debian 12 has the one worth testing in its backports
[ "$set" = tests ] && grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release && newer=bookworm-backports
. "$here/apt.sh"
[ "$set" = run ] && what="kernel and busybox (45 MB)" || what="kernels, installer, U-Boot and busybox (180 MB)"
fetch_index "$what"

# unpack PACKAGE[/SUITE]…: what we use of these packages, in $work/unpacked
unpack() {
    rm -rf "$work/unpacked" && mkdir -p "$work/unpacked"
    fetch "$@"
    for package in "$work"/archives/*.deb; do
        dpkg --fsys-tarfile "$package" | tar -x -C "$work/unpacked" --wildcards './boot/vmlinuz-*' '*/kernel/*.ko*' './bin/busybox' './usr/bin/busybox' \
            './usr/lib/u-boot/qemu_arm/u-boot.bin' '*/debian-installer/armhf/initrd.gz' 2>/dev/null || :
    done
}
# take NAME-PATTERN RESULT: the one file of that name
take() {
    file=$(find "$work/unpacked" -name "$1" -type f | head -n 1)
    [ -n "$file" ] || fail "the packages have no $1 in them; look into $work/unpacked, and tell the maintainers"
    cp "$file" "$2"
}
# kernel META-PACKAGE [SUITE]: the kernel package that it stands for
kernel() {
    name=$(apt-cache ${2:+-t "$2"} depends "$1" | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
    [ -n "$name" ] || fail "release '$codename' has no $1 for armhf, see $work/log; use Debian 12 or 13"
    echo "$name"
}

# module NAME: it and before it what it needs, in $modules, and their names in the order to load them
module() {
    [ ! -f "$modules/$1.ko" ] || return 0
    found=$(find "$work/unpacked" -name "$1.ko*" -o -name "$(echo "$1" | tr _ -).ko*" | head -n 1)
    [ -n "$found" ] || return 0 # built in
    xz -dc "$found" >"$modules/$1.ko" 2>/dev/null || cp "$found" "$modules/$1.ko" # kernels of Debian 13 have them compressed
    for needed in $(tr '\000' '\n' <"$modules/$1.ko" | sed -n 's/^depends=//p' | tr , ' '); do module "$needed"; done
    echo "$1" >>"$modules/order"
}
# drivers FOLDER: of what is unpacked, those for disks and virtio devices
drivers() {
    modules=$1
    rm -rf "$modules" && mkdir "$modules"
    for name in nvme virtio_pci virtio_mmio virtio_net virtio_blk virtio_console virtio_rng virtio_rpmsg_bus rpmsg_ctrl rpmsg_char crc32c_generic ext4; do module "$name"; done
}

unpack "$(kernel linux-image-armmp)" busybox-static
drivers "$work/modules"
take 'vmlinuz-*' "$out/vmlinuz"
take busybox "$work/busybox"
if [ "$set" = tests ]; then
    take 'sp805_wdt.ko*' "$work/sp805_wdt.ko"
    xz -dc "$work/sp805_wdt.ko" >"$out/sp805_wdt.ko" 2>/dev/null || cp "$work/sp805_wdt.ko" "$out/sp805_wdt.ko" # Debian 13 compresses it
    unpack "$(kernel linux-image-armmp-lpae)"
    take 'vmlinuz-*' "$out/vmlinuz-lpae"
    # shellcheck disable=SC2086
    unpack "$(kernel linux-image-rt-armmp $newer)"
    take 'vmlinuz-*' "$out/vmlinuz-rt"
    drivers "$work/modules-rt"
    unpack "debian-installer-$(. /etc/os-release && echo "$VERSION_ID")-netboot-armhf" u-boot-qemu
    take u-boot.bin "$out/u-boot.bin"
    take initrd.gz "$out/installer-initrd.gz"
fi

root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/sbin" "$root/etc" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/usr/bin" "$root/usr/sbin"
cp "$work/busybox" "$root/bin/busybox"
cp "$here/initrd/inittab" "$here/initrd/rc" "$here/initrd/port" "$here/initrd/switch" "$root/etc/"
cp "$here/initrd/init" "$root/init"
chmod 755 "$root/bin/busybox" "$root/etc/rc" "$root/etc/port" "$root/etc/switch" "$root/init"
ln -s /bin/busybox "$root/bin/sh"
pack() {
    (cd "$root" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc --owner=0:0 --reproducible | gzip -9n) >"$out/$1"
}
pack initrd.cpio.gz
mkdir -p "$root/lib"
cp -R "$work/modules" "$root/lib/modules"
pack initrd-devices.cpio.gz
if [ "$set" = tests ]; then
    rm -rf "$root/lib/modules"
    cp -R "$work/modules-rt" "$root/lib/modules"
    pack initrd-devices-rt.cpio.gz
fi
rm -rf "$work/lists" "$work/archives" "$work/unpacked" "$work/modules" "$work/modules-rt" "$root"
echo "$stamp" >"$out/stamp"
