"use strict";
/* Looks around in a figure: zoom, details, filters. All that is shown of the recording is put in
   as text, never as markup. */

const data = JSON.parse(document.getElementById("data").textContent);
const view = document.getElementById("view");
const svg = view.querySelector("svg.figure");
const size = { width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
const smallest = 0.05;
const largest = 6;
/* A page opens no smaller than this; what is wider is scrolled. */
const readable = 0.75;
let scale = 1;
let current = null;

function made(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/* Zoom. The point of the figure under (x, y) of the window stays where it is. */

function zoom(wanted, x, y) {
  const before = svg.getBoundingClientRect();
  const box = view.getBoundingClientRect();
  const at = { x: x ?? box.left + box.width / 2, y: y ?? box.top + box.height / 2 };
  const part = { x: (at.x - before.left) / before.width, y: (at.y - before.top) / before.height };
  scale = Math.min(largest, Math.max(smallest, wanted));
  svg.style.width = `${size.width * scale}px`;
  svg.style.height = `${size.height * scale}px`;
  const after = svg.getBoundingClientRect();
  view.scrollLeft += after.left + part.x * after.width - at.x;
  view.scrollTop += after.top + part.y * after.height - at.y;
  document.getElementById("scale").textContent = `${Math.round(scale * 100)} %`;
  placeHeads();
}

function fitWidth() {
  zoom(Math.min(view.clientWidth / size.width, 1.6));
}

function fitWhole() {
  zoom(Math.min(view.clientWidth / size.width, view.clientHeight / size.height));
}

view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoom(scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), event.clientX, event.clientY);
}, { passive: false });

/* Dragging moves the figure; only what moved is no click. */

let drag = null;

view.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || event.pointerType === "touch") return;
  drag = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, moved: false };
});

window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const x = event.clientX - drag.x;
  const y = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(x, y) < 5) return;
  drag.moved = true;
  view.classList.add("dragged");
  view.scrollLeft = drag.left - x;
  view.scrollTop = drag.top - y;
});

window.addEventListener("pointerup", () => {
  view.classList.remove("dragged");
  const moved = drag && drag.moved;
  drag = null;
  if (moved) window.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
});

/* The names of hosts stay in sight. */

const heads = document.getElementById("heads");
for (const host of data.hosts) {
  const head = made("span", host.name);
  head.dataset.host = host.name;
  heads.append(head);
}

function placeHeads() {
  const offset = svg.getBoundingClientRect().left - heads.getBoundingClientRect().left;
  const away = view.scrollTop > 100 * scale;
  [...heads.children].forEach((head, place) => {
    head.style.left = `${offset + data.hosts[place].x * scale}px`;
    head.hidden = !away || !data.hosts[place].lanes.some((lane) => shown("lanes", lane));
  });
}

view.addEventListener("scroll", placeHeads);
window.addEventListener("resize", placeHeads);

/* Details of what is selected. */

function parts(id) {
  return [document.getElementById(id), ...svg.querySelectorAll(`[data-of="${id}"]`)].filter(Boolean);
}

function mark(className, ids) {
  for (const element of svg.querySelectorAll(`.${className}`)) element.classList.remove(className);
  for (const id of ids) for (const element of parts(id)) element.classList.add(className);
}

function table(section) {
  const result = made("table");
  if (section.heading) result.append(made("caption", section.heading));
  for (const [name, value] of section.rows) {
    const row = result.insertRow();
    const head = made("th", name);
    head.scope = "row";
    row.append(head, made("td", value));
  }
  return result;
}

function select(id) {
  current = id;
  mark("selected", id ? [id] : []);
  const details = document.getElementById("details");
  if (!id) {
    details.replaceChildren(made("p", "Nothing is selected.", "hint"));
    return;
  }
  const item = data.items[id];
  details.replaceChildren(made("p", item.title, "words"), ...item.sections.map(table));
  if (item.more) details.append(made("p", item.more, "hint"));
}

svg.addEventListener("click", (event) => {
  const element = event.target.closest(".call-bar, .arrow");
  if (!element) return;
  const id = element.dataset.of || element.id;
  focusItem(id, false);
  select(id);
});

/* The keyboard: one item at a time can be reached by Tab, arrow keys go on from there. */

const order = data.order.filter((id) => document.getElementById(id));
for (const id of order) {
  const element = document.getElementById(id);
  element.setAttribute("role", "button");
  element.setAttribute("tabindex", "-1");
  element.setAttribute("aria-label", data.items[id].title);
}
if (order.length) document.getElementById(order[0]).setAttribute("tabindex", "0");
svg.setAttribute("role", "group");

function focusItem(id, scroll = true) {
  for (const element of svg.querySelectorAll("[tabindex='0']")) element.setAttribute("tabindex", "-1");
  const element = document.getElementById(id);
  element.setAttribute("tabindex", "0");
  element.focus({ preventScroll: true });
  if (scroll) element.scrollIntoView({ block: "center", inline: "nearest" });
}

function go(step) {
  const visible = order.filter((id) => !document.getElementById(id).classList.contains("off"));
  if (!visible.length) return;
  const here = visible.indexOf(document.activeElement.id || current);
  const places = { first: 0, last: visible.length - 1, next: here + 1, previous: here - 1 };
  const id = visible[Math.min(visible.length - 1, Math.max(0, places[step]))];
  focusItem(id);
  select(id);
}

