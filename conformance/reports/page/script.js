"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];
const field = (id) => document.getElementById(id);
const rows = all(".row").map((node) => ({
  node,
  text: (node.querySelector("summary").textContent + " " + (node.querySelector(".seen")?.textContent ?? "")).toLowerCase(),
}));
const tiles = all(".tiles button");
const groups = all(".groups button");
const pressed = (button) => button.getAttribute("aria-pressed") === "true";
const press = (button, on) => button.setAttribute("aria-pressed", String(on));

function show() {
  const verdicts = tiles.filter(pressed).map((tile) => tile.dataset.verdict);
  const level = field("level").value, group = field("group").value;
  const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { node, text } of rows) {
    const fits = (!verdicts.length || verdicts.includes(node.dataset.verdict))
      && (!level || node.dataset.level === level)
      && (!group || node.dataset.group === group)
      && words.every((word) => text.includes(word));
    node.hidden = !fits;
    count += fits;
  }
  for (const section of all(".group")) section.hidden = !section.querySelector(".row:not([hidden])");
  for (const button of groups) press(button, button.dataset.group === group);
  field("shown").value = count === rows.length ? `${count} rows` : `${count} of ${rows.length} rows`;
  field("nothing").hidden = count > 0;
  label();
}

const visible = () => rows.filter(({ node }) => !node.hidden);
const label = () => { field("toggle").textContent = visible().some(({ node }) => node.open) ? "close all" : "open all"; };

for (const tile of tiles) tile.addEventListener("click", () => { press(tile, !pressed(tile)); show(); });
for (const button of groups) {
  button.addEventListener("click", () => { field("group").value = pressed(button) ? "" : button.dataset.group; show(); });
}
for (const id of ["level", "group", "search"]) field(id).addEventListener("input", show);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
document.querySelector(".filters").addEventListener("reset", () => {
  for (const tile of tiles) press(tile, false);
  setTimeout(show);
});
field("toggle").addEventListener("click", () => {
  const open = !visible().some(({ node }) => node.open);
  for (const { node } of visible()) node.open = open;
  label();
});
for (const { node } of rows) node.addEventListener("toggle", label);

function follow() {
  const row = document.getElementById(location.hash.slice(1));
  if (row?.classList.contains("row")) { row.open = true; row.scrollIntoView(); }
}
addEventListener("hashchange", follow);
show();
follow();
