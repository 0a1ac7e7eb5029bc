// The console: three readings every two seconds, and the decisions as they come. It reads and can change nothing.

import { age, byId, chart, duration, node, number, quantile } from "./drawing.js";

const EVERY = 2000;
const MOMENTS = 60;
const ROWS = 200;
const DECISIONS = ["allow", "deny", "redirect"];

const say = (id, text) => { if (byId(id).textContent !== text) byId(id).textContent = text; };
const pill = (text, kind) => node("span", { class: `pill ${kind}` }, text);

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// --- state ---

const moments = [];
const readings = [];

function showState({ status, numbers }) {
  showReady(status);
  showFacts(status);
  showFaults(status);
  say("in-flight", String(status.in_flight));
  say("transport", `${status.transport} transport`);
  const limiter = status.limiter;
  const well = limiter.connected && (limiter.breaker ?? "closed") === "closed";
  say("limiter", well ? limiter.store : "degraded");
  say("limiter-note", limiter.store === "redis" ? (well ? "Redis is connected" : "answered by on_error") : status.answering ? "counted in each process" : "counted in this process");
  showNumbers(numbers);
}

function showReady(status) {
  const ready = byId("ready");
  ready.className = `pill ${status.ready ? "allow" : "deny"}`;
  say("ready", status.ready ? "ready" : "not ready");
}

function showFacts(status) {
  const facts = {
    generation: status.generation,
    policies: status.policy_digest.slice(0, 12) || "none",
    ...(status.policy_commit ? { commit: status.policy_commit.replace(/[0-9a-f]{40,}/g, (name) => name.slice(0, 12)) } : {}),
    loaded: status.policy_age_seconds === null ? "never" : `${age(status.policy_age_seconds)} ago`,
    ...(status.answering ? { workers: `${status.answering.workers} of ${status.answering.of}` } : { worker: status.worker }),
    version: `${status.version} (${status.build})`,
  };
  byId("facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) => node("div", {}, node("dt", {}, name), node("dd", {}, String(value)))),
  );
}

function showFaults(status) {
  byId("faults").hidden = !status.policy_faults.length && !status.policy_expired;
  const old = status.policy_expired ? ` The folders were last seen to hold it ${age(status.policy_confirmed_seconds)} ago.` : "";
  say("faults-about", status.generation ? `Generation ${status.generation} stays in force.${old}` : "Everything is denied.");
  say("faults-text", status.policy_faults.join("\n\n"));
}

function showNumbers(numbers) {
  const now = { at: performance.now(), counts: numbers.durations.counts };
  for (const decision of DECISIONS) {
    now[decision] = numbers.checks.filter((one) => one.decision === decision).reduce((sum, one) => sum + one.count, 0);
  }
  const last = readings.at(-1);
  readings.push(now);
  if (readings.length > MOMENTS + 1) readings.shift();
  if (!last) return;
  const seconds = (now.at - last.at) / 1000;
  const moment = Object.fromEntries(DECISIONS.map((one) => [one, Math.max(0, now[one] - last[one]) / seconds]));
  moments.push(moment);
  if (moments.length > MOMENTS) moments.shift();
  chart(byId("chart"), moments, MOMENTS);
  say("rate", number(moment.allow + moment.deny + moment.redirect));
  showWindow(readings[0], now, numbers.durations.bounds);
}

function showWindow(first, now, bounds) {
  const all = DECISIONS.reduce((sum, one) => sum + now[one] - first[one], 0);
  const denied = now.deny - first.deny;
  say("denied-share", all ? `${((100 * denied) / all).toFixed(denied && denied < all / 10 ? 1 : 0)} %` : "–");
  say("denied-note", all ? `${number(denied)} of ${number(all)} lately` : "no decisions lately");
  const counts = now.counts.map((count, place) => count - first.counts[place]);
  for (const [id, share] of [["p50", 0.5], ["p99", 0.99]]) {
    const found = quantile(share, bounds, counts);
    say(id, found === null ? "–" : duration(found));
  }
}

// --- policies ---

const open = new Set();

function showPolicies(documents) {
  const shown = documents.filter((one) => one.rules.length || one.limits.length);
  const others = documents.length - shown.length;
  say("policies-note", `${shown.length} with rules${others ? `, ${others} other document${others === 1 ? "" : "s"}` : ""}`);
  const focused = document.activeElement?.closest("details")?.id;
  byId("policies").replaceChildren(...shown.map(policy));
  if (focused) byId(focused)?.querySelector("summary").focus();
  if (!shown.length) byId("policies").append(node("p", { class: "empty" }, "No policies are loaded: everything is denied."));
}

