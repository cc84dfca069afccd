"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const entries = all(".filtered .entry");
  const words = new Map(entries.map((entry) => [entry, entry.textContent.toLowerCase()]));
  const byNumber = new Map(entries.filter((each) => each.id).map((each) => [each.id.slice(1), each]));
  const nodes = all(".node").map((node) => ({
    node,
    entries: node.dataset.targets.split(" ").map((number) => byNumber.get(number)).filter(Boolean),
  }));
  const text = one("#text"), area = one("#area"), status = one("#status");
  const toggles = all(".toggle");

  const matches = (entry, off) =>
    !off.has(entry.dataset.action) &&
    (area.value === "" || entry.dataset.area === area.value) &&
    text.value.toLowerCase().split(/\s+/).every((word) => words.get(entry).includes(word));

  function filter() {
    const off = new Set(
      toggles.filter((each) => each.getAttribute("aria-pressed") === "false")
        .map((each) => each.dataset.action));
    const shown = new Set(entries.filter((entry) => matches(entry, off)));
    for (const entry of entries) entry.classList.toggle("gone", !shown.has(entry));
    for (const holder of all(".filtered .group, .filtered"))
      holder.classList.toggle("gone", !all(".entry", holder).some((entry) => shown.has(entry)));
    for (const { node, entries: mine } of nodes) {
      const dim = !mine.some((entry) => shown.has(entry));
      node.classList.toggle("dim", dim);
      node.setAttribute("tabindex", dim ? "-1" : "0");
    }
    for (const svg of all(".picture")) {
      const dim = new Set(all(".node.dim", svg).map((each) => each.dataset.node));
      for (const edge of all(".edge", svg))
        edge.classList.toggle("dim", dim.has(edge.dataset.from) || dim.has(edge.dataset.to));
    }
    const several = all(".filtered .entry[id]");
    const count = several.filter((entry) => shown.has(entry)).length;
    status.textContent = `${count.toLocaleString("en")} of ${several.length.toLocaleString("en")} shown`;
  }

  function reset() {
    text.value = "";
    area.value = "";
    for (const toggle of toggles) toggle.setAttribute("aria-pressed", "true");
    filter();
  }

  text.addEventListener("input", filter);
  area.addEventListener("input", filter);
  one("#reset").addEventListener("click", reset);
  for (const toggle of toggles)
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") === "false"));
      filter();
    });

  // What a box refers to, and what refers to it.
  function connect(node, on) {
    for (const edge of all(".edge", node.closest("svg")))
      if (edge.dataset.from === node.dataset.node || edge.dataset.to === node.dataset.node)
        edge.classList.toggle("on", on);
  }
  for (const { node } of nodes) {
    for (const name of ["mouseenter", "focus"]) node.addEventListener(name, () => connect(node, true));
    for (const name of ["mouseleave", "blur"]) node.addEventListener(name, () => connect(node, false));
  }

  // Arrows go from box to box, as the boxes lie.
  function neighbour(node, key) {
    const from = node.getBoundingClientRect();
    const x = from.x + from.width / 2, y = from.y + from.height / 2;
    const across = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
    let best = null, least = Infinity;
    for (const other of all(".node:not(.dim)", node.closest("svg"))) {
      const box = other.getBoundingClientRect();
      const dx = box.x + box.width / 2 - x, dy = box.y + box.height / 2 - y;
      const ahead = sign * (across ? dx : dy), aside = Math.abs(across ? dy : dx);
      if (ahead > 1 && ahead + 3 * aside < least) [best, least] = [other, ahead + 3 * aside];
    }
    return best;
  }

  function open(entry) {
    entry.querySelector("details").open = true;
    for (let up = entry.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
    entry.scrollIntoView({ block: "start" });
    entry.focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#r"]');
    const number = link && link.getAttribute("href").slice(2);
    const entry = number && byNumber.get(number);
    if (!entry) return;
    // A box of several resources leads to the first that the filters show.
    const mine = (link.dataset.targets || number).split(" ").map((each) => byNumber.get(each));
    const target = mine.find((each) => each && !each.classList.contains("gone")) || entry;
    if (target.classList.contains("gone")) reset();
    open(target);
    history.replaceState(null, "", `#${target.id}`);
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    const node = event.target.closest && event.target.closest(".node");
    if (node && event.key.startsWith("Arrow")) {
      const next = neighbour(node, event.key);
      if (next) next.focus();
      event.preventDefault();
    } else if (event.key === "/" && !/^(INPUT|SELECT)$/.test(event.target.tagName)) {
      text.focus();
      event.preventDefault();
    } else if (event.key === "Escape") {
      reset();
    }
  });

  const theme = one("#theme");
  const themes = [["", "auto"], ["light", "light"], ["dark", "dark"]];
  let chosen = 0;
  theme.addEventListener("click", () => {
    chosen = (chosen + 1) % themes.length;
    const [value, word] = themes[chosen];
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    theme.textContent = `Colours: ${word}`;
  });

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const each of closed) each.open = true;
  });
  window.addEventListener("afterprint", () => { for (const each of closed) each.open = false; });

  one(".controls").hidden = false;
  filter();
  if (byNumber.has(location.hash.slice(2))) open(byNumber.get(location.hash.slice(2)));
})();
