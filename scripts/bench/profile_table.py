# SPDX-License-Identifier: GPL-2.0
"""Tables of functions out of what profile.c counted."""

import bisect
import os

HEAD = 45       # functions in the comparison


def symbols(path):
    """(sorted addresses, their names) of a /proc/kallsyms"""
    table = []
    with open(path, encoding='ascii') as f:
        for line in f:
            address, kind, name = line.split()[:3]
            if kind in 'tTwW':
                module = line.split()[3] if len(line.split()) > 3 else ''
                table.append((int(address, 16), name + (' ' + module if module else '')))
    table.sort()
    return [a for a, _ in table], [n for _, n in table]


def runs(path):
    """[{address: (instructions, times)}], one for each run"""
    out = []
    with open(path, encoding='ascii') as f:
        for line in f:
            if line.startswith('#'):
                out.append([])
            else:
                address, insns, times = line.split()
                out[-1].append((int(address, 16), int(insns), int(times)))
    return out


def functions(blocks, table, units):
    """{function: instructions for one exchange}"""
    addresses, names = table
    out = {}
    for address, insns, times in blocks:
        name = 'user space'
        if address >> 63:
            i = bisect.bisect_right(addresses, address) - 1
            name = names[i] if i >= 0 else '%x' % address
        out[name] = out.get(name, 0) + insns * times / units
    return out


def report(counts, kallsyms, jobs, out_dir):
    """Write a file for each job, and print what differs between tandem and tcp."""
    os.makedirs(out_dir, exist_ok=True)
    table = symbols(kallsyms)
    found = {}
    counted = [j for j in jobs if j['kind'] == 'run']
    for job, blocks in zip(counted, runs(counts)):
        units = job['ops'] if job.get('per') != 'MB' else job['ops'] * job['up'] / 1e6
        got = functions(blocks, table, units)
        found[(job['row'], job['peer'])] = got
        name = '%s-%s.txt' % (job['row'].replace('/', '-'), job['peer'])
        with open(os.path.join(out_dir, name), 'w', encoding='utf-8') as f:
            f.write('# instructions for one exchange (or MB): %.0f\n' % sum(got.values()))
            for function, n in sorted(got.items(), key=lambda x: -x[1]):
                if n >= 0.5:
                    f.write('%10.1f  %s\n' % (n, function))
    for row in sorted({r for r, _ in found}):
        ours, tcp = found.get((row, 'tandem')), found.get((row, 'tcp'))
        if ours and tcp:
            compare(row, ours, tcp)


def compare(row, ours, tcp):
    print('%s: tandem %.0f, tcp %.0f; the largest differences' % (
        row, sum(ours.values()), sum(tcp.values())))
    differ = {f: ours.get(f, 0) - tcp.get(f, 0) for f in set(ours) | set(tcp)}
    print('%10s %10s %10s' % ('more', 'tandem', 'tcp'))
    for f in sorted(differ, key=lambda f: -abs(differ[f]))[:HEAD]:
        print('%+10.1f %10.1f %10.1f  %s' % (differ[f], ours.get(f, 0), tcp.get(f, 0), f))
    print()
