import "./answer.js";
import { analyse, Failure, listClasses } from "./api.js";
import "./bars.js";
import { h } from "./dom.js";
import "./model.js";
import "./photo.js";
import "./picker.js";
import { intro } from "./intro.js";
import { explain } from "./words.js";

/** Leads from a photo to its answer. */
class App extends HTMLElement {
  #running = null;
  #photo = h("ll-photo");
  #panel = h("div", { class: "panel" });
  #status = h("p", { class: "hidden", role: "status" });

  connectedCallback() {
    const left = h("div", { class: "left" }, this.#photo, h("ll-picker"), this.#status);
    this.replaceChildren(h("div", { class: "columns" }, left, this.#panel));
    this.#panel.append(intro());
    this.addEventListener("photo", (event) => this.#analyse(event.detail));
  }

  async #analyse(photo) {
    this.#running?.abort(); // a newer photo makes the answer to the last one pointless
    const { signal } = (this.#running = new AbortController());
    this.#enter("working");
    this.#panel.replaceChildren(working());
    this.#say("Analysing the photo.");
    try {
      const [analysis, classes] = await Promise.all([analyse(photo, signal), listClasses(), this.#photo.show(photo, signal)]);
      if (!signal.aborted) this.#show(analysis, classes);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #show(analysis, classes) {
    const answer = h("ll-answer");
    const bars = h("ll-bars");
    const explained = explain(analysis);
    answer.show(analysis, explained, classes);
    bars.show(analysis.probabilities, classes, explained.doubt);
    this.#enter("answered");
    this.#panel.replaceChildren(answer, bars, provenance(analysis));
    this.#photo.explain(analysis, classes);
    document.querySelector("ll-model").identity = analysis.model;
    // Doubt is said aloud as well: not every screen reader follows the focus to a headline.
    this.#say(explained.doubt ? `${explained.headline}.` : "");
    answer.focus();
  }

  #fail(error) {
    const [title, detail] =
      error instanceof Failure ? [error.title, error.message] : ["The page failed", "Reload it, then try again."];
    if (!(error instanceof Failure)) console.error(error);
    this.#running.abort(); // the photo may still be on its way to the stage
    this.#enter("failed");
    this.#photo.clear();
    this.#say("");
    this.#panel.replaceChildren(
      h("section", { class: "card failure", role: "alert" }, h("p", { class: "eyebrow" }, "No answer"), h("h1", {}, title), h("p", { class: "lead" }, detail)),
    );
  }

  #enter(state) {
    this.dataset.state = state;
  }

  #say(text) {
    this.#status.textContent = text;
  }
}

function working() {
  return h(
    "section",
    { class: "card working", "aria-hidden": "true" },
    h("p", { class: "eyebrow" }, "One moment"),
    h("p", { class: "headline" }, "Analysing the photo…"),
    h("span", { class: "progress" }),
  );
}

function provenance({ model, photo, timings_ms: timings }) {
  return h(
    "p",
    { class: "quiet small provenance" },
    `${model.name} ${model.version} · ${photo.width} × ${photo.height} ${photo.format} · ${(timings.total / 1000).toFixed(2)} s · photo not stored`,
  );
}

customElements.define("ll-app", App);
