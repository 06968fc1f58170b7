import { h } from "../dom.js";
import { lesions, photoUrl } from "../tracker-api.js";
import { percent } from "../words.js";
import { day } from "./dates.js";
import { fill } from "./form.js";
import { badge, places, SIGNS, suggestSite, VIEWS } from "./places.js";

const COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "grey"];
const MONTHS = [1, 2, 3, 4, 6, 9, 12, 24];

const capital = (text) => text[0].toUpperCase() + text.slice(1);
export const plural = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;
const photos = (count) => (count ? plural(count, "photo") : "no photo yet");
export const every = (months) => (months === 1 ? "every month" : `every ${months} months`);
export const nameOf = ({ site, view }) => (site ? capital(site) : `Unnamed place (${VIEWS[view].toLowerCase()})`);

export const dueText = ({ due, due_at: at, last_visit_at: last }) => at && (due ? `due since ${day(at)}` : `${last ? "next" : "first"} photo due ${day(at)}`);

export function riskOf(latest, classes) {
	if (!latest) return "none";
	if (latest.suitable === false) return "unsuitable";
	if (classes.some(({ code, malignant }) => malignant && code === latest.prediction)) return "malignant";
	if (latest.reached.length) return "marked";
	return latest.prediction === "NOT_CONFIDENT" ? "unsure" : "below";
}

/** For whoever cannot see the map. */
export const describe = (lesion, level) => `${nameOf(lesion)}: ${SIGNS[level].toLowerCase()}; ${photos(lesion.visit_count)}`;

export function tag(colour) {
	if (!colour) return null;
	const dot = h("span.tag", h("span.hidden", `tagged ${colour}`));
	dot.style.color = colour;
	return dot;
}

/** The most worrying first. */
export function sorted(list, classes) {
	const order = ({ latest }) => Object.keys(SIGNS).indexOf(riskOf(latest, classes)) - (latest?.malignant_probability ?? 0);
	return list.sort((a, b) => order(a) - order(b) || nameOf(a).localeCompare(nameOf(b)));
}

export function row(lesion, classes) {
	const { id, latest, last_visit_at: last } = lesion;
	const level = riskOf(latest, classes);
	const risk = h("span.risk-text", badge(level), SIGNS[level], latest && latest.suitable !== false && ` · ${percent(latest.malignant_probability)} malignant`);
	const facts = [VIEWS[lesion.view], photos(lesion.visit_count), last && day(last), dueText(lesion)].filter(Boolean).join(" · ");
	const picture = latest ? h("img", { src: photoUrl(latest.visit_id, 128), alt: "", loading: "lazy" }) : h("span", badge("none"));
	return h("li", h("a.lesion-row", { href: `#/lesions/${id}` }, picture, h("span", h("strong", nameOf(lesion), " ", tag(lesion.colour)), risk, h("span.quiet.small", facts))));
}

const fields = (months) => [
	{ name: "site", label: "Where it is", more: { maxlength: 100 } },
	{ name: "reminder_months", label: "Photograph again", numeric: true, options: [["", "No reminder"], ...[...new Set([...MONTHS, months ?? 1])].map((count) => [count, capital(every(count))])] },
	{ name: "colour", label: "Colour tag", options: [["", "None"], ...COLOURS.map((name) => [name, capital(name)])] },
	{ name: "note", label: "Note", type: "textarea", help: "Such as since when it is there, or what you noticed." },
];

export const editLesion = (lesion) => fill({ title: "Edit this lesion", fields: fields(lesion.reminder_months), values: lesion, save: (values) => lesions.change(lesion.id, values) });

export function addLesion(personId, place) {
	const values = { site: suggestSite(place.view, place.x, place.y), reminder_months: 3 };
	return fill({ title: "New lesion", fields: fields(3), values, confirm: "Add", save: (values) => lesions.create(personId, { ...place, ...values }) });
}

/** A choice by name, for whoever does not use the map. */
export function choosePlace(current) {
	const all = Object.keys(VIEWS).flatMap((view) => places(view).map((place) => ({ view, ...place })));
	const options = all.map(({ view, name }, i) => [i, `${VIEWS[view]}: ${name}`]);
	const field = { name: "place", label: "Place", options, value: all.findIndex(({ view }) => view === current) };
	return fill({ title: "Where is the lesion?", fields: [field], confirm: "Next", save: async ({ place }) => all[place] });
}
