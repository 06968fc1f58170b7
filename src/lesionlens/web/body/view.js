import { listClasses } from "../api.js";
import { ask } from "../dialog.js";
import { button, card, h, loadStyle } from "../dom.js";
import { lesions, people } from "../tracker-api.js";
import { attempt, failed } from "./failure.js";
import { chips, select } from "./form.js";
import { addLesion, choosePlace, describe, dueText, nameOf, plural, riskOf, row, sorted } from "./lesions.js";
import "./map.js";
import { addPerson, chosen, editPerson } from "./people.js";
import { chip, draw, SIGNS, VIEWS } from "./places.js";
import { openTrash } from "./trash.js";

await loadStyle(new URL("body.css", import.meta.url));

let shown = "front"; // one comes back to it from each lesion

export const report = (personId) => h("a.button", { href: `v1/people/${personId}/report?format=html`, target: "_blank", rel: "noopener" }, "Report to read or print");

class Body extends HTMLElement {
	#turn = 0;
	#person;
	#lesions;
	#classes;
	#map = h("ll-body-map");

	connectedCallback() {
		this.#map.addEventListener("place", ({ detail }) => this.#place(detail));
		this.#load();
	}

	#load = async () => {
		const turn = ++this.#turn; // what is slow must not replace what is newer
		try {
			const [list, classes] = await Promise.all([people.list({ sort: "label" }), listClasses()]);
			const person = chosen.get(list);
			const theirs = person ? await lesions.list({ person_id: person.id }) : [];
			if (turn !== this.#turn) return;
			[this.#person, this.#classes, this.#lesions] = [person, classes, sorted(theirs, classes)];
			this.replaceChildren(...(person ? this.#parts(list) : [this.#welcome()]));
		} catch (error) {
			this.replaceChildren(failed(error, this.#load));
		}
	};

	#welcome() {
		return h(
			"section.card.notice.welcome",
			h("h1", "Keep an eye on every mole"),
			h("p.lead.quiet", "Pin lesions to a map of the body, photograph them again after some months, and see what changed, at the same scale. Everything stays on the machine that runs this service."),
			h("div.actions", button("Add the first person", this.#add, "primary"), button("Deleted", this.#trash, "quiet")),
		);
	}

	#parts(list) {
		const { id, label } = this.#person;
		const choose = ({ target }) => (chosen.set(target.value), this.#load());
		const who = select({ id: "person", onchange: choose }, list.map((one) => [one.id, one.label]), id);
		const edit = button("Edit", () => editPerson(this.#person, this.#load), "quiet");
		const due = this.#lesions.filter((lesion) => lesion.due);
		const link = (lesion) => h("li", h("a", { href: `#/lesions/${lesion.id}` }, h("strong", nameOf(lesion)), `, ${dueText(lesion)}`));
		const legend = h("details", h("summary", "What the signs mean"), h("ul.views", ...Object.keys(SIGNS).map((level) => h("li", chip(level)))));
		this.#showMap(shown);
		return [
			h("h1.hidden", `Lesions of ${label}`),
			h("div.actions", h("label.quiet.small", { for: "person" }, "Person"), who, edit, button("Add a person", this.#add, "quiet")),
			due.length ? card("due", "Photograph again", "due", h("ul", ...due.map(link))) : "",
			h("div.body-columns", h("section.card.map-card", { "aria-label": "Map of the body" }, this.#tabs(), this.#map, legend), this.#list()),
			h("div.actions", report(id), h("a.button", { href: `v1/export?person_id=${id}`, download: "" }, "Export all as ZIP"), button("Deleted", this.#trash, "quiet")),
		];
	}

	#on(view) {
		return this.#lesions.filter((lesion) => lesion.view === view);
	}

	#tabs() {
		const counted = (count) => count > 0 && h("b", count, h("span.hidden", count === 1 ? " lesion" : " lesions"));
		const options = Object.entries(VIEWS).map(([view, title]) => [view, title, counted(this.#on(view).length)]);
		return chips("Part of the body", options, shown, (view) => this.#showMap(view));
	}

	#showMap(view) {
		shown = view;
		const spot = (lesion) => {
			const level = riskOf(lesion.latest, this.#classes);
			return { ...lesion, level, label: describe(lesion, level) };
		};
		this.#map.show(view, this.#on(view).map(spot));
	}

	#list() {
		const all = this.#lesions;
		return h(
			"div.lesion-list",
			h("div.row", h("h2", plural(all.length, "lesion")), button("Add a lesion", this.#choose, "primary")),
			all.length ? h("ul", ...this.#rows(all)) : h("p.card.quiet", "No lesion is pinned yet. Press its place on the map, or choose it by name with “Add a lesion”."),
		);
	}

	#rows(lesions) {
		return lesions.map((lesion) => row(lesion, this.#classes));
	}

	#add = async () => {
		const person = await addPerson();
		if (!person) return;
		chosen.set(person.id);
		this.#load();
	};

	#trash = async () => {
		if (await openTrash(this.#person?.id)) this.#load();
	};

	#choose = async () => {
		const place = await choosePlace(shown);
		if (place) this.#place(place);
	};

	#place({ view, x, y, radius }) {
		const place = { view, x, y };
		const { width, height } = draw(view);
		return attempt(async () => {
			const near = await lesions.near({ person_id: this.#person.id, ...place, radius, aspect: height / width });
			if (near.length && !(await isNew(this.#rows(near)))) return;
			const added = await addLesion(this.#person.id, place);
			if (added) location.hash = `#/lesions/${added.id}`;
		});
	}
}

function isNew(rows) {
	const body = h("ul.near", { onclick: ({ target }) => target.closest("a") && body.closest("dialog").close() }, ...rows);
	const asked = ask({ title: "Is it this lesion?", body, confirm: "No, a new one" });
	body.querySelector("a").focus();
	return asked;
}

customElements.define("ll-body", Body);
