#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Style by numbers.  usage: tools/gates.py [--root DIR] [--quiet] [GATE...]

Prints TAP: one line per gate, its findings below as comments.  `report:` lines are advice and fail
nothing.  A gate whose tool is missing is skipped and names the tool.
"""
import os
import re
import subprocess
import sys
import threading

LICENCE = "SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause"
BPF_LICENCE = "SPDX-License-Identifier: GPL-2.0-only"

FUNCTION_MAX, FUNCTION_AIM = 100, 60
FILE_MAX, FILE_AIM = 1000, 600
COMMENT_RATIO_MAX = 0.35
PARAMETERS_AIM = 5
TEST_NAME_MAX = 40

# Which layers a folder may include besides itself, base and the public headers.
LAYERS = ["base", "kernel", "vm", "cgroup", "work", "sched", "ctprof",
          "scenario", "check", "run"]
MAY_INCLUDE = {layer: set() for layer in LAYERS}
MAY_INCLUDE["scenario"] = {"cgroup", "work", "sched"}
MAY_INCLUDE["ctprof"] = {"bpf"}
MAY_INCLUDE["check"] = {"ctprof", "scenario"}
MAY_INCLUDE["run"] = set(LAYERS)
MAY_INCLUDE["guest"] = {"cgroup", "work", "sched", "ctprof"}

BANNED = ("sprintf vsprintf strcpy strcat strtok atoi atol atof gets alloca system popen sleep "
          "usleep").split()
# Where a function may be used that is banned elsewhere.
ALLOWED_IN = {
    "getenv": ("src/base/path.c", "src/base/env.c", "payloads/"),
    "strtol": ("src/base/parse.c", "tests/"),
}
# Hosts that documents may point to.
HOSTS_ALLOWED = {"www.gnu.org", "spdx.org", "www.w3.org", "docs.kernel.org", "example.org"}


class Tree:
    """The project's files, read once."""

    def __init__(self, root):
        self.root = root
        self.files = self._list()
        self._text = {}
        self._tags = None

    def _list(self):
        r = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) \
            if os.path.exists(self.root + "/.git") and have("git") else None
        if r and r.returncode == 0:
            found = r.stdout.splitlines()
        else:
            found = []
            for folder, folders, names in os.walk(self.root):
                folders[:] = [d for d in folders if d not in (".git", "build")]
                found += [os.path.relpath(os.path.join(folder, n), self.root) for n in names]
        return sorted(f for f in found if os.path.isfile(os.path.join(self.root, f)))

    def text(self, path):
        if path not in self._text:
            with open(os.path.join(self.root, path), "rb") as f:
                raw = f.read()
            self._text[path] = None if b"\0" in raw[:8000] else raw.decode("utf-8", "replace")
        return self._text[path]

    def c(self):
        return [f for f in self.files if f.endswith((".c", ".h")) and not is_data(f)]

    def tags(self):
        """Functions and prototypes: (path, name, kind, line, end, signature, type)."""
        if self._tags is None:
            self._tags = read_tags(self.root, self.c())
        return self._tags


def is_data(path):
    return path.startswith(("tests/data/", "tests/fuzz/corpus/", "LICENSES/"))


def have(tool):
    return any(os.access(os.path.join(d, tool), os.X_OK)
               for d in os.environ.get("PATH", "").split(":"))


def first(*tools):
    return next((t for t in tools if have(t)), None)


