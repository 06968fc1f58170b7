// Perceptually even and safe for the colour-blind (after matplotlib's inferno).
const RAMP = [[20, 11, 54], [87, 16, 110], [147, 38, 103], [203, 65, 73], [240, 112, 32], [252, 176, 26], [252, 255, 164]];

function colour(value) {
	const place = value * (RAMP.length - 1);
	const low = Math.min(Math.floor(place), RAMP.length - 2);
	return RAMP[low].map((channel, i) => channel + (RAMP[low + 1][i] - channel) * (place - low));
}

/** A class map as a small canvas, one pixel per value: the hotter, the brighter and the less see-through. */
export function paint({ height, width, values }) {
	const canvas = Object.assign(document.createElement("canvas"), { width, height });
	const context = canvas.getContext("2d");
	const picture = context.createImageData(width, height);
	const flat = values.flat();
	const low = Math.min(...flat);
	const span = Math.max(...flat) - low || 1;
	flat.forEach((value, i) => {
		const heat = (value - low) / span;
		picture.data.set([...colour(heat), 255 * Math.min(1, 1.15 * heat)], 4 * i);
	});
	context.putImageData(picture, 0, 0);
	return canvas;
}
