# SPDX-License-Identifier: GPL-2.0
"""What Tandem wants to reach in bench-sim, and whether it does.

The goals are relative to what the same bench measured of TCP, but for the queue
and the segments. They are for the default congestion control unless they name
one. A goal without its measurements is not judged.
"""

from report import Table, fine, peers_in, value

LOSSY = ('1%', '3%', '5%')
PAYLOAD = 1448 / 1514   # of a full segment: more than that no link carries


def default(store):
    return 'tandem-' + (store.get('about', {}).get('default') or ['reno'])[0]


def judge(what, cell, got, sign, wanted, form, times):
    """One row; compared are the numbers as they are shown."""
    if got is None or wanted is None:
        return None
    got, wanted = form % (got * times), form % (wanted * times)
    ok = float(got) >= float(wanted) if sign == '>=' else float(got) <= float(wanted)
    return what, cell, got, '%s %s' % (sign, wanted), ok


def at_least(what, cell, got, wanted, form='%.1f', times=1):
    return judge(what, cell, got, '>=', wanted, form, times)


def at_most(what, cell, got, wanted, form='%.1f', times=1):
    return judge(what, cell, got, '<=', wanted, form, times)


def times_of(factor, x):
    return None if x is None else factor * x


def beyond(wanted, without_loss):
    """Is it more than fits, or than the same transfer gets without any loss?"""
    if wanted is None:
        return ''
    if wanted > PAYLOAD:
        return ' (beyond the link)'
    if without_loss is not None and wanted > without_loss:
        return ' (beyond a run without loss)'
    return ''


def goodput(store, cell):
    ours = default(store)
    without_loss = value(store, cell.rsplit('/', 1)[0] + '/0%', ours, 'goodput')
    tandem, cubic, bbr, own_cubic = (value(store, cell, p, 'goodput') for p in (
        ours, 'tcp-cubic', 'tcp-bbr', 'tandem-cubic'))
    best = None if None in (cubic, bbr) else max(cubic, bbr)
    yield at_least('%s to the better TCP' % ours, cell, tandem, best, fine(best), 100)
    if cell.rsplit('/', 1)[1] in LOSSY:
        yield at_least('%s to 1.05 of TCP bbr%s' % (
            ours, beyond(times_of(1.05, bbr), without_loss)), cell, tandem,
                       times_of(1.05, bbr), fine(bbr), 100)
    yield at_least('tandem-cubic to TCP cubic', cell, own_cubic, cubic, fine(cubic),
                   100)


def short(store, cell):
    ours = default(store)
    for part in ('p50', 'p99'):
        first, again, cubic = (value(store, cell, p, part) for p in (
            ours, ours + '+repeat', 'tcp-cubic'))
        if part == 'p99':
            yield at_most('first visit, p99 to 0.35 of TCP cubic, ms', cell, first,
                          times_of(.35, cubic), '%.0f')
        else:
            yield at_most('repeat visit, p50 to 0.6 of TCP cubic, ms', cell, again,
                          times_of(.6, cubic), '%.0f')


def queue(store, cell):
    ours = default(store)
    yield at_most('queue p95, ms', cell, value(store, cell, ours, 'queue_p95'), 11)
    yield at_least('goodput beside that, %', cell, value(store, cell, ours, 'goodput'),
                   .92, '%.1f', 100)


def fair(store, cell):
    ours = default(store)
    if not cell.endswith('vs-cubic'):
        yield at_least("Jain's index", cell, value(store, cell, ours, 'jain'), .95, '%.3f')
        return
    share = value(store, cell, ours, 'share')
    yield at_least('share against TCP cubic, %', cell, share, .35, '%.0f', 100)
    yield at_most('share against TCP cubic, %', cell, share, .65, '%.0f', 100)


def segments(store, cell):
    ours = default(store)
    yield at_most('segments, first visit', cell, value(store, cell, ours, 'segments'), 6)
    yield at_most('segments with a cookie', cell,
                  value(store, cell, ours + '+repeat', 'segments'), 4)


JUDGES = (('goodput/', goodput), ('short/', short), ('queue/', queue), ('fair/', fair),
          ('segments', segments))


def judged(store, cells):
    """[(what, cell, measured, wanted, reached)]"""
    out = []
    for prefix, rows in JUDGES:
        for cell in cells:
            if cell.startswith(prefix) and cell in store['cells']:
                out += [row for row in rows(store, cell) if row]
    return out


def table(store, cells):
    """Those that are missed; None if no Tandem was measured."""
    if not any(p.startswith('tandem') for p in peers_in(store, cells)):
        return None
    rows = judged(store, cells)
    if not rows:
        return None
    missed = [r for r in rows if not r[4]]
    out = Table('goals', 'Goals: %d of %d reached' % (len(rows) - len(missed), len(rows)),
                'those that are missed; see goals.py', ['goal', 'cell', 'is', 'wanted'])
    out.rows = [list(r[:4]) for r in missed]
    return out
