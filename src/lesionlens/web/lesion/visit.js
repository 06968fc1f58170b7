import { button, h } from "../dom.js";
import "../bars.js";
import "../photo.js";
import { mapsOf, photoUrl, visits } from "../tracker-api.js";
import { explain, explainPoint, percent } from "../words.js";
import { fromLocal, moment, toLocal } from "../body/dates.js";
import { attempt, inWords, remove } from "../body/failure.js";
import { fill } from "../body/form.js";
import { riskOf } from "../body/lesions.js";
import { badge, SIGNS } from "../body/places.js";
import { visitFields } from "./add.js";

/** An older model's answer may lack what newer ones tell. */
function explainStored(analysis) {
	const { confidence, suitability } = analysis;
	const said = explain({ ...analysis, suitability: suitability && { reasons: [], message: "This photo is not suitable", ...suitability } });
	if (confidence.threshold === null && said.headline === "Not confident") Object.assign(said, { lead: confidence.message, doubt: "No diagnosis was probable enough." });
	return said;
}

function answer(analysis, classes, newest) {
	const { kind, label, headline, lead, reasons = [], meaning, doubt } = explainStored(analysis);
	const { model, malignancy, probabilities } = analysis;
	const bars = h("ll-bars");
	bars.show(probabilities, classes, doubt);
	const points = doubt ? [] : malignancy.operating_points.map((point) => h(point.reached ? "li.reached" : "li", explainPoint(point)));
	return h(
		`article.card.answer.${kind}`,
		h("p.eyebrow", newest ? label : "An older answer"),
		h("h3.headline", headline),
		h("p", lead),
		reasons.length > 0 && h("ul.reasons", ...reasons.map((reason) => h("li", reason))),
		kind === "unsuitable" ? h("p", doubt) : h("strong", `Cancer or its early form: ${percent(malignancy.probability)}`),
		newest && h("p.meaning", meaning),
		newest && h("details", h("summary", "All figures"), points.length > 0 && h("ul.points.small", ...points), bars),
		h("p.quiet.small", `${model.name} ${model.version}, ${moment(analysis.created_at)}`),
	);
}

export class Visit extends HTMLElement {
	#visit;
	#known;
	#closed = new AbortController();

	constructor(visit, known, open) {
		super();
		[this.#visit, this.#known] = [visit, known];
		const latest = visit.analyses.at(-1);
		const level = riskOf(latest && { prediction: latest.prediction.code, suitable: latest.suitability?.suitable, reached: latest.malignancy.operating_points.filter(({ reached }) => reached) }, known.classes);
		const figure = latest && level !== "unsuitable" && h("span.quiet.small", `${percent(latest.malignancy.probability)} cancer or its early form`);
		const text = h("span", h("strong", moment(visit.taken_at)), h("span.risk-text", badge(level), latest ? explainStored(latest).headline : SIGNS[level]), figure);
		const body = h("div.visit-body");
		const summary = h("summary", h("img", { src: photoUrl(visit.id, 320), alt: "", loading: "lazy" }), text);
		const details = h("details.card.visit", { name: "visit", open, ontoggle: () => this.#fill(details.open, body) }, summary, body);
		this.append(details);
	}

	disconnectedCallback() {
		this.#closed.abort();
	}

	#fill(open, body) {
		this.#closed.abort();
		body.replaceChildren(); // a closed visit holds no pictures
		if (!open) return;
		const { id, analyses, note } = this.#visit;
		const { classes, changed } = this.#known;
		const photo = h("ll-photo");
		const gone = () => remove(visits, id, "The photo was deleted.", () => changed(id));
		const answers = analyses.map((analysis, i) => answer(analysis, classes, i === analyses.length - 1)).reverse();
		body.append(
			h("div.visit-photo", photo, note && h("p.note", note), h("div.actions", button("Edit", () => this.#edit(), "quiet"), button("Delete", gone, "quiet"))),
			h("div.answers", this.#ask(), ...answers, analyses.length > 0 && h("p.quiet.small", analyses[0].disclaimer)),
		);
		this.#closed = new AbortController();
		this.#picture(photo, this.#closed.signal);
	}

	async #picture(photo, signal) {
		try {
			const response = await fetch(photoUrl(this.#visit.id, 1200), { signal });
			await photo.show(await response.blob(), signal);
			const mapped = this.#visit.analyses.findLast((analysis) => analysis.has_maps);
			const stored = mapped && (await mapsOf(mapped.id, signal));
			if (stored && !signal.aborted) photo.explain({ ...mapped, ...stored }, this.#known.classes);
		} catch (error) {
			if (!signal.aborted) photo.append(h("p.quiet.small", inWords(error)));
		}
	}

	#ask() {
		const { analyses, id } = this.#visit;
		const { name, version, sha256 } = this.#known.model;
		if (analyses.some(({ model }) => model.sha256 === sha256)) return null;
		const [text, action] = analyses.length
			? [`The model in use now, ${name} ${version}, has not seen this photo. Its answer is kept beside the older one.`, "Analyse again"]
			: ["This photo has no answer yet.", "Analyse"];
		const start = button(action, async () => {
			start.disabled = true;
			if (await attempt(() => visits.analyse(id))) this.#known.changed(id);
			start.disabled = false;
		});
		return h("div.banner", text, start);
	}

	async #edit() {
		const { id, taken_at: before, note } = this.#visit;
		// An untouched time keeps its seconds and its offset.
		const save = ({ taken_at: at, note }) => visits.change(id, { ...(at !== toLocal(before) && { taken_at: fromLocal(at) }), note });
		if (await fill({ title: "Edit this visit", fields: visitFields(before, note), save })) this.#known.changed(id);
	}
}

customElements.define("ll-visit", Visit);
