// The review page's keys and buttons. Rows come from the server as finished, escaped HTML; a decision
// shows only after the server has said that it is on the disk.

const main = document.querySelector("#row");
const message = document.querySelector("#message");
const help = document.querySelector("#help");
const zoom = document.querySelector("#zoom");
const filters = new URLSearchParams(location.search);
filters.delete("row");

let current = 0; // which annotation the keys are about
let work = Promise.resolve(); // what keys and buttons asked for, one after the other, none lost
let prefetched = null; // {number, answer}: the next row, asked for ahead

const article = () => main.querySelector("article");
const annotations = () => [...main.querySelectorAll(".annotation")];
const isJudged = () => main.querySelector("[data-verdict]") !== null;

// --- rows ---------------------------------------------------------------------------------------

function tell(words) {
  message.textContent = words;
  message.hidden = !words;
}

function show(answer, keepPlace) {
  const scrolled = [...main.querySelectorAll("section")].map((section) => section.scrollTop);
  main.innerHTML = answer.html;
  main.dataset.next = answer.next ?? "";
  main.dataset.previous = answer.previous ?? "";
  const count = (value) => value.toLocaleString("en");
  document.querySelector("#place").textContent = `${count(answer.position)} / ${count(answer.total)}`;
  document.querySelector("#done").textContent = count(answer.done);
  document.querySelector("#progress progress").value = answer.done;
  if (keepPlace) main.querySelectorAll("section").forEach((it, i) => (it.scrollTop = scrolled[i] ?? 0));
  else scrollTo(0, 0);
  settle(keepPlace ? current : 0, keepPlace);
}

function settle(place, keepPlace) {
  const next = document.querySelector("#next");
  next.disabled = !article();
  document.querySelector("#previous").disabled = main.dataset.previous === "";
  if (!article()) return;
  choose(Math.min(place, annotations().length - 1), !keepPlace);
  const url = new URL(location.href);
  url.searchParams.set("row", article().dataset.number);
  history.replaceState(null, "", url);
  prefetch();
}

async function fetched(place) {
  const response = await fetch(`/rows/${place}?${filters}`);
  if (!response.ok) throw new Error((await response.json()).error);
  return response.json();
}

function prefetch() {
  const place = main.dataset.next;
  if (prefetched?.place === place) return;
  prefetched = place === "" ? null : { place, answer: fetched(place).catch(() => null) };
  prefetched?.answer.then((answer) => {
    const picture = answer?.html.match(/src="(\/pictures\/\d+\/\d+)"/);
    if (picture) new Image().src = picture[1];
  });
}

async function go(place) {
  if (place === "") return;
  tell("");
  try {
    // Where reviewed rows leave the list, what was fetched ahead has another place in it by now.
    const isCurrent = prefetched?.place === place && filters.get("only") !== "open";
    const ready = isCurrent ? await prefetched.answer : null;
    prefetched = null;
    show(ready ? { ...ready, done: shownAsDone() } : await fetched(place), false);
  } catch {
    tell("The row did not come: is pr1 review still running? Nothing is lost; try again.");
  }
}

const shownAsDone = () => document.querySelector("#progress progress").value;

// --- decisions ----------------------------------------------------------------------------------

