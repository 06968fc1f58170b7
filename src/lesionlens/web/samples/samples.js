import { h, tell } from "../dom.js";

const SIDE = 512; // pixels of each drawing; all four lie in one file
const all = h("img", { src: new URL("drawings.svg", import.meta.url) });
const LESIONS = [
	["Even brown mole", "round, one brown, a soft edge"],
	["Lesion of many colours", "lopsided, with a network, a dark blotch and a bluish veil"],
	["Pearly lesion", "pale, with branching vessels"],
	["Red lakes", "red and purple, with pale walls between them"],
];

/** Drawings to try the page with. They show nobody, and what a model answers to them says nothing of it or of a lesion. */
export const samples = () =>
	LESIONS.map(([name, note], i) => ({
		name,
		note: `Synthetic drawing, no photo: ${note}.`,
		async draw() {
			await all.decode();
			const canvas = h("canvas", { width: SIDE, height: SIDE });
			canvas.getContext("2d").drawImage(all, -SIDE * (i % 2), -SIDE * Math.floor(i / 2));
			return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
		},
	}));

export function sampleChips() {
	const chips = samples().map(({ name, note, draw }) => {
		const chip = h("button.chip", { title: note, onclick: async () => tell(chip, "photo", await draw()) }, name);
		return chip;
	});
	return h("div.samples", { role: "group", "aria-label": "Drawn pictures to try" }, h("span.quiet.small", "No photo at hand? Try a drawing:"), ...chips);
}
