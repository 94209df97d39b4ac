#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The guest's half of bench-sim: carry out runs, one after another.

Usage: guest.py --probe         say what peers this kernel has
       guest.py RUNS.json       carry out a list of runs (made by sim.py)

Runs in user-mode Linux in virtual time. Every run has a fresh set of network
namespaces, so nothing is remembered from one to the next:

    s: sender       r: bottleneck         t: distance          d: receiver
    v ---------- near  far ---------- near  far ---------- v
    10.0.1.1   .2      10.0.2.1      .2      10.0.3.2     .1
       <- RTT/2 ---------                      ---- RTT/2 ->
              loss, late -> tbf FIFO

On their way to the receiver packets meet the dropper (ingress of r, see
drop.bpf.c), those to be late a detour of late_ms, then the bottleneck's FIFO
(tbf), then half the round trip (netem). The way back has the same rate and
half the round trip, and loses nothing. The hosts themselves have no qdisc, so
nothing pushes back on them. Each result is one line, "@@BENCH {json}".
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from netspace import Missing, Space, Trouble, call, set_knob

FLOWS = '/tandem/build/bench/flows'
PORT = 5001
FIRST = 20000
PATIENCE = 100000       # seconds, virtual ones, for any program to end
SETTLE = 3.0            # seconds until nothing of a closed connection moves
WARM_PORT = 19000

# (namespace, device, address, hardware address); the peers know each other
# from the start, so that no ARP is counted or lost.
PLACES = (
    ('s', 'v', '10.0.1.1', '02:00:00:00:01:01'),
    ('r', 'near', '10.0.1.2', '02:00:00:00:01:02'),
    ('r', 'far', '10.0.2.1', '02:00:00:00:02:01'),
    ('t', 'near', '10.0.2.2', '02:00:00:00:02:02'),
    ('t', 'far', '10.0.3.2', '02:00:00:00:03:02'),
    ('d', 'v', '10.0.3.1', '02:00:00:00:03:01'),
)
NEIGHBOUR = {0: 1, 1: 0, 2: 3, 3: 2, 4: 5, 5: 4}
ANY, NET = '0.0.0.0', '255.255.255.0'
ROUTES = {
    's': (ANY, ANY, '10.0.1.2'),
    'r': ('10.0.3.0', NET, '10.0.2.2'),
    't': ('10.0.1.0', NET, '10.0.2.1'),
    'd': (ANY, ANY, '10.0.3.2'),
}
VETH = """
link add name v netns s address %s gso_max_segs 1 type veth peer \
    name near netns r address %s gso_max_segs 1
link add name far netns r address %s gso_max_segs 1 type veth peer \
    name near netns t address %s gso_max_segs 1
link add name far netns t address %s gso_max_segs 1 type veth peer \
    name v netns d address %s gso_max_segs 1
""" % tuple(p[3] for p in PLACES)


