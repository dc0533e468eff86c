// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// The page of `ktstr ctprof compare|show --html`.  Texts from captures reach the document through
// textContent only.  Null is absent, and is never drawn or sorted as a number.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const paired = data.mode === "compare";
const ALL = -1, PAGE = 300, BARS = 12, CHARTS = 12;
const WENT_BACK = 1;
const state = { section: 0, metric: ALL, sort: null, down: true, shown: PAGE };

// --- numbers as people read them ------------------------------------------------------------
const NS = [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]];
const BYTES = [["B", 1], ["KiB", 2 ** 10], ["MiB", 2 ** 20], ["GiB", 2 ** 30], ["TiB", 2 ** 40]];
const COUNT = [["", 1], ["K", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12]];
const SCALES = { ns: [NS, 1], us: [NS, 1e3], ms: [NS, 1e6], ticks: [COUNT, 1, " ticks"], bytes: [BYTES, 1] };

function digits(x) {
	const size = Math.abs(x);
	if (Number.isInteger(x) && size < 1000)
		return String(x);
	return x.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function scaled(value, unit) {
	if (unit === "ratio")
		return value.toFixed(3);
	if (unit === "%")
		return value.toFixed(2) + " %";
	const [steps, factor, after] = SCALES[unit] || [COUNT, 1, ""];
	const size = Math.abs(value * factor);
	let i = 0;
	while (i + 1 < steps.length && size >= steps[i + 1][1] * 0.99995)
		i++;
	const name = steps[i][0];
	return digits(value * factor / steps[i][1]) + (steps[0][0] ? " " : "") + name + (after || "");
}

const absent = (v) => v === null || v === undefined;
const shown = (v, unit) => absent(v) ? "–" : typeof v === "number" ? scaled(v, unit) : v;
function signed(v, unit) {
	return absent(v) ? "–" : (v > 0 ? "+" : v < 0 ? "−" : "±") + scaled(Math.abs(v), unit);
}
function percent(p) {
	if (absent(p))
		return "–";
	const size = Math.abs(p);
	const text = size >= 1000 ? "×" + digits(p / 100 + 1)
				  : size.toFixed(size < 10 ? 2 : 1) + " %";
	return size >= 1000 ? text : (p > 0 ? "+" : p < 0 ? "−" : "±") + text;
}

// --- rows -------------------------------------------------------------------------------------
const metrics = data.metrics;
const perSecond = () => data.seconds > 0 && $("rate").checked;
const isCounter = (m) => metrics[m].kind === "counter";
const unitOf = (m) => metrics[m].unit;
const rateUnit = (m, text) => perSecond() && isCounter(m) && text !== "–" ? text + "/s" : text;

// A cell of the data: [metric, value, threads] or [metric, before, n, after, n, delta, flags].
function rowOf(group, cell) {
	const row = { group, metric: cell[0], cell };
	row.after = paired ? cell[3] : cell[1];
	row.before = paired ? cell[1] : null;
	row.delta = paired && !(cell[6] & WENT_BACK) ? cell[5] : null;
	row.percent = absent(row.delta) || typeof row.before !== "number" || row.before === 0 ||
		unitOf(row.metric) === "ratio" ? null : 100 * row.delta / Math.abs(row.before);
	row.text = (group.name + " " + metrics[row.metric].name).toLowerCase();
	return row;
}

const rowsOf = data.sections.map((section) => section.groups.flatMap((group) =>
	group.cells.map((cell) => rowOf(group, cell))));

function words() {
	return $("filter").value.toLowerCase().split(/\s+/).filter((w) => w && w !== "-");
}
function matches(text, wanted) {
	return wanted.every((w) => w[0] === "-" ? !text.includes(w.slice(1)) : text.includes(w));
}
function differs(row) {
	return row.group.side !== "both" || row.cell[6] & WENT_BACK ||
		(typeof row.before === "string" || typeof row.after === "string"
			? row.before !== row.after : !absent(row.delta) && row.delta !== 0);
}

function filtered() {
	const wanted = words(), changed = paired && $("changed").checked;
	return rowsOf[state.section].filter((row) =>
		(state.metric === ALL || row.metric === state.metric) &&
		(!changed || differs(row)) && matches(row.text, wanted));
}

// --- columns ----------------------------------------------------------------------------------
const columns = [
	{ id: "group", title: "Group", text: true, key: (r) => r.group.name },
	{ id: "threads", title: "Threads", key: (r) => r.group.n[r.group.n.length - 1] },
	{ id: "metric", title: "Metric", text: true, key: (r) => metrics[r.metric].name },
	...(paired ? [
		{ id: "before", title: "Before", key: (r) => r.before },
		{ id: "after", title: "After", key: (r) => r.after },
		{ id: "change", title: "Change", key: (r) => r.delta, size: true },
		{ id: "percent", title: "%", key: (r) => r.percent, size: true },
	] : [
		{ id: "value", title: "Value", key: (r) => r.after },
	]),
];

// Absent last whichever way; equal rows keep the order of the file.
function sorted(rows) {
	const column = columns.find((c) => c.id === state.sort);
	if (!column)
		return rows;
	const way = state.down ? -1 : 1;
	const key = column.size ? (r) => absent(column.key(r)) ? null : Math.abs(column.key(r))
				: column.key;
	const keyed = rows.map((row, i) => ({ row, i, k: key(row) }));
	keyed.sort((x, y) => {
		if (absent(x.k) || absent(y.k))
			return absent(x.k) - absent(y.k) || x.i - y.i;
		const order = typeof x.k === "number" && typeof y.k === "number" ? x.k - y.k
			: String(x.k).localeCompare(String(y.k), "en", { numeric: true });
		return way * order || x.i - y.i;
	});
	return keyed.map((k) => k.row);
}

// --- building the document --------------------------------------------------------------------
function make(tag, props, ...children) {
	const e = document.createElement(tag);
	Object.assign(e, props);
	e.append(...children);
	return e;
}
function svg(tag, attributes, ...children) {
	const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [k, v] of Object.entries(attributes))
		e.setAttribute(k, v);
	e.append(...children);
	return e;
}

