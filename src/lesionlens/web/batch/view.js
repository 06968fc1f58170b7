import { describeModel, listClasses } from "../api.js";
import { button, field, h, loadStyle } from "../dom.js";
import { toast } from "../toast.js";
import { toCsv } from "./csv.js";
import { chosen, dropped } from "./files.js";
import { Job } from "./job.js";
import { FILTERS, ORDERS, write } from "./rows.js";

await loadStyle(new URL("batch.css", import.meta.url));

const PAUSE = 300; // ms between two sortings while answers arrive
const select = (id, names) => h("select", { id }, ...Object.keys(names).map((name) => h("option", name)));

class Batch extends HTMLElement {
	#saved = true;
	#timer = null;
	#job = new Job((item) => this.#changed(item));
	#bar = h("progress", { "aria-label": "Photos done" });
	#tally = h("strong.tally");
	#note = h("p.note", { role: "status" });
	#pause = button("", () => (this.#job.state === "paused" ? this.#job.resume() : this.#job.pause()));
	#cancel = button("Cancel", () => this.#job.cancel());
	#retry = button("Try again", () => this.#job.retry());
	#save = button("Download CSV", () => this.#download().catch(({ message }) => toast(message)), "primary");
	#only = select("batch-only", FILTERS);
	#order = select("batch-order", ORDERS);
	#rows = h("ol.rows", { "aria-label": "Photos and answers" });
	#results = h(
		"div.results",
		h("div.card.job", this.#bar, this.#tally, this.#note, h("div.actions", this.#pause, this.#cancel, this.#retry, this.#save)),
		h("div.actions", { onchange: () => this.#show() }, field("Show", this.#only), field("Sort by", this.#order)),
		this.#rows,
		h("p.none.quiet", "No photo is of this kind."),
	);

	connectedCallback() {
		if (this.firstChild) return; // it is kept while another view is shown
		this.append(
			h("h1", "Many photos at once"),
			h("div.card.pick", h("p", "Drop photos or a folder here; each is analysed like a single one."), h("div.actions", ...this.#input("Choose photos", { multiple: true, accept: "image/*" }), ...this.#input("Choose a folder", { webkitdirectory: true }))),
			this.#results,
			h("p.quiet.small", "LesionLens is a research tool, not a medical device. No row is a diagnosis, and a harmless answer does not rule out cancer; the CSV file says so in each row. Photos go to the server of this page and are not stored; file names stay in the browser."),
		);
		for (const type of ["dragover", "dragleave", "drop"]) this.addEventListener(type, (event) => this.#drag(event));
		addEventListener("beforeunload", (event) => (this.#saved && this.#job.state === "idle") || event.preventDefault()); // or answers are lost
		this.#show();
	}

	#input(text, props) {
		const take = () => {
			this.#add(chosen(input.files));
			input.value = ""; // so that the same can be chosen again
		};
		const input = h("input", { type: "file", hidden: true, ...props, onchange: take });
		return [input, button(text, () => input.click(), props.multiple && "primary")];
	}

	async #drag(event) {
		event.preventDefault(); // or the browser would leave the page to show the photo
		this.classList.toggle("over", event.type === "dragover");
		if (event.type === "drop") this.#add(await dropped(event.dataTransfer));
	}

	#add(files) {
		if (files.length) this.#job.add(files);
		else toast("There is no picture in it.");
	}

	#changed(item) {
		if (!item) return this.#show();
		write(item);
		this.#saved &&= item.state !== "Done";
		this.#timer ??= setTimeout(() => this.#show(), PAUSE);
	}

	#show() {
		clearTimeout(this.#timer);
		this.#timer = null;
		const { items, state, note } = this.#job;
		const [done, failed, cancelled] = ["Done", "Failed", "Cancelled"].map((state) => items.filter((item) => item.state === state).length);
		const over = done + failed + cancelled;
		this.#results.hidden = !items.length;
		Object.assign(this.#bar, { max: items.length, value: over });
		this.#tally.textContent = `${over} of ${items.length}${failed ? ` · ${failed} failed` : ""}`;
		const said = note || (state === "idle" ? "Done." : "");
		if (this.#note.textContent !== said) this.#note.textContent = said; // or it would be read again and again
		this.#pause.textContent = state === "paused" ? "Resume" : "Pause";
		this.#pause.hidden = this.#cancel.hidden = state === "idle";
		this.#retry.hidden = state !== "idle" || over === done;
		if (document.activeElement?.hidden) this.#save.focus();
		const only = this.#only.value;
		const rows = items.filter(FILTERS[only] ?? (({ title }) => title === only)).sort(ORDERS[this.#order.value]).map(({ row }) => row);
		const there = this.#rows.children;
		if (rows.length !== there.length || rows.some((row, i) => row !== there[i])) this.#rows.replaceChildren(...rows);
		const offered = [...this.#only.options].map(({ text }) => text);
		for (const title of new Set(items.map(({ title }) => title))) if (!offered.includes(title)) this.#only.append(h("option", title));
	}

	async #download() {
		const [model, classes] = await Promise.all([describeModel(), listClasses()]);
		const href = URL.createObjectURL(new Blob([toCsv(this.#job.items, classes, model)], { type: "text/csv" }));
		h("a", { href, download: "lesionlens-results.csv" }).click();
		setTimeout(() => URL.revokeObjectURL(href), 60_000);
		this.#saved = true;
	}
}

customElements.define("ll-batch", Batch);
