// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// The page of `ktstr ctprof compare|show --html`.  Texts from captures reach the document through
// textContent only.  Null is absent, and is never drawn or sorted as a number.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const paired = data.mode === "compare";
const ALL = -1, PAGE = 300, BARS = 12, CHARTS = 12;
const WENT_BACK = 1, AT_LEAST = 2, DIFFERS = 4;
const state = { section: 0, metric: ALL, sort: null, down: true, shown: PAGE };

// --- numbers as people read them ------------------------------------------------------------
const NS = [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]];
const BYTES = [["B", 1], ["KiB", 2 ** 10], ["MiB", 2 ** 20], ["GiB", 2 ** 30], ["TiB", 2 ** 40]];
const COUNT = [["", 1], ["K", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12]];
const PERCENT = [["%", 1]], PLAIN = [["", 1]], HERTZ = [["Hz", 1], ["kHz", 1e3], ["MHz", 1e6], ["GHz", 1e9]];
const SCALES = { ns: [NS, 1], us: [NS, 1e3], ms: [NS, 1e6], s: [NS, 1e9], ticks: [NS, 1e7], bytes: [BYTES, 1],
	ratio: [PERCENT, 100], bp: [PERCENT, 0.01], hundredths: [PLAIN, 0.01], kHz: [HERTZ, 1e3] };

