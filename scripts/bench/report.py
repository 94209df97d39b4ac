# SPDX-License-Identifier: GPL-2.0
"""The results of bench-sim: how they are kept, summed up and set in tables.

The store is {"format": 1, "about": {...}, "cells": {CELL: {PEER: ENTRY}}};
an ENTRY has the runs by seed, the sum of them ("sum", see SUMS) and the
revision they were measured at.
"""

import re
import statistics

import plan

FORMAT = 1


def share_of(values, part):
    """The value below which that part of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * part))]


def spread(values):
    return {'median': statistics.median(values), 'low': min(values),
            'high': max(values), 'n': len(values)}


# -- keeping --

def add(store, run, result):
    entry = store['cells'].setdefault(run['cell'], {}).setdefault(
        run['peer'], {'runs': {}})
    entry['kind'] = run['kind']
    entry['revision'] = store['about']['revision']
    if run['seed'] != 1:        # courses are for pictures: one is enough
        result = {k: v for k, v in result.items() if k not in ('course', 'bytes')}
    entry['runs'][str(run['seed'])] = result


def forget(store, run):
    store['cells'].get(run['cell'], {}).pop(run['peer'], None)


def brief(run, result):
    """One run in a few words, for the progress."""
    if run['kind'] == 'bulk':
        return '%.1f %% of the link' % (result['goodput'] * 100)
    if run['kind'] == 'short':
        ms = sorted(result['ms'])
        return 'p50 %.0f ms, p99 %.0f ms' % (
            share_of(ms, .5), share_of(ms, .99)) if ms else 'nothing'
    if run['kind'] == 'queue':
        return 'queue p95 %.1f ms' % result['queue_p95']
    if run['kind'] == 'fair':
        return ' : '.join('%.1f' % (r / 1e6) for r in result['rates']) + ' Mbit/s'
    return '%.1f segments' % result['segments']


# -- summing up --

def sum_bulk(runs):
    return {'goodput': spread([r['goodput'] for r in runs])}


def sum_short(runs):
    """All flows of all seeds together; the spread is that between seeds."""
    runs = [dict(r, ms=sorted(r['ms'])) for r in runs if r['ms']]
    ms = sorted(x for r in runs for x in r['ms'])
    if not ms:
        return {}
    out = {'flows': len(ms), 'failed': sum(len(r['failed']) for r in runs)}
    for name, part in (('p50', .5), ('p99', .99)):
        out[name] = dict(spread([share_of(r['ms'], part) for r in runs]),
                         median=share_of(ms, part))
    return out


def sum_queue(runs):
    return {k: spread([r[k] for r in runs])
            for k in ('queue_p50', 'queue_p95', 'queue_p99', 'queue_max', 'goodput')}


def sum_fair(runs):
    return {'jain': spread([r['jain'] for r in runs]),
            'goodput': spread([r['goodput'] for r in runs]),
            'share': spread([r['rates'][0] / sum(r['rates']) for r in runs])}


def sum_segments(runs):
    return {'segments': spread([r['segments'] for r in runs])}


SUMS = {'bulk': sum_bulk, 'short': sum_short, 'queue': sum_queue, 'fair': sum_fair,
        'segments': sum_segments}


def sum_up(store):
    for peers in store['cells'].values():
        for entry in peers.values():
            entry['sum'] = SUMS[entry['kind']](list(entry['runs'].values()))


# -- tables --

class Table:
    """A table as data: for the terminal and for the documentation."""

    def __init__(self, name, title, note, header):
        self.name, self.title, self.note, self.header = name, title, note, header
        self.rows = []

    def widths(self):
        return [max(len(str(r[i])) for r in [self.header] + self.rows)
                for i in range(len(self.header))]

    def text(self):
        if not self.rows:
            return self.title + '\n'
        widths = self.widths()
        lines = [self.title, '-' * len(self.title)]
        for row in [self.header] + self.rows:
            lines.append('  '.join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                                   for i, (c, w) in enumerate(zip(row, widths))).rstrip())
        return '\n'.join(lines + ['(%s)' % self.note, ''])

    def rst(self):
        widths = self.widths()
        rule = '  '.join('=' * w for w in widths)
        lines = [rule]
        for i, row in enumerate([self.header] + self.rows):
            # An empty first cell would continue the row above.
            cells = [str(c) if c != '' else '\\' for c in row]
            lines.append('  '.join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
            if i == 0:
                lines.append(rule)
        return '\n'.join(lines + [rule, ''])


    def data(self):
        """The same for programs: a row is {column: number, range or text}."""
        columns = [str(c) for c in self.header[1:]]
        return {'table': self.name, 'title': self.title, 'note': self.note,
                'columns': columns,
                'rows': {str(r[0]): dict(zip(columns, map(as_data, r[1:])))
                         for r in self.rows}}


def as_data(cell):
    """A cell: "8.5" is a number, "8.5 (7-9)" a median and its range, "-" nothing."""
    text = str(cell)
    if text == '-':
        return None
    m = re.fullmatch(r'([\d.]+)(?: \(([\d.]+)-([\d.]+)\))?', text)
    if not m:
        return text
    if m.group(2) is None:
        return float(text)
    return dict(zip(('median', 'low', 'high'), map(float, m.groups())))


def order(name):
    """Peers as plan.py lists them."""
    base = name.split('+')[0]
    for i, peer in enumerate(plan.PEERS):
        if peer['name'] == base or peer['name'].endswith('*') and \
                base.startswith(peer['name'][:-1]):
            return i, name
    return len(plan.PEERS), name


def peers_in(store, cells, variants=False):
    found = {p for c in cells for p in store['cells'].get(c, {})}
    return sorted((p for p in found if variants or '+' not in p), key=order)


def value(store, cell, peer, what, part='median'):
    entry = store['cells'].get(cell, {}).get(peer)
    try:
        return entry['sum'][what][part]
    except (KeyError, TypeError):
        return None


def shown(x, form='%.1f', times=1):
    return '-' if x is None else form % (x * times)


def ranged(store, cell, peer, what, form='%.1f', times=1):
    """The median, and the range between seeds if there is one."""
    low, high = (value(store, cell, peer, what, k) for k in ('low', 'high'))
    text = shown(value(store, cell, peer, what), form, times)
    if low is not None and high is not None and form % (low * times) != form % (high * times):
        text += ' (%s-%s)' % (form % (low * times), form % (high * times))
    return text


def fine(x):
    """Per cent with the digits that say something."""
    return '%.2f' if x is not None and x < .1 else '%.1f'


def tandem_to_tcp(store, cell):
    """The default congestion control against the better of TCP's."""
    ours = [value(store, cell, 'tandem-' + d, 'goodput')
            for d in store.get('about', {}).get('default', [])]
    tcp = [value(store, cell, p, 'goodput') for p in ('tcp-cubic', 'tcp-bbr')]
    if not ours or ours[0] is None or None in tcp:
        return '-'
    return '%.2f' % (ours[0] / max(tcp))


