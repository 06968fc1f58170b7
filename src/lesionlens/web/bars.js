import { h } from "./dom.js";
import { percent } from "./words.js";

/** The eight probabilities, the highest first. Colour only repeats what the text says. */
class Bars extends HTMLElement {
  /**
   * @param {Object<string, number>} probabilities By code.
   * @param {{code: string, name: string, malignant: boolean}[]} classes
   * @param {string|null} doubt Why they are not to be relied on, in words; null when they are.
   */
  show(probabilities, classes, doubt = null) {
    const known = classes.filter(({ code }) => code in probabilities);
    const sorted = known.sort((a, b) => probabilities[b.code] - probabilities[a.code]);
    this.replaceChildren(
      h(
        "section",
        { class: doubt ? "card subdued" : "card", "aria-labelledby": "bars" },
        h("h2", { id: "bars" }, "All eight diagnoses"),
        doubt && h("p", { class: "small" }, doubt),
        h("ol", { class: "bars" }, ...sorted.map((kind) => bar(kind, probabilities[kind.code]))),
        !doubt && h("p", { class: "quiet small legend" }, h("span", { class: "dot malignant" }), "cancer or its early form", h("span", { class: "dot benign" }), "harmless"),
      ),
    );
  }
}

function bar({ code, name, malignant }, probability) {
  const fill = h("span", { class: "fill" });
  fill.style.setProperty("--share", probability);
  return h(
    "li",
    { class: malignant ? "malignant" : "benign" },
    h("span", { class: "name" }, name, " ", h("abbr", { title: malignant ? "cancer or its early form" : "harmless" }, code)),
    h("span", { class: "value" }, percent(probability)),
    h("span", { class: "track", "aria-hidden": "true" }, fill),
  );
}

customElements.define("ll-bars", Bars);