def read_tags(root, files):
    tool = first("ctags-universal", "ctags")
    out = subprocess.run([tool, "-f", "-", "--sort=no", "--kinds-C=pf", "--fields=+neSt",
                          "--langmap=C:.c.h", "-L", "-"],
                         cwd=root, input="\n".join(files), stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    tags = []
    for line in out.splitlines():
        parts = line.split("\t")
        if line.startswith("!") or ';"' not in line:
            continue
        rest = line.split(';"\t', 1)[1].split("\t")
        field = dict(p.split(":", 1) for p in rest[1:] if ":" in p)
        tags.append((parts[1], parts[0], rest[0], int(field["line"]),
                     int(field.get("end", field["line"])), field.get("signature", ""),
                     field.get("typeref", "")))
    return tags


def split_comments(text):
    """Return (code with comments and literals blanked, comment-only lines, code lines)."""
    out = []
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    pos = 0
    comment_lines, literal_lines = set(), set()
    for m in pattern.finditer(text):
        out.append(text[pos:m.start()])
        token = m.group()
        start = text.count("\n", 0, m.start())
        lines = range(start, start + token.count("\n") + 1)
        (comment_lines if token[0] == "/" else literal_lines).update(lines)
        out.append(re.sub(r"[^\n]", " ", token) if token[0] == "/" else '""' + "\n" * token.count("\n"))
        pos = m.end()
    out.append(text[pos:])
    code = "".join(out)
    code_lines = {i for i, s in enumerate(code.split("\n")) if s.strip()} | literal_lines
    return code, len(comment_lines - code_lines), len(code_lines)


# --- gates: each yields findings; those that begin with "report: " do not fail ----------------
def gate_spdx(tree):
    """every source file begins with the project's licence line"""
    named = re.compile(r"\.(c|h|S|py|sh|mk|def)$|(^|/)Makefile$|^\.ci/run$")
    for f in tree.files:
        if is_data(f) or not named.search(f):
            continue
        head = "\n".join(tree.text(f).split("\n")[:2])
        bpf = f.startswith("bpf/") or f.endswith((".bpf.c", ".bpf.h"))
        if LICENCE not in head and not (bpf and BPF_LICENCE in head):
            yield f"{f}:1: no line '{LICENCE}'"


def owner(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else "/".join(parts[:2]) if parts[0] == "tests" else parts[0]


def resolve(tree, path, name):
    for base in (os.path.dirname(path), "src", "include", "."):
        target = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(tree.root, target)):
            return target
    return None


def tested_folders(tree, stem):
    """Folders with a file that test_<stem>.c tests; test_guest_x.c tests guest/x.c."""
    folders = set()
    for f in tree.files:
        folder, name = os.path.split(f)
        wanted = stem[len("guest_"):] if folder == "guest" and stem.startswith("guest_") else stem
        if f.startswith(("src/", "guest/")) and f.endswith((".c", ".h")) and \
                wanted.startswith(name[:-2]):
            folders.add(folder)
    return folders


def include_allowed(tree, path, target):
    me, other = owner(path), owner(target)
    if other in (me, "include"):
        return True
    if me in ("include", "examples", "payloads", "bpf", "schedulers"):
        return me in ("payloads", "schedulers") and other == "bpf"
    if other == "base":
        return True
    if other == "run" and (me == "guest" or path.startswith("tests/unit/test_guest_")):
        return os.path.basename(target).startswith("protocol")
    if me == "tests/unit":
        stem = os.path.basename(path)[len("test_"):-2]
        return other == "tests/lib" or any(include_allowed(tree, folder + "/x.c", target)
                                           for folder in tested_folders(tree, stem))
    if me == "tests/fuzz":
        return other == "tests/lib" or target.startswith(("src/", "guest/"))
    # Self tests break parts on purpose and see that the ordinary tests notice.
    if me == "tests/self" and (other == "tests/vm" or target.endswith("/fault.h")):
        return True
    # What only shows in a guest is tested there: tests/vm/sched_stories.c may see src/sched, and so may
    # what helps tests of a layer: tests/lib/work_rows.h.
    if me in ("tests/vm", "tests/upstream", "tests/lib") and other in set(LAYERS) & set(os.path.basename(path).split("_")):
        return True
    if me.startswith("tests/"):
        return other == "tests/lib"
    if me == "cli":
        return False
    return other in MAY_INCLUDE.get(me, ())


def gate_include_law(tree):
    """layers include only what ARCHITECTURE.md allows"""
    for f in tree.c():
        for n, line in enumerate(tree.text(f).split("\n"), 1):
            m = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<(ktstr/[^>]+)>)', line)
            if not m:
                continue
            target = resolve(tree, f, m.group(1) or m.group(2))
            if target is None:
                if not m.group(1).endswith((".skel.h", "vmlinux.h")):
                    yield f"{f}:{n}: include of '{m.group(1) or m.group(2)}' not found"
            elif not include_allowed(tree, f, target):
                yield f"{f}:{n}: {owner(f)} may not include {target}"


def gate_function_length(tree):
    """functions: 60 lines wanted, 100 at most"""
    for path, name, kind, line, end, _, _ in tree.tags():
        size = end - line + 1
        if kind == "f" and size > FUNCTION_AIM:
            mark = "" if size > FUNCTION_MAX else "report: "
            yield f"{mark}{path}:{line}: {name}() has {size} lines"


def gate_parameters(tree):
    """functions: more than 5 parameters are reported"""
    for path, name, kind, line, _, signature, _ in tree.tags():
        count = len(re.sub(r"\([^()]*\)", "", signature[1:-1]).split(","))
        if kind == "f" and count > PARAMETERS_AIM:
            yield f"report: {path}:{line}: {name}() takes {count} parameters"


