// What is shown: kept in the address behind #, so that a view can be sent, and read from there.
const DEFAULTS = {
  view: "machines", direction: DEFAULT_DIRECTION, ready: "", leaving: "", arriving: "", side: "", server: "", group: "",
  cause: "", text: "", sort: "", open: "",
};
const NARROWING = ["direction", "ready", "leaving", "arriving", "side", "server", "group", "cause", "text"];
const chosen = { ...DEFAULTS };
const readAddress = () => {
  let hash = location.hash.slice(1);
  if (hash && !hash.includes("=")) hash = `view=${hash}`;
  const given = new URLSearchParams(hash);
  for (const [name, value] of Object.entries(DEFAULTS)) chosen[name] = given.has(name) ? given.get(name) : value;
  if (!(chosen.view in VIEWS)) chosen.view = "machines";
};
const addressOf = (state) => {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (state[name] !== value) given.set(name, state[name]);
  return `#${given}`;
};
const choose = (changes, isTyping) => {
  Object.assign(chosen, changes);
  const address = addressOf(chosen);
  try {
    if (isTyping) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  } catch { // a browser may refuse many in a short while: the view is drawn all the same
  }
  draw();
};
const isNarrowed = () => NARROWING.some((name) => chosen[name] !== DEFAULTS[name]);

// --- which rows hold ---

const distinct = (values) => [...new Set(values)].filter(Boolean).sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
let folds = null; // texts, addresses, names and servers in the letters that are searched
const foldAll = () => {
  folds = folds || {
    texts: texts.map(folded), addresses: addresses.map(folded), names: machines.name.map(folded),
    guids: machines.guid.map(folded), servers: servers.map((server) => folded(server.name)),
  };
  return folds;
};
const flags = (list, text) => Uint8Array.from(list, (each) => (each.includes(text) ? 1 : 0));
const searcher = (typed) => {
  const text = folded(typed.trim());
  if (!text) return () => true;
  const all = foldAll();
  const slash = text.indexOf("/"); // server/machine, as other reports call it
  const [of, name] = slash > 0 ? [text.slice(0, slash), text.slice(slash + 1)] : ["", text];
  const [inTexts, inAddresses, inNames, inGuids, inServers] = [all.texts, all.addresses, all.names, all.guids, all.servers].map((list) => flags(list, text));
  const places = servers.map((server, at) => all.servers[at] === of || folded(server.cluster || "") === of);
  const parts = flags(all.names, name);
  return (row) => {
    const [machine, from, to] = [rows.machine[row], rows.from[row], rows.to[row]];
    return inNames[machine] || inGuids[machine] || inTexts[rows.reason[row]] || inTexts[rows.condition[row]] || inAddresses[rows.address[row]] ||
      inAddresses[rows.today[row]] || inServers[from] || inServers[to] || (of && parts[machine] && (places[from] || places[to]));
  };
};
const serverFlags = () => {
  if (!chosen.server && !chosen.group) return null;
  return servers.map((server) =>
    (!chosen.server || server.name === chosen.server || server.cluster === chosen.server) && (!chosen.group || server.groups.includes(chosen.group)));
};
const holdsSide = (at, fit) => at >= 0 && (!fit || fit[at]);
// All filters but the cause's, whose choices are counted among what these leave.
const filteredRows = () => {
  const direction = data.directions.indexOf(chosen.direction);
  const word = words.indexOf(chosen.ready);
  const fit = serverFlags();
  const search = searcher(chosen.text);
  const [primary, replica] = [chosen.side !== "replica", chosen.side !== "primary"];
  const found = [];
  for (let row = 0; row < total; row++) {
    if (direction >= 0 && rows.direction[row] !== direction) continue;
    if (word >= 0 && rows.word[row] !== word) continue;
    if (chosen.leaving && siteOf(leaves(row)) !== chosen.leaving) continue;
    if (chosen.arriving && siteOf(arrives(row)) !== chosen.arriving) continue;
    if ((fit || chosen.side) && !((primary && holdsSide(rows.from[row], fit)) || (replica && holdsSide(rows.to[row], fit)))) continue;
    if (search(row)) found.push(row);
  }
  return found;
};
const causeNumber = () => texts.indexOf(chosen.cause);
const filtered = () => {
  const found = filteredRows();
  const counts = new Map();
  for (const row of found) if (rows.cause[row]) counts.set(rows.cause[row], (counts.get(rows.cause[row]) || 0) + 1);
  const cause = causeNumber();
  const list = chosen.cause ? found.filter((row) => rows.cause[row] === cause) : found;
  const [name, way] = chosen.sort.split(" ");
  return { counts, list: inOrder(list, KEYS[name] || KEYS.ready, way === "down") };
};

