"""A report as one HTML page: the graph, coloured by error, and a table; it loads nothing from elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from typing import Any

from kbackend.divergence.report import Report, Row
from kbackend.drawing.layered import layout

_CHARACTER, _HEIGHT, _GAP = 7.2, 38.0, (18.0, 34.0)
#: characters of a label in the graph, and the space around the graph
_LONGEST, _MARGIN = 28, 8


def page(report: Report) -> str:
    """The text of the page."""
    rows: dict[int, list[Row]] = {}
    for row in report.rows:
        if row.kind != "result":
            rows.setdefault(row.number, []).append(row)
    data = {str(number): [_details(r) for r in found] for number, found in rows.items()}
    verdict = "no value differs" if report.ok else f"{len(report.failed)} of {len(report.rows)} values differ"
    return _PAGE.format(
        title=escape(f"{report.name}: {' against '.join(report.engines)}"),
        verdict=escape(verdict),
        state="good" if report.ok else "bad",
        first="" if report.first is None else f"<p>First: {escape(str(report.first))}</p>",
        graph=_graph(report, rows),
        table=_table(report),
        data=json.dumps(data, default=str).replace("<", "\\u003c"),
    )


def _graph(report: Report, rows: dict[int, list[Row]]) -> str:
    numbers = sorted(rows)
    places = {number: i for i, number in enumerate(numbers)}
    texts = [(_short(rows[n][0].op), _short(rows[n][0].layer or rows[n][0].node)) for n in numbers]
    sizes = [(max(map(len, pair)) * _CHARACTER + 16, _HEIGHT) for pair in texts]
    edges = [(places[a], places[b]) for a, b in report.edges if a in places and b in places]
    found = layout(sizes, edges, _GAP)
    width, height = found.width + 2 * _MARGIN, found.height + 2 * _MARGIN
    parts = [f'<svg id="graph" viewBox="{-_MARGIN} {-_MARGIN} {width:.0f} {height:.0f}" role="img">']
    for route in found.routes:
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in route)}"/>')
    for number, (x, y), (width, height), (op, where) in zip(numbers, found.centres, sizes, texts):
        title = escape(f"{rows[number][0].label}: {_ratio(rows[number]):.2g} of the tolerance")
        parts.append(
            f'<g class="node {_shade(rows[number])}" data-node="{number}" tabindex="0"><title>{title}</title>'
            f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height}" rx="5"/>'
            f'<text x="{x:.1f}" y="{y - 3:.1f}">{escape(op)}</text>'
            f'<text class="where" x="{x:.1f}" y="{y + 12:.1f}">{escape(where)}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"\u2026{text[1 - _LONGEST:]}"


def _ratio(rows: list[Row]) -> float:
    """The largest share of the tolerance that an error takes."""
    return max((r.error / (r.tolerance or 1e-300) for r in rows if r.error), default=0.0)


def _shade(rows: list[Row]) -> str:
    ratio = _ratio(rows)
    if any(r.note for r in rows):
        return "unknown"
    return "over" if ratio > 1 else "near" if ratio > 0.25 else "some" if ratio > 0.02 else "none"


def _details(row: Row) -> dict[str, Any]:
    return {**asdict(row), "label": row.label, "ok": row.ok}


def _table(report: Report) -> str:
    worst = sorted(report.rows, key=lambda r: -_ratio([r]))[:200]
    cells = [
        f'<tr class="{"good" if r.ok else "bad"}"><td>{escape(r.label)}</td><td>{escape(r.op)}</td><td>{r.kind}</td>'
        f"<td>{escape(' / '.join(r.engines))}</td><td>{r.shape}</td><td>{r.error:.2g}</td><td>{r.tolerance:.2g}</td>"
        f"<td>{'' if r.drift is None else f'{r.drift:.2g}'}</td><td>{escape(r.off)}</td></tr>"
        for r in worst
    ]
    names = ("node", "op", "of", "engines", "shape", "error", "tolerance", "drift", "off")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --back: #fff; --text: #1d2433; --line: #8a94a6; --panel: #f2f4f8; --none: #e3e8ef;
  --some: #cfe8d5; --near: #ffe39a; --over: #f28b82; --unknown: #d7c8f0; --good: #1b7a3d; --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --back: #12161f; --text: #e5e9f0; --line: #6b768c; --panel: #1c2230;
  --none: #2b3344; --some: #23503a; --near: #6d5a16; --over: #8c2f28; --unknown: #4b3a70; --good: #7fd49a;
  --bad: #ff9e95; }} }}
body {{ margin: 0; font: 14px/1.4 system-ui, sans-serif; background: var(--back); color: var(--text); }}
header, section {{ padding: 12px 20px; }} h1 {{ font-size: 18px; margin: 0; }}
.good b {{ color: var(--good); }} .bad b {{ color: var(--bad); }}
main {{ display: grid; grid-template-columns: minmax(0, 1fr) 380px; height: 64vh;
  border-block: 1px solid var(--line); }}
#graph {{ width: 100%; height: 64vh; cursor: grab; touch-action: none; }}
#graph polyline {{ fill: none; stroke: var(--line); }}
.node rect {{ stroke: var(--line); }} .node {{ cursor: pointer; }}
.node.picked rect {{ stroke: var(--text); stroke-width: 2.5; }}
.none rect {{ fill: var(--none); }} .some rect {{ fill: var(--some); }} .near rect {{ fill: var(--near); }}
.over rect {{ fill: var(--over); }} .unknown rect {{ fill: var(--unknown); }}
text {{ text-anchor: middle; fill: var(--text); font: 12px ui-monospace, monospace; }}
text.where {{ font-size: 10px; opacity: .75; }}
aside {{ overflow: auto; padding: 12px 16px; background: var(--panel); border-left: 1px solid var(--line); }}
aside dl {{ margin: 0 0 14px; }} dt {{ font-weight: 600; }} dd {{ margin: 0 0 4px; overflow-wrap: anywhere; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ text-align: left; padding: 2px 8px; border-bottom: 1px solid var(--panel); }}
tr.bad td {{ color: var(--bad); }} .keys span {{ padding: 1px 8px; border-radius: 4px; margin-right: 6px; }}
section {{ overflow-x: auto; }}
@media (max-width: 800px) {{ main {{ grid-template-columns: 1fr; height: auto; }} }}
</style></head><body>
<header class="{state}"><h1>{title}</h1><p><b>{verdict}</b></p>{first}
<p class="keys"><span style="background:var(--none)">no error</span>
<span style="background:var(--some)">error</span>
<span style="background:var(--near)">a quarter of the tolerance</span>
<span style="background:var(--over)">past it</span>
<span style="background:var(--unknown)">not compared alone</span> wheel: zoom; drag: move; click: details</p></header>
<main><div>{graph}</div><aside id="details">Click a node.</aside></main>
<section>{table}</section>
<script>
const rows = {data};
const graph = document.getElementById("graph"), details = document.getElementById("details");
let [x, y, w, h] = graph.getAttribute("viewBox").split(" ").map(Number);
const show = () => graph.setAttribute("viewBox", [x, y, w, h].join(" "));
graph.addEventListener("wheel", event => {{
  event.preventDefault();
  const box = graph.getBoundingClientRect(), by = event.deltaY > 0 ? 1.2 : 1 / 1.2;
  const px = (event.clientX - box.left) / box.width, py = (event.clientY - box.top) / box.height;
  x += w * px * (1 - by); y += h * py * (1 - by); w *= by; h *= by; show();
}}, {{passive: false}});
let from = null;
graph.addEventListener("pointerdown", event => {{ from = [event.clientX, event.clientY]; }});
window.addEventListener("pointerup", () => {{ from = null; }});
window.addEventListener("pointermove", event => {{
  if (!from) return;
  const box = graph.getBoundingClientRect(), scale = Math.max(w / box.width, h / box.height);
  x -= (event.clientX - from[0]) * scale; y -= (event.clientY - from[1]) * scale;
  from = [event.clientX, event.clientY]; show();
}});
const digits = value => Math.abs(value) < 1e-3 && value ? value.toExponential(2) : value.toPrecision(3);
const term = (list, name, value) => {{
  const dt = document.createElement("dt"), dd = document.createElement("dd");
  dt.textContent = name; dd.textContent = value; list.append(dt, dd);
}};
const pick = node => {{
  document.querySelectorAll(".picked").forEach(other => other.classList.remove("picked"));
  node.classList.add("picked"); details.replaceChildren();
  for (const row of rows[node.dataset.node]) {{
    const list = document.createElement("dl");
    term(list, row.kind, row.label + " (" + row.op + ")"); term(list, "engines", row.engines.join(" / "));
    term(list, "shapes", JSON.stringify(row.inputs) + " to " + JSON.stringify(row.shape));
    term(list, "error, tolerance", digits(row.error) + ", " + digits(row.tolerance));
    if (row.drift !== null) term(list, "drift", digits(row.drift));
    if (row.values[0] !== null) term(list, "at " + JSON.stringify(row.place), row.values.join(" / "));
    if (row.off) term(list, "off", row.off);
    if (row.known) term(list, "see", row.known);
    if (row.note) term(list, "note", row.note);
    details.append(list);
  }}
}};
document.querySelectorAll(".node").forEach(node => {{
  node.addEventListener("click", () => pick(node));
  node.addEventListener("keydown", event => {{ if (event.key === "Enter") pick(node); }});
}});
const first = document.querySelector(".over"); if (first) pick(first);
</script></body></html>
"""
