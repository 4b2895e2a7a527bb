"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const HEAVIEST = 250; // more lines than that hide each other
  const byId = (id) => document.getElementById(id);
  const map = byId("map"), canvas = byId("lines"), details = byId("details"), form = byId("filters");
  const cards = data.cards.map((card, n) => {
    const element = map.querySelector(`[data-card="${n}"]`);
    const entries = [...element.querySelectorAll("li")];
    return {
      ...card, n, element, entries, lines: [], button: element.querySelector("button"),
      title: element.querySelector("b").textContent, inside: element.querySelector(".inside"),
      names: entries.map((entry) => entry.firstChild.textContent.toLowerCase()),
    };
  });
  data.lines.forEach(([source, destination], place) => {
    cards[source].lines.push(place);
    cards[destination].lines.push(place);
  });
  let pointed = null, chosen = null;

  const value = (id) => (byId(id) ? byId(id).value : "");
  const isShown = (card) => !card.element.hidden;

  function near(card) {
    return new Set(card.lines.flatMap((place) => data.lines[place].slice(0, 2)));
  }

  function filter() {
    const text = byId("search").value.trim().toLowerCase(), environment = value("environment"), wave = value("wave");
    const around = value("application") === "" ? null : near(cards[Number(value("application"))]).add(Number(value("application")));
    let shown = 0;
    for (const card of cards) {
      const isApplication = card.kind === "application";
      const hits = text ? card.names.map((name) => name.includes(text)) : [];
      card.entries.forEach((entry, place) => entry.classList.toggle("found", Boolean(hits[place])));
      const fits = (!text || card.title.toLowerCase().includes(text) || hits.some(Boolean))
        && (!around || around.has(card.n))
        && (!isApplication || !environment || card.environments.includes(environment))
        && (!isApplication || !wave || card.waves.includes(wave));
      card.element.hidden = !fits;
      shown += fits && isApplication;
    }
    byId("shown").textContent = `${shown} of ${cards.filter((card) => card.kind === "application").length} applications`;
    if (chosen && !isShown(chosen)) choose(null);
    draw();
  }

  function box(card) {
    const outer = map.getBoundingClientRect(), inner = card.button.getBoundingClientRect();
    return {
      left: inner.left - outer.left + map.scrollLeft, right: inner.right - outer.left + map.scrollLeft,
      middle: (inner.top + inner.bottom) / 2 - outer.top,
    };
  }

  function path(from, to) {
    if (from.left === to.left) {
      const out = from.right + 45;
      return `M${from.right} ${from.middle}C${out} ${from.middle} ${out} ${to.middle} ${to.right} ${to.middle}`;
    }
    const forward = from.left < to.left, start = forward ? from.right : from.left, end = forward ? to.left : to.right;
    const bend = (end - start) / 2;
    return `M${start} ${from.middle}C${start + bend} ${from.middle} ${end - bend} ${to.middle} ${end} ${to.middle}`;
  }

  function draw() {
    const focus = pointed || chosen, wanted = new Set(focus ? focus.lines : []);
    const every = byId("every").checked, services = byId("services").checked;
    let drawn = 0;
    for (let place = 0; place < data.lines.length && (every || drawn < HEAVIEST); place += 1) {
      const [source, destination] = data.lines[place];
      const both = isShown(cards[source]) && isShown(cards[destination]);
      const plain = cards[source].kind === "application" && cards[destination].kind === "application";
      if (both && (services || plain)) { wanted.add(place); drawn += 1; }
    }
    canvas.setAttribute("width", map.scrollWidth);
    canvas.setAttribute("height", map.scrollHeight);
    canvas.classList.toggle("pointed", Boolean(focus));
    const boxes = new Map();
    const at = (n) => boxes.get(n) || boxes.set(n, box(cards[n])).get(n);
    const paths = [];
    for (const place of [...wanted].sort((a, b) => b - a)) {
      const [source, destination, weight] = data.lines[place];
      if (!isShown(cards[source]) || !isShown(cards[destination])) continue;
      const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
      element.setAttribute("d", path(at(source), at(destination)));
      element.setAttribute("stroke-width", Math.min(6, Math.max(1, weight / 2)));
      if (focus && source === focus.n) element.setAttribute("class", "out");
      else if (focus && destination === focus.n) element.setAttribute("class", "in");
      paths.push(element);
    }
    canvas.replaceChildren(...paths);
    const close = focus ? near(focus).add(focus.n) : null;
    for (const card of cards) card.element.classList.toggle("far", Boolean(close) && !close.has(card.n));
  }

  function made(tag, text, kind) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }

  function listed(heading, kind, rows) {
    if (!rows.length) return [];
    const list = made("ul");
    for (const [name, says] of rows) {
      const row = made("li", name, kind);
      row.append(made("small", says));
      list.append(row);
    }
    return [made("h3", `${heading} (${rows.length})`), list];
  }

  function choose(card) {
    if (chosen) chosen.element.removeAttribute("aria-current");
    chosen = card;
    details.hidden = !card;
    if (!card) return;
    card.element.setAttribute("aria-current", "true");
    const lines = card.lines.map((place) => data.lines[place]);
    details.replaceChildren(
      made("h2", card.title), made("p", card.inside.querySelector("p").textContent),
      ...listed("asks", "out", lines.filter((line) => line[0] === card.n).map((line) => [cards[line[1]].title, line[3]])),
      ...listed("is asked by", "in", lines.filter((line) => line[1] === card.n).map((line) => [cards[line[0]].title, line[3]])),
      ...listed("consists of", "", card.entries.map((entry) => [entry.firstChild.textContent, entry.title])),
    );
  }

  function open(card, wide) {
    card.button.setAttribute("aria-expanded", String(wide));
    card.inside.hidden = !wide;
    choose(wide ? card : null);
    card.button.scrollIntoView({ block: "nearest", inline: "nearest" }); // the details have taken room
    draw();
  }

  function moved(card, key) {
    const here = card.button.getBoundingClientRect();
    let best = null, least = Infinity;
    for (const other of cards) {
      if (other === card || !isShown(other)) continue;
      const there = other.button.getBoundingClientRect();
      const right = there.left - here.left, down = there.top - here.top;
      const along = { ArrowRight: right, ArrowLeft: -right, ArrowDown: down, ArrowUp: -down }[key];
      const aside = Math.abs(key === "ArrowRight" || key === "ArrowLeft" ? down : right);
      if (along > 4 && along + 3 * aside < least) { best = other; least = along + 3 * aside; }
    }
    return best;
  }

  for (const card of cards) {
    card.button.addEventListener("click", () => open(card, card.button.getAttribute("aria-expanded") !== "true"));
    card.element.addEventListener("mouseenter", () => { pointed = card; draw(); });
    card.element.addEventListener("mouseleave", () => { pointed = null; draw(); });
    card.button.addEventListener("focus", () => { pointed = card; draw(); });
    card.button.addEventListener("blur", () => { pointed = null; draw(); });
    card.button.addEventListener("keydown", (event) => {
      const next = event.key.startsWith("Arrow") ? moved(card, event.key) : null;
      if (next) { event.preventDefault(); next.button.focus(); }
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement.id !== "search") { event.preventDefault(); byId("search").focus(); }
    if (event.key === "Escape" && chosen) open(chosen, false);
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  window.addEventListener("resize", draw);
  form.hidden = false;
  filter();
})();
