import { card, h } from "./dom.js";
import { percent } from "./words.js";

const MALIGNANT = "cancer or its early form";
const BENIGN = "harmless";

/** The eight probabilities, the highest first. Colour only repeats what the text says. */
class Bars extends HTMLElement {
	/** `probabilities` are by code; `doubt` says why they are not to be relied on, if they are not. */
	show(probabilities, classes, doubt) {
		const known = classes.filter(({ code }) => code in probabilities).sort((a, b) => probabilities[b.code] - probabilities[a.code]);
		const legend = h("p.quiet.small.legend", h("span.dot.malignant"), MALIGNANT, h("span.dot.benign"), BENIGN);
		const bars = h("ol.bars", ...known.map((kind) => bar(kind, probabilities[kind.code])));
		this.replaceChildren(card("bars", "All eight diagnoses", doubt ? "subdued" : "", doubt && h("p.small", doubt), bars, !doubt && legend));
	}
}

function bar({ code, name, malignant }, probability) {
	return h(
		malignant ? "li.malignant" : "li.benign",
		h("span.name", name, " ", h("abbr", { title: malignant ? MALIGNANT : BENIGN }, code)),
		h("span.value", percent(probability)),
		track(probability),
	);
}

/** A probability as a bar, with marks at others. */
export function track(probability, marks = []) {
	const at = (kind, share) => {
		const part = h(kind);
		part.style.setProperty("--share", share);
		return part;
	};
	return h("span.track", { "aria-hidden": "true" }, at("span.fill", probability), ...marks.map((share) => at("span.mark", share)));
}

customElements.define("ll-bars", Bars);
