// Fetched only where a check failed.
import { base64 } from "./proof.js";

// What to hand to whoever looks into it. The code is not in it: whoever has that sees this page.
export function offer(panel, given, result, engine) {
  const kept = {
    format: "sunledger/evidence/1",
    at: new Date().toISOString(),
    page: location.origin + location.pathname,
    browser: navigator.userAgent,
    engine: engine.used,
    seq: given.seq,
    failed: result.failed,
    steps: result.steps.map((step) => step.id === "donor" ? { id: step.id, state: step.state, why: step.why } : step),
    shown: given.shown,
    entry: base64(given.entry),
    proof: given.proof,
    policy: given.policy,
  };
  const link = panel.querySelector("[data-evidence]");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 1)], { type: "application/json" }));
  link.download = "evidence-" + given.seq + ".json";
  link.hidden = false;
}
