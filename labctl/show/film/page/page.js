"use strict";
/* Goes through a film. All that is shown of what was filmed is put in as text, never as markup. */

const data = JSON.parse(document.getElementById("data").textContent);
const frames = data.frames;
const slider = document.getElementById("at");
let current = 0;

function made(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function colour(element, host) {
  element.style.setProperty("--host", `var(--host-${data.hosts.indexOf(host) % 4})`);
}

/* The figure of one host: tables on the left, sockets on the right, arrows between. */

function row(head, text, changed) {
  const line = made("tr", undefined, changed ? "changed" : "");
  const first = made("th", head);
  first.scope = "row";
  line.append(first, made("td", text));
  if (text === "—") line.classList.add("blank");
  return line;
}

function card(title, isNew) {
  const box = made("div", undefined, isNew ? "card new" : "card");
  box.append(made("h3", (isNew ? "* " : "") + title));
  return box;
}

function tableCard(told, changes) {
  const box = card(told.title, changes && told.new);
  for (const line of told.lines) box.append(made("p", line, "line"));
  const table = made("table");
  for (const entry of told.rows) {
    const line = row(entry.fd, entry.text, changes && entry.changed);
    if (entry.socket !== null) line.dataset.socket = entry.socket;
    table.append(line);
  }
  box.append(table);
  return box;
}

function socketCard(told, changes) {
  const box = card(told.title, changes && told.new);
  box.dataset.key = told.key;
  const table = made("table");
  for (const [part, fields] of [["structure", told.structure], ["rest", told.rest]]) {
    const body = made("tbody", undefined, part);
    for (const [label, value, changed] of fields) body.append(row(label, value, changes && changed));
    table.append(body);
  }
  box.append(table);
  return box;
}

function figure(frame, changes) {
  const whole = made("div");
  if (!frame.tables.length && !frame.free.length) {
    whole.append(made("p", "No process that is filmed is there any more, and no socket of theirs.", "nothing"));
    return whole;
  }
  const both = made("div", undefined, "figure");
  const tables = made("div", undefined, "tables");
  const boxes = made("div", undefined, "boxes");
  tables.append(...frame.tables.map((told) => tableCard(told, changes)));
  boxes.append(...frame.sockets.map((told) => socketCard(told, changes)));
  both.append(tables, boxes, drawn("svg", { "aria-hidden": "true" }));
  whole.append(both);
  if (frame.free.length) {
    whole.append(made("p", "sockets of no process", "free-title"), made("pre", frame.free.join("\n"), "free"));
  }
  return whole;
}

let heads = 0;

function arrows(both) {
  const svg = both.querySelector(":scope > svg");
  const origin = both.getBoundingClientRect();
  heads += 1;
  svg.replaceChildren();
  const keys = [...both.querySelectorAll(".card[data-key]")].map((box) => box.dataset.key);
  keys.forEach((key, place) => {
    const colour = `var(--host-${place % 4})`;
    const id = `head${heads}-${place}`;
    const marker = drawn("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
    marker.append(drawn("path", { d: "M0 0 L8 4 L0 8 z", style: `fill: ${colour}` }));
    svg.append(marker);
    const to = both.querySelector(`.card[data-key="${CSS.escape(key)}"] h3`).getBoundingClientRect();
    const x2 = to.left - origin.left - 2;
    const y2 = to.top + to.height / 2 - origin.top;
    for (const line of both.querySelectorAll(`tr[data-socket="${CSS.escape(key)}"]`)) {
      const from = line.getBoundingClientRect();
      const x1 = line.closest(".card").getBoundingClientRect().right - origin.left;
      const y1 = from.top + from.height / 2 - origin.top;
      const bend = x1 + (x2 - x1 - 8) * ((place + 1) / (keys.length + 1));
      svg.append(drawn("path", { d: `M${x1} ${y1} H${bend} V${y2} H${x2}`, "marker-end": `url(#${id})`, style: `stroke: ${colour}` }));
    }
  });
}

function allArrows() {
  document.querySelectorAll(".figure").forEach(arrows);
}

function hostPart(host, upTo) {
  let latest = -1;
  for (let at = 0; at <= upTo; at += 1) if (frames[at].host === host) latest = at;
  const part = made("section", undefined, latest === upTo ? "host-part" : "host-part still");
  colour(part, host);
  const head = made("h2");
  const when = latest < 0 ? " nothing yet" : latest === upTo ? "" : ` as after frame ${latest + 1}`;
  head.append(made("span", host, "name"), made("span", when, "when"));
  part.append(head);
  if (latest >= 0) part.append(figure(frames[latest], latest === upTo));
  return part;
}

/* One frame at a time. */

function show(wanted) {
  current = Math.min(frames.length - 1, Math.max(0, wanted));
  const frame = frames[current];
  document.getElementById("who").textContent = `${frame.host}, ${frame.who}, at ${frame.at}`;
  document.getElementById("call").textContent = frame.text;
  document.getElementById("said").replaceChildren(...frame.said.map((text) => made("li", text)));
  document.getElementById("hosts").replaceChildren(...data.hosts.map((host) => hostPart(host, current)));
  document.getElementById("notes").replaceChildren(...[...frame.notes, ...data.notes].map((text) => made("li", text)));
  document.getElementById("number").textContent = `${current + 1} of ${frames.length}`;
  slider.value = current + 1;
  for (const [name, end] of [["first", 0], ["previous", 0], ["next", frames.length - 1], ["last", frames.length - 1]]) {
    document.querySelector(`[data-do="${name}"]`).disabled = current === end;
  }
  const entries = document.querySelectorAll("#list button");
  entries.forEach((entry, place) => {
    if (place === current) entry.setAttribute("aria-current", "step");
    else entry.removeAttribute("aria-current");
  });
  entries[current].scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `#${current + 1}`);
  allArrows();
}

const themes = ["auto", "light", "dark"];
let theme = 0;

function setTheme() {
  theme = (theme + 1) % themes.length;
  if (theme) document.documentElement.dataset.theme = themes[theme];
  else delete document.documentElement.dataset.theme;
  document.querySelector('[data-do="theme"]').textContent = `Theme: ${themes[theme]}`;
}

const actions = {
  first: () => show(0),
  previous: () => show(current - 1),
  next: () => show(current + 1),
  last: () => show(frames.length - 1),
  theme: setTheme,
};
const keys = {
  ArrowLeft: "previous", ArrowUp: "previous", PageUp: "previous", ArrowRight: "next", ArrowDown: "next",
  PageDown: "next", " ": "next", Home: "first", End: "last", t: "theme",
};

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => actions[button.dataset.do]());
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !frames.length) return;
  const onButton = event.key === " " && event.target.closest("button");
  if (keys[event.key] && !onButton) {
    actions[keys[event.key]]();
    event.preventDefault();
  }
});

slider.addEventListener("input", () => show(Number(slider.value) - 1));
window.addEventListener("resize", allArrows);

const list = document.getElementById("list");
frames.forEach((frame, place) => {
  const entry = made("button");
  entry.type = "button";
  colour(entry, frame.host);
  const what = made("span", undefined, "what");
  what.append(made("span", `${frame.host} ${frame.pid} `, "host"), frame.short);
  entry.append(made("span", place + 1, "number"), what);
  entry.addEventListener("click", () => show(place));
  const item = made("li");
  item.append(entry);
  list.append(item);
});

if (frames.length) {
  slider.max = frames.length;
  show((Number(location.hash.slice(1)) || 1) - 1);
} else {
  document.querySelector("main").replaceChildren(made("p", ["No program has made a call on a socket.", ...data.notes].join(" "), "nothing"));
}