const steps = { ArrowDown: "next", ArrowUp: "previous", Home: "first", End: "last" };

svg.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (steps[event.key]) {
    go(steps[event.key]);
  } else if (event.key === "Enter" || event.key === " ") {
    select(document.activeElement.id);
  } else {
    return;
  }
  event.preventDefault();
});

/* Buttons and keys of the view. */

const themes = ["auto", "light", "dark"];
let theme = 0;

function setTheme(button) {
  theme = (theme + 1) % themes.length;
  for (const element of [document.documentElement, svg]) {
    if (theme) element.dataset.theme = themes[theme];
    else delete element.dataset.theme;
  }
  button.textContent = `Theme: ${themes[theme]}`;
}

function togglePanel(button) {
  const panel = document.getElementById("panel");
  panel.hidden = !panel.hidden;
  button.setAttribute("aria-expanded", String(!panel.hidden));
  placeHeads();
}

const actions = {
  in: () => zoom(scale * 1.25),
  out: () => zoom(scale / 1.25),
  actual: () => zoom(1),
  width: fitWidth,
  whole: fitWhole,
  theme: setTheme,
  panel: togglePanel,
};
const keys = { "+": "in", "=": "in", "-": "out", 0: "actual", w: "width", f: "whole", t: "theme", p: "panel" };

function act(name) {
  actions[name](document.querySelector(`[data-do="${name}"]`));
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => act(button.dataset.do));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    mark("found", []);
    select(null);
  } else if (keys[event.key]) {
    act(keys[event.key]);
    event.preventDefault();
  }
});

/* Filters: an element is shown where one of its lanes is, and its connection. */

const filters = { hosts: new Map(), lanes: new Map(), connections: new Map() };

function shown(kind, key) {
  const box = filters[kind].get(String(key));
  return !box || box.checked;
}

function laneShown(lane) {
  return shown("lanes", lane) && shown("hosts", data.lanes[lane].host);
}

function applyFilters() {
  for (const element of svg.querySelectorAll("[data-lane], [data-connection]")) {
    const lanes = element.dataset.lane ? element.dataset.lane.split(" ") : [];
    const hidden = lanes.length && !lanes.some(laneShown);
    const counts = element.matches(".call-bar, .arrow, .mark, .key");
    element.classList.toggle("off", Boolean(hidden || (counts && !shown("connections", element.dataset.connection ?? ""))));
  }
  for (const host of data.hosts) {
    const hidden = !host.lanes.some(laneShown);
    for (const element of svg.querySelectorAll(".host")) {
      if (element.dataset.host === host.name) element.classList.toggle("off", hidden);
    }
  }
  placeHeads();
}

function swatch(colour) {
  const box = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  box.setAttribute("class", "figure swatch");
  box.setAttribute("viewBox", "0 0 12 12");
  box.setAttribute("aria-hidden", "true");
  const group = document.createElementNS(box.namespaceURI, "g");
  group.setAttribute("class", colour);
  const square = document.createElementNS(box.namespaceURI, "rect");
  for (const [name, value] of Object.entries({ class: "bar", width: 12, height: 12, rx: 2 })) {
    square.setAttribute(name, value);
  }
  group.append(square);
  box.append(group);
  return box;
}

function addFilter(kind, entries) {
  const part = document.querySelector(`[data-filter="${kind}"]`);
  for (const { key, text, colour } of entries) {
    const label = made("label");
    const box = made("input");
    box.type = "checkbox";
    box.checked = true;
    box.value = key;
    label.append(box, ...(colour ? [swatch(colour)] : []), made("span", text));
    part.append(label);
    filters[kind].set(String(key), box);
  }
  const all = made("button", "all or none", "all");
  all.type = "button";
  all.addEventListener("click", () => {
    const boxes = [...filters[kind].values()];
    const on = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = on;
    applyFilters();
  });
  part.querySelector("legend").append(all);
}

addFilter("hosts", data.hosts.map((host) => ({ key: host.name, text: host.name })));
addFilter("lanes", data.lanes.map((lane, key) => ({ key, text: lane.text })));
addFilter("connections", data.connections);
document.getElementById("filter").addEventListener("change", applyFilters);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());

/* The verdict and the findings. */

if (data.verdict) {
  document.getElementById("verdict").textContent = data.verdict;
  document.getElementById("verdict-part").hidden = false;
}

for (const finding of data.findings) {
  const button = made("button", undefined, finding.level);
  button.type = "button";
  button.append(made("span", `${finding.level}: `, "level"), finding.sentence, made("span", finding.advice, "advice"));
  button.addEventListener("click", () => {
    mark("found", finding.items);
    const first = finding.items.find((id) => document.getElementById(id));
    if (first) {
      document.getElementById(first).scrollIntoView({ block: "center", inline: "nearest" });
      select(first);
    }
  });
  const entry = made("li");
  entry.append(button);
  document.getElementById("findings").append(entry);
  document.getElementById("findings-part").hidden = false;
}

zoom(Math.min(1, Math.max(readable, view.clientWidth / size.width)));
view.scrollLeft = 0;
view.scrollTop = 0;
