import { h } from "../dom.js";

const step = (title, text) => h("li", h("strong", title), h("span", text));

/** What the page does, before there is a photo. */
export const intro = () =>
	h(
		"section.intro",
		h("h1", "A second look at a skin lesion, and an honest one"),
		h("p.lead", "LesionLens compares a photo with eight kinds of skin lesion, shows where it looked, and says so when it does not know."),
		h(
			"ol.steps",
			step("Take a close-up", "One lesion, sharp and evenly lit, in the middle. It was trained on photos taken through a dermatoscope."),
			step("Read the answer", "Eight probabilities; or “not confident”, or “not like a dermoscopic image”, which are answers too."),
			step("See where it looked", "A heatmap shows which parts of the photo counted for each diagnosis."),
		),
		h("p.quiet.small", "The photo goes to the server of this page, stays in its memory while it is analysed, and is stored only if you save it."),
	);
