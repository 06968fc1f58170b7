import { h } from "./dom.js";
import { hints } from "./hints.js";
import { predictionSet } from "./prediction-set.js";
import { explain, explainPoint, percent } from "./words.js";

/** The answer in plain words with all that speaks against it, then how likely any cancer is. */
class Answer extends HTMLElement {
  /**
   * @param {object} analysis
   * @param {ReturnType<typeof explain>} explained
   * @param {{code: string, name: string, malignant: boolean}[]} classes
   */
  show(analysis, { kind, label, headline, lead, reasons = [], meaning, doubt }, classes) {
    // Below the threshold the sum may still reach a mark; of an unsuitable photo it says nothing.
    const against = kind === "unsuitable" ? doubt : null;
    const advice = hints(analysis);
    const figures = [!against && predictionSet(analysis, classes), malignancy(analysis.malignancy, against)];
    this.replaceChildren(
      h(
        "section",
        { class: `card answer ${kind}`, "aria-labelledby": "headline" },
        h("p", { class: "eyebrow" }, label),
        h("h1", { id: "headline", tabindex: "-1", "aria-describedby": "lead reasons" }, headline),
        h("p", { class: "lead", id: "lead" }, lead),
        reasons.length > 0 && h("ul", { class: "reasons", id: "reasons" }, ...reasons.map((reason) => h("li", {}, reason))),
        h("p", { class: "meaning" }, meaning),
      ),
      ...(doubt ? [advice, ...figures] : [...figures, advice]).filter(Boolean), // a better photo is what helps first
    );
  }

  /** Move the reader, and a screen reader, to the answer. */
  focus() {
    this.querySelector("h1").focus({ preventScroll: true });
  }
}

function malignancy({ probability, operating_points: points }, doubt) {
  const fill = h("span", { class: "fill" });
  fill.style.setProperty("--share", probability);
  const marks = points.map((point) => {
    const mark = h("span", { class: "mark" });
    mark.style.setProperty("--share", point.threshold);
    return mark;
  });
  return h(
    "section",
    { class: doubt ? "card subdued" : "card", "aria-labelledby": "malignant" },
    h("div", { class: "row" }, h("h2", { id: "malignant" }, "Cancer or its early form"), h("strong", { class: "figure" }, percent(probability))),
    doubt && h("p", { class: "small" }, doubt),
    h("div", { class: "track", "aria-hidden": "true" }, fill, ...marks),
    h("p", { class: "quiet small" }, "The probabilities of melanoma, basal and squamous cell carcinoma and actinic keratosis / Bowen’s disease together."),
    !doubt && points.length > 0 && h("ul", { class: "points small" }, ...points.map((point) => h("li", { class: point.reached ? "reached" : "" }, explainPoint(point)))),
  );
}

customElements.define("ll-answer", Answer);
