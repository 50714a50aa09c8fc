// On paper: every machine that somebody is to see to, in full. What is written in the page itself holds without
// filters; with some, it is drawn anew from what they leave.
const MOST_ON_PAPER = 200;
const describeFilters = () => NARROWING.filter((name) => chosen[name] !== DEFAULTS[name] || name === "direction")
  .map((name) => `${FILTER_WORDS[name]}: ${chosen[name]}`).join("; ");
const FILTER_WORDS = {
  direction: "direction", ready: "readiness", leaving: "from site", arriving: "to site", side: "side", server: "server", group: "group", cause: "cause", text: "text",
};
const paperLines = (row) => [
  make("p", {}, `${capital(data.directions[rows.direction[row]])}, ${serverName(leaves(row))} → ${serverName(arrives(row))}: `, wordOf(row),
    `: ${texts[rows.reason[row]]}. Failover address: ${addresses[rows.address[row]] || "none"}; today: ${addresses[rows.today[row]] || "not known"}.`),
  texts[rows.remedy[row]] ? make("p", {}, `What to do: ${texts[rows.remedy[row]]}`) : "",
];
const paperItem = ([machine, list]) => make("li", {}, make("h3", {}, machines.name[machine]), list.flatMap(paperLines));
const drawPaper = () => {
  for (const box of document.querySelectorAll("header details, .evidence details")) box.open = true;
  const paper = document.getElementById("paper-machines");
  const old = document.getElementById("paper-filtered");
  if (old) old.remove();
  paper.hidden = isNarrowed();
  if (!isNarrowed()) return;
  const { list } = filtered();
  const open = groupsBy(chosen.ready ? list : list.filter((row) => rows.word[row] < 2 || texts[rows.remedy[row]]), (row) => rows.machine[row]);
  const rest = open.length - MOST_ON_PAPER;
  paper.after(make("div", { id: "paper-filtered" },
    make("h2", {}, `${plural(open.length, "machine")} ${chosen.ready ? chosen.ready : "to see to"}`),
    make("p", {}, `Filters: ${describeFilters()}.`),
    make("ul", {}, open.slice(0, MOST_ON_PAPER).map(paperItem)),
    rest > 0 ? make("p", {}, `And ${number.format(rest)} more: see results.csv and this page on a screen.`) : ""));
};
window.addEventListener("beforeprint", drawPaper);
