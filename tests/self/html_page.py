# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A page of ktstr ctprof in a browser.  usage: html_page.py PAGE TEST [SHOTS]"""
import os
import re
import sys

from browser import Browser

page, test = sys.argv[1], sys.argv[2]
shots = sys.argv[3] if len(sys.argv) > 3 else None
browser = None


def want(holds, what):
    if not holds:
        raise SystemExit(what)


def rows(column=None):
    """Texts of the table's rows, or of one of their columns."""
    cells = "" if column is None else f".children[{column}]"
    return browser.run(f"[...document.querySelectorAll('#body tr')].map((r) => r{cells}.textContent)")


def column_of(title):
    titles = browser.run("[...document.querySelectorAll('#head th')].map((t) => t.textContent)")
    return titles.index(title)


def choose(select, text):
    browser.run(f"""(() => {{ const s = document.getElementById('{select}');
        s.value = [...s.options].find((o) => o.textContent.startsWith('{text}')).value;
        s.dispatchEvent(new Event('change')); }})()""")


def number(text):
    text = text.removeprefix("new ")
    m = re.match(r"([≥±+− ]*)([0-9.]+) ?([a-zA-Zµ%]*)", text)
    want(m, f"no number: {text!r}")
    scale = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9,
             "B": 1, "KiB": 2 ** 10, "MiB": 2 ** 20, "GiB": 2 ** 30, "TiB": 2 ** 40}[m[3]]
    return (-1 if "−" in m[1] else 1) * float(m[2]) * scale


def in_order(values, down):
    there = [number(v) for v in values if v != "–"]
    want(there == sorted(there, reverse=down), f"out of order: {values}")
    want("–" not in values[:len(there)], f"absent ones are not last: {values}")
    want(len(there) > 3, f"too few numbers: {values}")


def clean():
    want(not browser.complaints(), f"the page complains: {browser.complaints()}")


def sorts():
    """By click and by key, either way; absent last."""
    choose("metric", "run_time_ns")
    column = column_of("After" if "After" in browser.run("document.getElementById('head').textContent")
                       else "Value")
    click = f"document.querySelectorAll('#head button')[{column}]"
    browser.run(click + ".click()")
    state = f"document.querySelectorAll('#head th')[{column}].getAttribute('aria-sort')"
    if browser.run(state) != "descending":
        browser.run(click + ".click()")
    want(browser.run(state) == "descending", browser.run(state))
    in_order([re.sub(r"\d+/\d+$", "", r) for r in rows(column)], True)
    browser.run(click + ".focus()")
    browser.key("Enter", "\r")
    want(browser.run(state) == "ascending", "Enter does not turn the order round")
    in_order([re.sub(r"\d+/\d+$", "", r) for r in rows(column)], False)
    browser.run("document.querySelectorAll('#head button')[0].click()")
    want(browser.run(state) is None, "two columns are sorted by")
    names = [n.lower() for n in rows(0)]
    want(len(set(names)) > 3 and names[0] < names[-1], f"names out of order: {names}")
    clean()


def filters():
    """Words narrow, -words leave out, / goes there, Escape clears."""
    choose("metric", "all metrics")
    all_rows = browser.run("document.getElementById('count').textContent")
    browser.run("document.activeElement.blur()")
    browser.key("/")
    want(browser.run("document.activeElement.id") == "filter", "/ does not go to the filter")
    browser.type("spinner run_time")
    found = rows()
    want(found and all("spinner" in r and "run_time" in r for r in found), f"rows: {found}")
    browser.run("document.getElementById('filter').select()")
    browser.type("-spinner csw")
    found = rows()
    want(found and all("spinner" not in r and "csw" in r for r in found), f"rows: {found[:5]}")
    browser.key("Escape")
    want(browser.run("document.getElementById('count').textContent") == all_rows, "Escape does not clear")
    browser.run("document.querySelector('#body td button').click()")
    name = browser.run("document.querySelector('#body td bdi').textContent")
    want(all(name in r for r in rows(0)), "a click on a group does not narrow to it")
    clean()


