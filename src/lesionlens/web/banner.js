import { ask } from "./dialog.js";
import { button, h } from "./dom.js";
import { changed, discard, flush, put, waiting } from "./outbox.js";
import { toast } from "./toast.js";

const PAUSE = 10_000; // milliseconds until it tries again
const SHOWN = 5; // lesions that are due

/** Says what is out of reach or waits, and sends it as soon as it can. */
class Banner extends HTMLElement {
	#away = false;
	#due = [];
	#timer;

	connectedCallback() {
		const lost = () => this.#away || this.#draw((this.#away = true));
		document.addEventListener("unreachable", lost);
		addEventListener("offline", lost);
		document.addEventListener("outbox", () => this.#draw());
		addEventListener("online", () => this.#try());
		waiting().then((entries) => entries.length && this.#try());
		this.#remind().catch(() => {}); // what cannot be reached is said elsewhere
	}

	/** On opening: which lesions are to be photographed again, where that needs no password. */
	async #remind() {
		const { enabled, access } = await (await fetch("v1/tracker")).json();
		if (!enabled || !access.granted) return;
		this.#due = (await (await fetch("v1/lesions/due")).json()).items;
		this.#draw();
	}

	async #try() {
		// This asks for no password; the button does.
		const response = await fetch("v1/tracker").catch(() => null);
		const back = this.#away;
		this.#away = !response || response.status >= 500;
		if (back && !this.#away) document.dispatchEvent(new Event("reachable"));
		const { enabled, access } = (response?.ok && (await response.json().catch(() => null))) || {};
		if (enabled && access.granted) await this.#flush();
		this.#draw();
	}

	async #flush() {
		const sent = await flush();
		if (sent) toast(sent === 1 ? "The photo that waited is saved." : `${sent} photos that waited are saved.`);
	}

	async #draw() {
		const entries = await waiting();
		const refused = entries.filter(({ problem }) => problem);
		const pending = entries.length - refused.length;
		clearTimeout(this.#timer);
		if (this.#away || pending) this.#timer = setTimeout(() => this.#try(), PAUSE);
		const more = this.#due.length - SHOWN;
		const due = this.#due.slice(0, SHOWN).flatMap(({ id, site }, i) => [i ? ", " : "", h("a", { href: `#/lesions/${id}` }, site || "a lesion")]);
		const later = button("Later", () => this.#draw((this.#due = [])));
		this.replaceChildren(
			...(due.length ? [line(h("span", "Photograph again: ", ...due, more > 0 ? ` and ${more} more` : ""), later)] : []),
			...(this.#away ? [line("The service cannot be reached. No photo can be analysed until it answers again.", button("Try now", () => this.#try()))] : []),
			...(pending ? [line(`${pending === 1 ? "1 photo waits" : `${pending} photos wait`} on this device to be saved to the records.`, button("Send now", () => this.#flush()))] : []),
			...refused.map((entry) => line(`The photo for ${entry.label} was not accepted: ${entry.problem}`, ...remedies(entry))),
		);
	}
}

const line = (text, ...buttons) => h("div.banner", h("span", text), h("span.actions", ...buttons));

function remedies(entry) {
	const { id, label, type, bytes } = entry;
	const again = () => put({ ...entry, problem: undefined }).then(flush).then(changed);
	const download = () => {
		const href = URL.createObjectURL(new Blob([bytes], { type }));
		h("a", { href, download: `lesion-${id.slice(0, 8)}.${type.split("/")[1] ?? "jpg"}` }).click();
		setTimeout(() => URL.revokeObjectURL(href), 1000);
	};
	const forget = async () => {
		const body = `It was meant for ${label} and is kept nowhere else by this page.`;
		if (await ask({ title: "Discard this photo?", body, confirm: "Discard", danger: true })) await discard(id);
	};
	return [button("Try again", again), button("Download", download), button("Discard", forget, "danger")];
}

customElements.define("ll-banner", Banner);