// --- the form ---

const fields = {};
const field = (name, label, options, all = "all") => {
  const select = make("select", { name });
  fields[name] = { select, all };
  setOptions(name, options);
  select.addEventListener("change", () => choose({ [name]: select.value }));
  return make("label", {}, label, select);
};
const setOptions = (name, options) => {
  const { select, all } = fields[name];
  const given = options.some(([value]) => value === chosen[name]) || [DEFAULTS[name], ""].includes(chosen[name]) ? options : [[chosen[name], chosen[name]], ...options];
  select.replaceChildren(...(all ? [make("option", { value: "" }, all)] : []), ...given.map(([value, words]) => make("option", { value }, words)));
  select.value = chosen[name];
};
const pairs = (values) => values.map((value) => [value, value]);
const used = new Set([...rows.from, ...rows.to]);
const sites = distinct(servers.filter((_, at) => used.has(at)).map((server) => server.site));
const drawFilters = () => {
  const form = document.getElementById("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  const input = make("input", { type: "search", name: "text", autocomplete: "off", spellcheck: "false" });
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => choose({ text: input.value }, true), 120);
  });
  fields.text = { select: input };
  const directions = data.directions.filter((_, at) => rows.direction.includes(at)).map((name) => [name, name]);
  form.replaceChildren(
    make("label", {}, "Name, address or reason", input),
    field("direction", "Direction", [...directions, ["all", "all"]], null),
    field("ready", "Readiness", pairs(words.filter((_, at) => rows.word.includes(at)))),
    field("cause", "Cause", []),
    ...(sites.length > 1 ? [field("leaving", "From site", pairs(sites)), field("arriving", "To site", pairs(sites))] : []),
    field("side", "Side", pairs(["primary", "replica"]), "either"),
    field("server", "Server or cluster", pairs(distinct(servers.map((server) => server.name)))),
    ...(servers.some((server) => server.groups.length) ? [field("group", "Group", pairs(distinct(servers.flatMap((server) => server.groups))))] : []),
  );
};
const showFilters = (counts) => {
  const causes = [...counts].sort((one, other) => other[1] - one[1]);
  setOptions("cause", causes.map(([cause, count]) => [texts[cause], `${number.format(count)} – ${texts[cause]}`]));
  for (const [name, { select }] of Object.entries(fields)) {
    if (select.value !== chosen[name] && document.activeElement !== select) select.value = chosen[name];
  }
  for (const tile of document.querySelectorAll("[data-ready]")) {
    const isOn = tile.dataset.ready === chosen.ready && tile.dataset.direction === chosen.direction;
    tile.setAttribute("aria-pressed", String(isOn));
  }
};
const wireButtons = () => {
  document.getElementById("clear").addEventListener("click", () => {
    choose({ ...DEFAULTS });
    fields.text.select.focus();
  });
  for (const tile of document.querySelectorAll("[data-ready]")) {
    tile.addEventListener("click", () => {
      const isOn = tile.getAttribute("aria-pressed") === "true";
      choose({ view: "machines", direction: tile.dataset.direction, ready: isOn ? "" : tile.dataset.ready, cause: "", open: "" });
    });
  }
};