function counts(said) {
  const kinds = { ok: "allow", over: "deny", degraded_deny: "deny", degraded_allow: "redirect" };
  const kind = (outcome) => (outcome.startsWith("would") ? "redirect" : (kinds[outcome] ?? outcome));
  const found = Object.entries(said).filter(([outcome]) => outcome !== "none");
  return node("span", { class: "counts" }, ...found.map(([outcome, count]) => pill(`${outcome.replace("_", " ")} ${number(count)}`, kind(outcome))));
}

function policy(one) {
  const key = `${one.kind}/${one.name}`.toLowerCase();
  const rows = [
    ...one.rules.map((rule) => row(rule.name, rule.effect + (rule.mode === "enforce" ? "" : `, ${rule.mode}`), rule.said)),
    ...one.limits.map((limit) => row(limit.name, "limit", limit.said)),
  ];
  const mode = one.mode && one.mode !== "enforce" ? [pill(one.mode, "redirect")] : [];
  const made = node("details", { id: key },
    node("summary", {}, node("strong", {}, one.name), node("span", { class: "note" }, one.kind), ...mode, counts(one.said)),
    node("div", { class: "document" },
      ...(one.description ? [node("p", {}, one.description)] : []),
      node("p", { class: "mono" }, `${one.file}:${one.line}`),
      ...[one.labels, one.annotations].flatMap(Object.entries).map(([name, text]) => node("p", { class: "soft" }, `${name}: ${text}`)),
      node("table", {},
        node("thead", {}, node("tr", {}, ...["Rule or limit", "Does", "Said"].map((text) => node("th", {}, text)))),
        node("tbody", {}, ...rows))));
  made.open = open.has(key);
  made.addEventListener("toggle", () => (made.open ? open.add(key) : open.delete(key)));
  return made;
}

function row(name, does, said) {
  return node("tr", {}, node("td", { class: "mono" }, name), node("td", {}, does), node("td", {}, counts(said)));
}

// What settled a decision: the rule, and where another reason than that rule turned it, the reason; then what is said of it.
function settled({ policy, rule, reason }, details) {
  const plain = ["allowed", "deny_rule", "redirect_rule"].includes(reason);
  const lines = policy ? [`${policy}/${rule ?? ""}`, ...(plain ? [] : [reason])] : [reason];
  const [first, ...more] = [...lines, ...details.filter(Boolean)];
  return [first, ...more.flatMap((text) => [node("br"), node("span", { class: "soft" }, text)])];
}

// --- candidate ---

const COMPARED = { newly_denied: "deny", newly_allowed: "allow", changed: "redirect" };

function showCandidate(candidate, table) {
  byId("candidate").hidden = !candidate;
  if (!candidate) return;
  const found = Object.entries(candidate.outcomes).filter(([, count]) => count);
  byId("candidate-outcomes").replaceChildren(
    node("span", { class: "counts" }, ...found.map(([outcome, count]) => pill(`${outcome.replace("_", " ")} ${number(count)}`, COMPARED[outcome] ?? "none"))));
  const which = candidate.generation ? `${candidate.policy_digest.slice(0, 12)}, ${number(100 * candidate.share)} % of requests` : "none can be compared";
  say("candidate-note", which + (table.others ? `, ${number(table.others)} more of other kinds` : ""));
  byId("candidate-faults").hidden = !candidate.policy_faults.length;
  say("candidate-faults", candidate.policy_faults.join("\n\n"));
  byId("disagreements-empty").hidden = table.groups.length > 0;
  byId("disagreements").replaceChildren(...table.groups.map(disagreement));
}

function disagreement(group) {
  const examples = group.examples.map((one) => node("span", { class: "mono", title: `decision ${one.id}, ${one.time}` }, node("strong", {}, group.method), ` ${one.path} `, node("span", { class: "soft" }, one.host), node("br")));
  return node("tr", {},
    node("td", {}, pill(group.outcome.replace("_", " "), COMPARED[group.outcome])),
    node("td", { class: "request" }, ...(group.route ? [group.route, node("br")] : []), ...examples),
    node("td", {}, ...side(group.live)),
    node("td", {}, ...side(group.candidate)),
    node("td", { class: "number" }, number(group.count)));
}

