# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of the test beds shares: where things are, how to talk to
# the person at the terminal, and how to take turns at the cache.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The sources to build: the checkout, unless a test of the scripts says else.
SRC=${TANDEM_SRC:-$TOP}
BUILD=$SRC/build
CACHE=${TANDEM_CACHE:-$HOME/.cache/tandem}
JOBS=${JOBS:-$(nproc)}
# shellcheck disable=SC2034 # for the scripts that source this file
export TOP SRC BUILD CACHE JOBS

PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '%s\n' "tandem: $*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# What the kernel prints when something went wrong, as an extended regular
# expression. Every bed greps its console for it.
KERNEL_TROUBLE='WARNING: |BUG: |BUG at |Oops[: ]|Call Trace:|refcount_t: |unregister_netdevice: waiting|Attempt to release|Kernel panic|general protection fault|possible recursive locking|suspicious RCU usage|inconsistent lock state|rcu: INFO: |soft lockup|KASAN: |UBSAN: |blocked for more than'
export KERNEL_TROUBLE

# Root is needed for debootstrap, mounts and apt; everything else runs as is.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "'$1' needs root: run as root, or install sudo"
	fi
}

# usage: runs what the header comment of the calling script says
usage() {
	sed -n '/^# Usage:/,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# with_lock NAME: hold the lock until this shell exits. Another session that
# is already fetching or building the same thing is waited for.
with_lock() {
	mkdir -p "$CACHE/locks"
	exec 9>"$CACHE/locks/$1"
	if ! flock -n 9; then
		say "waiting for another run that prepares $1"
		flock 9
	fi
}

# run_logged WHAT LOG COMMAND...: run quietly, with a line every 15 seconds so
# that nobody thinks it hangs; on failure show the end of the log.
run_logged() {
	local what=$1 log=$2 pid start=$SECONDS next=15 rc=0
	shift 2
	mkdir -p "$(dirname "$log")"
	say "$what ..."
	"$@" >"$log" 2>&1 9>&- </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ $((SECONDS - start)) -ge $next ]; then
			say "$what ... $((SECONDS - start)) s: $(tail -n1 "$log" | tr -d '\r' | cut -c1-90)"
			next=$((next + 15))
		fi
	done
	wait "$pid" || rc=$?
	if [ $rc -ne 0 ]; then
		say "$what: failed after $((SECONDS - start)) s, the log's last lines ($log):"
		tail -n 15 "$log" >&2
	else
		say "$what: done in $((SECONDS - start)) s"
	fi
	return $rc
}

# The mirror apt itself uses for Debian's main archive.
apt_mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)' \
		'Created-By: Packages' 2>/dev/null |
		sed -n 's/^\([^|]*\)|Debian|Debian$/\1/p' | head -n1)
	printf '%s\n' "${uri:-http://deb.debian.org/debian/}"
}

# debootstrap fetches with wget, which does not know apt's proxy.
apt_proxy() {
	local p
	eval "$(apt-config shell p Acquire::http::Proxy)"
	printf '%s\n' "${p:-${http_proxy:-}}"
}
