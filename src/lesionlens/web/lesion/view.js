import { describeModel, listClasses } from "../api.js";
import { button, h } from "../dom.js";
import { lesions, people } from "../tracker-api.js";
import { attempt, failed, remove, undoable } from "../body/failure.js";
import { choosePlace, dueText, editLesion, every, nameOf, plural, riskOf, tag } from "../body/lesions.js";
import { chip, draw, sign, svg, VIEWS } from "../body/places.js";
import { openTrash } from "../body/trash.js";
import { report } from "../body/view.js";
import { addPhoto } from "./add.js";
import { charts } from "./charts.js";
import { comparison } from "./compare.js";
import { Visit } from "./visit.js";

class Lesion extends HTMLElement {
	params;
	#open;

	connectedCallback() {
		this.#load();
	}

	#load = async (open = this.#open) => {
		const back = h("a.button.quiet.back", { href: "#/body" }, "← All lesions");
		try {
			const { lesion, visits } = await lesions.timeline(this.params.id);
			const [person, classes, model] = await Promise.all([people.get(lesion.person_id), listClasses(), describeModel()]);
			if (!this.isConnected) return;
			this.#open = (visits.find(({ id }) => id === open) ?? visits.at(-1))?.id;
			document.title = `${nameOf(lesion)} · LesionLens`;
			const timeline = visits.map((visit) => new Visit(visit, { classes, model, changed: this.#load }, visit.id === this.#open));
			const deleted = async () => (await openTrash(undefined, lesion.id)) && this.#load();
			this.replaceChildren(
				back,
				this.#head(lesion, person, riskOf(lesion.latest, classes)),
				addPhoto(lesion, this.#load),
				visits.length ? h("section.timeline", { "aria-labelledby": "photos" }, h("h2", { id: "photos" }, plural(visits.length, "photo")), ...timeline.reverse()) : "",
				...(visits.length > 1 ? [comparison(visits), charts(visits)] : []),
				h("div.actions", report(lesion.person_id), button("Deleted photos", deleted, "quiet")),
			);
		} catch (error) {
			this.replaceChildren(back, failed(error, this.#load));
		}
	};

	#head(lesion, person, level) {
		const { id, view, x, y, due, note } = lesion;
		const { width, height, parts } = draw(view);
		const mark = svg("g", { transform: `translate(${x * width} ${y * height}) scale(${height / 170})` }, sign(level));
		const go = (hash) => () => (location.hash = hash);
		const edit = async () => (await editLesion(lesion)) && this.#load();
		const gone = () => remove(lesions, id, `${nameOf(lesion)} was deleted.`, go("#/body"), go(`#/lesions/${id}`));
		return h(
			"header.card.lesion-head",
			svg("svg", { class: "where", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...parts, mark),
			h(
				"div",
				h("p.quiet.small", `${person.label} · ${VIEWS[view]}`),
				h("h1", nameOf(lesion), " ", tag(lesion.colour)),
				chip(level),
				dueText(lesion) && h(due ? "p.due-now" : "p.quiet.small", `Photograph ${every(lesion.reminder_months)}: ${dueText(lesion)}.`),
				note && h("p.note", note),
				h("div.actions", button("Edit", edit), button("Move", () => this.#move(lesion)), button("Delete", gone, "quiet")),
			),
		);
	}

	async #move(lesion) {
		const place = await choosePlace(lesion.view);
		const put = ({ view, x, y }) => lesions.change(lesion.id, { view, x, y }).then(() => this.#load());
		if (place && (await attempt(() => put(place)))) undoable("The lesion was moved.", () => put(lesion));
	}
}

customElements.define("ll-lesion", Lesion);
