import { h } from "../dom.js";
import { compare } from "../tracker-api.js";
import { percent } from "../words.js";
import { day } from "../body/dates.js";
import { failed } from "../body/failure.js";
import { svg } from "../body/places.js";
import { table, whenSeen } from "./compare.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 368, 12, 168];

export function charts(visits) {
	const size = h("div.card.chart");
	const start = () => measure(visits, size).catch((error) => size.replaceChildren(failed(error, start)));
	whenSeen(size, start);
	const chance = h("div.card.chart", h("h3", "Cancer or its early form"), ...probability(visits.filter(({ analyses }) => analyses.length)));
	return h("section.charts", { "aria-labelledby": "charts" }, h("h2", { id: "charts" }, "Over time"), chance, size);
}

function probability(visits) {
	if (!visits.length) return [h("p", "No photo has an answer yet.")];
	const points = visits.map(({ taken_at: time, analyses }) => {
		const { malignancy, model, suitability } = analyses.at(-1);
		const doubtful = suitability?.suitable === false;
		return { time, value: malignancy.probability, doubtful, note: `${model.name} ${model.version}${doubtful ? ", photo not suitable" : ""}` };
	});
	const marks = visits.at(-1).analyses.at(-1).malignancy.operating_points.map(({ threshold }) => threshold);
	return [...chart("Malignant probability", points, 1, marks), h("p.quiet.small", "Dashed: the model’s marks. Hollow: the photo was not suitable. Answers of different models, named in the table, are not quite comparable.")];
}

/** One comparison after the other: the service has other work as well. */
async function measure([first, ...later], place) {
	const show = (...shown) => place.replaceChildren(h("h3", "Size"), ...shown);
	const points = [{ time: first.taken_at, value: 1, note: "the first photo" }];
	const left = [];
	let band = 0;
	show(h("p.quiet", "Measuring the photos…"));
	for (const { id, taken_at: time } of later) {
		const { differences } = await compare(first.id, id).catch((error) => {
			if (error.status === 409) return { differences: [] }; // shapes that cannot be compared
			throw error;
		});
		if (!place.isConnected) return;
		const area = differences.find(({ name }) => name === "area");
		if (area?.comparable) {
			points.push({ time, value: area.after / area.before, note: area.verdict });
			band = Math.max(band, Math.expm1(area.threshold));
		} else left.push(day(time));
	}
	const top = Math.max(1.5, ...points.map(({ value }) => 1.1 * value));
	const label = "Area compared with the first photo";
	show(
		...(points.length > 1
			? [...chart(label, points, top, [], band), h("p.quiet.small", `${label}. Shaded: photos of an unchanged lesion may differ by ${percent(band)}.`)]
			: [h("p", "No later photo can be compared in size with the first one.")]),
		left.length ? h("p.quiet.small", `Not comparable in size: ${left.join(", ")}.`) : "",
	);
}

function chart(label, points, top, marks, band) {
	const times = points.map(({ time }) => Date.parse(time));
	const span = times.at(-1) - times[0];
	const x = (time) => (span ? LEFT + ((RIGHT - LEFT) * (time - times[0])) / span : (LEFT + RIGHT) / 2);
	const y = (value) => BOTTOM - ((BOTTOM - TOP) * value) / top;
	const at = points.map(({ value }, i) => [x(times[i]), y(value)]);
	const across = (value, name) => svg("path", { class: name, d: `M${LEFT} ${y(value)}H${RIGHT}` });
	const text = (content, left, baseline, anchor) => svg("text", { x: left, y: baseline, "text-anchor": anchor }, content);
	const rows = points.map(({ time, value, note }) => [day(time), percent(value), note]);
	const drawing = svg(
		"svg",
		{ class: "plot", viewBox: "0 0 380 198", role: "img", "aria-label": `${label}: ${rows.map(([date, value]) => `${date} ${value}`).join(", ")}` },
		band && svg("path", { class: "band", d: `M${LEFT} ${y(1 + band)}H${RIGHT}V${y(1 / (1 + band))}H${LEFT}z` }),
		...[0, top / 2, top].flatMap((value) => [across(value, "grid"), text(percent(value), LEFT - 6, y(value) + 4, "end")]),
		...marks.map((value) => across(value, "threshold")),
		svg("polyline", { points: at.join(" ") }),
		...at.map(([cx, cy], i) => svg("circle", { cx, cy, r: 5, class: points[i].doubtful ? "doubtful" : "" })),
		text(rows[0][0], at[0][0], 190, span ? "start" : "middle"),
		span && text(rows.at(-1)[0], RIGHT, 190, "end"),
	);
	return [drawing, h("details", h("summary", "As a table"), table(label, ["Date", label, "Remark"], rows))];
}
