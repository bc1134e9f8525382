// The button is there where it works; without this file the sentence under it says how to print.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
