#!/bin/sh
# Fetches Debian's own armhf kernel and its static busybox, unchanged, and makes an initial RAM disk of the latter.
# apt runs under a configuration of its own here: the system's architectures, sources and packages stay as they are.
#   images.sh OUTPUT-FOLDER
set -eu
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd) # apt takes relative paths from its own folders
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
stamp=$(cat "$0" "$here"/initrd/* | sha256sum | cut -d' ' -f1)
[ -f "$out/stamp" ] && [ "$(cat "$out/stamp")" = "$stamp" ] && [ -s "$out/vmlinuz" ] && [ -s "$out/initrd.cpio.gz" ] && exit 0

fail() {
    echo "partita: $1" >&2
    exit 1
}

# The Debian archive that this machine uses already: its address, release and key. Another Debian-like system has its own;
# then its release must offer armhf.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
source=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v codename="$codename" '$2 == codename && $3 == "main" { print; exit }')
[ -n "$source" ] || fail "apt knows no source of release '$codename'; add one to /etc/apt/sources.list.d and run apt-get update"
uri=${source%% *}
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$key" ] || key=

work=$out/apt
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/unpacked"
: >"$work/status"
echo "deb ${key:+[signed-by=$key] }$uri $codename main" >"$work/sources.list"
cat >"$work/apt.conf" <<EOF
APT::Architecture "armhf";
APT::Architectures { "armhf"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
EOF
export APT_CONFIG="$work/apt.conf"
echo "partita: fetching Debian's armhf kernel and busybox (45 MB)" >&2
later="is the network there, and the archive not in the middle of an update? Then run this again"
apt-get -q=2 update >"$work/log" 2>&1 || fail "Debian's armhf index cannot be fetched, see $work/log; $later"
kernel=$(apt-cache depends linux-image-armmp | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[ -n "$kernel" ] || fail "release '$codename' has no linux-image-armmp for armhf, see $work/log; use Debian 12 or 13"
(cd "$work/archives" && rm -f ./*.deb && apt-get -q=2 download "$kernel" busybox-static >>../log 2>&1) ||
    fail "$kernel and busybox-static cannot be downloaded, see $work/log; $later"
for package in "$work"/archives/*.deb; do
    dpkg --fsys-tarfile "$package" | tar -x -C "$work/unpacked" --wildcards './boot/vmlinuz-*' './bin/busybox' './usr/bin/busybox' 2>/dev/null || :
done
busybox=$(find "$work/unpacked" -name busybox -type f | head -n 1)
vmlinuz=$(find "$work/unpacked/boot" -name 'vmlinuz-*' -type f | head -n 1)
[ -n "$busybox" ] && [ -n "$vmlinuz" ] || fail "the packages have no kernel or no busybox in them; look into $work/unpacked, and tell the maintainers"

root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/sbin" "$root/etc" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/usr/bin" "$root/usr/sbin"
cp "$busybox" "$root/bin/busybox"
cp "$here/initrd/inittab" "$here/initrd/rc" "$root/etc/"
chmod 755 "$root/bin/busybox" "$root/etc/rc"
ln -s /bin/busybox "$root/bin/sh"
ln -s /bin/busybox "$root/init"
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc --owner=0:0 --reproducible | gzip -9n) >"$out/initrd.cpio.gz"
cp "$vmlinuz" "$out/vmlinuz"
rm -rf "$work/lists" "$work/archives" "$work/unpacked" "$root"
echo "$stamp" >"$out/stamp"