class Net:
    """The topology of one run."""

    def __init__(self, run):
        self.run = run
        self.space = {}
        for name in 'srtd':
            self.space[name] = space = Space(name)
            with space:         # nothing but what is measured moves
                set_knob('net.ipv6.conf.all.disable_ipv6', 1)
                set_knob('net.ipv6.conf.default.disable_ipv6', 1)
                if name in 'rt':
                    set_knob('net.ipv4.ip_forward', 1)
                else:
                    for knob, value in run['sysctls'].items():
                        set_knob(knob, value)
        call(['ip', '-batch', '-'], VETH)
        for i, (name, dev, addr, _) in enumerate(PLACES):
            _, _, peer, peer_mac = PLACES[NEIGHBOUR[i]]
            space = self.space[name]
            space.offloads_off(dev)
            space.address(dev, addr)
            space.neighbour(dev, peer, peer_mac)
        for name, route in ROUTES.items():
            self.space[name].route(*route)
        self.shape()

    def shape(self):
        run = self.run
        rate = '%dbit' % run['rate']
        half = run['rtt_ms'] * 500
        # A FIFO of whole packets' bytes: never less than a few of them.
        limit = max(int(run['rate'] / 8 * run['rtt_ms'] / 1000 * run['bdp']),
                    10 * 1514)
        early = 'reorder 100% gap 100' if run.get('early') else ''
        back = 'netem limit 1000000 delay %dus rate %s' % (half, rate)
        lines = [
            'qdisc add dev far root handle 1: tbf rate %s burst 3100 limit %d'
            % (rate, limit),
            'qdisc add dev near root ' + back]
        with self.space['r']:
            if run.get('late_ms'):
                call(['ip', 'link', 'add', 'late', 'type', 'ifb'])
                call(['ip', 'link', 'set', 'late', 'up'])
                lines.append('qdisc add dev late root netem limit 1000000 delay %dus'
                             % (run['late_ms'] * 1000))
            if run.get('bpf'):
                lines += ['qdisc add dev near clsact',
                          'filter add dev near ingress pref 1 protocol ip bpf da '
                          'obj %s sec tc' % run['bpf']]
            if run.get('late_ms'):
                lines.append('filter add dev near ingress pref 2 protocol ip bpf '
                             'obj %s sec classifier action mirred egress '
                             'redirect dev late' % run['bpf'])
            call(['tc', '-batch', '-'], '\n'.join(lines) + '\n')
        with self.space['t']:
            call(['tc', '-batch', '-'], '''
qdisc add dev far root netem limit 1000000 delay %dus %s
''' % (half, early))

    def bottleneck(self):
        """What the FIFO has let through and dropped."""
        return self.space['r'].qdisc('far')

    def segments(self):
        """How many packets the two hosts have sent."""
        return sum(self.space[n].packets_sent('v') for n in 'sd')

    def close(self):
        for space in self.space.values():
            space.close()


class Program:
    """flows, started in a namespace; its lines are read when it has ended."""

    running = set()

    def __init__(self, space, mode, *args):
        # pylint: disable=consider-using-with
        self.file = tempfile.TemporaryFile('w+', encoding='ascii', dir='/tmp')
        with space:
            self.process = subprocess.Popen([FLOWS, mode] + [str(a) for a in args],
                                            stdout=self.file)
        self.running.add(self)

    def await_ready(self):
        while os.fstat(self.file.fileno()).st_size == 0:
            if self.process.poll() is not None:
                self.end()
                raise Trouble('flows ended at once')
            time.sleep(0.001)
        if self.lines()[0]['ev'] != 'ready':
            refused(self.lines()[0])

    def lines(self):
        self.file.seek(0)
        return [json.loads(line) for line in self.file if line.endswith('\n')]

    def end(self, stop=False):
        if stop:
            self.process.send_signal(signal.SIGTERM)
        self.running.discard(self)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Trouble('flows did not end') from None
        lines = self.lines()
        self.file.close()
        for line in lines:
            if line['ev'] == 'error':
                refused(line)
        return lines


def refused(line):
    """What flows could not do: an option that a protocol does not have is
    no fault of the bench."""
    text = '%s: %s' % (line['what'], os.strerror(line['errno']))
    raise (Missing if line['what'].startswith('TCP_') else Trouble)(text)


def who(peer):
    """Options of flows that make it speak a peer's protocol. Who moves much or
    wants it fast has Nagle off; exchanges whose segments are counted are those
    of a program that sets no option."""
    out = ['-p', peer['proto'], '-P', PORT]
    if peer.get('cc'):
        out += ['-c', peer['cc']]
    if peer.get('buffer'):
        out += ['-b', peer['buffer']]
    if peer.get('fastopen'):
        out += ['-f']
    if peer.get('kind') != 'segments':
        out += ['-N']
    return out


def end_all():
    """Nothing of a run that went wrong shall be about in the next."""
    for program in Program.running:
        program.process.kill()
        program.process.wait()
        program.file.close()
    Program.running.clear()


def failures(lines):
    return ['%s: %s' % (x['what'], os.strerror(x['errno']) if x['errno'] else 'end')
            for x in lines if x['ev'] == 'fail']


