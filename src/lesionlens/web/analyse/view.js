import { analyse, Failure, listClasses } from "../api.js";
import "../bars.js";
import { button, failure, h } from "../dom.js";
import "../photo.js";
import { toast } from "../toast.js";
import { explain } from "../words.js";
import { answer } from "./answer.js";
import { intro } from "./intro.js";
import "./picker.js";

/** Leads from a photo to its answer, and from there to a place among the records. */
class Analyse extends HTMLElement {
	#running = null;
	#photo = h("ll-photo");
	#picker = h("ll-picker");
	#panel = h("div.panel", intro());
	#status = h("p.hidden", { role: "status" });

	connectedCallback() {
		if (this.firstChild) return; // it is kept while another view is shown
		this.append(h("div.columns", h("div.left", this.#photo, this.#picker, this.#status), this.#panel));
		this.addEventListener("photo", (event) => this.#analyse(event.detail));
		const batch = { action: "To Batch", onaction: () => (location.hash = "#/batch") };
		this.addEventListener("more", () => toast("Only the first photo is analysed here. “Batch” takes many.", batch));
		import("../samples/samples.js").then(({ sampleChips }) => this.#picker.append(sampleChips()), console.warn);
	}

	reset() {
		this.#running?.abort();
		this.#photo.clear();
		this.#enter(null, "", intro());
	}

	async #analyse(photo) {
		this.#running?.abort(); // a newer photo makes the answer to the last one pointless
		const { signal } = (this.#running = new AbortController());
		this.#enter("working", "Analysing the photo.", this.#working());
		try {
			const [analysis, classes] = await Promise.all([analyse(photo, signal), listClasses(), this.#photo.show(photo, signal)]);
			if (!signal.aborted) this.#show(photo, analysis, classes);
		} catch (error) {
			if (!signal.aborted) this.#fail(error, photo);
		}
	}

	#show(photo, analysis, classes) {
		const bars = h("ll-bars");
		const explained = explain(analysis);
		const { doubt, headline } = explained;
		bars.show(analysis.probabilities, classes, doubt);
		// Doubt is said aloud as well: not every screen reader follows the focus to a headline.
		this.#enter("answered", doubt ? `${headline}.` : "", answer(analysis, explained, classes), keep(photo), bars, provenance(analysis));
		this.#photo.explain(analysis, classes);
		document.querySelector("ll-model").identity = analysis.model;
		this.querySelector("#headline").focus({ preventScroll: true });
	}

	#fail(error, photo) {
		const known = error instanceof Failure;
		if (!known) console.error(error);
		this.#running.abort(); // the photo may still be on its way to the stage
		this.#photo.clear();
		const again = known && (error.status === 0 || error.status >= 500); // a photo that was refused will be refused again
		const said = known ? [error.title, error.message] : ["The page failed", "Reload it, then try again."];
		this.#enter("failed", "", failure(...said, again && button("Try this photo again", () => this.#analyse(photo), "primary")));
	}

	#working() {
		const cancel = () => {
			this.reset();
			this.#picker.querySelector("#file").focus();
		};
		return h("section.card.working", h("p.headline", "Analysing the photo…"), h("span.progress"), h("div", button("Cancel", cancel)));
	}

	/** `status` is what a screen reader is told. */
	#enter(state, status, ...shown) {
		if (state) this.dataset.state = state;
		else delete this.dataset.state;
		this.#status.textContent = status;
		this.#panel.replaceChildren(...shown);
	}
}

/** The way to the records; what it needs is loaded when it is taken. */
function keep(photo) {
	const save = async () => (await import("./save.js")).saveToLesion(photo);
	const why = h("span.quiet.small", "Photograph it again in some months, and see what changed.");
	return h("section.card.actions", { "aria-label": "Keep this photo" }, button("Save to a lesion…", save, "primary", { id: "save" }), why);
}

const provenance = ({ model, photo, timings_ms: { total } }) =>
	h("p.quiet.small.provenance", `${model.name} ${model.version} · ${photo.width} × ${photo.height} ${photo.format} · ${(total / 1000).toFixed(2)} s · photo not stored`);

customElements.define("ll-analyse", Analyse);
