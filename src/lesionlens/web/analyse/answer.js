import { track } from "../bars.js";
import { card, h } from "../dom.js";
import { explainPoint, percent, spoken } from "../words.js";
import { advice } from "./advice.js";

/** The answer as `explain` has it, what to do, which diagnoses stay possible, and how likely any cancer is. */
export function answer(analysis, { kind, label, headline, lead, reasons = [], meaning, doubt }, classes) {
	// Below the threshold the sum may still reach a mark; of an unsuitable photo it says nothing.
	const against = kind === "unsuitable" && doubt;
	const figures = [!against && predictionSet(analysis, classes), malignancy(analysis.malignancy, against)];
	const { hints } = analysis.quality;
	const better = hints.length > 0 && card("hints", "For a better photo", "set", h("ul.hints.small", ...hints.map(({ message }) => h("li", message))));
	const main = h(
		"section",
		{ class: `card answer ${kind}`, "aria-labelledby": "headline" },
		h("p.eyebrow", label),
		h("h1", { id: "headline", tabindex: -1, "aria-describedby": "lead reasons" }, headline),
		h("p.lead", { id: "lead" }, lead),
		h("ul.reasons", { id: "reasons", hidden: !reasons.length }, ...reasons.map((reason) => h("li", reason))),
		h("p.meaning", meaning),
	);
	const further = doubt ? [better, advice(kind), ...figures] : [advice(kind), ...figures, better]; // in doubt, a better photo helps first
	return h("div.said", main, ...further);
}

function malignancy({ probability, operating_points: points }, doubt) {
	const made = card(
		"malignant",
		"Cancer or its early form",
		doubt ? "subdued" : "",
		doubt && h("p.small", doubt),
		track(probability, points.map(({ threshold }) => threshold)),
		h("p.quiet.small", "The probabilities of melanoma, basal and squamous cell carcinoma and actinic keratosis / Bowen’s disease together."),
		!doubt && points.length > 0 && h("ul.points.small", ...points.map((point) => h(point.reached ? "li.reached" : "li", explainPoint(point)))),
	);
	const figure = h("div.row", h("strong.figure", percent(probability)));
	figure.prepend(made.firstChild);
	made.prepend(figure);
	return made;
}

/** Which diagnoses stay possible, and what that means; false for a model without a rule. */
function predictionSet({ prediction_set: set, malignancy }, classes) {
	if (!set) return false;
	const kinds = set.codes.map((code) => classes.find((kind) => kind.code === code));
	const coverage = percent(set.coverage);
	return card(
		"possible",
		"Which diagnoses stay possible",
		"set",
		h("p", `With ${coverage} coverage, `, ...remaining(kinds, classes)),
		// A rare cancer may stay possible with a small probability: the reader needs both to weigh them.
		kinds.some(({ malignant }) => malignant) &&
			h("p", `Cancer or its early form is among them; the model gives all its kinds together ${spoken(malignancy.probability)}.`),
		h("p.quiet.small", `Of photos like those the model was checked on, such a list holds the true diagnosis about ${Math.round(set.coverage * 100)} times in 100. It is no ${coverage} chance for this photo, and it never holds anything but the eight diagnoses.`),
	);
}

function remaining(kinds, classes) {
	const all = classes.filter(({ malignant }) => malignant !== null).length;
	if (kinds.length === all) return ["the diagnosis is ", h("strong", "any of them"), ": the model rules none out."];
	const names = kinds.flatMap(({ name }, i) => [i === 0 ? "" : i === kinds.length - 1 ? " or " : ", ", h("strong", name)]);
	return [kinds.length === 1 ? "the diagnosis is: " : "the diagnosis is among: ", ...names, "."];
}