def hostile():
    """Thread names are text, whatever they look like."""
    browser.key("Escape")
    choose("metric", "all metrics")
    for evil, shown in (("</script><b>", "</script><b>"), ("<img onerror=", "<img onerror=x>"),
                        ("u202e", "\\u202egnp"), ("x1b", "\\xff\\x1b[31m")):
        browser.run(f"document.getElementById('filter').value = {evil!r}")
        browser.run("document.getElementById('filter').dispatchEvent(new Event('input'))")
        found = rows(0)
        want(found and all(shown in r for r in found), f"{evil}: {found[:3]}")
    want(browser.run("document.querySelectorAll('img, b:not(.legend b), iframe, object, script').length") == 2,
         "a name became an element")
    # Scripts that were not there when it was saved do not run.
    browser.run("""(() => { const s = document.createElement('script');
        s.textContent = 'window.broken = 1'; document.body.append(s); })()""")
    want(browser.run("window.broken") is None, "the page runs other scripts than its own")


def presence():
    """Absent is a dash and never 0; n of m is shown."""
    choose("section", "machine")
    choose("metric", "run_time_ns")
    before = column_of("Before")
    want(re.search(r"[1-9].*8/33$", rows(before)[0]), f"no '8 of 33': {rows()}")
    want(not re.search(r"/33$", rows(before + 1)[0]), f"all have it after: {rows()}")
    choose("section", "name")
    browser.run("document.getElementById('filter').value = 'idle-'")
    browser.run("document.getElementById('filter').dispatchEvent(new Event('input'))")
    want(rows(before) == ["–"] * 25, f"not absent: {rows(before)}")
    want(set(rows(column_of("Change"))) == {"–"}, f"changes of absent values: {rows()}")
    want("–" not in rows(before + 1), f"absent after: {rows()}")
    clean()


def picture():
    """Bars with lengths that say what stands beside them."""
    choose("metric", "run_time_ns")
    bars = browser.run("""[...document.querySelectorAll('.bar')].map((b) =>
        [b.querySelector('rect').width.baseVal.value, b.querySelector('.much').textContent])""")
    want(bars and bars[0][0] > 999, f"bars: {bars}")
    longest = number(bars[0][1])
    for width, text in bars:
        want(abs(width / 1000 - number(text) / longest) < 0.02, f"{text} is {width} long, {bars[0]}")
    clean()


def curves():
    """Charts of a series, and another metric's when it is chosen."""
    browser.key("Escape")
    choose("metric", "run_time_ns")
    count = "document.querySelectorAll('#charts figure').length"
    want(browser.run(count) > 0, "no charts")
    want("spinner" in browser.run("document.querySelector('#charts figcaption').textContent"),
         "the spinner is not the first")
    want(browser.run("document.querySelector('#charts polyline').points.numberOfItems") > 2, "no curve")
    choose("metric", "voluntary_csw")
    want("voluntary_csw" in browser.run("document.getElementById('chartstitle').textContent"), "title")
    clean()


def shapes():
    """Wide and narrow, light and dark, and no sideways scrolling."""
    light = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.media("dark")
    dark = browser.run("getComputedStyle(document.body).backgroundColor")
    want(light != dark, f"dark is {dark}, light {light}")
    for width, height in ((1400, 900), (420, 900)):
        browser.size(width, height)
        for scheme in ("light", "dark"):
            browser.media(scheme)
            seen = browser.run("document.scrollingElement.scrollWidth")
            want(seen <= width, f"{seen} wide at {width}")
            if shots:
                browser.screenshot(f"{shots}/{os.path.basename(page)}-{width}-{scheme}.png")
    clean()


def plain():
    """What can be read with JavaScript off."""
    browser.scripts(False)
    browser.open(page)
    document = browser.call("DOM.getDocument")["root"]["nodeId"]
    for selector, seen in (("#plain table", True), (".what", True), ("noscript p", True), ("#live", False)):
        node = browser.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        want(node, f"no {selector}")
        try:
            browser.call("DOM.getBoxModel", nodeId=node)
            shown = True
        except SystemExit:
            shown = False
        want(shown == seen, f"{selector} is {'' if shown else 'not '}seen")
    text = browser.call("DOM.getOuterHTML", nodeId=browser.call(
        "DOM.querySelector", nodeId=document, selector="#plain")["nodeId"])["outerHTML"]
    want("spinner" in text and "run_time_ns" in text, "the table says too little")


browser = Browser()
try:
    browser.size(1400, 900)
    browser.media("light")
    browser.open(page)
    {f.__name__: f for f in (sorts, filters, hostile, presence, picture, curves, shapes, plain)}[test]()
finally:
    browser.close()
