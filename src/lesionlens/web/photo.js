import { field, h } from "./dom.js";
import { paint } from "./heat.js";

const LONGEST = 1200; // pixels

/** Shows the photo and, over it, where the network looked for a class. */
class Photo extends HTMLElement {
	#bitmap = null;
	#analysis = null;
	#canvas = h("canvas", { role: "img" });
	#opacity = 60; // percent
	#code = "";

	/** Show a photo, unless the signal is aborted first: a newer photo may be decoded sooner. */
	async show(photo, signal) {
		const bitmap = await createImageBitmap(photo, { imageOrientation: "from-image" }).catch(() => null);
		if (signal.aborted) return bitmap?.close();
		this.clear();
		this.#bitmap = bitmap;
		this.append(h("figure.stage", bitmap ? this.#canvas : h("p.quiet.unseen", "Your browser cannot show this format; the service may be able to read it.")));
		this.#draw();
	}

	/** Show nothing, and give the photo's memory back. */
	clear() {
		this.#bitmap?.close();
		this.#bitmap = this.#analysis = null;
		this.replaceChildren();
	}

	/** Lay heatmaps over the photo, beginning with the most probable class. */
	explain(analysis, classes) {
		if (!this.#bitmap || !analysis.maps) return;
		this.#analysis = analysis;
		this.#code = analysis.most_probable.code;
		this.append(this.#controls(classes));
		this.#draw();
	}

	#controls(classes) {
		const kinds = classes.filter(({ code }) => code in this.#analysis.maps);
		const pick = () => this.#draw((this.#code = picker.value));
		const picker = h("select", { id: "heat-class", onchange: pick }, ...kinds.map(({ code, name }) => h("option", { value: code, selected: code === this.#code }, name)));
		const said = h("output", { for: "heat-opacity" }, `${this.#opacity}%`);
		const slide = () => {
			said.textContent = `${(this.#opacity = slider.value)}%`;
			this.#draw();
		};
		const slider = h("input", { type: "range", id: "heat-opacity", value: this.#opacity, oninput: slide });
		const { left, top } = this.#analysis.seen_box;
		const part = left || top ? " The network saw only this middle square of the photo." : "";
		const legend = h("p.quiet.small.legend", h("span.ramp", { "aria-hidden": "true" }), `Brighter: counted more for that diagnosis.${part}`);
		return h("div.controls", field("Where it looked for", picker), field("Heatmap ", slider, said), legend);
	}

	#draw() {
		if (!this.#bitmap) return;
		const scale = Math.min(1, LONGEST / Math.max(this.#bitmap.width, this.#bitmap.height));
		const [width, height] = [this.#bitmap.width, this.#bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
		const context = Object.assign(this.#canvas, { width, height }).getContext("2d");
		context.drawImage(this.#bitmap, 0, 0, width, height);
		if (this.#analysis) {
			const { left, top, right, bottom } = this.#analysis.seen_box;
			Object.assign(context, { globalAlpha: this.#opacity / 100, imageSmoothingQuality: "high" });
			context.drawImage(paint(this.#analysis.maps[this.#code]), left * width, top * height, (right - left) * width, (bottom - top) * height);
		}
		this.#canvas.setAttribute("aria-label", `The photo${this.#analysis ? `; the heatmap shows where the network looked for ${this.#code}` : ""}`);
	}
}

customElements.define("ll-photo", Photo);
