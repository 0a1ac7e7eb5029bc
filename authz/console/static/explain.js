// One decision as a tree: documents, rules, each part of a condition with its value, limits, and what was missing.

import { byId, node } from "./drawing.js";

const QUIET = ["", ".", "?.", "[]", "[?]"];
const MARKS = { "holds": "✓", "does not hold": "✗", "error": "!", "undetermined": "?" };

const LEFT = { charged: "left", peeked: "left now; nothing was charged", whole: "left if nobody asked before" };

const list = (items) => node("ul", {}, ...items.map((item) => node("li", {}, ...[item].flat())));
const mono = (text) => node("span", { class: "mono" }, text);
const soft = (text) => node("span", { class: "soft" }, text);
const pill = (text, kind) => node("span", { class: `pill ${kind}` }, text);
const titled = (title, ...content) => node("section", {}, node("h3", {}, title), ...content);

function value(part) {
  if (part.error) return node("span", { class: "value error mono" }, `error: ${part.error}`);
  if (part.asked === false) return soft("not asked");
  const values = part.values ?? [];
  const text = values.map((one) => JSON.stringify(one)).join(", ");
  const kind = values.length === 1 && typeof values[0] === "boolean" ? String(values[0]) : "";
  return node("span", { class: `value mono ${kind}` }, text);
}

function part(one) {
  const below = one.asked === false || QUIET.includes(one.operator ?? "") ? [] : (one.parts ?? []).filter((each) => !each.literal);
  const line = [mono(one.text), " = ", value(one)];
  const shown = one.asked === false ? [node("span", { class: "off" }, mono(one.text), " ", value(one))] : line;
  return below.length ? [...shown, list(below.map(part))] : shown;
}

function term(one) {
  if (one.certain === false) return list([[mono(one.whole.text), " = ", value(one.whole), soft(" (its parts cannot be shown)")]]);
  return list([part(one.whole)]);
}

function missing(one) {
  const line = [mono(one.text), ...(one.found ? [soft(` (${one.found})`)] : [])];
  const ways = one.either ?? [];
  if (!ways.length) return line;
  if (ways.length === 1) return [...line, list(ways[0].map(missing))];
  return [...line, list(ways.map((way, number) => [soft(number ? "or" : "either"), list(way.map(missing))]))];
}

function rule(one) {
  const kind = one.said === "error" ? "deny" : one.said === "holds" ? (one.effect === "allow" ? "allow" : one.effect) : "";
  const mode = one.mode === "enforce" ? [] : [" ", pill(one.mode, "redirect")];
  const line = [`${MARKS[one.said]} ${one.effect} `, node("strong", {}, one.name), " ", pill(one.said, kind), ...mode,
    ...(one.settled ? [" ", soft("settled it")] : []), ...(one.error ? [" ", soft(one.error)] : [])];
  return [...line, ...(one.when ? [node("div", {}, soft("when")), term(one.when)] : []), ...(one.condition ? [term(one.condition)] : [])];
}

function limit(one, left) {
  const name = ["limit ", node("strong", {}, one.name), " "];
  if (one.error) return [...name, soft(one.error)];
  if (!one.applies) return [...name, soft("does not apply")];
  const key = (one.key ?? []).map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join(", ") || "everybody";
  const said = one.outcome ? `${one.outcome.replace("_", " ")}, ${one.remaining} ${left}` : "not charged";
  return [...name, "for ", mono(key), soft(` cost ${one.cost}: ${said}`)];
}

function documentOf(one, left) {
  const variables = Object.entries(one.variables ?? {}).map(([name, each]) => [mono(name), term(each)]);
  const validations = Object.entries(one.validations ?? {}).map(([name, said]) => [`validation ${name}: ${said}`]);
  const items = [...variables, ...validations, ...(one.rules ?? []).map(rule), ...(one.limits ?? []).map((each) => limit(each, left))];
  const where = `${one.file}:${one.line}, by ${one.route}${one.mode === "enforce" ? "" : `, ${one.mode}`}`;
  return titled(`${one.kind} ${one.name}`, node("p", { class: "note" }, `${where}: ${one.outcome}${one.error ? `: ${one.error}` : ""}`), list(items));
}

function who(identity) {
  if (!identity.authenticated) return `nobody${identity.error ? `: ${identity.error}` : ""}${identity.detail ? `: ${identity.detail}` : ""}`;
  const granted = ["roles", "groups", "scopes"].filter((name) => identity[name].length).map((name) => `${name} ${identity[name].join(", ")}`);
  return [`${identity.provider}: ${identity.subject}`, ...granted].join("; ");
}

function show(one) {
  const { decision, request, identity, documents, near, ways } = one;
  const by = [decision.policy, decision.rule].filter(Boolean).join("/");
  byId("answer").hidden = false;
  byId("headline").replaceChildren(pill(`${decision.effect} ${decision.status}`, decision.effect), ` ${decision.reason}${by ? ` by ${by}` : ""}`);
  const wanted = ways.map((way) => [[way.document, way.rule].filter(Boolean).join("/") || "first", list((way.missing ?? []).map(missing))]);
  const nearly = near.map((each) => [`${each.kind} ${each.name} `, soft(`${each.file}:${each.line}: ${each.because}`)]);
  byId("explained").replaceChildren(
    ...(wanted.length ? [titled("To be allowed it would have needed", list(wanted))] : []),
    titled("Request", list([[mono(`${request.method} ${request.host}${request.path}`), soft(` from ${request.client}`)], [`identity ${who(identity)}`]])),
    ...documents.map((each) => documentOf(each, LEFT[one.counts])),
    ...(nearly.length ? [titled("Nearly governed by", list(nearly))] : []));
  byId("answer").scrollIntoView();
}

async function explain(query) {
  byId("said").textContent = "…";
  try {
    const answer = await fetch(`api/explain?${query}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text.trim());
    byId("said").textContent = "";
    show(JSON.parse(text));
  } catch (error) {
    byId("answer").hidden = true;
    byId("said").textContent = error.message;
  }
}

byId("asked").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  const query = new URLSearchParams();
  for (const name of ["method", "url", "ip", "at", "data", "as", "claims"]) {
    const text = String(given.get(name) ?? "").trim();
    if (text) query.set(name, text);
  }
  for (const line of String(given.get("headers")).split("\n")) if (line.trim()) query.append("header", line);
  explain(query);
});

byId("known").addEventListener("submit", (event) => {
  event.preventDefault();
  explain(new URLSearchParams({ id: String(new FormData(event.target).get("id")).trim() }));
});

const id = new URLSearchParams(location.search).get("id");
if (id) {
  byId("known").elements.id.value = id;
  explain(new URLSearchParams({ id }));
}
