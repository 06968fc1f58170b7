import { track } from "../bars.js";
import { h } from "../dom.js";
import { explain, percent } from "../words.js";

const byName = new Intl.Collator(undefined, { numeric: true }).compare;
const risk = ({ analysis }) => analysis?.malignancy.probability ?? -1;

export const ORDERS = {
	"as added": () => 0,
	"file name": (a, b) => byName(a.path, b.path),
	answer: (a, b) => byName(a.title, b.title) || risk(b) - risk(a),
	"malignant probability": (a, b) => risk(b) - risk(a),
};

/** What can be shown besides the photos of one title. */
export const FILTERS = { All: () => true, "Malignant 10% and more": (item) => risk(item) >= 0.1 };

/** The kind of answer, the answer in a few words, and what is to be said besides. */
function outcome({ state, analysis, error }) {
	if (!analysis) return [state, state, error];
	const { kind, headline, reasons } = explain(analysis);
	if (kind === "unsuitable") return [kind, "Not like a dermoscopic image", reasons.join(" ")];
	if (!analysis.confident) return [kind, headline, `Nearest: ${analysis.most_probable.name}.`];
	return [kind, headline, kind === "unsure" && "Yet cancer is likely enough to have it looked at."];
}

/** Write what became of a photo into its row, `item.row`, and the answer into `item.title`. */
export function write(item) {
	const [kind, title, detail] = outcome(item);
	item.title = title;
	item.row ??= h("li", thumbnail(item.file), h("span", item.path), h("span"), h("span.risk"));
	const [, , verdict, chance] = item.row.children;
	verdict.className = `verdict ${kind}`;
	verdict.replaceChildren(h("strong", title), h("span.small.quiet", detail));
	if (!item.analysis) return;
	chance.replaceChildren(h("span.small", "Malignant ", h("strong", percent(risk(item)))), track(risk(item)));
}

const watch = new IntersectionObserver((entries) => {
	for (const { target, isIntersecting } of entries) {
		URL.revokeObjectURL(target.url);
		target.url = isIntersecting && target.photo ? URL.createObjectURL(target.photo) : "";
		target.style.backgroundImage = target.url && `url(${target.url})`;
	}
});

/** A photo, loaded while it can be seen, or a thousand would stay in memory. */
function thumbnail(photo) {
	const thumb = Object.assign(h("span.thumb"), { photo });
	watch.observe(thumb);
	return thumb;
}
