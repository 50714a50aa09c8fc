// Large data is packed. A browser that can't unpack it shows what is written in the page itself.
const octets = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const signs = atob(text);
  const found = new Uint8Array(signs.length);
  for (let at = 0; at < signs.length; at++) found[at] = signs.charCodeAt(at);
  return found;
};
const inflate = async (text) => {
  const stream = new Blob([octets(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};
const withUnpacked = (packed, use, fail) => {
  if (typeof packed === "string") inflate(packed).then(use).catch(fail);
  else use(packed);
};
document.body.classList.remove("static");
const raw = JSON.parse(document.getElementById("data").textContent);
withUnpacked(raw.main, begin, (error) => {
  document.body.classList.add("static");
  document.getElementById("status").textContent =
    typeof DecompressionStream === "undefined"
      ? "This browser can't unpack the data of so many machines: use a newer one, or results.csv. The worst are below."
      : `The page could not be drawn (${error}): see results.csv. The worst machines are below.`;
});