def do_bulk(net, run):
    """The time from connect() to the last byte at the receiver."""
    server = Program(net.space['d'], 'serve', *who(run))
    server.await_ready()
    client = Program(net.space['s'], 'run', *who(run), '-a', '10.0.3.1', '-B', FIRST,
                     '-u', run['bytes'], '-T', 3600)
    up = client.end()
    down = server.end(stop=True)
    start = [x['t'] for x in up if x['ev'] == 'start']
    end = [x['t'] for x in down if x['ev'] == 'up']
    if not end:
        raise Trouble('not done in an hour: %s' % '; '.join(failures(up + down)))
    seconds = (end[0] - start[0]) / 1e9
    return {'goodput': run['bytes'] * 8 / seconds / run['rate'],
            'seconds': seconds, 'link': net.bottleneck()}


def do_short(net, run):
    """Requests from the receiver's side, answers from the sender's."""
    server = Program(net.space['s'], 'serve', *who(run))
    server.await_ready()
    common = who(run) + ['-a', '10.0.1.1', '-u', run['up'], '-d', run['down'],
                         '-T', 600]
    if run.get('warm'):
        Program(net.space['d'], 'run', *common, '-n', run['warm'],
                '-B', WARM_PORT, '-S', run['seed'] + 1000).end()
    lines = Program(net.space['d'], 'run', *common, '-n', run['flows'],
                    '-B', FIRST, '-S', run['seed']).end()
    server.end(stop=True)
    times = [round((x['t1'] - x['t0']) / 1e6, 3) for x in lines if x['ev'] == 'done']
    return {'ms': times, 'failed': failures(lines), 'link': net.bottleneck()}


def do_queue(net, run):
    """A flow for some seconds; the bottleneck's backlog every 4 ms."""
    sampler = Program(net.space['r'], 'queue', '-D', 'far', '-i', 4000,
                      '-T', run['seconds'])
    out = do_fair(net, run)
    queue = [x for x in sampler.end() if x['ev'] == 'queue'][0]
    ms = 8e3 / run['rate']
    for key in ('p50', 'p95', 'p99', 'max'):
        out['queue_' + key] = round(queue[key] * ms, 3)
    out['course'] = [round(x * ms, 2) for x in queue['course']]
    return out


def do_fair(net, run):
    """Several flows at once for some seconds; what each gets."""
    parties, base = [], FIRST
    for i, party in enumerate(run['parties']):
        opts = who(party)
        opts[opts.index(PORT)] = PORT + i
        server = Program(net.space['d'], 'serve', *opts, '-i', 500)
        server.await_ready()
        parties.append((party, server, opts, base))
        base += 1000
    clients = [Program(net.space['s'], 'run', *opts, '-a', '10.0.3.1', '-B', first,
                       '-n', party['flows'], '-j', '-u', 0, '-T', run['seconds'],
                       '-s', run.get('stagger_ms', 0), '-S', run['seed'] + first)
               for party, server, opts, first in parties]
    for client in clients:
        bad = failures(client.end())
        if bad:
            raise Trouble('; '.join(bad))
    rates, whole, courses = [], 0, []
    for party, server, _, first in parties:
        lines = [x for x in server.end(stop=True) if x['ev'] == 'bytes']
        start = lines[0]['t'] - 500e6
        last = [x for x in lines if len(x['flows']) == party['flows']][-1]
        early = [x for x in lines if x['t'] - start >= run['from'] * 1e9][0]
        for i in range(party['flows']):
            port = str(first + i)
            span = (last['t'] - early['t']) / 1e9
            moved = last['flows'][port] - early['flows'].get(port, 0)
            rates.append(moved * 8 / span)
            whole += last['flows'][port] * 8 / ((last['t'] - start) / 1e9)
            courses.append([x['flows'].get(port, 0) for x in lines])
    return {'rates': [round(r) for r in rates], 'goodput': whole / run['rate'],
            'jain': sum(rates) ** 2 / (len(rates) * sum(r * r for r in rates)),
            'bytes': courses, 'link': net.bottleneck()}