// A group's name that narrows the page to it.
function groupButton(group) {
	const button = make("button", { type: "button", title: group.name },
			    make("bdi", { textContent: group.name }));
	button.addEventListener("click", () => {
		$("filter").value = group.name;
		state.metric = ALL;
		$("metric").value = ALL;
		update(true);
	});
	return button;
}

function present(n, m) {
	return n < m ? make("span", { className: "of", title: `${n} of ${m} threads have it`,
				      textContent: `${n}/${m}` }) : "";
}
function valueCell(row, value, n, m) {
	const td = make("td", { className: absent(value) ? "absent" : typeof value === "string" ? "text" : "" });
	td.append(typeof value === "string" ? make("bdi", { textContent: value })
					    : shown(value, unitOf(row.metric)));
	if (!absent(value))
		td.append(present(n, m));
	return td;
}

function changeCell(row) {
	const side = row.group.side;
	if (side === "before" || side === "after")
		return make("td", {}, make("span", { className: "mark", textContent: side === "after" ? "new" : "gone" }));
	if (row.cell[6] & WENT_BACK)
		return make("td", {}, make("span", { className: "mark", textContent: "went back",
			title: "a counter cannot shrink: its threads were restarted" }));
	if (typeof row.before === "string" || typeof row.after === "string")
		return make("td", { textContent: absent(row.before) || absent(row.after) ? "–"
			: row.before === row.after ? "same" : "differs" });
	const by = perSecond() && isCounter(row.metric) && !absent(row.delta) ? row.delta / data.seconds : row.delta;
	return make("td", { className: absent(by) ? "absent" : by > 0 ? "up" : by < 0 ? "down" : "",
			    textContent: rateUnit(row.metric, signed(by, unitOf(row.metric))) });
}

function tableRow(row) {
	const g = row.group, [n0, n1] = g.n;
	const name = make("td", { className: "text" }, groupButton(g));
	if (g.pair)
		name.append(make("span", { className: "pair", textContent: g.pair }));
	const tr = make("tr", {}, name,
		make("td", { textContent: paired && n0 !== n1 ? `${n0} → ${n1}` : String(g.n[g.n.length - 1]) }),
		make("td", { className: "text mono", textContent: metrics[row.metric].name, title: metrics[row.metric].about }));
	if (!paired) {
		tr.append(valueCell(row, row.after, row.cell[2], n0));
		return tr;
	}
	tr.append(valueCell(row, row.before, row.cell[2], n0), valueCell(row, row.after, row.cell[4], n1),
		  changeCell(row),
		  make("td", { className: absent(row.percent) ? "absent" : "", textContent: percent(row.percent) }));
	return tr;
}

