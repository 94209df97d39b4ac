#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draws the time-sequence page of a connection out of a capture.

Time runs to the right, sequence numbers upward.  Each data segment is an upright
stroke from its first to its last byte; the ACK line climbs below as the peer
acknowledges, the window line above shows how far the sender may go.  What is
between ACK line and data is in flight.  Hover over anything for its story.

Output: a page of its own (no network needed), or a bare picture with --svg.
"""
import argparse
import html
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import segments                                                 # noqa: E402

LEFT, RIGHT, TOP, BOTTOM = 86, 16, 34, 44

# Layers in drawing order: class, colour, stroke width, what the legend says.
LAYERS = (
    ("win", "#6baed6", 1.5, "window: the sender may go up to here"),
    ("ack", "#2ca02c", 1.5, "acknowledged up to here"),
    ("sack", "#9467bd", 3, "SACK: arrived out of order"),
    ("data", "#1f3b73", 3, "data segment"),
    ("again", "#f08a7a", 4, "data segment that had to be sent again"),
    ("late", "#ff7f0e", 4, "fills a hole (lost or reordered before this point)"),
    ("retrans", "#d62728", 6, "retransmission"),
    ("dup", "#8c8c00", 4, "duplicate ACK"),
    ("piggy", "#17becf", 6, "ACK that rode on data (piggybacked)"),
    ("probe", "#e377c2", 6, "zero window, zero-window probe or keepalive"),
    ("ctl", "#000000", 7, "SYN, FIN or RST"),
)


def nice_step(span, most):
    """The roundest step that gives at most so many ticks."""
    step = 1e-9
    while True:
        for m in (1, 2, 5):
            if span / (step * m) <= most:
                return step * m
        step *= 10


def tidy(x):
    return ("%.1f" % x).rstrip("0").rstrip(".")


def tick_text(v):
    return ("%.6f" % v).rstrip("0").rstrip(".") if v != int(v) else "%d" % v


class Panel:
    """One direction's picture: who sends, and scales from data to pixels."""

    def __init__(self, conn, way, width, height, start):
        self.conn, self.way, self.width, self.height = conn, way, width, height
        self.start = start
        me = (conn.client, conn.server)[way]
        self.me, self.peer = me, (conn.client, conn.server)[1 - way]
        times = [s.time - start for s in conn.segments]
        self.t0, self.t1 = min(times) * 1e3, max(times) * 1e3
        # Room for the window line, but not so much that the data is flat.
        top = max(me.nxt, 10)
        edge = max([s.rack + s.win for s in conn.segments
                    if s.way != way and s.rack is not None] or [top])
        self.s0, self.s1 = 0, min(max(edge, top), top * 1.25)
        pad = (self.t1 - self.t0 or 1) * 0.02
        self.t0, self.t1 = self.t0 - pad, self.t1 + pad
        self.s0, self.s1 = -0.03 * self.s1, self.s1 * 1.03
        self.layers = {name: [] for name, *_ in LAYERS}
        self.fill()

    def x(self, t):
        w = self.width - LEFT - RIGHT
        return tidy(LEFT + ((t - self.start) * 1e3 - self.t0) /
                    (self.t1 - self.t0) * w)

    def y(self, s):
        h = self.height - TOP - BOTTOM
        return tidy(TOP + h - (s - self.s0) / (self.s1 - self.s0) * h)

    def story(self, seg):
        return html.escape("%d  %.3f ms  %s  seq %d..%d%s  window %d\n%s" % (
            seg.number, (seg.time - self.start) * 1e3, seg.flag_text(),
            seg.rseq, seg.rend,
            "" if seg.rack is None else "  ack %d" % seg.rack, seg.win,
            "\n".join(seg.remarks)))

    def stroke(self, layer, seg, low, high):
        self.layers[layer].append("<path d='M%s %sV%s'><title>%s</title></path>" % (
            self.x(seg.time), self.y(low), self.y(high), self.story(seg)))

    def dot(self, layer, seg, level):
        self.stroke(layer, seg, level, level)

    def steps(self, layer, points):
        """A line that only moves when something arrives."""
        if not points:
            return
        d = ["M%s %s" % (self.x(points[0][0]), self.y(points[0][1]))]
        last = points[0][1]
        for t, v in points[1:]:
            if v != last:
                d.append("H%sV%s" % (self.x(t), self.y(v)))
                last = v
        d.append("H%s" % self.x(points[-1][0]))
        self.layers[layer].insert(0, "<path class='line' d='%s'/>" % "".join(d))

    def fill(self):
        ack, win = [], []
        for seg in self.conn.segments:
            if "malformed" in seg.tags:
                continue
            if seg.way == self.way:
                self.sent(seg)
            elif seg.rack is not None:
                ack.append((seg.time, seg.rack))
                win.append((seg.time, seg.rack + seg.win))
                self.answered(seg)
        if ack:
            end = self.conn.segments[-1].time
            ack.append((end, max(v for _, v in ack)))
            win.append((end, win[-1][1]))
        # An ACK overtaken on the way does not pull the line back.
        for i in range(1, len(ack)):
            ack[i] = (ack[i][0], max(ack[i][1], ack[i - 1][1]))
        self.steps("ack", ack)
        self.steps("win", win)

    def sent(self, seg):
        tags = seg.tags
        if seg.flags & (segments.SYN | segments.FIN | segments.RST):
            self.dot("ctl", seg, seg.rend)
        if tags & {"probe", "keepalive"}:
            self.dot("probe", seg, seg.rend)
        elif seg.length:
            layer = ("retrans" if "retrans" in tags else
                     "late" if "late" in tags else
                     "again" if "again" in tags else "data")
            self.stroke(layer, seg, seg.rseq, seg.rend)

    def answered(self, seg):
        tags = seg.tags
        for a, b in seg.opts.get("sack", ())[:1]:   # the newest
            self.stroke("sack", seg, self.me.unroll(a, seg.rack),
                        self.me.unroll(b, seg.rack))
        if "zerowin" in tags:
            self.dot("probe", seg, seg.rack)
        elif "dupack" in tags:
            self.dot("dup", seg, seg.rack)
        elif "piggyback" in tags:
            self.dot("piggy", seg, seg.rack)
        elif "pureack" in tags:
            # An unseen handle on the ACK line, so that hovering tells.
            self.layers["ack"].append(
                "<path class='hit' d='M%s %sh0'><title>%s</title></path>" % (
                    self.x(seg.time), self.y(seg.rack), self.story(seg)))

    def axes(self):
        out = []
        w, h = self.width, self.height
        step = nice_step(self.t1 - self.t0, 12)
        i = int(self.t0 // step) + 1
        while i * step <= self.t1:
            x = self.x(self.start + i * step / 1e3)
            out.append("<path class='grid' d='M%s %dV%d'/><text x='%s' y='%d' "
                       "text-anchor='middle'>%s</text>" % (
                           x, TOP, h - BOTTOM, x, h - BOTTOM + 15,
                           tick_text(round(i * step, 9))))
            i += 1
        step = max(1, nice_step(self.s1 - self.s0, 9))
        i = int(self.s0 // step) + 1
        while i * step <= self.s1:
            y = self.y(i * step)
            out.append("<path class='grid' d='M%d %sH%d'/><text x='%d' y='%s' "
                       "text-anchor='end' dy='4'>%s</text>" % (
                           LEFT, y, w - RIGHT, LEFT - 6, y, tick_text(i * step)))
            i += 1
        return "".join(out)

    def svg(self, legend):
        w, h = self.width, self.height
        extra = 18 * ((len(self.used()) + 1) // 2) + 8 if legend else 0
        ident = "p%d" % self.way
        out = ["<svg xmlns='http://www.w3.org/2000/svg' class='panel' width='%d' "
               "height='%d' viewBox='0 0 %d %d' font-family='sans-serif' "
               "font-size='11' data-t0='%r' data-t1='%r' data-s0='%r' "
               "data-s1='%r'>" % (w, h + extra, w, h + extra, self.t0, self.t1,
                                  self.s0, self.s1),
               "<style>%s</style>" % STYLE,
               "<rect width='%d' height='%d' fill='#fff'/>" % (w, h + extra),
               "<clipPath id='%s'><rect x='%d' y='%d' width='%d' height='%d'/>"
               "</clipPath>" % (ident, LEFT, TOP, w - LEFT - RIGHT,
                                h - TOP - BOTTOM),
               "<text x='%d' y='20' font-size='14' font-weight='bold'>From the "
               "%s (%s port %d) to the %s: %d bytes</text>" % (
                   LEFT, self.me.name, self.me.addr[0], self.me.addr[1],
                   self.peer.name, self.me.count.get("bytes", 0)),
               "<g class='axes'>%s</g>" % self.axes(),
               "<rect x='%d' y='%d' width='%d' height='%d' fill='none' "
               "stroke='#888'/>" % (LEFT, TOP, w - LEFT - RIGHT, h - TOP - BOTTOM),
               "<text x='%d' y='%d' text-anchor='middle'>milliseconds</text>" % (
                   (w + LEFT) // 2, h - 10),
               "<text transform='translate(14 %d) rotate(-90)' "
               "text-anchor='middle'>sequence number</text>" % (h // 2),
               "<g clip-path='url(#%s)'><g class='plot'>" % ident]
        for name, colour, width, _ in LAYERS:
            out.append("<g class='%s' stroke='%s' stroke-width='%s'>%s</g>" % (
                name, colour, width, "".join(self.layers[name])))
        out.append("</g></g>")
        if legend:
            out.append(self.legend(h))
        out.append("</svg>")
        return "\n".join(out)

    def used(self):
        return [layer for layer in LAYERS if self.layers[layer[0]]]

    def legend(self, top):
        out = []
        for i, (_, colour, width, text) in enumerate(self.used()):
            x = LEFT + (i % 2) * ((self.width - LEFT) // 2)
            y = top + 10 + 18 * (i // 2)
            out.append("<path d='M%d %dh18' stroke='%s' stroke-width='%s'/>"
                       "<text x='%d' y='%d'>%s</text>" % (
                           x, y, colour, width, x + 26, y + 4, text))
        return "".join(out)


STYLE = (".plot path{fill:none;stroke-linecap:square;"
         "vector-effect:non-scaling-stroke}"
         ".plot path.line{stroke-linecap:butt}"
         ".plot .dup path,.plot .piggy path,.plot .ctl path,.plot .probe path,"
         ".plot path.hit{stroke-linecap:round}"
         ".plot path.hit{stroke-width:7;stroke-opacity:0.02}"
         ".plot .sack path{stroke-opacity:.45}"
         ".grid{stroke:#e4e4e4}")

PAGE_STYLE = """
body{font:14px/1.45 sans-serif;margin:1.5em auto;max-width:1180px;color:#222}
h1{font-size:1.4em} svg{touch-action:none;cursor:crosshair;display:block}
.legend label{display:inline-block;margin-right:1.4em;white-space:nowrap}
.legend i{display:inline-block;width:18px;height:4px;margin:0 5px 3px 3px}
pre{font-size:12px;overflow-x:auto;background:#f6f6f6;padding:1em}
.hint{color:#666}
"""

SCRIPT = """
'use strict';
const L=%d,R=%d,T=%d,B=%d;
function niceStep(span,most){let s=1e-9;for(;;){for(const m of[1,2,5])
 if(span/(s*m)<=most)return s*m;s*=10;}}
for(const svg of document.querySelectorAll('svg.panel')){
 const d=svg.dataset,full={t0:+d.t0,t1:+d.t1,s0:+d.s0,s1:+d.s1};
 const W=svg.viewBox.baseVal.width,H=svg.viewBox.baseVal.height;
 const w=W-L-R,h=H-T-B,plot=svg.querySelector('.plot'),axes=svg.querySelector('.axes');
 let v={...full},drag=null;
 function draw(){
  const kx=(full.t1-full.t0)/(v.t1-v.t0),ky=(full.s1-full.s0)/(v.s1-v.s0);
  const ex=L-L*kx-(v.t0-full.t0)/(v.t1-v.t0)*w;
  const ey=T-T*ky-(full.s1-v.s1)/(v.s1-v.s0)*h;
  plot.setAttribute('transform',`matrix(${kx} 0 0 ${ky} ${ex} ${ey})`);
  let out='',st=niceStep(v.t1-v.t0,12);
  for(let i=Math.floor(v.t0/st)+1;i*st<=v.t1;i++){
   const x=L+(i*st-v.t0)/(v.t1-v.t0)*w;
   out+=`<path class="grid" d="M${x} ${T}V${H-B}"/><text x="${x}" y="${H-B+15}" text-anchor="middle">${+(i*st).toFixed(6)}</text>`;}
  st=Math.max(1,niceStep(v.s1-v.s0,9));
  for(let i=Math.floor(v.s0/st)+1;i*st<=v.s1;i++){
   const y=T+h-(i*st-v.s0)/(v.s1-v.s0)*h;
   out+=`<path class="grid" d="M${L} ${y}H${W-R}"/><text x="${L-6}" y="${y}" text-anchor="end" dy="4">${i*st}</text>`;}
  axes.innerHTML=out;}
 function at(e){const r=svg.getBoundingClientRect(),k=W/r.width;
  return[Math.min(1,Math.max(0,((e.clientX-r.left)*k-L)/w)),
   Math.min(1,Math.max(0,1-((e.clientY-r.top)*k-T)/h))];}
 svg.addEventListener('wheel',e=>{e.preventDefault();const[x,y]=at(e);
  const k=Math.exp(e.deltaY*0.002),t=v.t0+x*(v.t1-v.t0),s=v.s0+y*(v.s1-v.s0);
  if(!e.altKey){v.t0=t-(t-v.t0)*k;v.t1=t+(v.t1-t)*k;}
  if(!e.shiftKey){v.s0=s-(s-v.s0)*k;v.s1=s+(v.s1-s)*k;}
  draw();},{passive:false});
 svg.addEventListener('pointerdown',e=>{drag={p:at(e),v:{...v}};svg.setPointerCapture(e.pointerId);});
 svg.addEventListener('pointermove',e=>{if(!drag)return;const p=at(e);
  const dt=(drag.p[0]-p[0])*(v.t1-v.t0),ds=(drag.p[1]-p[1])*(v.s1-v.s0);
  v={t0:drag.v.t0+dt,t1:drag.v.t1+dt,s0:drag.v.s0+ds,s1:drag.v.s1+ds};draw();});
 svg.addEventListener('pointerup',()=>{drag=null;});
 svg.addEventListener('dblclick',()=>{v={...full};draw();});
}
for(const c of document.querySelectorAll('.legend input'))
 c.addEventListener('change',()=>{for(const g of document.querySelectorAll('.plot .'+c.value))
  g.style.display=c.checked?'':'none';});
""" % (LEFT, RIGHT, TOP, BOTTOM)


def table(conn, start):
    rows = []
    for s in conn.segments:
        rows.append("%5d %10.3f %s %-12s %7s %-17s %10s %8d  %s" % (
            s.number, (s.time - start) * 1e3, "<-" if s.way else "->",
            s.flag_text(), "%d B" % s.length if s.length else "",
            "%d..%d" % (s.rseq, s.rend) if s.rend > s.rseq else s.rseq,
            "-" if s.rack is None else s.rack, s.win, "; ".join(s.remarks)))
    return html.escape("\n".join(rows))


def page(conn, panels, start, title):
    used = [layer for layer in LAYERS if any(p.layers[layer[0]] for p in panels)]
    legend = "".join("<label><input type='checkbox' value='%s' checked>"
                     "<i style='background:%s'></i>%s</label>" % (n, c, t)
                     for n, c, _, t in used)
    return """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>%s</title>
<style>%s</style></head><body>
<h1>%s</h1>
<p>%s port %d (client) and %s port %d (server), %d segments in %.1f ms.
Each upright stroke is a segment, from its first byte to its last. What lies between
the ACK line and the newest data is in flight.</p>
<p class="hint">Hover tells a segment's story. Wheel zooms (with Shift only time, with
Alt only numbers), drag moves, double click resets.</p>
<p class="legend">%s</p>
%s
<details><summary>All segments</summary><pre>%s</pre></details>
<script>%s</script></body></html>
""" % (html.escape(title), PAGE_STYLE, html.escape(title),
       conn.client.addr[0], conn.client.addr[1], conn.server.addr[0],
       conn.server.addr[1], len(conn.segments),
       (conn.segments[-1].time - conn.segments[0].time) * 1e3, legend,
       "\n".join(p.svg(False) for p in panels), table(conn, start), SCRIPT)


def arguments():
    p = argparse.ArgumentParser(
        description="\n\n".join(__doc__.split("\n\n")[:2]),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("capture", help="pcap or pcapng file, - for standard input")
    p.add_argument("output", help="page to write (.html), or with --svg .svg")
    p.add_argument("--svg", action="store_true",
                   help="a bare picture of the busier direction")
    p.add_argument("-c", "--conn", type=int, metavar="N",
                   help="the N-th connection (default: the one with most bytes)")
    p.add_argument("--title", default="A Tandem connection")
    p.add_argument("--from", dest="from_ms", type=float, metavar="MS",
                   help="begin here")
    p.add_argument("--to", dest="to_ms", type=float, metavar="MS",
                   help="end here")
    p.add_argument("--size", default="1160x560", metavar="WxH")
    p.add_argument("--proto", type=int, default=segments.IPPROTO_TANDEM,
                   metavar="N", help="IP protocol (254; 6 reads TCP)")
    return p.parse_args()


def choose(conns, args):
    if not conns:
        sys.exit("plot: %s: no segment of IP protocol %d in it" % (
            args.capture, args.proto))
    if args.conn is None:
        return max(conns, key=lambda c: c.client.count.get("bytes", 0) +
                   c.server.count.get("bytes", 0))
    if not 0 < args.conn <= len(conns):
        sys.exit("plot: there are %d connections" % len(conns))
    return conns[args.conn - 1]


def main():
    args = arguments()
    try:
        width, height = map(int, args.size.split("x"))
    except ValueError:
        sys.exit("plot: --size is like 1160x560")
    try:
        conns = segments.connections(segments.read(args.capture, args.proto))
    except segments.Trouble as e:
        sys.exit("plot: %s" % e)
    conn = choose(conns, args)
    start = conn.segments[0].time
    if args.from_ms is not None or args.to_ms is not None:
        low, high = args.from_ms or 0, args.to_ms or float("inf")
        conn.segments = [s for s in conn.segments
                         if low <= (s.time - start) * 1e3 <= high]
        if not conn.segments:
            sys.exit("plot: no segment between --from and --to")
    ways = sorted((0, 1), key=lambda w: -(
        conn.client, conn.server)[w].count.get("bytes", 0))
    if args.svg:
        text = Panel(conn, ways[0], width, height, start).svg(True)
    else:
        panels = [Panel(conn, w, width, height if w == ways[0] else 300, start)
                  for w in ways]
        text = page(conn, panels, start, args.title)
    try:
        with open(args.output, "w", encoding="utf-8") as f:
            f.write(text)
    except OSError as e:
        sys.exit("plot: %s: %s" % (args.output, e.strerror))


if __name__ == "__main__":
    main()
