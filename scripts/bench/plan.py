# SPDX-License-Identifier: GPL-2.0
"""What bench-sim measures: the peers, the cells and the runs of each cell.

A cell is one row of one table, as "goodput/100M/50ms/1%". A run is one
transfer, or one series of exchanges, of one peer in one cell with one seed.
"""

import fnmatch

# Large and pinned, so that no stack's idea of how buffers should grow is what
# is measured: the default is already far above what any cell can fill, except
# 10 BDP of queue, which the maximum holds.
PINNED = '4096 16777216 67108864'

HOST = {
    'net.ipv4.tcp_no_metrics_save': 1,
    'net.ipv4.tcp_rmem': PINNED,
    'net.ipv4.tcp_wmem': PINNED,
    'net.ipv4.tcp_fastopen': 3,
    '-net.tandem.rmem': PINNED,
    '-net.tandem.wmem': PINNED,
}

# What makes Tandem a stranger to every path it meets (first visits) ...
FORGET = {'-net.tandem.path_cache': 0}
# ... and what it may remember at a repeat visit.
REMEMBER = {'-net.tandem.path_cache': 2, '-net.tandem.fastopen': 3}

SCTP_BUFFER = 32 * 1024 * 1024          # it has no default of its own to pin

# name, IP protocol, congestion control, what else is set. "tandem-*" stands
# for every congestion control that Tandem has in the kernel under test.
PEERS = [
    {'name': 'tandem-*', 'proto': 254, 'sysctls': FORGET},
    {'name': 'tcp-cubic', 'proto': 6, 'cc': 'cubic'},
    {'name': 'tcp-bbr', 'proto': 6, 'cc': 'bbr'},
    {'name': 'sctp', 'proto': 132, 'buffer': SCTP_BUFFER},
    {'name': 'mptcp', 'proto': 262},
    # Only where PEERS= names them.
    {'name': 'tcp-reno', 'proto': 6, 'cc': 'reno', 'extra': True},
    {'name': 'tcp-dctcp', 'proto': 6, 'cc': 'dctcp', 'extra': True},
    {'name': 'sctp-default', 'proto': 132, 'extra': True},
]

# Ways to open a connection, where that is what the cell is about.
VARIANTS = {
    'fastopen': {'protos': (6,), 'fastopen': True, 'warm': 1},
    'repeat': {'protos': (254,), 'fastopen': True, 'warm': 3, 'sysctls': REMEMBER},
    # A first visit whose SYN and SYN-ACK do not wait for RFC 6298's second; the bench's
    # round trip is a quarter of that.
    'init200': {'protos': (254,), 'only': 'tandem-bbr',
                'sysctls': {'-net.tandem.rto_init_ms': 200}},
}

MBIT = 1000000
RATES = {'20M': 20 * MBIT, '100M': 100 * MBIT, '1G': 1000 * MBIT}
LOSSES = {'0%': 0, '0.1%': 0.001, '1%': 0.01, '3%': 0.03, '5%': 0.05}
SIZES = {'10K': 10 << 10, '100K': 100 << 10, '1M': 1 << 20}
SEEDS = 5


def peers_of(probe, wanted=None):
    """(peers to measure, [what is not there and why])"""
    out, missing = [], []
    for peer in PEERS:
        if peer['name'] == 'tandem-*':
            if not probe['native']:
                missing.append('tandem: no such protocol in this kernel')
            for cc in sorted(probe['tandem']):
                out.append(dict(peer, name='tandem-' + cc, cc=cc))
            continue
        need = {132: 'sctp', 262: 'mptcp'}.get(peer['proto'])
        if need and not probe[need]:
            missing.append('%s: no such protocol in this kernel' % peer['name'])
        elif peer.get('cc') and peer['cc'] not in probe['tcp']:
            missing.append('%s: no congestion control %s in this kernel' % (
                peer['name'], peer['cc']))
        else:
            out.append(peer)
    if not wanted:
        return [p for p in out if not p.get('extra')], missing
    kept = []
    for pattern in wanted:
        hits = [p for p in out if fnmatch.fnmatch(p['name'], pattern)]
        if not hits:
            missing.append('%s: no such peer here' % pattern)
        kept += [p for p in hits if p not in kept]
    return kept, missing


def variants_of(peers):
    """The peers, and their other ways of opening a connection."""
    out = list(peers)
    for name, variant in VARIANTS.items():
        for peer in peers:
            if (peer['proto'] not in variant['protos'] or
                    variant.get('only', peer['name']) != peer['name']):
                continue
            extra = {k: v for k, v in variant.items()
                     if k not in ('protos', 'sysctls', 'only')}
            out.append(dict(peer, name='%s+%s' % (peer['name'], name), **extra,
                            sysctls=dict(peer.get('sysctls', {}),
                                         **variant.get('sysctls', {}))))
    return out


