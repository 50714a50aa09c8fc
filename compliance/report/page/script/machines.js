// The table of virtual machines, worst first: a row for each machine and direction.
const HEADS = [
  ["name", "Virtual machine"], ["from", "Primary → replica"], ["address", "Failover address"], ["today", "Address today"],
  ["ready", "Readiness"], ["reason", "Reason"], ["remedy", "What to do"],
];
const HEADS_BY_DIRECTION = { failback: "Replica → primary", all: "From → to", "extended failover": "Primary → extended replica" };
const keyOf = (row) => `${machines.guid[rows.machine[row]]} ${data.directions[rows.direction[row]]}`;
const wordOf = (row) => {
  const word = rows.word[row];
  const condition = rows.condition[row] ? ` ${texts[rows.condition[row]]}` : "";
  const cover = rows.cover[row] ? make("span", { class: "small cover" }, data.covers[rows.cover[row]]) : "";
  return [mark(LETTERS[word], `${words[word]}${condition}`), cover];
};
const heads = () => HEADS.map(([name, label]) => {
  const [sort, way] = chosen.sort.split(" ");
  const isOn = (sort || "ready") === name;
  const isDown = isOn && way === "down";
  const shown = name === "from" ? HEADS_BY_DIRECTION[chosen.direction] || label : label;
  const button = action(shown, { class: "sort", "data-sort": name }, () => {
    choose({ sort: isOn && !isDown ? `${name} down` : name === "ready" ? "" : name, open: "" });
    document.querySelector(`[data-sort=${name}]`).focus();
  });
  if (isOn) button.append(make("span", { "aria-hidden": "true" }, isDown ? " ▼" : " ▲"));
  return make("th", { scope: "col", class: `col-${name}`, "aria-sort": isOn ? (isDown ? "descending" : "ascending") : null }, button);
});
// In the table four lines of it; the row opens to all of it.
const long = (text) => make("div", { class: "most" }, texts[text] || "–");
const drawRow = (row) => {
  const machine = rows.machine[row];
  const opener = make("button", { type: "button", class: "opener", "aria-expanded": "false" }, make("span", { "aria-hidden": "true", class: "arrow" }, "▸"), ` ${machines.name[machine]}`);
  const direction = chosen.direction === "all" ? make("span", { class: "small" }, ` ${data.directions[rows.direction[row]]}`) : "";
  const route = [make("span", { class: "server" }, serverName(leaves(row))), " ", make("span", { class: "server" }, `→ ${serverName(arrives(row))}`)];
  const cells = [
    make("th", { scope: "row" }, opener, direction),
    ...[route, addresses[rows.address[row]] || "–", addresses[rows.today[row]] || "not known", wordOf(row), long(rows.reason[row]), long(rows.remedy[row])]
      .map((cell, at) => make("td", { "data-head": HEADS[at + 1][1], class: `col-${HEADS[at + 1][0]}` }, cell)),
  ];
  const line = make("tr", { class: "machine", "data-key": keyOf(row) }, cells);
  opener.addEventListener("click", () => {
    const isOpen = opener.getAttribute("aria-expanded") === "true";
    if (isOpen) closeRow(line);
    else openRow(line, row);
    chosen.open = isOpen ? "" : keyOf(row);
    try {
      history.replaceState(null, "", addressOf(chosen));
    } catch { // see choose
    }
  });
  return line;
};
const closeRow = (line) => {
  line.querySelector(".opener").setAttribute("aria-expanded", "false");
  line.querySelector(".arrow").textContent = "▸";
  if (line.nextElementSibling && line.nextElementSibling.classList.contains("story")) line.nextElementSibling.remove();
};
const openRow = (line, row) => {
  line.querySelector(".opener").setAttribute("aria-expanded", "true");
  line.querySelector(".arrow").textContent = "▾";
  const cell = make("td", { colspan: HEADS.length });
  line.after(make("tr", { class: "story" }, cell));
  withBlock(Math.floor(rows.machine[row] / raw.block), (block) => cell.replaceChildren(...story(row, block)));
};
// A text that stands for the first time is written as -1: it is the next one of the block's list.
const numbered = (block) => {
  let last = 0;
  const number = (cited) => cited.forEach((at, place) => { if (at < 0) cited[place] = ++last; });
  for (const [sides, details] of block.machines) {
    for (const [, cited, way] of sides) {
      number(cited);
      for (const [, , lines] of way) number(lines);
    }
    for (const [cited] of details) number(cited);
  }
  return block;
};
const blockCache = new Map();
const withBlock = (at, use) => {
  if (blockCache.has(at)) return use(blockCache.get(at));
  withUnpacked(raw.blocks[at], (block) => {
    blockCache.set(at, numbered(block));
    use(block);
  }, () => {});
};
const drawMachines = () => {
  const { counts, list } = filtered();
  showFilters(counts);
  const body = make("tbody", {});
  const caption = `Virtual machines, ${chosen.direction === "all" ? "in every direction" : `at a ${chosen.direction}`}`;
  const table = make("table", { class: "cards machines" }, make("caption", { class: "away" }, caption), make("thead", {}, make("tr", {}, heads())), body);
  let items = list;
  const opened = chosen.open && list.findIndex((row) => keyOf(row) === chosen.open);
  if (opened >= STEP) items = [list[opened], ...list.slice(0, opened), ...list.slice(opened + 1)]; // a view that was sent
  const more = grow(body, items, drawRow, chosen.direction === "all" ? "row" : "machine");
  if (chosen.open && opened >= 0) {
    const line = [...body.children].find((each) => each.dataset.key === chosen.open);
    openRow(line, items.find((row) => keyOf(row) === chosen.open));
  }
  const ofAll = chosen.direction === "all" ? total : rows.direction.reduce((count, at) => count + (data.directions[at] === chosen.direction), 0);
  const beyond = list.length ? "" : " Nothing matches: clear the filters.";
  return [
    `${number.format(list.length)} of ${plural(ofAll, chosen.direction === "all" ? "row" : "machine")}${chosen.direction === "all" ? "" : `, ${chosen.direction}`}.${beyond}`,
    make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, table), more,
  ];
};
