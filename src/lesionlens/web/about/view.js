import { call, describeModel } from "../api.js";
import { attempt } from "../body/failure.js";
import { button, h, loadStyle } from "../dom.js";
import { finds, percent } from "../words.js";
import { showLimits } from "./first-run.js";
import { markdown } from "./markdown.js";

await loadStyle(new URL("about.css", import.meta.url));

const three = (value) => value.toFixed(3);
const FIGURES = {
	balanced_accuracy: ["Balanced accuracy**, each diagnosis counted the same; chance gives 12.5%", percent],
	malignant_auc: ["Malignant AUC**, chance that a cancer gets a higher malignant probability than a harmless lesion", three],
	answered_accuracy: ["Right if confident**", percent],
	ece: ["Calibration error**, how far its probabilities are from how often they come true", three],
};

const WHAT = `# What it is, and what it is not
- **It is** a tool for research and teaching: it compares a close-up of a skin lesion with eight kinds, shows where it looked, and says so when it does not know.
- **It is not** a medical device, and no answer of it is a diagnosis, or tells who need not see a doctor.`;

const STORED = `# What is stored where
- **Analyse and Batch:** a photo goes to the server of this page, stays in its memory while it is analysed, and is not stored. Its file name is not sent.
- **Body:** people, lesions and photos are kept in the service’s data folder or database, if it keeps any, until you erase them.
- **This browser** keeps that you have read the limits, whom you chose last, this page for use without a connection, and photos to be saved that could not be sent yet.
- **Nobody else:** neither the page nor the service sends anything to another machine. Whoever runs the service can see what is saved in it.`;

class About extends HTMLElement {
	connectedCallback() {
		const actions = h("div.actions", button("Read the limits again", () => showLimits(true)), h("a.button", { href: "docs" }, "API reference"));
		const offer = ({ access: { required, granted, password } }) => required && granted && password && actions.append(button("Log out", logOut, "quiet"));
		call("v1/tracker").then(offer).catch(() => {}); // nobody can log in where there are no records
		this.replaceChildren(
			h("h1", "About LesionLens"),
			actions,
			...cards(WHAT),
			part(describeModel().then(model)),
			...cards(STORED),
			part(get("v1/model/card").then((text) => text.replace(/^# .*/, "# The model card"))),
			part(get("openapi.json").then((text) => `# Version\nLesionLens ${JSON.parse(text).info.version}, free software under the Apache License 2.0.`)),
		);
	}
}

const logOut = () => attempt(() => call("v1/session", { method: "DELETE" }).then(() => location.reload()));

/** Text as a card for each of its titles, chapters folded away. */
function cards(text) {
	return text.split(/^(?=# )/m).map((titled) => {
		const nodes = [];
		for (const element of markdown(titled)) {
			const chapter = nodes.at(-1);
			if (element.localName === "h3") nodes.push(h("details", h("summary", element)));
			else if (chapter?.localName === "details") chapter.append(element);
			else nodes.push(element);
		}
		return h("section.card", ...nodes);
	});
}

/** A part that comes when the service has answered. */
function part(asked) {
	const place = h("div.card", { "aria-busy": "true" });
	asked.catch(({ message }) => `This part could not be had. ${message}`).then((text) => place.replaceWith(...cards(text)));
	return place;
}

async function get(path) {
	const answer = await fetch(path);
	if (!answer.ok) throw new Error(`The service answered with status ${answer.status}.`);
	return answer.text();
}

function model({ name, version, sha256, operating_points: points, results, training }) {
	const all = results.slices?.all ?? {};
	const rows = Object.entries(FIGURES).filter(([key]) => all[key]).map(([key, [label, write]]) => {
		const [value, low, high] = all[key].map(write);
		return `| **${label} | **${value}** | ${low}–${high} |`;
	});
	return [
		`# Measured: ${name} ${version}`,
		all.n ? `On ${all.n.toLocaleString("en")} photos of ${all.lesions.toLocaleString("en")} lesions that it was not trained on, with 95% intervals; the card below has the rest.\n\n| | | |\n|-|-:|-:|` : "No figures were measured for this model.",
		...rows,
		...points.map((point) => `- At the mark **${percent(point.threshold)}** it ${finds(point)} (${point.measured_on}).`),
		`\nSHA-256 \`${sha256}\`\n# Data and licence`,
		training ? `${training.data}. Licence of the weights: ${training.licence}. If you publish with it, cite the data:` : "Nothing is recorded of how this model was trained.",
		...(training?.citations.map((citation) => `- ${citation}`) ?? []),
	].join("\n");
}

customElements.define("ll-about", About);
