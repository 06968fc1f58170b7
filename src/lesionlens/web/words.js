/** 0.873 → "87%"; what is not 0 is never shown as 0, and what is not 1 never as 100. */
export function percent(share) {
	if (share > 0 && share < 0.01) return "<1%";
	if (share < 1 && share > 0.99) return ">99%";
	return `${Math.round(share * 100)}%`;
}

/** The same within a sentence. */
export const spoken = (share) => percent(share).replace("<", "less than ").replace(">", "more than ");

/** An answer in words; where it is not to be relied on, also why: `doubt`, and `reasons` where the photo is the cause. */
export function explain({ prediction, confident, confidence, malignancy, most_probable: top, suitability }) {
	const chance = spoken(confidence.max_probability);
	if (suitability?.suitable === false) {
		return {
			kind: "unsuitable",
			label: "No answer to rely on",
			headline: suitability.message.replace(/\.$/, ""),
			lead: "The model knows only close-ups taken through a dermatoscope, and this photo is unlike them:",
			reasons: suitability.reasons.map(({ message }) => message),
			meaning:
				"It names one of eight diagnoses for a photo of anything at all. What it computed for this one is shown below, but says nothing about the lesion: neither that it is harmless nor that it is not. If the lesion worries you, have it looked at.",
			doubt: "Computed all the same; not to be relied on for this photo.",
		};
	}
	if (!confident) {
		return {
			kind: "unsure",
			label: "The answer",
			headline: "Not confident",
			lead: `The model does not know. No diagnosis reached ${percent(confidence.threshold)}; the nearest was ${top.name} with ${chance}.`,
			doubt: `None reached ${percent(confidence.threshold)}.`,
			meaning:
				"That is an answer in its own right: it says nothing about whether the lesion is harmless. A sharp, evenly lit close-up with the lesion in the middle may help.",
		};
	}
	const said = { headline: prediction.name, lead: `${prediction.description} The model gives it ${chance}.` };
	if (!prediction.malignant && malignancy.operating_points.some(({ reached }) => reached)) {
		const meaning = `Yet it gives ${spoken(malignancy.probability)} to a cancer or its early form, which is enough to reach a mark below. Have the lesion looked at.`;
		return { ...said, kind: "unsure", label: "Most likely, but not the whole answer", meaning };
	}
	const meaning = prediction.malignant
		? "The model finds this photo most like those of a cancer or its early form. It can be wrong; only a dermatologist can tell, and should."
		: "The model finds this photo most like those of a harmless lesion. It misses some cancers: if the lesion is new, changes, itches or bleeds, have it looked at all the same.";
	return { ...said, kind: prediction.malignant ? "malignant" : "benign", label: "Most likely", meaning };
}

/** What an operating point was measured to do. */
export const finds = ({ sensitivity, specificity }) => `finds ${percent(sensitivity)} of cancers and wrongly flags ${percent(1 - specificity)} of harmless lesions`;

/** A point as a sentence. */
export const explainPoint = (point) => `${point.reached ? "At or above" : "Below"} ${percent(point.threshold)}, the mark that ${finds(point)}.`;