const side = (said) => [pill(`${said.decision} ${said.status}`, said.decision), node("br"), ...settled(said, [])];

// --- denied most ---

function showDenied({ total, most }) {
  say("denied-total", total ? `${number(total)} since the start` : "");
  byId("denied-empty").hidden = most.length > 0;
  byId("denied").replaceChildren(...most.slice(0, 25).map(({ denial, count, above }) => {
    const share = node("span", { class: "share" });
    share.style.width = `${Math.max(1, (100 * count) / total)}%`;
    const exact = above ? { title: `at least ${count - above}` } : {};
    return node("tr", {},
      node("td", {}, node("span", { class: "mono" }, denial.who || "unknown"), node("br"), node("span", { class: "soft" }, denial.by)),
      node("td", {}, ...settled(denial, []), share),
      node("td", { class: "number", ...exact }, (above ? "≤ " : "") + number(count)));
  }));
}

// --- live decisions ---

let source = null;
let missed = 0;
const wanted = { decision: "", text: "" };

function watch() {
  source?.close();
  source = new EventSource(`api/decisions?${new URLSearchParams(wanted)}`);
  source.addEventListener("message", (event) => showDecisions(JSON.parse(event.data)));
  source.addEventListener("error", () => say("missed", "connecting…"));
  source.addEventListener("open", () => say("missed", ""));
}

function showDecisions(event) {
  missed += event.missed;
  say("missed", missed ? `${number(missed)} more not shown` : "");
  const body = byId("decisions");
  body.prepend(...event.decisions.reverse().map(decision));
  while (body.rows.length > ROWS) body.lastChild.remove();
  byId("decisions-empty").hidden = body.rows.length > 0;
}

function decision(record) {
  const request = record.request;
  const errors = record.documents.filter((one) => one.error).map((one) => `${one.name}/${one.rule ?? ""}: ${one.error}`);
  return node("tr", { title: `decision ${record.id}${record.trace_id ? `, trace ${record.trace_id}` : ""}` },
    node("td", { class: "mono soft" }, node("a", { href: `explain?id=${encodeURIComponent(record.id)}` }, record.time.slice(11, 23))),
    node("td", {}, pill(`${record.decision} ${record.status}`, record.decision)),
    node("td", { class: "request mono" }, ...(request ? [node("strong", {}, request.method), ` ${request.path} `, node("span", { class: "soft" }, request.host)] : ["no request"])),
    node("td", {}, ...settled(record, [record.detail, ...errors])),
    node("td", {}, record.identity.subject || record.client || "unknown", node("br"), node("span", { class: "soft" }, record.identity.subject ? record.identity.provider : "address")),
    node("td", { class: "number" }, duration(record.duration_us / 1e6)));
}

function choose(decisionWanted) {
  wanted.decision = decisionWanted;
  for (const button of document.querySelectorAll("[data-decision]")) {
    button.setAttribute("aria-pressed", String(button.dataset.decision === decisionWanted));
  }
  restart();
}

function restart() {
  missed = 0;
  byId("decisions").replaceChildren();
  byId("decisions-empty").hidden = false;
  if (source) watch();
}

function pause() {
  const paused = source !== null;
  byId("pause").setAttribute("aria-pressed", String(paused));
  say("pause", paused ? "Resume" : "Pause");
  if (!paused) return watch();
  source.close();
  source = null;
}

let typing = 0;
byId("text").addEventListener("input", (event) => {
  wanted.text = event.target.value.trim();
  clearTimeout(typing);
  typing = setTimeout(restart, 200);
});
byId("pause").addEventListener("click", pause);
for (const button of document.querySelectorAll("[data-decision]")) {
  button.addEventListener("click", () => choose(button.dataset.decision));
}

async function refresh() {
  try {
    const [state, policies, denied] = await Promise.all(["api/state", "api/policies", "api/denied"].map(read));
    showState(state);
    showPolicies(policies);
    showDenied(denied);
    const candidate = state.status.candidate;
    showCandidate(candidate, candidate && (await read("api/candidate")));
  } catch {
    byId("ready").className = "pill deny";
    say("ready", "not reachable");
  }
  setTimeout(refresh, document.hidden ? 5 * EVERY : EVERY);
}

watch();
refresh();
