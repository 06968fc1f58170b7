import { button, card, field, h } from "../dom.js";
import { compare } from "../tracker-api.js";
import { moment } from "../body/dates.js";
import { failed } from "../body/failure.js";
import { chips, select } from "../body/form.js";

const BLINK = 700; // milliseconds; well below three flashes a second
const figures = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });

export function comparison(visits) {
	const result = h("div.compared", { "aria-live": "polite" });
	const options = visits.map(({ id, taken_at: at }) => [id, moment(at)]);
	let turn = 0;
	const onchange = async () => {
		const mine = ++turn;
		if (before.value === after.value) return result.replaceChildren("Choose two different photos.");
		result.replaceChildren("Bringing the two photos together…", h("div.progress"));
		const shown = await compare(before.value, after.value).then(report, (error) => [failed(error, onchange)]);
		if (mine === turn) result.replaceChildren(...shown);
	};
	const before = select({ id: "compare-before", onchange }, options, visits.at(-2).id);
	const after = select({ id: "compare-after", onchange }, options, visits.at(-1).id);
	const section = card("compare", "What changed", "compare", h("div.pair", field("Earlier", before), field("Later", after)), result);
	whenSeen(section, onchange);
	return section;
}

/** Wait until an element comes into view: comparing takes the service some work. */
export function whenSeen(element, act) {
	const seen = new IntersectionObserver(([entry]) => {
		if (!entry.isIntersecting) return;
		seen.disconnect();
		act();
	});
	seen.observe(element);
}

export function table(label, head, rows) {
	const cells = ([first, ...rest]) => h("tr", h("th", { scope: "row" }, first), ...rest.map((cell) => h("td", cell)));
	const top = h("thead", h("tr", ...head.map((text) => h("th", { scope: "col" }, text))));
	return h("div.table", { tabindex: 0, role: "region", "aria-label": label }, h("table", top, h("tbody", ...rows.map(cells))));
}

function report({ statements, registration, differences, pictures, disclaimer }) {
	const { success, method } = registration;
	const how = method === "outline" ? " by their details. The overlay is approximate." : ". They are shown as they are.";
	const rows = differences.map(({ label, name, unit, before, after, verdict }) => [`${label} (${name.replaceAll("_", " ")}) ${unit}`, figures.format(before), figures.format(after), verdict]);
	return [
		success ? "" : h("p.banner", `The two photos could not be brought together${how}`),
		views(pictures, method !== "none", success),
		h("ul.statements", ...statements.filter((text) => text !== disclaimer).map((text) => h("li", text))),
		rows.length ? h("details", h("summary", "All measures"), table("Measures of both photos", ["Measure", "Earlier", "Later", "What it means"], rows)) : "",
		h("p.quiet.small", disclaimer),
	];
}

function views({ before, after, aligned }, together, success) {
	const pictures = (second) => [h("img", { src: before, alt: "The earlier photo" }), h("img.over", { src: second, alt: "The later photo" })];
	const captions = ["Earlier", success ? "Later, at the scale of the earlier one" : "Later, as it is"];
	const beside = () => h("div.beside", ...pictures(success ? aligned : after).map((image, i) => h("figure", image, h("figcaption.quiet.small", captions[i]))));
	const ways = { "Side by side": beside, ...(together && { Slider: () => slider(pictures(aligned)), Blink: () => blink(pictures(aligned)) }) };
	const stage = h("div.compare-stage", beside());
	return h("div", chips("How to compare", Object.keys(ways).map((way) => [way, way]), "Side by side", (way) => stage.replaceChildren(ways[way]())), stage);
}

function slider(pictures) {
	const range = h("input", { type: "range", "aria-label": "How much of the earlier photo is shown, in percent", oninput: () => wipe.style.setProperty("--at", `${range.value}%`) });
	const wipe = h("div.wipe", ...pictures, h("span.handle"), range);
	return h("figure", wipe, h("figcaption.quiet.small.row", ...["Earlier", "Drag, or use the arrow keys", "Later"].map((text) => h("span", text))));
}

function blink(pictures) {
	const shown = h("strong", "Earlier");
	const both = h("div.wipe.blink", ...pictures);
	let timer;
	const turn = () => (shown.textContent = both.classList.toggle("later") ? "Later" : "Earlier");
	const stop = () => {
		timer = clearInterval(timer);
		play.textContent = "Play";
	};
	const start = () => {
		timer = setInterval(() => (both.isConnected ? turn() : stop()), BLINK);
		play.textContent = "Pause";
	};
	const play = button("Play", () => (timer ? stop() : start()));
	const step = button("Switch", () => (stop(), turn()));
	// Whoever asked for less motion switches by hand, or presses Play.
	if (!matchMedia("(prefers-reduced-motion: reduce)").matches) start();
	return h("figure", both, h("figcaption.actions", play, step, shown));
}