async function decide(choice) {
  if (!article()) return null;
  document.body.classList.add("busy");
  const { number, version } = article().dataset;
  try {
    const response = await fetch(`/decisions?${filters}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ number: Number(number), seen: Number(version), choice }),
    });
    const answer = await response.json();
    tell(answer.error ?? "");
    if (answer.html !== undefined) show(answer, true);
    return response.ok ? answer : null;
  } catch {
    tell("NOT SAVED: the server does not answer. Start pr1 review again and repeat the decision; what showed as saved is on the disk.");
    return null;
  } finally {
    document.body.classList.remove("busy");
  }
}

async function decideOn(key, choice) {
  if (key === undefined) return;
  choose(annotations().findIndex((item) => item.dataset.key === key), false);
  if (await decide({ target: key, ...choice })) step(1);
}

const currentKey = () => annotations()[current]?.dataset.key;

async function finishRow() {
  if (!article()) return;
  const next = main.dataset.next;
  if (!(await decide({ action: "done" }))) return;
  if (next === "") tell("That was the last row of this list.");
  else await go(next);
}

async function undo() {
  const last = article()?.dataset.last;
  if (!last) tell("There is nothing to undo on this row. Go back with h.");
  else await decide({ action: "undo", undoes: Number(last) });
}

// --- which annotation ---------------------------------------------------------------------------

function choose(place, isScrolled = true) {
  const items = annotations();
  current = Math.max(0, place);
  items.forEach((item, i) => item.classList.toggle("current", i === current));
  const item = items[current];
  main.querySelectorAll("mark").forEach((mark) => {
    mark.classList.toggle("current", Boolean(item) && mark.dataset.keys.split(" ").includes(item.dataset.key));
  });
  if (!item) return;
  item.scrollIntoView({ block: "nearest" });
  if (isScrolled) main.querySelector("mark.current")?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const last = annotations().length - 1;
  choose(Math.min(last, Math.max(0, current + by)));
}

// --- editing, adding, commenting ----------------------------------------------------------------

function openEditor(after, statement, kind, save) {
  main.querySelector(".editor")?.remove();
  const form = document.querySelector("#editor").content.cloneNode(true).querySelector("form");
  form.elements.statement.value = statement;
  form.elements.kind.value = kind;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = { statement: form.elements.statement.value.trim(), kind: form.elements.kind.value };
    enqueue(() => save(words));
  });
  place(form, after);
  form.elements.statement.focus();
  form.elements.statement.select();
}

function openComment() {
  main.querySelector(".editor")?.remove();
  const shown = main.querySelector("#comment-text");
  const form = document.createElement("form");
  form.className = "editor";
  const label = document.createElement("label");
  const area = document.createElement("textarea");
  label.append("Comment", area);
  area.maxLength = 10000;
  area.rows = 3;
  area.value = shown.classList.contains("dim") ? "" : shown.textContent;
  const save = document.createElement("button");
  save.className = "main";
  save.textContent = "Save";
  form.append(label, save);
  const send = () => enqueue(() => decide({ action: "comment", text: area.value.trim() }));
  form.addEventListener("submit", (event) => (event.preventDefault(), send()));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) (event.preventDefault(), send());
  });
  place(form, shown);
  area.focus();
}

function place(form, after) {
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") form.remove();
  });
  form.querySelector("[data-cancel]")?.addEventListener("click", () => form.remove());
  after.after(form);
  form.scrollIntoView({ block: "nearest" });
}

function edit(item) {
  const { key, statement, kind } = item.dataset;
  openEditor(item, statement, kind, (words) => decideOn(key, { action: "edit", ...words }));
}

function add() {
  if (isJudged() || !article()) return;
  const words = selected();
  const where = words && { trajectory_id: words.id, start: words.start, end: words.end };
  openEditor(main.querySelector("#add").parentElement, words?.source ?? "", "other", (said) =>
    decide({ action: "add", ...said, ...where }),
  );
}

// The selected words of a trajectory with their offsets, in characters as Python counts them.
function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const text = elementOf(range.startContainer).closest(".text");
  if (!text || !text.contains(range.endContainer)) return null;
  const touched = [...text.querySelectorAll("[data-start]")].filter((it) => range.intersectsNode(it));
  const parts = touched.map((piece) => part(piece, range)).filter((it) => it.end > it.start);
  if (!parts.length) return null;
  return {
    id: text.dataset.textId,
    start: parts[0].start,
    end: parts.at(-1).end,
    source: parts.map((it) => it.source).join("").trim(),
  };
}

function part(piece, range) {
  const from = Number(piece.dataset.start);
  const formula = piece.querySelector("[data-latex]");
  if (formula) return { start: from, end: Number(piece.dataset.end), source: `$${formula.dataset.latex}$` };
  const node = [...piece.childNodes].find((it) => it.nodeType === Node.TEXT_NODE);
  if (!node) return { start: from, end: from, source: "" };
  const begin = range.startContainer === node ? range.startOffset : 0;
  const end = range.endContainer === node ? range.endOffset : node.length;
  const length = (words) => [...words].length;
  return {
    start: from + length(node.data.slice(0, begin)),
    end: from + length(node.data.slice(0, end)),
    source: node.data.slice(begin, end),
  };
}

const elementOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);

// --- the picture --------------------------------------------------------------------------------

function openPicture(image) {
  if (!image) return;
  const large = zoom.querySelector("img");
  large.src = image.src;
  large.alt = image.alt;
  zoom.showModal();
}

zoom.addEventListener("click", () => zoom.close());
zoom.addEventListener("wheel", (event) => {
  event.preventDefault();
  const large = zoom.querySelector("img");
  large.style.width = `${Math.min(6000, Math.max(200, large.offsetWidth * (event.deltaY < 0 ? 1.15 : 0.87)))}px`;
}, { passive: false });
zoom.addEventListener("close", () => (zoom.querySelector("img").style.width = ""));

// --- keys and buttons ---------------------------------------------------------------------------

const enqueue = (act) => (work = work.then(act).catch((error) => tell(`That failed: ${error.message}`)));
const verdict = (word) => decideOn(currentKey(), { action: "verdict", verdict: word });
const unlessJudged = (act) => () => (isJudged() || !annotations()[current] ? null : act());

const keys = {
  a: () => decideOn(currentKey(), { action: "accept" }),
  r: unlessJudged(() => decideOn(currentKey(), { action: "reject" })),
  e: unlessJudged(() => edit(annotations()[current])),
  n: add,
  1: () => isJudged() && verdict("reflected"),
  2: () => isJudged() && verdict("absent"),
  3: () => isJudged() && verdict("contradicted"),
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  " ": finishRow,
  Enter: () => (selected() ? add() : finishRow()),
  l: () => go(main.dataset.next),
  ArrowRight: () => go(main.dataset.next),
  h: () => go(main.dataset.previous),
  ArrowLeft: () => go(main.dataset.previous),
  u: undo,
  c: () => article() && openComment(),
  z: () => openPicture(main.querySelector(".picture img")),
  "/": () => document.querySelector("[name=search]").focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (zoom.open && event.key === "z") return zoom.close();
  if (zoom.open || help.open || event.target.closest("input, select, textarea")) return;
  if (event.target.closest("button") && [" ", "Enter"].includes(event.key)) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat || /^(Arrow|[jkhl]$)/.test(event.key)) enqueue(act);
});

main.addEventListener("click", (event) => {
  const item = event.target.closest(".annotation");
  const button = event.target.closest("button");
  const mark = event.target.closest("mark");
  if (button?.dataset.action === "edit") return edit(item);
  const { action, verdict: word } = button?.dataset ?? {};
  const key = item?.dataset.key;
  if (action) return enqueue(() => decideOn(key, { action }));
  if (word) return enqueue(() => decideOn(key, { action: "verdict", verdict: word }));
  if (button?.id === "add") return add();
  if (button?.id === "comment") return openComment();
  if (button?.classList.contains("picture")) return openPicture(button.querySelector("img"));
  if (mark && getSelection().isCollapsed) {
    const [first] = mark.dataset.keys.split(" ");
    choose(annotations().findIndex((it) => it.dataset.key === first), false);
  } else if (item) choose(annotations().indexOf(item));
});

// A button that was pressed keeps the focus, and would take the next space for itself.
document.addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur());
main.addEventListener("mousedown", (event) => event.target.closest("#add") && event.preventDefault());
document.querySelector("#next").addEventListener("click", () => enqueue(finishRow));
document.querySelector("#previous").addEventListener("click", () => enqueue(keys.h));
document.querySelector("#help-button").addEventListener("click", () => help.showModal());
document.querySelector("#filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
settle(0, false);
