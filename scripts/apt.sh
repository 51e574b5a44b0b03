# Sourced by scripts that fetch armhf packages: apt under a configuration of its own, so that the system's architectures, sources and packages
# stay as they are. Before it: `work`, a folder; `newer`, a further suite, or nothing. After it: fail(), fetch_index(), $codename, $later.
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

mkdir -p "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
for suite in $codename $newer; do echo "deb ${key:+[signed-by=$key] }$uri $suite main"; done >"$work/sources.list"
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

later="is the network there, and the archive not in the middle of an update? Then run this again"
# fetch_index WHAT: says so, and learns what the archive has
fetch_index() {
    echo "partita: fetching Debian's armhf $1" >&2
    apt-get -q=2 update >"$work/log" 2>&1 || fail "Debian's armhf index cannot be fetched, see $work/log; $later"
}
# fetch_with_needed PACKAGE…: into $work/archives, with all that they need
fetch_with_needed() {
    (cd "$work/archives" && rm -f ./*.deb && apt-get -q=2 -y --no-install-recommends --download-only install "$@" >>../log 2>&1) ||
        fail "$* cannot be downloaded, see $work/log; $later"
}
# fetch PACKAGE[/SUITE]…: into $work/archives, alone
fetch() {
    (cd "$work/archives" && rm -f ./*.deb && apt-get -q=2 download "$@" >>../log 2>&1) || fail "$* cannot be downloaded, see $work/log; $later"
}