def goodput_table(store, cells):
    cells = [c for c in cells if c.startswith('goodput/')]
    peers = peers_in(store, cells)
    out = Table('goodput', 'Goodput, % of the link',
                'median (range) of the seeds; the last column is the default Tandem '
                'against the better of the two TCPs', [''] + peers + ['t/T'])
    for cell in cells:
        row = [cell[len('goodput/'):]]
        for peer in peers:
            form = fine(value(store, cell, peer, 'goodput'))
            row.append(ranged(store, cell, peer, 'goodput', form, 100))
        out.rows.append(row + [tandem_to_tcp(store, cell)])
    return out


def short_table(store, cells):
    cells = [c for c in cells if c.startswith('short/')]
    out = Table('short', 'Short exchanges at 1 % loss, 100 Mbit/s, 50 ms, '
                'connect included: ms', 'all flows of all seeds',
                ['', 'flows', 'failed'] + [
                    '%s %s' % (c.split('/')[1], p) for c in cells for p in ('p50', 'p99')])
    for peer in peers_in(store, cells, True):
        sums = [store['cells'].get(c, {}).get(peer, {}).get('sum', {}) for c in cells]
        row = [peer, min([s['flows'] for s in sums if s.get('flows')] or [0]),
               sum(s.get('failed', 0) for s in sums)]
        for cell in cells:
            row += [shown(value(store, cell, peer, p), '%.0f') for p in ('p50', 'p99')]
        out.rows.append(row)
    return out


def queue_table(store, cells):
    cells = [c for c in cells if c.startswith('queue/')]
    out = Table('queue', 'Queueing delay at the bottleneck, 100 Mbit/s, 50 ms, a buffer '
                'of 10 BDP: ms', 'sampled every 4 ms for 30 s from connect() on',
                ['', 'p50', 'p95', 'p99', 'max', 'goodput %'])
    for peer in peers_in(store, cells):
        out.rows.append([peer] + [
            shown(value(store, cells[0], peer, 'queue_' + k))
            for k in ('p50', 'p95', 'p99', 'max')] + [
                shown(value(store, cells[0], peer, 'goodput'), '%.1f', 100)])
    return out


def fair_table(store, cells):
    cells = [c for c in cells if c.startswith('fair/')]
    out = Table('fair', "Fairness: Jain's index of equal flows, and the share (%) "
                'against one TCP cubic', 'median (range) of the seeds; a buffer of '
                '1 BDP, 60 s of which the first 10 do not count; at 100 Mbit/s that is '
                'too short even for two TCP cubics to agree',
                [''] + [c[len('fair/'):] for c in cells])
    for peer in peers_in(store, cells):
        row = [peer]
        for cell in cells:
            if cell.endswith('vs-cubic'):
                row.append(ranged(store, cell, peer, 'share', '%.0f', 100))
            else:
                row.append(ranged(store, cell, peer, 'jain', '%.3f'))
        out.rows.append(row)
    return out


def segments_table(store, cells):
    out = Table('segments', 'Segments for connect, 100 B there, 1 KB back, close',
                'all packets that both hosts send', ['', 'segments'])
    for peer in peers_in(store, ['segments'], True):
        out.rows.append([peer, shown(value(store, 'segments', peer, 'segments'))])
    return out


def all_tables(store, cells):
    cells = [c for c in cells if store['cells'].get(c)]
    makers = (('goodput/', goodput_table), ('short/', short_table),
              ('queue/', queue_table), ('fair/', fair_table),
              ('segments', segments_table))
    return [maker(store, cells) for prefix, maker in makers
            if any(c.startswith(prefix) for c in cells)]


def tables(store, cells):
    return '\n'.join(t.text() for t in all_tables(store, cells))
