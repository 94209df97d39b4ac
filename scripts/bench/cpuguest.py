#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The guest's half of bench-cpu: carry out jobs, one after another.

Usage: cpuguest.py JOBS.json COST
  JOBS.json  a list of jobs (made by cpu.py, see cpuplan.py)
  COST       the traffic program (cost.c)

Two fresh network namespaces for each job, joined by a veth pair of MTU 1500:

    s: client  v 10.0.0.1 ---------- 10.0.0.2 v  d: server

so nothing is remembered from one to the next. While cost.c counts, this
program waits. Each result is one line, "@@BENCH {json}".
"""

import glob
import json
import os
import subprocess
import sys
import time

from netspace import Missing, Space, Trouble, call, set_knob

MACS = {'s': '02:00:00:00:00:01', 'd': '02:00:00:00:00:02'}
NOBODY = '02:00:00:00:00:99'
ADDR = {'s': '10.0.0.1', 'd': '10.0.0.2'}
OTHER = {'s': 'd', 'd': 's'}
VETH = 'link add name v netns s address %s type veth peer name v netns d address %s\n' % (
    MACS['s'], MACS['d'])
FORGOTTEN = 65      # seconds after which no TIME-WAIT of before is left
SETTLED = 3.0       # and after which RCU and delayed ACKs are done
GONE = 0.5          # and namespaces that were left


class Net:
    """The two namespaces of one job."""

    def __init__(self, job):
        self.space = {}
        for name in 'sd':
            self.space[name] = space = Space(name)
            with space:
                set_knob('net.ipv6.conf.all.disable_ipv6', 1)
                set_knob('net.ipv6.conf.default.disable_ipv6', 1)
                for knob, value in job['knobs'].items():
                    set_knob(knob, value)
        call(['ip', '-batch', '-'], VETH)
        for name, space in self.space.items():
            if job.get('off'):
                space.offloads_off('v', checksums=job['off'] == 'all')
            space.address('v', ADDR[name])
            mac = MACS[OTHER[name]]
            # Half-open: the server's answers arrive at the client's device and
            # are for somebody else, whatever protocol they are of.
            if name == 'd' and job.get('hold') == 'halfopen':
                mac = NOBODY
            space.neighbour('v', ADDR[OTHER[name]], mac)

    def packets(self):
        return sum(self.space[n].packets_sent('v') for n in 'sd')

    def close(self):
        for space in self.space.values():
            space.close()


class Cost:
    """The traffic program, under way."""

    def __init__(self, program, net, job, flow=0):
        args = [program, 'hold' if job['kind'] == 'hold' else 'run', '-P', 5001 + flow,
                '-p', job['proto'], '-a', ADDR['d'],
                '-s', net.space['s'].path, '-d', net.space['d'].path,
                '-u', job.get('up', 100), '-D', job.get('down', 1024),
                '-n', job['ops']]
        for key, option in (('warm', '-w'), ('idle', '-i'), ('pause_us', '-t'),
                            ('hold', '-x')):
            if job.get(key):
                args += [option, job[key]]
        for key, option in (('again', '-c'), ('fastopen', '-f'), ('no_delay', '-N')):
            if job.get(key):
                args.append(option)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([str(a) for a in args], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def await_(self, event):
        """The next thing it says, which is to be that."""
        for line in self.process.stdout:
            said = json.loads(line)
            if said['ev'] == event:
                return said
            kind = Missing if said.get('what', '').endswith(': socket') else Trouble
            raise kind('%s: %s' % (said.get('what'), os.strerror(said.get('errno', 0))))
        raise Trouble('the traffic program died')

    def go(self):
        self.process.stdin.write('go\n')
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def slabs():
    """{cache: bytes of its objects in use}

    What a processor keeps for itself counts as in use; shrinking takes it away.
    """
    for path in glob.glob('/sys/kernel/slab/*/shrink'):
        with open(path, 'w', encoding='ascii') as f:
            f.write('1')
    out = {}
    with open('/proc/slabinfo', encoding='ascii') as f:
        for line in f.readlines()[2:]:
            name, active, _, size = line.split()[:4]
            out[name] = int(active) * int(size)
    return out


def do_run(net, job, cost):
    cost.await_('warm')
    packets = net.packets()
    cost.go()
    out = cost.await_('run')
    packets = net.packets() - packets
    units = job['ops'] if job.get('per') != 'MB' else job['ops'] * job['up'] / 1e6
    result = {'value': round((out['ns'] - out['idle']) / units, 1)}
    if job['proto']:
        result['packets'] = round(packets / units, 2)
    if job.get('idle'):
        result['idle'] = job['idle']
    return result


def do_wall(_, job, costs):
    """All begin together; it is over when the last one is."""
    for cost in costs:
        cost.await_('warm')
    start = time.monotonic()
    for cost in costs:
        cost.go()
    for cost in costs:
        cost.await_('run')
    units = len(costs) * job['ops'] * (job['up'] / 1e6 if job.get('per') == 'MB' else 1)
    return {'value': round(units / (time.monotonic() - start), 1)}


def do_hold(net, job, cost):
    cost.await_('ready')
    time.sleep(SETTLED)
    before = slabs()
    cost.go()
    cost.await_('held')
    # Requests live only so long: TCP gives up some after a second.
    time.sleep(.3 if job['hold'] == 'halfopen' else SETTLED)
    after = slabs()
    n = job['ops'] - 1      # the first was there before
    grown = {k: (after[k] - before.get(k, 0)) / n for k in after}
    return {'value': round(sum(grown.values()), 1),
            'slabs': {k: round(v) for k, v in sorted(grown.items(), key=lambda x: -x[1])
                      if abs(v) >= 8}}


def carry_out(job, program):
    out = {'id': job['id']}
    net, costs = None, []
    try:
        net = Net(job)
        for flow in range(job.get('flows', 1)):
            costs.append(Cost(program, net, job, flow))
        if job['kind'] == 'wall':
            out['result'] = do_wall(net, job, costs)
        else:
            out['result'] = (do_run if job['kind'] == 'run' else do_hold)(net, job, costs[0])
    except Missing as e:
        out['missing'] = str(e)
    except (Trouble, OSError, ValueError) as e:
        out['trouble'] = '%s: %s' % (type(e).__name__, e)
    for cost in costs:
        cost.end()
    if net:
        net.close()
    else:
        subprocess.run(['ip', '-all', 'netns', 'delete'], check=False)
    return out


def prepare(host_knobs):
    """What concerns the whole guest."""
    for module in ('tandem', 'tandem_cubic', 'sctp'):
        subprocess.run(['modprobe', '-q', module], check=False)
    for knob, value in host_knobs.items():
        set_knob(knob, value)


def say(out):
    print('@@BENCH ' + json.dumps(out, separators=(',', ':')), flush=True)


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        work = json.load(f)
    prepare(work['host'])
    say({'kernel': os.uname().release})
    for job in work['jobs']:
        out = carry_out(job, sys.argv[2])
        say(out)
        # What this one leaves behind is gone before the next is measured.
        time.sleep(FORGOTTEN if job['kind'] == 'hold' else GONE)
    if work.get('symbols'):
        with open('/proc/kallsyms', encoding='ascii') as f, \
                open('/out/kallsyms', 'w', encoding='ascii') as to:
            to.write(f.read())


if __name__ == '__main__':
    main()
