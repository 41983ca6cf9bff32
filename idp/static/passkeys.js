/* Passkeys: fills the hidden field of a form with what the browser answers, then sends the form.  Without this file, or
   in a browser without passkeys, those forms stay hidden and everything else works. */
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const asked = (options) => ({
  ...options, challenge: bytes(options.challenge),
  ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
  ...(options.allowCredentials && { allowCredentials: named(options.allowCredentials) }),
  ...(options.excludeCredentials && { excludeCredentials: named(options.excludeCredentials) }),
});
const answered = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
};

let waiting; // the request behind the field's suggestions; it makes room for one that a button begins
const ask = (form, more) => {
  const publicKey = asked(JSON.parse(form.dataset.passkey));
  const ceremony = publicKey.user ? "create" : "get";
  return navigator.credentials[ceremony]({ publicKey, ...more });
};
const send = (form, credential) => {
  form.elements.passkey.value = answered(credential);
  form.submit();
};

async function begin(form) {
  waiting?.abort();
  const failure = form.querySelector("[data-failure]");
  failure.hidden = true;
  try {
    send(form, await ask(form));
  } catch {
    failure.hidden = false;
    failure.focus();
  }
}

async function suggest(form) {
  if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  waiting = new AbortController();
  setTimeout(() => waiting.abort(), JSON.parse(form.dataset.passkey).timeout);
  try {
    send(form, await ask(form, { mediation: "conditional", signal: waiting.signal }));
  } catch { /* chosen nothing, or a button was pressed instead */ }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button[data-use]");
    form.hidden = button.hidden = false;
    button.addEventListener("click", () => form.elements.code?.removeAttribute("required"));
    form.addEventListener("submit", (event) => {
      if (event.submitter !== button) return;
      event.preventDefault();
      begin(form);
    });
    if ("suggest" in form.dataset) suggest(form);
  }
}