def do_segments(net, run):
    """Packets on both hosts' devices for an exchange, from the first to the
    last of it."""
    server = Program(net.space['s'], 'serve', *who(run))
    server.await_ready()
    common = who(run) + ['-a', '10.0.1.1', '-u', run['up'], '-d', run['down']]
    if run.get('warm'):
        Program(net.space['d'], 'run', *common, '-n', run['warm'], '-B', WARM_PORT,
                '-g', 500).end()
        time.sleep(SETTLE)
    before = net.segments()
    lines = Program(net.space['d'], 'run', *common, '-n', run['flows'], '-B', FIRST,
                    '-g', 500, '-S', run['seed']).end()
    time.sleep(SETTLE)
    count = net.segments() - before
    server.end(stop=True)
    if failures(lines):
        raise Trouble('; '.join(failures(lines)))
    return {'segments': count / run['flows']}


KINDS = {'bulk': do_bulk, 'short': do_short, 'queue': do_queue, 'fair': do_fair,
         'segments': do_segments}


class Capture:
    """What passes the sender's device, before any loss, if it is asked for."""

    def __init__(self, net, run):
        self.process = None
        if not run.get('trace'):
            return
        name = '/out/' + run['id'].replace('/', '-').replace(' ', '_') + '.pcap'
        with net.space['s']:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                ['tcpdump', '-n', '-i', 'v', '-s', '128', '-B', '65536', '-w', name],
                stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if 'listening' in line:
                return
        raise Trouble('no tcpdump here')

    def end(self):
        if self.process:
            time.sleep(1)
            self.process.send_signal(signal.SIGINT)
            self.process.communicate()


def carry_out(run):
    net = capture = None
    out = {'id': run['id']}
    began = time.monotonic()
    try:
        net = Net(run)
        capture = Capture(net, run)
        out['result'] = KINDS[run['kind']](net, run)
    except Missing as e:
        out['missing'] = str(e)
    except (Trouble, OSError, IndexError, KeyError) as e:
        out['trouble'] = '%s%s' % ('' if isinstance(e, Trouble) else
                                   type(e).__name__ + ': ', e)
    end_all()
    if capture:
        capture.end()
    out['virtual_s'] = round(time.monotonic() - began, 3)
    print('@@BENCH ' + json.dumps(out, separators=(',', ':')), flush=True)
    if net:
        net.close()
    else:
        subprocess.run(['ip', '-all', 'netns', 'delete'], check=False)


def probe():
    """What this kernel has: {'tcp': [...], 'tandem': [...], 'sctp': bool, ...}"""
    def words(path):
        try:
            with open(path, encoding='ascii') as f:
                return f.read().split()
        except OSError:
            return []

    def opens(proto):
        import socket           # pylint: disable=import-outside-toplevel
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto).close()
            return True
        except OSError:
            return False

    out = {'kernel': os.uname().release, 'sctp': opens(132), 'mptcp': opens(262), 'native': opens(254),
           'tcp': words('/proc/sys/net/ipv4/tcp_available_congestion_control'),
           'tandem': words('/proc/sys/net/tandem/available_congestion_control'),
           'default': words('/proc/sys/net/tandem/congestion_control'),
           'knobs': os.listdir('/proc/sys/net/tandem') if opens(254) else []}
    print('@@BENCH ' + json.dumps(out), flush=True)


def prepare():
    """What concerns the whole guest."""
    # Congestion controls in modules of their own.
    release = os.uname().release
    for where, _, files in os.walk('/usr/lib/modules/%s/extra' % release):
        for name in sorted(files):
            if name.startswith('tandem') and where:
                subprocess.run(['modprobe', '-q', name.split('.')[0]], check=False)
    # Nobody's memory limits shall be what is measured (pages).
    for knob in ('net.ipv4.tcp_mem', '-net.sctp.sctp_mem', '-net.tandem.mem'):
        set_knob(knob, '400000 450000 500000')


def main():
    prepare()
    if sys.argv[1:] == ['--probe']:
        probe()
        return
    with open(sys.argv[1], encoding='utf-8') as f:
        runs = json.load(f)
    for run in runs:
        carry_out(run)


if __name__ == '__main__':
    main()
