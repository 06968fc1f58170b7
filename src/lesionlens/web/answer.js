import { h } from "./dom.js";
import { explain, explainPoint, percent } from "./words.js";

/** The answer in plain words, then how likely any cancer is. */
class Answer extends HTMLElement {
  set analysis(analysis) {
    const { kind, label, headline, lead, meaning } = explain(analysis);
    this.replaceChildren(
      h(
        "section",
        { class: `card answer ${kind}`, "aria-labelledby": "headline" },
        h("p", { class: "eyebrow" }, label),
        h("h1", { id: "headline", tabindex: "-1" }, headline),
        h("p", { class: "lead" }, lead),
        h("p", { class: "meaning" }, meaning),
      ),
      malignancy(analysis.malignancy),
    );
  }

  /** Move the reader, and a screen reader, to the answer. */
  focus() {
    this.querySelector("h1").focus({ preventScroll: true });
  }
}

function malignancy({ probability, operating_points: points }) {
  const fill = h("span", { class: "fill" });
  fill.style.setProperty("--share", probability);
  const marks = points.map((point) => {
    const mark = h("span", { class: "mark" });
    mark.style.setProperty("--share", point.threshold);
    return mark;
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "malignant" },
    h("div", { class: "row" }, h("h2", { id: "malignant" }, "Cancer or its early form"), h("strong", { class: "figure" }, percent(probability))),
    h("div", { class: "track", "aria-hidden": "true" }, fill, ...marks),
    h("p", { class: "quiet small" }, "The probabilities of melanoma, basal and squamous cell carcinoma and actinic keratosis / Bowen’s disease together."),
    points.length > 0 && h("ul", { class: "points small" }, ...points.map((point) => h("li", { class: point.reached ? "reached" : "" }, explainPoint(point)))),
  );
}

customElements.define("ll-answer", Answer);
