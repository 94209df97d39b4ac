# SPDX-License-Identifier: GPL-2.0
"""What bench-cpu measures: peers, rows, goals, and how they are set in tables.

The store is {"format": 1, "about": {...}, "rows": {ROW: {PEER: {"runs": [VALUE of
each boot], "packets": ..., "revision": ...}}}}. A value is instructions for one
exchange (for one MB in bulk rows), or bytes for one connection; of wall rows it is
exchanges (or MB) a second.
"""

import fnmatch
import statistics

from report import Table

FORMAT = 1
MB = 1000000

# Pinned, or autotuning decides what is measured.
PINNED = '4096 1048576 1048576'
KNOBS = {
    'net.ipv4.tcp_rmem': PINNED, 'net.ipv4.tcp_wmem': PINNED,
    'net.ipv4.tcp_no_metrics_save': 1, 'net.ipv4.tcp_fastopen': 3,
    'net.ipv4.tcp_max_syn_backlog': 16384,
    '-net.tandem.rmem': PINNED, '-net.tandem.wmem': PINNED,
    '-net.tandem.max_syn_backlog': 16384,
    'net.ipv4.ip_local_port_range': '10000 60999',
    'net.core.somaxconn': 16384,
}
# Not of a namespace: sockets that have no knobs of their own (SCTP, AF_UNIX).
HOST = {
    'net.core.rmem_max': 1048576, 'net.core.wmem_max': 1048576,
    'net.core.rmem_default': 1048576, 'net.core.wmem_default': 1048576,
    'net.ipv4.tcp_mem': '400000 450000 500000',
    '-net.sctp.sctp_mem': '400000 450000 500000',
    '-net.tandem.mem': '400000 450000 500000',
}

# An extra peer is measured only where PEERS= names it.
PEERS = [
    {'name': 'tandem', 'proto': 254},
    {'name': 'tcp', 'proto': 6},
    {'name': 'sctp', 'proto': 132},
    {'name': 'mptcp', 'proto': 262},
    {'name': 'unix', 'proto': 0},
    {'name': 'tandem-cubic', 'proto': 254, 'extra': True,
     'knobs': {'net.tandem.congestion_control': 'cubic'}},
    {'name': 'tandem-reno', 'proto': 254, 'extra': True,
     'knobs': {'net.tandem.congestion_control': 'reno'}},
    {'name': 'tandem-udp', 'proto': 254, 'extra': True,
     'knobs': {'net.tandem.wire': 'udp', 'net.tandem.udp_port': 5254}},
]