class Cell:
    """One cell: its name, how it is run, and how many seeds it takes."""

    def __init__(self, name, kind, rate, rtt, seeds, quick=0, **more):
        self.name, self.kind, self.seeds, self.quick = name, kind, seeds, quick
        self.base = dict(kind=kind, rate=RATES[rate], rtt_ms=rtt,
                         bdp=more.pop('bdp', 1), **more)

    def peers(self, peers):
        if self.kind in ('short', 'segments'):
            return variants_of(peers)
        if self.base.get('rival'):
            return [p for p in peers if p['proto'] in (6, 254)]
        return peers

    def runs(self, peers, quick, seeds=None):
        count = self.quick if quick else self.seeds
        if seeds and count > 1:     # of some cells nothing is left to chance
            count = seeds
        for peer in self.peers(peers):
            for seed in range(1, count + 1):
                yield self.one(peer, seed, quick)

    def one(self, peer, seed, quick):
        run = dict(self.base, cell=self.name, peer=peer['name'], seed=seed,
                   id='%s %s %d' % (self.name, peer['name'], seed))
        for key in ('proto', 'cc', 'buffer', 'fastopen', 'warm'):
            if peer.get(key):
                run[key] = peer[key]
        run['sysctls'] = dict(HOST, **peer.get('sysctls', {}))
        if quick and run.get('quick_flows'):
            run['flows'] = run['quick_flows']
        run.pop('quick_flows', None)
        if self.kind in ('queue', 'fair'):
            speaks = {k: peer[k] for k in ('proto', 'cc', 'buffer') if peer.get(k)}
            run['parties'] = [dict(speaks, flows=run.pop('flows', 1))]
            if run.pop('rival', None):
                run['parties'].append({'proto': 6, 'cc': 'cubic', 'flows': 1})
        return run


def cells():
    """All of them; a quick bench takes those with quick seeds."""
    out = []
    for rate, rtt, size in (('100M', 50, 20), ('100M', 10, 20), ('100M', 200, 20),
                            ('1G', 10, 50), ('1G', 50, 50)):
        main = (rate, rtt) == ('100M', 50)

        def bulk(what, seeds, quick=0, **more):
            # pylint: disable=cell-var-from-loop
            out.append(Cell('goodput/%s/%dms/%s' % (rate, rtt, what), 'bulk', rate,
                            rtt, seeds, quick if main else 0, bytes=size * 1000000,
                            **more))
        for name, loss in LOSSES.items():
            # A dozen losses, or a few round trips: chance has much to say.
            few = rate == '1G' or name == '0.1%'
            bulk(name, 1 if name == '0%' else 2 * SEEDS if few else SEEDS,
                 {'0%': 1, '1%': 3, '5%': 3}.get(name, 0), drop=loss)
        for percent in (1, 5):
            bulk('late%d%%' % percent, SEEDS, late=percent / 100, late_ms=rtt / 10)
        bulk('early', 1, 1, early=True)
    for name, size in SIZES.items():
        out.append(Cell('short/%s' % name, 'short', '100M', 50, SEEDS,
                        1 if size < 1 << 20 else 0, drop=0.01, up=100, down=size,
                        flows=200, quick_flows=200))
    out.append(Cell('queue/100M/50ms/10bdp', 'queue', '100M', 50, 1, 1, bdp=10,
                    seconds=30, **{'from': 0}))
    for n in (2, 4, 8):
        out.append(Cell('fair/20M/50ms/%d' % n, 'fair', '20M', 50, SEEDS,
                        2 if n == 2 else 0, flows=n, seconds=60, stagger_ms=1000,
                        **{'from': 10}))
    out.append(Cell('fair/20M/50ms/vs-cubic', 'fair', '20M', 50, SEEDS, 2, rival=True,
                    seconds=60, stagger_ms=1000, **{'from': 10}))
    out.append(Cell('fair/100M/50ms/vs-cubic', 'fair', '100M', 50, SEEDS, 0, rival=True,
                    seconds=60, stagger_ms=1000, **{'from': 10}))
    out.append(Cell('segments', 'segments', '100M', 50, 1, 1, up=100, down=1024,
                    flows=20))
    return out


def chosen(quick, pattern):
    """The cells that T= names: globs, the beginning of a name or a part of it."""
    out = []
    for cell in cells():
        if quick and not pattern and not cell.quick:
            continue
        if pattern and not any(fnmatch.fnmatch(cell.name, p) or
                               cell.name.startswith(p.rstrip('/') + '/') or
                               p in cell.name.split('/')
                               for p in pattern.split(',')):
            continue
        if quick and not cell.quick:
            cell.quick = min(cell.seeds, 2)
        out.append(cell)
    return out


def cost(run):
    """Seconds of wall clock it is likely to take, for sharing them out."""
    if run['kind'] == 'bulk':
        moved = run['bytes']
    elif run['kind'] == 'short':
        moved = run['flows'] * (run['down'] + 20000)
    elif run['kind'] == 'segments':
        moved = 0
    else:
        moved = run['rate'] / 8 * run['seconds']
    return 1 + moved / 12e6
