// Sends what a form of this page says, and shows the answer. Nothing is kept.
"use strict";

const token = document.getElementById("token");

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

open(location.hash);
window.addEventListener("hashchange", () => open(location.hash));

/** Open the operation that the address names. */
function open(hash) {
  const named = document.getElementById(decodeURIComponent(hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
}

async function send(form) {
  const headers = {};
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("[data-in]")) {
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value && input.dataset.in === "query") query.set(input.name, input.value);
    else if (input.value) headers[input.name] = input.value;
  }
  if (token && token.value) headers.Authorization = `Bearer ${token.value}`;
  const key = form.querySelector("[data-key]");
  if (key) headers["Idempotency-Key"] = key.value || random();
  const body = form.querySelector("[data-body]");
  if (body) headers["Content-Type"] = "application/json";
  const asked = String(query) ? `${path}?${query}` : path; // older browsers do not know its size
  try {
    const answer = await fetch(asked, { method: form.dataset.method, headers, body: body ? body.value : undefined });
    show(form, `${answer.status} ${answer.statusText}`, pretty(await answer.text()));
  } catch (error) {
    show(form, document.querySelector("main").dataset.unanswered, String(error));
  }
}

/** 128 random bits; an insecure origin has no randomUUID. */
function random() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function show(form, status, text) {
  const answer = form.querySelector("[data-answer]");
  answer.hidden = false;
  answer.querySelector("p").textContent = status;
  answer.querySelector("pre").textContent = text;
}
