import { h } from "./dom.js";
import { percent, spoken } from "./words.js";

/**
 * Which diagnoses stay possible, and what that means; nothing for a model without a rule.
 *
 * @param {{prediction_set: {coverage: number, codes: string[]}|null, malignancy: {probability: number}}} analysis
 * @param {{code: string, name: string, malignant: boolean}[]} classes
 */
export function predictionSet({ prediction_set: set, malignancy }, classes) {
  if (!set) return false;
  const kinds = set.codes.map((code) => classes.find((kind) => kind.code === code));
  const coverage = percent(set.coverage);
  return h(
    "section",
    { class: "card set", "aria-labelledby": "possible" },
    h("h2", { id: "possible" }, "Which diagnoses stay possible"),
    h("p", {}, `With ${coverage} coverage, `, ...remaining(kinds, classes)),
    // A rare cancer may stay possible with a small probability: the reader needs both to weigh them.
    kinds.some(({ malignant }) => malignant) &&
      h("p", {}, `Cancer or its early form is among them; the model gives all its kinds together ${spoken(malignancy.probability)}.`),
    h(
      "p",
      { class: "quiet small" },
      `Of photos like those the model was checked on, such a list holds the true diagnosis about ${Math.round(set.coverage * 100)} times in 100. It is no ${coverage} chance for this photo, and it never holds anything but the eight diagnoses.`,
    ),
  );
}

function remaining(kinds, classes) {
  const all = classes.filter(({ malignant }) => malignant !== null).length;
  if (kinds.length === all) return ["the diagnosis is ", h("strong", {}, "any of them"), ": the model rules none out."];
  const names = kinds.flatMap(({ name }, i) => [i === 0 ? "" : i === kinds.length - 1 ? " or " : ", ", h("strong", {}, name)]);
  return [kinds.length === 1 ? "the diagnosis is: " : "the diagnosis is among: ", ...names, "."];
}