def gate_nesting(tree):
    """functions: more than 3 levels of control are reported"""
    deep = re.compile(r"\t{4,}(if|for|while|switch|do)\b")
    for f in tree.c():
        for n, line in enumerate(split_comments(tree.text(f))[0].split("\n"), 1):
            if f.endswith(".c") and deep.match(line):
                yield f"report: {f}:{n}: nested deeper than 3"


def gate_file_length(tree):
    """files: 600 lines wanted, 1000 at most"""
    for f in tree.files:
        if is_data(f) or not f.endswith((".c", ".h", ".py", ".sh", ".S", ".mk")):
            continue
        size = tree.text(f).count("\n")
        if size > FILE_AIM:
            yield f"{'' if size > FILE_MAX else 'report: '}{f}:1: {size} lines"


def gate_comment_ratio(tree):
    """comments in .c files say why: at most 0.35 comment lines per line of code"""
    for f in tree.c():
        if f.endswith(".c"):
            body = tree.text(f).split("\n", 1)[-1]
            if not f.startswith("src/"):
                # A program has no header: what it is for stands at its top.
                body = re.sub(r"\A\s*(/\*.*?\*/|(//[^\n]*\n)+)", "", body, flags=re.S)
            _, comments, code = split_comments(body)
            if comments > COMMENT_RATIO_MAX * max(code, 1):
                yield f"{f}:1: {comments} comment lines to {code} of code"