# kind: run (exchanges, counted), hold (connections, weighed) or wall (exchanges of so
# many flows at once, by the clock); per: what one value is for; goal: Tandem's share of
# TCP's value, at most; of wall rows at least.
ROWS = [
    {'name': 'bulk/offloads', 'kind': 'run', 'up': 16 * MB, 'down': 1, 'ops': 2,
     'warm': 1, 'per': 'MB', 'goal': .97},
    {'name': 'bulk/no-offloads', 'kind': 'run', 'up': 16 * MB, 'down': 1, 'ops': 2,
     'warm': 1, 'per': 'MB', 'off': 'joined', 'goal': .90},
    {'name': 'bulk/no-checksums', 'kind': 'run', 'up': 16 * MB, 'down': 1, 'ops': 2,
     'warm': 1, 'per': 'MB', 'off': 'all'},
    {'name': 'rr/1-1', 'kind': 'run', 'up': 1, 'down': 1, 'ops': 4000, 'warm': 400,
     'no_delay': True, 'goal': .90},
    {'name': 'rr/100-16K', 'kind': 'run', 'up': 100, 'down': 16384, 'ops': 1500,
     'warm': 300, 'no_delay': True, 'goal': .95},
    {'name': 'crr/100-1K', 'kind': 'run', 'up': 100, 'down': 1024, 'ops': 1500,
     'warm': 300, 'again': True, 'goal': .65},
    {'name': 'crr/fastopen', 'kind': 'run', 'up': 100, 'down': 1024, 'ops': 1500,
     'warm': 300, 'again': True, 'fastopen': True, 'protos': (6, 254), 'goal': .65},
    {'name': 'crr/10-idle', 'kind': 'run', 'up': 100, 'down': 1024, 'ops': 1500,
     'warm': 300, 'again': True, 'idle': 10, 'protos': (6, 254, 132)},
    {'name': 'crr/many-idle', 'kind': 'run', 'up': 100, 'down': 1024, 'ops': 1500,
     'warm': 300, 'again': True, 'idle': 'IDLE', 'protos': (6, 254, 132),
     'own_boot': True},
    {'name': 'memory/pair', 'kind': 'hold', 'hold': 'established', 'ops': 2000,
     'goal': .75},
    {'name': 'memory/time-wait', 'kind': 'hold', 'hold': 'timewait', 'ops': 4000,
     'protos': (6, 254), 'goal': 1.0},
    # SCTP has neither: its cookie is all that is left of an INIT.
    {'name': 'memory/half-open', 'kind': 'hold', 'hold': 'halfopen', 'ops': 4000,
     'protos': (6, 254), 'goal': 1.0},
    {'name': 'wall/bulk-1', 'kind': 'wall', 'flows': 1, 'up': 16 * MB, 'down': 1,
     'ops': 16, 'warm': 1, 'per': 'MB', 'protos': (6, 254, 0), 'goal': 1.0},
    {'name': 'wall/bulk-4', 'kind': 'wall', 'flows': 4, 'up': 16 * MB, 'down': 1,
     'ops': 4, 'warm': 1, 'per': 'MB', 'protos': (6, 254, 0), 'goal': 1.0},
    {'name': 'wall/bulk-16', 'kind': 'wall', 'flows': 16, 'up': 16 * MB, 'down': 1,
     'ops': 1, 'warm': 1, 'per': 'MB', 'protos': (6, 254, 0), 'goal': 1.0},
    {'name': 'wall/crr-2', 'kind': 'wall', 'flows': 2, 'up': 100, 'down': 1024,
     'ops': 2500, 'warm': 200, 'again': True, 'protos': (6, 254, 0), 'goal': 1.0},
]
WALL_TIMES = 7      # each, by turns: what else the machine does meets all alike
FLAT = 1.05     # many-idle against Tandem's own 10-idle


def wanted(name, patterns):
    """T=: globs, the beginning of a name up to a slash, a part between slashes."""
    return not patterns or any(
        fnmatch.fnmatch(name, p) or name.startswith(p.rstrip('/') + '/') or
        p in name.split('/') for p in patterns.split(','))


def rows(patterns=''):
    return [r for r in ROWS if wanted(r['name'], patterns)]


def peers(names):
    if not names:
        return [p for p in PEERS if not p.get('extra')]
    return [p for p in PEERS if any(fnmatch.fnmatch(p['name'], n) for n in names)]


def jobs(some_rows, some_peers, idle):
    """[(a job for the guest, ...)], in the order of the table."""
    for row in some_rows:
        for peer in some_peers:
            if peer['proto'] not in row.get('protos', (peer['proto'],)):
                continue
            job = dict(row, row=row['name'], peer=peer['name'], proto=peer['proto'],
                       knobs=dict(KNOBS, **peer.get('knobs', {})))
            if job.get('idle') == 'IDLE':
                job['idle'] = idle
            yield job


# -- results --

def add(store, job, result, fresh):
    """A result of one boot; fresh: what was measured before goes."""
    peers_of = store['rows'].setdefault(job['row'], {})
    if fresh or job['peer'] not in peers_of:
        peers_of[job['peer']] = {'runs': []}
    entry = peers_of[job['peer']]
    entry['runs'].append(result['value'])
    entry['revision'] = store['about']['revision']
    for key in ('packets', 'slabs', 'idle'):
        if key in result:
            entry[key] = result[key]


def value(store, row, peer):
    entry = store['rows'].get(row, {}).get(peer)
    return statistics.median(entry['runs']) if entry else None


def shown(row, x):
    if x is None:
        return '-'
    if row['kind'] == 'hold':
        return '%.0f' % x
    if row['kind'] == 'wall':
        return '%.0f%s' % (x, ' MB/s' if row.get('per') == 'MB' else '/s')
    return '%.3f M' % (x / 1e6) if row.get('per') == 'MB' else '%.1f k' % (x / 1e3)


