import { describeModel } from "../api.js";
import { openDialog } from "../dialog.js";
import { button, h, loadStyle, sheet } from "../dom.js";
import { percent } from "../words.js";

const KEY = "lesionlens.limits-read";
const LIMITS = [
	["It is a research tool, not a medical device.", " Its answer is no diagnosis, and no reason to do without a doctor."],
	["It misses cancers,", " and suspects some where there are none. "],
	["It knows only dermoscopic photos:", " close-ups taken through a dermatoscope. Of others it may say anything."],
	["It has hardly seen dark skin.", " How well it does there is not known."],
	["It knows eight diagnoses,", " and divides every photo among them, whatever it shows."],
];

/** Show what must be known before the first use, unless it was read before in this browser. */
export async function firstRun() {
	let store = {}; // without storage it is asked at every visit
	try {
		store = localStorage;
	} catch {}
	if (store[KEY] === "1") return;
	await showLimits();
	store[KEY] = "1";
}

/** Show the limits; `again`, they may be closed with Escape. */
export async function showLimits(again = false) {
	await loadStyle(new URL("about.css", import.meta.url));
	const title = again ? "The limits of LesionLens" : "Before you begin";
	const limits = h("ul.dashed", ...LIMITS.map(([head, text]) => h("li", h("strong", head), text)));
	describeModel().then(({ operating_points: [point] }) => limits.children[1].append(sensitivity(point)), () => {}); // it goes without the figure
	const see = h("p.see", h("strong", "See a doctor, whatever it says,"), " if a spot is new, changes, bleeds, itches or does not heal, or if it worries you.");
	const shown = sheet(title, limits, see, h("div.actions", button(again ? "Close" : "I have read this", () => close(true), "primary")));
	const heading = shown.querySelector("h2");
	heading.tabIndex = -1;
	const { close, closed } = openDialog(shown, { label: title, dismissable: again });
	heading.focus(); // a screen reader begins at the top, and Enter does not confirm what was not read
	if (!(await closed) && !again) await showLimits(); // some browsers let a dialog be closed although it asks not to be
}

const sensitivity = (point) =>
	point
		? `At its mark of ${percent(point.threshold)} this model found ${percent(point.sensitivity)} of the cancers that it was measured on, missed ${percent(1 - point.sensitivity)}, and wrongly flagged ${percent(1 - point.specificity)} of harmless lesions. On other photos it may miss more.`
		: "How often was not measured for this model.";