def compile_alone(tree, cc, header, findings):
    public = header.startswith("include/")
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-fsyntax-only", "-x", "c"]
    flags += [] if public else ["-D_GNU_SOURCE", "-Isrc", "-I."]
    name = header[len("include/"):] if public else header
    source = f"#include <{name}>\n#include <{name}>\n"
    r = subprocess.run([cc] + flags + ["-Wno-unused-function", "-"], cwd=tree.root, input=source,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode:
        said = next((s for s in r.stdout.split("\n") if "error" in s), r.stdout.split("\n")[0])
        findings.append(f"{header}:1: not self-contained for {cc}: {said}")


def gate_headers_alone(tree):
    """each header compiles alone and twice, by gcc and clang"""
    headers = [f for f in tree.c() if f.endswith(".h") and
               f.startswith(("include/", "src/", "guest/", "cli/"))]
    compilers = [c for c in ("gcc", "clang") if have(c)]
    if len(compilers) < 2:
        return "gcc and clang"
    work = [(c, h) for h in headers for c in compilers if c == "gcc" or h.startswith("include/")]
    findings, lock = [], threading.Lock()

    def worker():
        while True:
            with lock:
                if not work:
                    return
                cc, header = work.pop()
            compile_alone(tree, cc, header, findings)
    threads = [threading.Thread(target=worker) for _ in range(os.cpu_count() or 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(findings)


def doc_block(lines, line):
    """The /** block that ends right above a declaration on `line` (1-based), or None."""
    i = line - 2
    while i >= 0 and re.match(r"\s*(static inline\b.*|KTSTR_\w+.*[^;{}]|__attribute__.*)$", lines[i]):
        i -= 1
    if i < 0 or not lines[i].rstrip().endswith("*/"):
        return None
    end = i
    while i >= 0 and "/*" not in lines[i]:
        i -= 1
    return "\n".join(lines[i:end + 1]) if i >= 0 and "/**" in lines[i] else None


def gate_documented(tree):
    """each exported function has a doc block with every parameter and what it returns"""
    for path, name, kind, line, _, signature, typeref in tree.tags():
        if not path.startswith("include/") or kind != "p" or not name.startswith("ktstr"):
            continue
        block = doc_block(tree.text(path).split("\n"), line)
        if block is None or f"{name}()" not in block:
            yield f"{path}:{line}: {name}() has no doc block"
            continue
        flat = re.sub(r"\(\*\s*(\w+)\)\s*\([^()]*\)", r"\1", signature[1:-1])
        for p in flat.split(","):
            words = re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", p))
            if words and words[-1] != "void" and f"@{words[-1]}" not in block:
                yield f"{path}:{line}: {name}(): @{words[-1]} is not explained"
        gives = typeref.split("typename:")[-1].replace("KTSTR_API", "").strip()
        if not re.fullmatch(r"(static |inline |KTSTR_\w+ )*void", gives) and "Return:" not in block:
            yield f"{path}:{line}: {name}(): no 'Return:'"


def gate_banned(tree):
    """functions that are never right are not called"""
    words = BANNED + list(ALLOWED_IN)
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(words))
    for f in tree.c():
        code = split_comments(tree.text(f))[0]
        for n, line in enumerate(code.split("\n"), 1):
            for name in call.findall(line):
                if not f.startswith(ALLOWED_IN.get(name, ())):
                    yield f"{f}:{n}: {name}() is banned"


def gate_formatting(tree):
    """clang-format 14 would change nothing"""
    tool = first("clang-format-14", "clang-format")
    said = subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True).stdout if tool else ""
    if " version 14." not in said:
        return "clang-format 14"
    files = [f for f in tree.c() if not f.endswith("vmlinux.h")]
    r = subprocess.run([tool, "--dry-run", "-Werror", "--ferror-limit=1"] + files, cwd=tree.root,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) if files else None
    lines = r.stdout.split("\n") if r and r.returncode else []
    found = [s.split(" error:")[0] + " run clang-format -i" for s in lines if " error:" in s]
    return sorted(found) if found or not lines else [lines[0]]


def mirror_hosts():
    """Hosts in the apt configuration of the machine at hand."""
    hosts = set()
    for folder in ("/etc/apt", "/etc/apt/sources.list.d"):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if re.search(r"\.(list|sources)$", name):
                with open(os.path.join(folder, name), errors="replace") as f:
                    hosts.update(re.findall(r"https?://([^/\s:]+)", f.read()))
    return {h for h in hosts if "." in h}


def gate_no_machine_paths(tree):
    """no path of one machine, no host of a mirror, no unknown link"""
    path = re.compile(r"(?<![\w.$}*])/([w]ork|[r]oot|[h]ome|[f]arm)/(?!somebody\b)")
    mirrors = mirror_hosts()
    for f in tree.files:
        text = tree.text(f)
        if text is None or f.startswith("LICENSES/"):
            continue
        for n, line in enumerate(text.split("\n"), 1):
            if path.search(line):
                yield f"{f}:{n}: path of one machine: {line.strip()[:80]}"
            hosts = set(re.findall(r"(?:https?|ftp)://([\w.-]+\.[a-z]{2,})", line)) - HOSTS_ALLOWED
            hosts = {h for h in hosts if not h.endswith(".invalid")}
            hosts.update(h for h in mirrors if h in line)
            if hosts:
                yield f"{f}:{n}: host {', '.join(sorted(hosts))}"


def gate_test_names(tree):
    """test names are short lower-case sentences"""
    for f in tree.c():
        if f.startswith("include/"):
            continue
        for m in re.finditer(r"^KTSTR_TEST\((\w*)\)", tree.text(f), re.M):
            name, n = m.group(1), tree.text(f).count("\n", 0, m.start()) + 1
            if len(name) > TEST_NAME_MAX or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                yield f"{f}:{n}: test name '{name}' ({len(name)} characters, 40 at most)"


def gate_test_files(tree):
    """each fuzz target has seeds; source files without a unit test are reported"""
    for f in tree.files:
        m = re.match(r"tests/fuzz/fuzz_(\w+)\.c$", f)
        if m and not any(x.startswith(f"tests/fuzz/corpus/{m.group(1)}/") for x in tree.files):
            yield f"{f}:1: no seeds in tests/fuzz/corpus/{m.group(1)}/"
        m = re.match(r"src/\w+/(\w+)\.c$", f)
        if m and f"tests/unit/test_{m.group(1)}.c" not in tree.files:
            yield f"report: {f}:1: no tests/unit/test_{m.group(1)}.c"


GATES = [(n[5:].replace("_", "-"), g) for n, g in list(globals().items()) if n.startswith("gate_")]
NEED_CTAGS = ("function-length", "parameters", "documented")


def run_gate(tree, name, gate):
    """Return (verdict text, findings)."""
    if name in NEED_CTAGS and not first("ctags-universal", "ctags"):
        return f"# SKIP needs universal-ctags", []
    found = gate(tree)
    if isinstance(found, str):
        return f"# SKIP needs {found}", []
    return "", list(found)


def main(argv):
    root, quiet, wanted = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."), False, []
    while argv:
        a = argv.pop(0)
        if a == "--root" and argv:
            root = argv.pop(0)
        elif a == "--quiet":
            quiet = True
        elif a in dict(GATES):
            wanted.append(a)
        else:
            sys.stderr.write(f"gates: unknown gate or option '{a}'; gates: "
                             + " ".join(n for n, _ in GATES) + "\n")
            return 2
    tree, failed = Tree(os.path.normpath(root)), 0
    chosen = [(n, g) for n, g in GATES if not wanted or n in wanted]
    print(f"1..{len(chosen)}")
    for i, (name, gate) in enumerate(chosen, 1):
        note, found = run_gate(tree, name, gate)
        bad = [s for s in found if not s.startswith("report: ")]
        failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {i} - {name}: {gate.__doc__} {note}".rstrip())
        for s in (bad if quiet else found):
            print(f"# {s}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