function showTable(rows) {
	const some = sorted(rows).slice(0, state.shown);
	$("body").replaceChildren(...some.map(tableRow));
	$("count").textContent = `${rows.length.toLocaleString("en")} of ` +
		`${rowsOf[state.section].length.toLocaleString("en")} values` +
		(some.length < rows.length ? `, the first ${some.length} shown` : "");
	const left = rows.length - some.length;
	$("more").hidden = left === 0;
	$("more").textContent = `Show ${Math.min(left, PAGE)} more`;
	for (const th of $("head").children) {
		if (th.dataset.id === state.sort)
			th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
		else
			th.removeAttribute("aria-sort");
	}
}

// --- bars: the largest changes (or values) ------------------------------------------------------
// Of one metric by amount, as units agree; of all metrics by share.
function barOf(row) {
	const one = state.metric !== ALL;
	const value = !paired ? (one && typeof row.after === "number" ? row.after : null)
			      : one ? row.delta : row.percent;
	if (absent(value) || value === 0)
		return null;
	const by = one && perSecond() && isCounter(row.metric) && paired ? value / data.seconds : value;
	const text = !one ? percent(value) : paired ? signed(by, unitOf(row.metric)) : scaled(by, unitOf(row.metric));
	return { row, value, text: one && paired ? rateUnit(row.metric, text) : text };
}

function bar(b, most, low, high) {
	const width = 1000, span = high - low || 1, x0 = width * -low / span;
	const long = Math.max(2, Math.abs(Math.max(-most, Math.min(most, b.value))) / span * width);
	const kind = !paired ? "level" : b.value > 0 ? "up" : "down";
	const name = make("span", { className: "name" }, groupButton(b.row.group));
	if (state.metric === ALL)
		name.append(make("span", { className: "pair", textContent: " " + metrics[b.row.metric].name }));
	const picture = svg("svg", { viewBox: `0 0 ${width} 16`, preserveAspectRatio: "none", "aria-hidden": "true" },
		svg("rect", { class: kind, x: b.value < 0 ? x0 - long : x0, y: 2, width: long, height: 12 }),
		svg("line", { class: "axis", x1: x0, x2: x0, y1: 0, y2: 16, "vector-effect": "non-scaling-stroke" }));
	return make("div", { className: "bar" }, name, picture,
		    make("span", { className: "much " + (paired ? kind : ""), textContent: b.text }));
}

function showBars(rows) {
	const bars = rows.map(barOf).filter((b) => b !== null)
		.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, BARS);
	const what = state.metric === ALL ? "of all metrics, by share" : "of " + metrics[state.metric].name;
	// One that grew a thousandfold would leave nothing to see of the others.
	const most = state.metric === ALL && bars.length ? Math.min(Math.abs(bars[0].value), 1000) : Infinity;
	const values = bars.map((b) => Math.max(-most, Math.min(most, b.value)));
	const low = Math.min(0, ...values), high = Math.max(0, ...values);
	$("barsbox").hidden = bars.length === 0;
	$("barstitle").textContent = (paired ? "Largest changes " : "Largest values ") + what;
	$("bars").replaceChildren(...bars.map((b) => bar(b, most, low, high)));
}

// --- charts: groups over time -------------------------------------------------------------------
function pieces(points) {
	const out = [];
	let now = null;
	points.forEach((v, i) => {
		if (absent(v)) {
			now = null;
		} else {
			if (!now)
				out.push(now = []);
			now.push([i, v]);
		}
	});
	return out;
}

