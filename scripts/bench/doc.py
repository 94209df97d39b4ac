#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tables and pictures of what the benches measured last ("make bench-doc").

Reads build/bench/sim.json (bench-sim) and build/bench/cpu.json (bench-cpu),
whichever there are, draws Documentation/performance/*.svg, writes the tables of
bench-sim as JSON beside them, and all tables
between the markers of Documentation/networking/tandem-performance.rst. Nothing
is measured here.

Usage: doc.py [--cpu] [RESULTS.json]
  --cpu   those of bench-cpu only; else, given a file: those of bench-sim only
"""

import json
import os
import re
import sys

import matplotlib

import cpuplan
import goals
import plan
import report

matplotlib.use('svg')
# The same results make the same file.
matplotlib.rcParams.update({'svg.hashsalt': 'tandem', 'svg.fonttype': 'none',
                            'font.size': 9, 'axes.spines.top': False,
                            'axes.spines.right': False, 'legend.frameon': False})
from matplotlib import pyplot  # noqa: E402 pylint: disable=wrong-import-position

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PICTURES = os.path.join(TOP, 'Documentation', 'performance')
PAGE = os.path.join(TOP, 'Documentation', 'networking', 'tandem-performance.rst')
WORK = os.path.join(TOP, 'build', 'bench')
BEGIN, END = '.. bench-%s: %s\n', '.. bench-%s: end\n'
# Tandem stands out; the others are what it is compared with.
COLOURS = {'tandem-bbr': '#c1121f', 'tandem-cubic': '#e76f51', 'tandem-reno': '#f4a261',
           'tandem-dctcp': '#9c6644', 'tcp-cubic': '#1d4e89', 'tcp-bbr': '#4ea5d9',
           'tcp-reno': '#8ecae6', 'tandem': '#c1121f', 'tcp': '#1d4e89',
           'unix': '#aaaaaa', 'sctp': '#588157', 'mptcp': '#7b2cbf'}


def colour(peer):
    return COLOURS.get(peer.split('+')[0], '#666666')


def look(peer):
    ours = peer.startswith('tandem')
    return {'color': colour(peer), 'label': peer, 'linewidth': 2.2 if ours else 1.3,
            'linestyle': '--' if '+' in peer else '-', 'zorder': 3 if ours else 2}


def save(figure, name):
    figure.tight_layout()
    path = os.path.join(PICTURES, name + '.svg')
    figure.savefig(path, metadata={'Date': None, 'Creator': None})
    pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    with open(path, encoding='utf-8') as f:
        text = re.sub(r'[ \t]+\n', '\n', f.read())
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def save_data(table):
    """A table as JSON, beside its picture."""
    with open(os.path.join(PICTURES, table.name + '.json'), 'w', encoding='utf-8') as f:
        json.dump(table.data(), f, indent=1)
        f.write('\n')


def known(store, prefix):
    return [c.name for c in plan.cells()
            if c.name.startswith(prefix) and store['cells'].get(c.name)]


def draw_goodput(store):
    """Goodput over loss, a panel for each rate and round trip."""
    cells = [c for c in known(store, 'goodput/') if c.rsplit('/', 1)[1] in plan.LOSSES]
    paths = list(dict.fromkeys(c.rsplit('/', 1)[0] for c in cells))
    columns = min(3, len(paths))
    rows = -(-len(paths) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(3.6 * columns, 2.9 * rows),
                                   squeeze=False)
    peers = report.peers_in(store, cells)
    for ax, path in zip(axes.flat, paths):
        losses = [x for x in plan.LOSSES if '%s/%s' % (path, x) in cells]
        for peer in peers:
            y = [report.value(store, '%s/%s' % (path, x), peer, 'goodput') for x in losses]
            points = [(i, v * 100) for i, v in enumerate(y) if v is not None]
            if points:
                ax.plot(*zip(*points), marker='o', markersize=3, **look(peer))
        ax.set_xticks(range(len(losses)), losses)
        ax.set_ylim(0, 100)
        ax.set_title(path.split('/', 1)[1].replace('/', ', '))
        ax.set_xlabel('loss')
    for ax in axes.flat[len(paths):]:
        ax.axis('off')
    axes[0][0].set_ylabel('goodput, % of the link')
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='lower right', ncol=1,
                  bbox_to_anchor=(0.98, 0.1) if len(paths) % columns else (0.98, 0.3))
    save(figure, 'goodput')


def bars(ax, groups, peers, height, form):
    """A group of bars, one for each peer that has a value."""
    width = 0.8 / max(1, len(peers))
    for i, peer in enumerate(peers):
        for j, group in enumerate(groups):
            v = height(group, peer)
            if v is None:
                continue
            x = j + (i - (len(peers) - 1) / 2) * width
            ax.bar(x, v, width * 0.92, color=colour(peer),
                   label=peer if j == 0 else None)
            ax.annotate(form % v, (x, v), ha='center', va='bottom', fontsize=6,
                        rotation=90, xytext=(0, 2), textcoords='offset points')


def draw_reordering(store):
    cells = [c for c in known(store, 'goodput/100M/50ms/')
             if c.rsplit('/', 1)[1] in ('late1%', 'late5%', 'early')]
    peers = report.peers_in(store, cells)
    figure, ax = pyplot.subplots(figsize=(7, 3))
    bars(ax, cells, peers, lambda c, p: (report.value(store, c, p, 'goodput') or 0) * 100,
         '%.0f')
    ax.set_xticks(range(len(cells)), [
        {'late1%': '1 % late by RTT/10', 'late5%': '5 % late by RTT/10',
         'early': 'every 100th early'}[c.rsplit('/', 1)[1]] for c in cells])
    ax.set_ylim(0, 110)
    ax.set_ylabel('goodput, % of the link')
    ax.legend(loc='upper left', bbox_to_anchor=(1, 1))
    save(figure, 'reordering')


def draw_short(store):
    """How long exchanges take, as distributions: what the tail is, is seen."""
    cells = known(store, 'short/')
    peers = report.peers_in(store, cells, True)
    figure, axes = pyplot.subplots(1, len(cells), figsize=(3.6 * len(cells), 3.4),
                                   sharey=True, squeeze=False)
    for ax, cell in zip(axes[0], cells):
        for peer in peers:
            entry = store['cells'][cell].get(peer)
            if not entry or not entry.get('sum'):
                continue
            ms = sorted(x for r in entry['runs'].values() for x in r['ms'])
            # The part that takes longer; a step for every hundredth or less.
            step = max(1, len(ms) // 500)
            at = list(range(0, len(ms), step))
            ax.step([ms[i] for i in at], [1 - i / len(ms) for i in at], where='post',
                    **look(peer))
        ax.set_xscale('log')
        ticks = [t for t in (50, 100, 200, 500, 1000, 2000, 5000, 10000)
                 if ax.get_xlim()[0] < t < ax.get_xlim()[1]]
        ax.set_xticks(ticks, ticks, rotation=45)
        ax.minorticks_off()
        ax.set_yscale('log')
        ax.set_ylim(0.002, 1)
        ax.set_yticks([1, .5, .1, .01], ['1', '0.5', '0.1', '0.01'])
        ax.axhline(0.01, color='#bbbbbb', linewidth=0.8, zorder=1)
        ax.axhline(0.5, color='#bbbbbb', linewidth=0.8, zorder=1)
        ax.set_title(cell.split('/')[1])
        ax.set_xlabel('ms')
    axes[0][0].set_ylabel('part of the exchanges that takes longer')
    axes[0][-1].legend(loc='upper left', bbox_to_anchor=(1, 1))
    save(figure, 'short')


def draw_queue(store):
    cell = known(store, 'queue/')[0]
    figure, ax = pyplot.subplots(figsize=(7, 3))
    for peer in report.peers_in(store, [cell]):
        runs = store['cells'][cell][peer]['runs']
        course = runs['1']['course']
        seconds = plan_of(cell)['seconds']
        ax.plot([i * seconds / len(course) for i in range(len(course))], course,
                **look(peer))
    ax.set_yscale('symlog', linthresh=1)
    ax.set_ylim(0, 700)
    ax.set_yticks([0, 1, 10, 100, 500], ['0', '1', '10', '100', '500'])
    ax.set_xlabel('seconds')
    ax.set_ylabel('queueing delay, ms')
    ax.legend(loc='upper left', bbox_to_anchor=(1, 1))
    save(figure, 'queue')


def plan_of(name):
    return [c for c in plan.cells() if c.name == name][0].base


def draw_fairness(store):
    cells = known(store, 'fair/')
    equal = [c for c in cells if not c.endswith('vs-cubic')]
    rival = [c for c in cells if c.endswith('vs-cubic')]
    peers = report.peers_in(store, cells)
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3))
    bars(axes[0], equal, peers, lambda c, p: report.value(store, c, p, 'jain'), '%.2f')
    axes[0].set_xticks(range(len(equal)), [c.split('/')[-1] + ' flows' for c in equal])
    axes[0].set_ylim(0.5, 1.1)
    axes[0].set_title("Jain's index, equal flows")

    def share(cell, peer):
        v = report.value(store, cell, peer, 'share')
        return None if v is None else v * 100
    peers = [p for p in peers if any(share(c, p) is not None for c in rival)]
    bars(axes[1], rival, peers, share, '%.0f')
    axes[1].axhspan(35, 65, color='#eeeeee', zorder=0)
    axes[1].set_xticks(range(len(rival)), [' '.join(c.split('/')[1:3]) for c in rival])
    axes[1].set_ylim(0, 110)
    axes[1].set_title('share against one TCP cubic, %')
    handles, labels = axes[0].get_legend_handles_labels()
    axes[1].legend(handles, labels, loc='upper left', bbox_to_anchor=(1, 1))
    save(figure, 'fairness')


def draw_segments(store):
    peers = report.peers_in(store, ['segments'], True)
    figure, ax = pyplot.subplots(figsize=(7, 0.32 * len(peers) + 0.8))
    for i, peer in enumerate(peers):
        v = report.value(store, 'segments', peer, 'segments')
        ax.barh(i, v, 0.7, color=colour(peer))
        ax.annotate('%.0f' % v, (v, i), va='center', xytext=(3, 0),
                    textcoords='offset points')
    ax.set_yticks(range(len(peers)), peers)
    ax.invert_yaxis()
    ax.set_xlabel('segments per exchange')
    save(figure, 'segments')


# table of report.py: (its pictures, with what to say of them)
PARTS = {
    'goodput': ((draw_goodput, 'goodput', 'Goodput over loss'),
                (draw_reordering, 'reordering', 'Goodput under reordering')),
    'short': ((draw_short, 'short', 'How long exchanges take, as distributions'),),
    'queue': ((draw_queue, 'queue', 'The queue at the bottleneck'),),
    'fair': ((draw_fairness, 'fairness', 'Fairness'),),
    'segments': ((draw_segments, 'segments', 'Segments per exchange'),),
}


def figure_rst(name, text):
    return '.. figure:: ../performance/%s.svg\n   :alt: %s\n\n   %s.\n\n' % (
        name, text, text)


def draw_cpu(store):
    """A panel for each row, for they differ by orders of magnitude."""
    rows = [r for r in cpuplan.ROWS if store['rows'].get(r['name'])]
    columns = 3
    figure, axes = pyplot.subplots(-(-len(rows) // columns), columns, squeeze=False,
                                   figsize=(10, 1.7 * -(-len(rows) // columns)))
    for ax in axes.flat[len(rows):]:
        ax.axis('off')
    for ax, row in zip(axes.flat, rows):
        peers = [p['name'] for p in cpuplan.PEERS if p['name'] in store['rows'][row['name']]]
        for i, peer in enumerate(peers):
            v = cpuplan.value(store, row['name'], peer)
            ax.barh(i, v, 0.75, color=colour(peer))
            ax.annotate(cpuplan.shown(row, v), (v, i), va='center', xytext=(3, 0),
                        textcoords='offset points', fontsize=8)
        ax.set_yticks(range(len(peers)), peers)
        ax.invert_yaxis()
        ax.set_xticks([])
        ax.set_xlim(0, 1.3 * ax.get_xlim()[1])
        ax.spines['bottom'].set_visible(False)
        ax.set_title('%s, %s' % (row['name'], {'hold': 'bytes', 'wall': 'by the clock'}.get(
            row['kind'], 'instructions' + ('/MB' if row.get('per') else ''))),
                     fontsize=9, loc='left')
    save(figure, 'cpu')


def put(page, name, text, bench='sim'):
    """The page with that part replaced."""
    begin = page.find(BEGIN % (bench, name))
    end = page.find(END % bench, begin)
    if begin < 0 or end < 0:
        sys.exit('bench-doc: %s has no part %s' % (PAGE, name))
    return page[:begin] + BEGIN % (bench, name) + '\n' + text + '\n' + page[end:]


def load(path, formats):
    try:
        with open(path, encoding='utf-8') as f:
            store = json.load(f)
    except FileNotFoundError:
        return None
    if store.get('format') != formats:
        sys.exit('bench-doc: %s is of another format' % path)
    return store


def doc_cpu(page, store):
    """The page with what bench-cpu measured."""
    extra = {p['name'] for p in cpuplan.PEERS if p.get('extra')}
    for row, entries in store['rows'].items():
        store['rows'][row] = {k: v for k, v in entries.items() if k not in extra}
    notes = []
    for table in cpuplan.tables(store, [r['name'] for r in cpuplan.ROWS]):
        text = table.rst()
        if table.name == 'cpu':
            draw_cpu(store)
            text += '\n' + figure_rst('cpu', 'Instructions and bytes')
        page = put(page, table.name, text, 'cpu')
        if table.note not in notes and table.name != 'packets':
            notes.append(table.note)
        print('tandem: %s' % table.title)
    revisions = sorted({e['revision'] for r in store['rows'].values() for e in r.values()})
    return put(page, 'about', 'Measured at revision %s, kernel %s: %s.\n' % (
        ', '.join(revisions), store['about']['kernel'], '; '.join(notes)), 'cpu')


def main():
    args = sys.argv[1:]
    only_cpu = args[:1] == ['--cpu']
    args = args[only_cpu:]
    with open(PAGE, encoding='utf-8') as f:
        page = f.read()
    os.makedirs(PICTURES, exist_ok=True)
    sim = cpu = None
    if only_cpu or not args:
        cpu = load(args[0] if args else os.path.join(WORK, 'cpu.json'), cpuplan.FORMAT)
    if not only_cpu:
        sim = load(args[0] if args else os.path.join(WORK, 'sim.json'), report.FORMAT)
    if not sim and not cpu:
        sys.exit('bench-doc: nothing was measured yet: run "make bench"')
    if sim:
        page = doc_sim(page, sim)
    if cpu:
        page = doc_cpu(page, cpu)
    with open(PAGE, 'w', encoding='utf-8') as f:
        f.write(page)
    print('tandem: wrote %s and %s' % (os.path.relpath(PAGE), os.path.relpath(PICTURES)))


def doc_sim(page, store):
    """The page with what bench-sim measured."""
    # What was measured out of curiosity stays out of the page.
    extra = {p['name'] for p in plan.PEERS if p.get('extra')}
    for cell, peers in store['cells'].items():
        store['cells'][cell] = {k: v for k, v in peers.items() if k not in extra}
    report.sum_up(store)
    tables = report.all_tables(store, [c.name for c in plan.cells()])
    for table in tables:
        text = table.rst() + '\n'
        for draw, name, caption in PARTS[table.name]:
            try:
                draw(store)
            except IndexError:      # no cell of this picture was measured
                continue
            text += figure_rst(name, caption)
        page = put(page, table.name, text)
        save_data(table)
        print('tandem: %s' % table.title)
    reached = goals.table(store, [c.name for c in plan.cells()])
    if reached:
        page = put(page, 'goals', '%s.%s\n' % (
            reached.title, ' Those missed:\n\n' + reached.rst() if reached.rows else ''))
    revisions = sorted({e['revision'] for c in store['cells'].values()
                        for e in c.values()})
    return put(page, 'about', 'Measured at revision %s, kernel %s; the default of '
               '``net.tandem.congestion_control`` there is %s.\n' % (
                   ', '.join(revisions), store['about']['kernel'],
                   ' '.join(store['about']['default'])))


if __name__ == '__main__':
    main()
