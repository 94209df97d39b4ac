#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# check-docs.py - is everything documented, and nothing that does not exist?
#
# Sysctls (with range and default), counters, reasons, tracepoints and socket
# options are read from the module's source and looked for in
# Documentation/networking/. Every test that tandem-conformance.rst names must
# exist, and it must name every script of selftests/conform/. With --build the pages also go through Sphinx, where
# every warning is an error.
"""Check that the documentation and the module's source tell the same."""

import argparse
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCS = os.path.join(TOP, "Documentation", "networking")
problems = []


def complain(where, what):
    problems.append(f"{where}: {what}")


def read(*path):
    try:
        with open(os.path.join(TOP, *path), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        complain("/".join(path), "missing")
        return ""


def macro(text, name):
    """Body of a continued #define."""
    m = re.search(r"#define " + name + r"\(X\)(.*?[^\\])\n(?!\t)", text, re.S)
    if not m:
        complain(name, "list not found in the source")
        return ""
    return m.group(1)


def sections(text):
    """{title: body} of an rst page, whatever the underline."""
    out = {}
    parts = re.split(r"^(\S.*)\n([=\-~^]{3,})\n", text, flags=re.M)
    for i in range(1, len(parts) - 2, 3):
        out[parts[i].strip()] = parts[i + 2]
    return out


def field(body, name):
    m = re.search(r"^:" + name + r":\s*(.+(?:\n\s+\S.*)*)", body, re.M)
    return m.group(1) if m else None


def number(text, source):
    """A C constant as a number."""
    text = text.strip()
    if text == "INT_MAX":
        return 2 ** 31 - 1
    m = re.search(r"#define " + re.escape(text) + r"\s+(.+)", source)
    if m:
        text = m.group(1).strip(" ()")
    m = re.fullmatch(r"(\d+) << (\d+)", text)
    return int(m.group(1)) << int(m.group(2)) if m else int(text)


def numbers(text):
    return [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", text or "")]


def check_sysctls():
    page = "tandem-sysctl.rst"
    source = read("module", "sysctl.c")
    docs = sections(read("Documentation", "networking", page))
    known = set()
    simple = re.findall(r'KNOB\("(\w+)",\s*\w+,\s*(\w+),\s*(\w+),\s*(\w+)\)',
                        source)
    for name, lo, hi, default in simple:
        known.add(name)
        if name not in docs:
            continue
        want = [number(lo, source), number(hi, source)]
        have = numbers(field(docs[name], "Range"))[:2]
        if have != want:
            complain(page, f"{name}: range is {want}, documented {have}")
        have = numbers(field(docs[name], "Default"))[:1]
        if have != [number(default, source)]:
            complain(page, f"{name}: default is {default}, documented {have}")
    known.update(re.findall(r'{ "(\w+)", offsetof', source))
    known.update(re.findall(r'procname = "(\w+)"', source))
    # The mechanisms that are chosen by name, and what there is of each.
    for pair in re.findall(r'\[TANDEM_KIND_\w+\] = \{ "(\w+)", "(\w+)" \}', source):
        known.update(pair)
    for name in sorted(known):
        if name not in docs:
            complain(page, f"sysctl {name} is not documented")
            continue
        for f in ("Unit", "Range", "Default", "Source"):
            if not field(docs[name], f):
                complain(page, f"{name}: no :{f}:")
    for name in docs:
        if re.fullmatch(r"[a-z0-9_]+", name) and name not in known:
            complain(page, f"{name}: there is no such sysctl")
    return len(known)


def check_terms(page, section, known, what):
    """Definition-list terms ``name`` of the sections that begin with @section."""
    docs = sections(read("Documentation", "networking", page))
    body = "\n".join(b for t, b in docs.items() if t.startswith(section))
    terms = re.findall(r"^``([^`]+)``", body, re.M)
    for name in known:
        if name not in terms:
            complain(page, f"{what} {name} is not documented")
    for name in terms:
        if name not in known:
            complain(page, f"{name}: there is no such {what}")
        if terms.count(name) > 1:
            complain(page, f"{what} {name} is documented twice")
    return len(known)


def check_counters():
    names = re.findall(r'X\(\w+,\s*"(\w+)"',
                       macro(read("module", "mib.h"), "TANDEM_MIB_LIST"))
    return check_terms("tandem-counters.rst", "Counters", names, "counter")


def check_reasons():
    names = re.findall(r'X\(\w+,\s*"([^"]+)"',
                       macro(read("module", "reason.h"), "TANDEM_REASON_LIST"))
    return check_terms("tandem-counters.rst", "Reasons", names, "reason")


def check_tracepoints():
    names = re.findall(r"^TRACE_EVENT\((\w+),", read("module", "trace.h"), re.M)
    return check_terms("tandem-counters.rst", "Tracepoints", names, "tracepoint")


def check_options():
    source = read("module", "sockopt.c")
    names = set(re.findall(r"case ((?:TCP|TANDEM)_[A-Z0-9_]+):", source))
    return check_terms("tandem.rst", "Socket options", sorted(names),
                       "socket option")


def check_conformance():
    """Tests the conformance page names: conform/X.txt, FILE, FILE:TEST."""
    page = "tandem-conformance.rst"
    tests = os.path.join(TOP, "selftests")
    text = read("Documentation", "networking", page)
    rows = text[text.find(".. csv-table::"):]
    named = set(re.findall(r"``conform/([\w-]+)\.txt``", rows))
    there = {f[:-4] for f in os.listdir(os.path.join(tests, "conform"))
             if f.endswith(".txt")}
    for name in sorted(named - there):
        complain(page, f"there is no selftests/conform/{name}.txt")
    for name in sorted(there - named):
        complain(page, f"no row names conform/{name}.txt")
    for name, test in set(re.findall(r"``((?:unit/)?\w+\.(?:py|c|sh))"
                                     r"(?::(\w+))?``", rows)):
        if not os.path.exists(os.path.join(tests, name)):
            complain(page, f"there is no selftests/{name}")
        elif test and not re.search(
                rf"^def test_{test}\(|^TEST(?:_F)?\((?:\w+, )?{test}\)",
                read("selftests", name), re.M):
            complain(page, f"there is no test {test} in selftests/{name}")
    for row in re.findall(r'^   "((?:MUST|SHLD|MAY|REC)-\d+)", "[^"]*",\s*""',
                          rows, re.M):
        complain(page, f"{row}: neither a test nor a reason")
    return len(named)


VERDICTS = ("same", "differs", "refused", "own")


def check_parity():
    """Every option the module handles, and all of TCP's, has its line and verdict."""
    page = "tandem-sockopt.rst"
    rows = {}
    for name, verdict in re.findall(r"^((?:TCP|TANDEM|SO|IP|IPV6|MSG)_\w+)\s{2,}(\w+)",
                                    read("Documentation", "networking", page), re.M):
        if name in rows:
            complain(page, f"{name} is there twice")
        if verdict not in VERDICTS:
            complain(page, f"{name}: '{verdict}' is no verdict")
        rows[name] = verdict
    known = set()
    for room in ("sockopt.c", "ipv4.c", "ipv6.c"):
        for name in re.findall(r"(?:case |optname == )((?:TCP|TANDEM|SO|IP|IPV6)_\w+)",
                               read("module", room)):
            if "SRCRT" not in name:  # a routing header's type
                known.add(name)
    # The two forms of a time have one line.
    known = {re.sub(r"^(SO_\w+)_(?:OLD|NEW)$", r"\1", name) for name in known}
    text = read("Documentation", "networking", page)
    for name in sorted(known):
        if name not in rows and not re.search(r"\b" + name + r"\b", text):
            complain(page, f"option {name} has no line")
    # Those of the C library's kernel headers, where these are installed.
    try:
        with open("/usr/include/linux/tcp.h", encoding="utf-8") as f:
            header = f.read()
    except FileNotFoundError:
        header = ""
    options = re.findall(r"^#define (TCP_[A-Z0-9_]+)\s+(\d+)\s*(?:/\*|$)",
                         header.split("TCP_REPAIR_ON")[0], re.M)
    for name, _ in options:
        if name not in text:
            complain(page, f"TCP's option {name} has no line")
    return len(rows)


def check_build():
    with tempfile.TemporaryDirectory() as tmp:
        try:
            p = subprocess.run(
                ["sphinx-build", "-q", "-n", "-W", "--keep-going", "-C",
                 "-D", "master_doc=index", "-D", "project=Tandem",
                 "-b", "html", DOCS, tmp],
                capture_output=True, text=True, check=False)
        except FileNotFoundError:
            print("# sphinx-build is not installed (apt install python3-sphinx): "
                  "pages not built", file=sys.stderr)
            return
    if p.returncode:
        for line in (p.stderr or p.stdout).strip().splitlines():
            complain("sphinx", line.replace(TOP + "/", ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", action="store_true",
                        help="also build the pages with Sphinx, warnings are errors")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="say nothing when all is well")
    args = parser.parse_args()

    counts = {
        "sysctls": check_sysctls(),
        "counters": check_counters(),
        "reasons": check_reasons(),
        "tracepoints": check_tracepoints(),
        "socket options": check_options(),
        "conformance scripts": check_conformance(),
        "options, flags and ioctls": check_parity(),
    }
    for what, n in counts.items():
        if not n:
            complain("check-docs.py", f"found no {what} in the source")
    if args.build:
        check_build()
    for p in problems:
        print(p)
    if not problems and not args.quiet:
        print("documented: " + ", ".join(f"{n} {w}" for w, n in counts.items()))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