def spread(store, rows_):
    """The widest range between boots, as a share of the median."""
    worst = 0.0
    for row in rows_:
        for entry in store['rows'].get(row['name'], {}).values():
            runs = entry['runs']
            middle = statistics.median(runs)
            if len(runs) > 1 and middle:
                worst = max(worst, (max(runs) - min(runs)) / middle)
    return worst


def ratio(store, row):
    ours, tcp = value(store, row['name'], 'tandem'), value(store, row['name'], 'tcp')
    if ours is None or not tcp:
        return None
    return ours / tcp


def goal_of(store, row):
    """(what is compared, its share, the goal), or None."""
    if row['name'] == 'crr/many-idle':
        few = value(store, 'crr/10-idle', 'tandem')
        many = value(store, row['name'], 'tandem')
        return ('10-idle', many / few, FLAT) if few and many else None
    share = ratio(store, row)
    return ('tcp', share, row['goal']) if share is not None and 'goal' in row else None


def verdict(row, goal):
    """Of what goal_of() says."""
    if not goal:
        return ''
    share = round(goal[1], 3)
    least = row['kind'] == 'wall'
    return '%s %s %.2f%s' % (
        'reached' if (share >= goal[2] if least else share <= goal[2]) else 'missed',
        '>=' if least else '<=', goal[2],
        '' if goal[0] == 'tcp' else ' of %s (%.2f)' % (goal[0], goal[1]))


def cost_table(store, names, kind, title, note):
    rows_ = [r for r in ROWS if r['kind'] == kind and r['name'] in names and
             store['rows'].get(r['name'])]
    if not rows_:
        return None
    found = {p for r in rows_ for p in store['rows'][r['name']]}
    columns = [p['name'] for p in PEERS if p['name'] in found]
    out = Table({'run': 'cpu', 'hold': 'memory'}.get(kind, kind), title, note,
                [''] + columns + ['t/T', 'goal'])
    for row in rows_:
        name = row['name']
        idle = [e['idle'] for e in store['rows'][name].values() if 'idle' in e]
        if name == 'crr/many-idle' and idle:
            name = 'crr/%d-idle' % max(idle)
        share = ratio(store, row)
        out.rows.append(
            [name] + [shown(row, value(store, row['name'], p)) for p in columns] +
            ['-' if share is None else '%.2f' % share, verdict(row, goal_of(store, row))])
    return out


def packets_table(store, names):
    rows_ = [r for r in ROWS if r['kind'] == 'run' and r['name'] in names and
             any('packets' in e for e in store['rows'].get(r['name'], {}).values())]
    if not rows_:
        return None
    found = {p for r in rows_ for p in store['rows'][r['name']]}
    columns = [p['name'] for p in PEERS if p['name'] in found and p['proto']]
    out = Table('packets', 'Packets on the wire meanwhile',
                'of both ends, for one exchange or one MB; a packet of many segments '
                'is one', [''] + columns)
    for row in rows_:
        got = store['rows'][row['name']]
        out.rows.append([row['name']] + [
            '%.1f' % got[p]['packets'] if 'packets' in got.get(p, {}) else '-'
            for p in columns])
    return out


def tables(store, names):
    """All tables of those rows."""
    def note(walls):
        rows_ = [r for r in ROWS if r['name'] in names and (r['kind'] == 'wall') == walls]
        runs = max([len(e['runs']) for r in rows_
                    for e in store['rows'].get(r['name'], {}).values()] or [0])
        return 'median of up to %d %s, which differ by %.1f %% at most; t/T: tandem to tcp' % (
            runs, 'times' if walls else 'boots', 100 * spread(store, rows_))

    made = [cost_table(store, names, 'run',
                       'Instructions for one exchange, or for one MB (bulk)', note(False)),
            cost_table(store, names, 'hold', 'Slab bytes for one connection', note(False)),
            cost_table(store, names, 'wall',
                       'By the clock, two processors, so many flows at once', note(True)),
            packets_table(store, names)]
    return [t for t in made if t]
