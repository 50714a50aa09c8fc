// The columns, and what is made of them once.
const { rows, machines, servers, findings, rules, texts, addresses, words } = data;
const total = rows.machine.length;
const findingCount = (findings.rule || []).length;
const FAILBACK = data.directions.indexOf("failback");
const firstAsked = data.asked.find((direction) => rows.direction.includes(direction));
const DEFAULT_DIRECTION = firstAsked === undefined ? "all" : data.directions[firstAsked];
const isBack = (row) => rows.direction[row] === FAILBACK;
const leaves = (row) => (isBack(row) ? rows.to[row] : rows.from[row]);
const arrives = (row) => (isBack(row) ? rows.from[row] : rows.to[row]);
const serverName = (at) => (at < 0 ? "not seen" : servers[at].name);
const siteOf = (at) => (at < 0 ? "" : servers[at].site);

const rowsOf = machines.name.map(() => []);
for (let row = 0; row < total; row++) rowsOf[rows.machine[row]].push(row);
const findingsOf = new Map(); // machine, or -1 - server or cluster, or null -> its findings
for (let at = 0; at < findingCount; at++) {
  const subject = findings.subject[at];
  if (!findingsOf.has(subject)) findingsOf.set(subject, []);
  findingsOf.get(subject).push(at);
}

// --- order: numbers sort as their texts, so that no text is ever compared here ---

const serverRank = new Int32Array(servers.length);
servers.map((server, at) => at)
  .sort((one, other) => servers[one].name.localeCompare(servers[other].name, "en", { numeric: true }))
  .forEach((at, rank) => { serverRank[at] = rank + 1; });
const rankOf = (at) => (at < 0 ? servers.length + 1 : serverRank[at]);
const last = (value) => (value === 0 ? 1e7 : value);
const KEYS = {
  name: (row) => rows.machine[row],
  from: (row) => rankOf(leaves(row)) * (servers.length + 2) + rankOf(arrives(row)),
  address: (row) => last(rows.address[row]),
  today: (row) => last(rows.today[row]),
  ready: (row) => rows.word[row] * 4 + (rows.cover[row] ? 1 : 0),
  reason: (row) => last(rows.reason[row]),
  remedy: (row) => last(rows.remedy[row]),
};
const sorted = (list, key, isDown, place) => {
  const keys = new Float64Array(list.length);
  const sign = isDown ? -1 : 1;
  for (let at = 0; at < list.length; at++) keys[at] = sign * key(list[at]) * (total + 1) + place[list[at]];
  return [keys.sort(), total + 1];
};
const inOrder = (list, key, isDown) => {
  const [keys, size] = sorted(list, key, isDown, worstPlace);
  return Array.from(keys, (value) => worstFirst[((value % size) + size) % size]);
};
// Worst first, then by name, since machines are numbered by it. It also decides between equals of any other order.
const byRow = Int32Array.from({ length: total }, (_, row) => row);
const worstFirst = Array.from(sorted(byRow, KEYS.ready, false, byRow)[0], (value) => value % (total + 1));
const worstPlace = new Int32Array(total);
worstFirst.forEach((row, place) => { worstPlace[row] = place; });
