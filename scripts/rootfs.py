#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Make the root file system image of the QEMU guests out of this machine's
own programs: the files of some Debian packages, the libraries they need and
a few of /etc. Kept in the cache, made anew when a package changed.

Usage: scripts/rootfs.py CACHE-DIRECTORY
Prints the image's path. It holds usr/ and etc/ only; scripts/guest/vm-init
puts them together with a tmpfs.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Whole packages, less documentation. Those not installed are left out.
PACKAGES = '''
base-files base-passwd bash bc bsdextrautils bsdutils busybox-static
coreutils curl dash debianutils diffutils ethtool findutils gawk grep gzip
hostname iperf3 iproute2 iptables iputils-ping kmod less libc-bin libc6
login mawk mount ncurses-base netbase netcat-openbsd nftables
nginx nginx-common nginx-light nginx-core openssl procps psmisc
python3 python3-minimal python3.11 python3.11-minimal libpython3-stdlib
libpython3.11-minimal libpython3.11-stdlib python3.13 python3.13-minimal
libpython3.13-minimal libpython3.13-stdlib python3-scapy
openssh-client dropbear-bin
redis-server redis-tools sed socat strace tar tcpdump trace-cmd util-linux
util-linux-extra wget xz-utils
'''.split()

ETC = '''
alternatives ethertypes gai.conf group hosts host.conf iproute2 ld.so.cache
ld.so.conf ld.so.conf.d login.defs mime.types nginx nsswitch.conf os-release
passwd protocols redis rpc services ssl/openssl.cnf terminfo xattr.conf
'''.split()

SKIP = re.compile(r'^/usr/share/(?!nginx|terminfo|misc|iproute2|tc|mime|'
                  r'python3|i18n)|'
                  r'^/usr/lib/(modules|firmware|systemd|udev|debug)/|'
                  r'/(idlelib|test|tests|lib2to3|ensurepip|pydoc_data)/|'
                  r'^/usr/include/|\.a$|^/etc/|^/var/|^/usr/lib/.*/gconv/')


def real(path):
    """The same place without links in its directory (merged /usr)."""
    return os.path.join(os.path.realpath(os.path.dirname(path)),
                        os.path.basename(path))


def installed():
    text = subprocess.run(
        ['dpkg-query', '-W', '-f', '${Package} ${Version} ${Status}\n'],
        capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return {r[0]: r[1] for r in rows if r[-1] == 'installed'}


def is_elf(path):
    try:
        with open(path, 'rb') as f:
            return f.read(4) == b'\x7fELF'
    except OSError:
        return False


def collect(packages):
    listing = subprocess.run(['dpkg-query', '-L'] + packages,
                             capture_output=True, text=True).stdout
    files = set()

    def add(path):
        path = real(path)
        if path in files or SKIP.search(path):
            return
        if os.path.islink(path):
            files.add(path)
            target = os.path.realpath(path)
            if os.path.isfile(target):
                add(target)
        elif os.path.isfile(path):
            files.add(path)

    for line in listing.splitlines():
        if line.startswith('/') and not os.path.isdir(line):
            add(line)
            link = real(line)
            if os.path.islink(link):
                files.add(link)
    # What alternatives chose: awk, nc, pager
    for name in os.listdir('/etc/alternatives'):
        target = os.path.realpath('/etc/alternatives/' + name)
        if target in files:
            for where in ('/usr/bin/', '/usr/sbin/'):
                if os.path.islink(where + name):
                    files.add(where + name)
    elf = [f for f in files if is_elf(f) and not os.path.islink(f)]
    out = subprocess.run(['ldd'] + elf, capture_output=True, text=True).stdout
    for lib in set(re.findall(r'(/\S+\.so\S*) \(0x', out)):
        add(lib)
    # Loaded by name at run time
    for name in ('libnss_files.so.2', 'libnss_dns.so.2', 'libgcc_s.so.1',
                 'libasan.so.8', 'libubsan.so.1'):
        for where in ('/usr/lib/x86_64-linux-gnu/', '/lib/x86_64-linux-gnu/'):
            if os.path.exists(where + name):
                add(where + name)
    return files


def build(image, files):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(image)) as top:
        size = 0
        for path in sorted(files):
            place = top + path
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.islink(path):
                os.symlink(os.readlink(path), place)
            else:
                shutil.copy2(path, place)
                size += os.path.getsize(path) + 4096
        os.makedirs(top + '/usr/lib/modules', exist_ok=True)
        os.makedirs(top + '/etc', exist_ok=True)
        for name in ETC:
            src, place = '/etc/' + name, top + '/etc/' + name
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.isdir(src):
                shutil.copytree(src, place, symlinks=True,
                                ignore_dangling_symlinks=True)
            elif os.path.exists(src):
                shutil.copy2(src, place)
        # Links as /bin -> usr/bin, for vm-init to repeat
        with open(top + '/etc/root-links', 'w', encoding='utf-8') as f:
            for name in ('bin', 'sbin', 'lib', 'lib64', 'lib32'):
                if os.path.islink('/' + name):
                    print(name, os.readlink('/' + name), file=f)
                    os.makedirs(top + '/' + os.readlink('/' + name),
                                exist_ok=True)
        os.chmod(top, 0o755)
        blocks = int(size * 1.15 / 1024) + 16384
        subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096',
                        '-O', '^has_journal,^metadata_csum',
                        '-d', top, image + '.tmp', '%dk' % blocks],
                       check=True, stdout=subprocess.DEVNULL, env=dict(os.environ,
                                            PATH=os.environ['PATH'] + ':/sbin:/usr/sbin'))
    os.rename(image + '.tmp', image)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        return 0 if '--help' in sys.argv or '-h' in sys.argv else 1
    cache = sys.argv[1]
    have = installed()
    packages = [p for p in PACKAGES if p in have]
    # Libraries come from packages not named here: take all versions in.
    key = hashlib.sha256((open(__file__, encoding='utf-8').read() + repr(
        sorted(have.items()))).encode()).hexdigest()[:12]
    image = os.path.join(cache, 'rootfs-%s.img' % key)
    if not os.path.exists(image):
        os.makedirs(cache, exist_ok=True)
        for name in os.listdir(cache):
            if re.fullmatch(r'rootfs-\w+\.img(\.tmp)?', name):
                os.unlink(os.path.join(cache, name))
        print('tandem: making the guests\' root file system', file=sys.stderr)
        build(image, collect(packages))
    print(image)
    return 0


if __name__ == '__main__':
    sys.exit(main())
