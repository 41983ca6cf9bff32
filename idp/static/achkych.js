/* Conveniences only; every page works without this file. */
for (const field of document.querySelectorAll("input[type=password][data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-quiet";
  button.setAttribute("aria-controls", field.id);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? field.dataset.hide : field.dataset.show;
    button.setAttribute("aria-label", `${button.textContent}: ${field.dataset.label}`);
  };
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  show(false);
  field.parentNode.append(button);
}
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
for (const form of document.querySelectorAll("form[data-submit]")) {
  form.submit();
}
for (const form of document.querySelectorAll("form[data-renew]")) {
  // what it does is seen here once its new window is left
  form.addEventListener("submit", () => window.addEventListener("focus", () => location.reload(), { once: true }));
}