function digits(x) {
	const size = Math.abs(x);
	if (Number.isInteger(x) && size < 1000)
		return String(x);
	return x.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function scaled(value, unit) {
	const [steps, factor] = SCALES[unit] || [COUNT, 1];
	const size = Math.abs(value * factor);
	let i = 0;
	while (i + 1 < steps.length && size >= steps[i + 1][1] - steps[i][1] / 2)
		i++;
	const name = steps[i][0];
	return digits(value * factor / steps[i][1]) + (steps[0][0] ? " " : "") + name;
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
const metrics = data.metrics; // by number
const isCounter = (m) => metrics[m].kind === "counter";
const unitOf = (m) => metrics[m].unit;
const canRate = data.rates === "none" && data.seconds > 0;
const perSecond = () => canRate && $("rate").checked;
// What happened, over the time it took if that is wanted and was not done before.
const divided = (m, v) => perSecond() && isCounter(m) && typeof v === "number" ? v / data.seconds : v;
const isRate = (m, side) => isCounter(m) && (data.rates === "all" ||
	(!side && (data.rates === "change" || perSecond())));
const withRate = (m, text, side) => text !== "–" && isRate(m, side) ? text + "/s" : text;

// Cells: [metric, value, have, of], of two sides [metric, before, have, of, after, have, of,
// meanwhile, have, of, change, percent, weight, share, flags, threads that went back].
function rowOf(group, cell) {
	const row = { group, metric: cell[0], cell, flags: cell[14] || 0 };
	row.before = paired ? { value: cell[1], have: cell[2], of: cell[3] } : null;
	row.after = paired ? { value: cell[4], have: cell[5], of: cell[6] } : { value: cell[1], have: cell[2], of: cell[3] };
	row.meanwhile = paired ? { value: cell[7], have: cell[8], of: cell[9] } : null;
	row.change = paired && !(row.flags & WENT_BACK) ? cell[10] : null;
	row.percent = paired && !(row.flags & WENT_BACK) ? cell[11] : null;
	row.weight = paired ? cell[12] : null;
	row.share = paired ? cell[13] : null;
	row.text = (group.name + " " + (group.tid || "") + " " + metrics[row.metric].name).toLowerCase();
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
	return row.group.side !== "both" || row.flags & (WENT_BACK | DIFFERS) || (!absent(row.change) && row.change !== 0);
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
		{ id: "before", title: "Before", key: (r) => r.before.value },
		{ id: "after", title: "After", key: (r) => r.after.value },
		...(data.one_boot ? [{ id: "meanwhile", title: "Meanwhile", key: (r) => r.meanwhile.value }] : []),
		{ id: "change", title: "Change", key: (r) => r.change, size: true },
		{ id: "percent", title: "%", key: (r) => r.percent, size: true },
		{ id: "share", title: "Share", key: (r) => absent(r.change) ? null : r.weight },
	] : [
		{ id: "value", title: "Value", key: (r) => r.after.value },
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
	const name = group.tid ? `${group.name} ${group.tid}` : group.name;
	const button = make("button", { type: "button", title: name },
			    make("bdi", { textContent: name }));
	button.addEventListener("click", () => {
		$("filter").value = name;
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
function valueCell(row, side, isSide) {
	const { value, have, of } = side, m = row.metric;
	const td = make("td", { className: absent(value) ? "absent" : "" });
	if (typeof value === "string")
		td.append(make("bdi", { textContent: value }));
	else
		td.append(withRate(m, shown(isSide ? value : divided(m, value), unitOf(m)), isSide));
	if (!absent(value))
		td.append(present(have, of));
	return td;
}

function marked(text, title) {
	return make("td", {}, make("span", { className: "mark", textContent: text, title }));
}
function changeCell(row) {
	const side = row.group.side, change = row.change;
	if (side !== "both")
		return marked(side === "after" ? "new" : "gone", "the group is on one side only");
	if (row.flags & WENT_BACK)
		return marked("went back", "a counter cannot shrink: it was restarted or reset");
	if (absent(change))
		return make("td", { className: "absent", textContent: row.flags & DIFFERS ? "differs"
			: typeof row.before.value === "string" && typeof row.after.value === "string" ? "same" : "–" });
	const td = make("td", { className: change > 0 ? "up" : change < 0 ? "down" : "", textContent: changeText(row) });
	if (row.flags & AT_LEAST)
		td.title = "threads that ended took what they did with them";
	if (row.cell[15])
		td.append(make("span", { className: "of", textContent: `−${row.cell[15]}`,
					 title: `${row.cell[15]} threads are left out: their counters went back` }));
	return td;
}

function textCell(text, className) {
	return make("td", { className: text === "–" ? "absent" : className || "", textContent: text });
}
function tableRow(row) {
	const g = row.group, [n0, n1] = g.n;
	const name = make("td", { className: "text" }, groupButton(g));
	if (g.was)
		name.append(make("span", { className: "pair" }, "was ", make("bdi", { textContent: g.was }),
				 `, ${(100 * g.alike).toFixed(0)} % alike` + (g.choices ? `, one of ${g.choices}` : "")));
	const tr = make("tr", {}, name, textCell(paired && n0 !== n1 ? `${n0} → ${n1}` : String(g.n[g.n.length - 1])),
		make("td", { className: "text mono", textContent: metrics[row.metric].name, title: metrics[row.metric].about }));
	if (!paired) {
		tr.append(valueCell(row, row.after, true));
		return tr;
	}
	tr.append(valueCell(row, row.before, true), valueCell(row, row.after, true),
		  ...(data.one_boot ? [valueCell(row, row.meanwhile, false)] : []), changeCell(row),
		  textCell(percent(row.percent)),
		  textCell(absent(row.change) || !row.share ? "–" : (100 * row.share).toFixed(row.share < 0.1 ? 1 : 0) + " %"));
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
function barOf(row) {
	const m = row.metric, unit = unitOf(m);
	// Of one boot it is known what a group has done that was not there before.
	const born = paired && row.group.side === "after" && row.meanwhile.value;
	const value = !paired ? row.after.value : row.group.side === "both" ? row.change : born;
	if (typeof value !== "number" || value === 0)
		return null;
	return { group: row.group, value, text: !paired ? withRate(m, scaled(value, unit), true)
		: row.group.side === "both" ? changeText(row) : "new " + withRate(m, signed(divided(m, born), unit)) };
}
const changeText = (row) => (row.flags & AT_LEAST ? "≥ " : "") +
	withRate(row.metric, signed(divided(row.metric, row.change), unitOf(row.metric)));

// Of all metrics: how much of all that changed is a group's, and its own largest changes.
function barsOfGroups(rows) {
	const groups = new Map();
	for (const row of rows) {
		if (!(row.weight > 0) || absent(row.change) || metrics[row.metric].section === "smaps-rollup" ||
		    metrics[row.metric].kind === "ordinal")
			continue;
		if (!groups.has(row.group))
			groups.set(row.group, []);
		groups.get(row.group).push(row);
	}
	return [...groups].map(([group, own]) => ({ group, value: group.weight,
		text: own.sort((a, b) => b.weight - a.weight).slice(0, 3)
			.map((r) => `${metrics[r.metric].name} ${changeText(r)}`).join("  ·  ") }));
}

function bar(b, low, high) {
	const width = 1000, span = high - low || 1, x0 = width * -low / span;
	const long = Math.max(2, Math.abs(b.value) / span * width);
	const kind = !paired || state.metric === ALL ? "level" : b.value > 0 ? "up" : "down";
	const picture = svg("svg", { viewBox: `0 0 ${width} 16`, preserveAspectRatio: "none", "aria-hidden": "true" },
		svg("rect", { class: kind, x: b.value < 0 ? x0 - long : x0, y: 2, width: long, height: 12 }),
		svg("line", { class: "axis", x1: x0, x2: x0, y1: 0, y2: 16, "vector-effect": "non-scaling-stroke" }));
	return make("div", { className: "bar" }, make("span", { className: "name" }, groupButton(b.group)), picture,
		    make("span", { className: "much " + kind, textContent: b.text }));
}

function showBars(rows) {
	const all = state.metric === ALL;
	const bars = (all ? paired ? barsOfGroups(rows) : [] : rows.map(barOf).filter((b) => b !== null))
		.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, BARS);
	const values = bars.map((b) => b.value);
	const low = Math.min(0, ...values), high = Math.max(0, ...values);
	$("barsbox").hidden = bars.length === 0;
	$("bars").classList.toggle("wordy", all);
	$("barstitle").textContent = all ? "Groups that changed most, and their largest changes"
		: `Largest ${paired ? "changes" : "values"} of ${metrics[state.metric].name}`;
	$("bars").replaceChildren(...bars.map((b) => bar(b, low, high)));
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
	const span = times[times.length - 1] || 1;
	const x = (i) => left + (i < 0 ? 0 : times[i]) / span * (W - 2 * left);
	const y = (v) => H - bottom - (most > 0 ? v / most : 0) * (H - top - bottom);
	const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img",
		"aria-label": `${group.name}: ${metrics[metric].name} over time` });
	points.forEach((v, i) => {
		if (absent(v))
			picture.append(svg("rect", { class: "gap", x: x(i - 1), y: top, width: x(i) - x(i - 1), height: H - top - bottom },
				svg("title", {}, "absent")));
	});
	picture.append(svg("line", { class: "axis", x1: left, x2: W - left, y1: y(0), y2: y(0) }));
	for (const piece of pieces(points)) {
		if (piece.length > 1)
			picture.append(svg("polyline", { class: "curve", points: piece.map(([i, v]) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ") }));
		for (const [i, v] of points.length > 80 && piece.length > 1 ? [] : piece)
			picture.append(svg("circle", { class: "dot", cx: x(i), cy: y(v), r: 2 },
				svg("title", {}, `${times[i].toFixed(1)} s: ${chartText(metric, v)}`)));
	}
	picture.append(svg("text", { x: left, y: 10 }, chartText(metric, most)),
		svg("text", { x: left, y: H - 2 }, "0 s"),
		svg("text", { x: W - left, y: H - 2, "text-anchor": "end" }, `${digits(times[times.length - 1])} s`));
	const numbers = points.filter((v) => !absent(v));
	const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
	return make("figure", {}, make("figcaption", {}, groupButton(group).firstChild,
		make("span", { textContent: "mean " + chartText(metric, mean) })), picture);
}
const chartText = (m, v) => scaled(v, unitOf(m)) + (isCounter(m) ? "/s" : "");

function showCharts(rows) {
	const curved = (r) => r.group.curves && r.group.curves[r.metric];
	const metric = state.metric !== ALL ? state.metric : (rows.find(curved) || { metric: ALL }).metric;
	const some = [];
	for (const row of rows) {
		const points = row.metric === metric && curved(row);
		if (points && points.some((v) => !absent(v)))
			some.push({ group: row.group, points, most: Math.max(0, ...points.filter((v) => !absent(v))) });
	}
	const sum = (s) => s.points.reduce((a, v) => a + (v || 0), 0);
	some.sort((a, b) => sum(b) - sum(a));
	const best = some.slice(0, CHARTS), most = Math.max(0, ...best.map((s) => s.most));
	$("chartsbox").hidden = best.length === 0;
	if (!best.length)
		return;
	$("chartstitle").textContent = metrics[metric].name + " over time" + (data.curves_of ? ` (${data.curves_of})` : "") +
		(some.length > best.length ? `, the largest ${best.length} of ${some.length} groups` : "");
	$("charts").replaceChildren(...best.map((s) => chart(s.group, metric, s.points, $("samescale").checked ? most : s.most)));
}

// --- the page -----------------------------------------------------------------------------------
function update(again) {
	if (again)
		state.shown = PAGE;
	const rows = filtered();
	const info = state.metric === ALL ? null : metrics[state.metric];
	$("table").classList.toggle("one", info !== null);
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
	data.sections.forEach((s, i) => $("section").append(new Option(`${s.name} (${s.groups.length}${s.all > s.groups.length ? " of " + s.all : ""})`, i)));
	$("section").value = state.section;
	$("sectionlabel").hidden = data.sections.length < 2;
	fillMetrics();
	$("ratelabel").hidden = !canRate;
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
	$("metric").replaceChildren(new Option("all metrics", ALL));
	for (const [i, m] of Object.entries(metrics))
		if (used.has(Number(i)))
			$("metric").append(new Option(m.name, i));
	if (!used.has(state.metric))
		state.metric = ALL;
	$("metric").value = state.metric;
}

state.section = Math.max(0, data.sections.findIndex((s) => s.name === "process"),
			 data.sections.length > 1 ? 1 : 0);
state.metric = absent(data.metric) ? ALL : data.metric;
state.sort = !paired ? "value" : state.metric === ALL ? "share" : "change";
build();
update(true);
$("plain").hidden = true;
$("live").hidden = false;
})();