function chart(group, metric, points, most) {
	const W = 300, H = 110, left = 4, top = 14, bottom = 14, times = data.times;
	const first = times[0], span = times[times.length - 1] - first || 1;
	const x = (i) => left + (times[i] - first) / span * (W - 2 * left);
	const y = (v) => H - bottom - (most > 0 ? v / most : 0) * (H - top - bottom);
	const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img",
		"aria-label": `${group.name}: ${metrics[metric].name} over time` });
	points.forEach((v, i) => {
		if (absent(v) && i > 0)
			picture.append(svg("rect", { class: "gap", x: x(i - 1), y: top, width: x(i) - x(i - 1), height: H - top - bottom },
				svg("title", {}, "absent")));
	});
	picture.append(svg("line", { class: "axis", x1: left, x2: W - left, y1: y(0), y2: y(0) }));
	for (const piece of pieces(points)) {
		if (piece.length > 1)
			picture.append(svg("polyline", { class: "curve", points: piece.map(([i, v]) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ") }));
		for (const [i, v] of points.length > 80 && piece.length > 1 ? [] : piece)
			picture.append(svg("circle", { class: "dot", cx: x(i), cy: y(v), r: 2 },
				svg("title", {}, `${(times[i] - first).toFixed(1)} s: ${chartText(metric, v)}`)));
	}
	picture.append(svg("text", { x: left, y: 10 }, chartText(metric, most)),
		svg("text", { x: left, y: H - 2 }, "0 s"),
		svg("text", { x: W - left, y: H - 2, "text-anchor": "end" }, `${digits(times[times.length - 1] - first)} s`));
	const numbers = points.filter((v) => !absent(v));
	const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
	return make("figure", {}, make("figcaption", {}, groupButton(group).firstChild,
		make("span", { textContent: "mean " + chartText(metric, mean) })), picture);
}
const chartText = (m, v) => scaled(v, unitOf(m)) + (isCounter(m) ? "/s" : "");

function showCharts(rows) {
	const metric = state.metric !== ALL ? state.metric : rows.length ? rows[0].metric : ALL;
	const some = [];
	for (const row of rows) {
		const points = row.metric === metric && row.group.series && row.group.series[metric];
		if (points && points.some((v) => !absent(v)))
			some.push({ group: row.group, points, most: Math.max(0, ...points.filter((v) => !absent(v))) });
	}
	const sum = (s) => s.points.reduce((a, v) => a + (v || 0), 0);
	some.sort((a, b) => sum(b) - sum(a));
	const best = some.slice(0, CHARTS), most = Math.max(0, ...best.map((s) => s.most));
	$("chartsbox").hidden = best.length === 0;
	if (!best.length)
		return;
	$("chartstitle").textContent = metrics[metric].name + " over time" + (isCounter(metric) ? ", per second" : "") +
		(some.length > best.length ? `, the largest ${best.length} of ${some.length} groups` : "");
	$("charts").replaceChildren(...best.map((s) => chart(s.group, metric, s.points, $("samescale").checked ? most : s.most)));
}

// --- the page -----------------------------------------------------------------------------------
function update(again) {
	if (again)
		state.shown = PAGE;
	const rows = filtered();
	const info = state.metric === ALL ? null : metrics[state.metric];
	$("about").textContent = info ? `${info.about}${info.needs ? ` Needs: ${info.needs}.` : ""}` : "";
	showBars(rows);
	showCharts(rows);
	showTable(rows);
}

function sortBy(id) {
	const column = columns.find((c) => c.id === id);
	state.down = state.sort === id ? !state.down : !column.text;
	state.sort = id;
	update(true);
}

function build() {
	for (const column of columns) {
		const button = make("button", { type: "button", textContent: column.title });
		button.addEventListener("click", () => sortBy(column.id));
		const th = make("th", { scope: "col", className: column.text ? "text" : "" }, button);
		th.dataset.id = column.id;
		$("head").append(th);
	}
	data.sections.forEach((s, i) => $("section").append(new Option(`${s.name} (${s.groups.length})`, i)));
	$("sectionlabel").hidden = data.sections.length < 2;
	fillMetrics();
	$("ratelabel").hidden = !paired || !(data.seconds > 0);
	$("changedlabel").hidden = !paired;
	$("filter").addEventListener("input", () => update(true));
	$("section").addEventListener("change", (e) => {
		state.section = Number(e.target.value);
		fillMetrics();
		update(true);
	});
	$("metric").addEventListener("change", (e) => {
		state.metric = Number(e.target.value);
		update(true);
	});
	for (const id of ["rate", "changed", "samescale"])
		$(id).addEventListener("change", () => update(true));
	$("controls").addEventListener("submit", (e) => e.preventDefault());
	$("more").addEventListener("click", () => {
		state.shown += PAGE;
		update(false);
	});
	document.addEventListener("keydown", (e) => {
		if (e.key === "/" && !["INPUT", "SELECT"].includes(document.activeElement.tagName)) {
			e.preventDefault();
			$("filter").focus();
		} else if (e.key === "Escape") {
			$("filter").value = "";
			update(true);
		}
	});
}

// Only metrics that some group of the section has.
function fillMetrics() {
	const used = new Set(rowsOf[state.section].map((r) => r.metric));
	const first = used.has(state.metric) ? state.metric : used.has(data.sort) ? data.sort : ALL;
	$("metric").replaceChildren(new Option("all metrics", ALL));
	metrics.forEach((m, i) => used.has(i) && $("metric").append(new Option(m.name, i)));
	state.metric = state.metric === ALL && $("body").firstChild ? ALL : first;
	$("metric").value = state.metric;
}

state.sort = paired ? "change" : "value";
build();
update(true);
$("plain").hidden = true;
$("live").hidden = false;
})();
