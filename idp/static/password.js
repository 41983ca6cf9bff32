/* While a password is typed: which rules it keeps, and how strong it is.  The rules are the server's; it is asked when the
   typing rests.  Without this file the page tells all of it once the form is sent. */
const form = document.querySelector("form[data-advice]");
const field = form.elements.password;
const strength = document.getElementById("strength");
const words = JSON.parse(strength.dataset.words);
let rest, asking;

function show(advice) {
  for (const rule of document.querySelectorAll("[data-rule]")) {
    const state = !advice || rule.dataset.later !== undefined ? "" : advice.broken.includes(rule.dataset.rule) ? "open" : "kept";
    rule.className = state;
    rule.querySelector("span").textContent = state ? `: ${rule.dataset[state]}` : "";
  }
  strength.hidden = !advice;
  if (!advice) return;
  strength.querySelector("meter").value = advice.score + 1;
  strength.querySelector("span").textContent = words[advice.score];
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  if (!field.value) return show(null);
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, password: field.value });
  try {
    const answer = await fetch(form.dataset.advice, { method: "POST", body, signal: asking.signal });
    if (answer.ok) show(await answer.json());
  } catch { /* typed on, or no connection: the form itself is looked at when it is sent */ }
}

field.addEventListener("input", () => {
  clearTimeout(rest);
  rest = setTimeout(ask, 300);
});

const fill = document.querySelector("button[data-fill]");
if (fill) {
  fill.hidden = false;
  fill.addEventListener("click", () => {
    field.value = form.elements.again.value = document.getElementById("suggested").textContent;
    ask();
    form.querySelector("button.btn-primary").focus();
  });
}
